#include "analyzer/analyzer.h"
#include "connect/command/command.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

// Every client cleans the cache of models when it ends, also one that never had any.
arrow::Status RunMlCommand(const CommandContext& context, const spark::connect::Command& command) {
  const auto& message = command.ml_command();
  if (!message.has_clean_cache()) {
    const auto* field = message.GetDescriptor()->FindFieldByNumber(message.command_case());
    return analyzer::NotSupported("the command ml_command." + (field == nullptr ? std::string("?") : field->name()));
  }
  spark::connect::ExecutePlanResponse response;
  response.mutable_ml_command_result()->mutable_param()->set_integer(0);
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
