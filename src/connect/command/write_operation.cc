#include "connect/command/command.h"

namespace millrace::connect {

arrow::Status RunWriteOperation(const CommandContext& context, const spark::connect::Command& command) {
  return context.session().Write(command.write_operation(), context.control());
}

}  // namespace millrace::connect
