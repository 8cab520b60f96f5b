#include "analyzer/python_functions.h"
#include "connect/command/command.h"

namespace millrace::connect {

arrow::Status RunRegisterFunction(const CommandContext& context, const spark::connect::Command& command) {
  const auto& message = command.register_function();
  analyzer::RegisteredFunction registered;
  ARROW_ASSIGN_OR_RAISE(registered.function, analyzer::ToUserFunction(message));
  ARROW_ASSIGN_OR_RAISE(registered.return_type, analyzer::ResolveDataType(message.python_udf().output_type()));
  context.session().RegisterFunction(message.function_name(), std::move(registered));
  return arrow::Status::OK();
}

arrow::Status RunRegisterTableFunction(const CommandContext& context, const spark::connect::Command& command) {
  const auto& message = command.register_table_function();
  ARROW_ASSIGN_OR_RAISE(analyzer::RegisteredFunction registered, analyzer::ToTableFunction(message));
  context.session().RegisterFunction(message.function_name(), std::move(registered));
  return arrow::Status::OK();
}

arrow::Status RunRegisterDataSource(const CommandContext& context, const spark::connect::Command& command) {
  const auto& message = command.register_data_source();
  auto data_source = std::make_shared<python::UserFunction>();
  data_source->name = message.name();
  data_source->command = message.python_data_source().command();
  data_source->python_version = message.python_data_source().python_ver();
  context.session().RegisterDataSource(message.name(), std::move(data_source));
  return arrow::Status::OK();
}

}  // namespace millrace::connect
