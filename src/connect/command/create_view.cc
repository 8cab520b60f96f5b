#include "connect/command/command.h"

namespace millrace::connect {

arrow::Status RunCreateView(const CommandContext& context, const spark::connect::Command& command) {
  const auto& view = command.create_dataframe_view();
  return context.session().CreateView(view.input(), view.name(), view.is_global(), view.replace());
}

}  // namespace millrace::connect
