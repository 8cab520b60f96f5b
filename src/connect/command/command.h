#pragma once

#include <span>
#include <string_view>

#include "connect/execution.h"
#include "spark/connect/commands.pb.h"

/// The commands of ExecutePlan, one a file; registry.cc lists them.

namespace millrace::connect {

using CommandFunction = arrow::Status (*)(const CommandContext& context, const spark::connect::Command& command);

struct CommandEntry {
  spark::connect::Command::CommandTypeCase kind;
  CommandFunction run;
  /// Where only some of its messages are served.
  std::string_view note = "";
};
std::span<const CommandEntry> AllCommands();

arrow::Status RunWriteOperation(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunWriteOperationV2(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunCreateView(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunSqlCommand(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunWriteStreamStart(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunStreamingQueryCommand(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunStreamingQueryManagerCommand(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunListenerBusCommand(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunGetResources(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunCheckpoint(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunRemoveCachedRelation(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunRegisterFunction(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunRegisterTableFunction(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunMergeIntoTable(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunDeltaCommand(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunRegisterDataSource(const CommandContext& context, const spark::connect::Command& command);
arrow::Status RunMlCommand(const CommandContext& context, const spark::connect::Command& command);

}  // namespace millrace::connect
