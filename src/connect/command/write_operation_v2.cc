#include "connect/command/command.h"

namespace millrace::connect {

arrow::Status RunWriteOperationV2(const CommandContext& context, const spark::connect::Command& command) {
  return context.session().WriteV2(command.write_operation_v2(), context.control());
}

}  // namespace millrace::connect
