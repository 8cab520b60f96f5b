#include <string>

#include "analyzer/analyzer.h"
#include "connect/command/command.h"

namespace millrace::connect {

namespace {

using spark::connect::Command;

// One line a command that is served; the others are refused by name.
constexpr CommandEntry kCommands[] = {
    {Command::kWriteOperation, RunWriteOperation},
    {Command::kWriteOperationV2, RunWriteOperationV2},
    {Command::kCreateDataframeView, RunCreateView},
    {Command::kSqlCommand, RunSqlCommand},
    {Command::kWriteStreamOperationStart, RunWriteStreamStart},
    {Command::kStreamingQueryCommand, RunStreamingQueryCommand},
    {Command::kStreamingQueryManagerCommand, RunStreamingQueryManagerCommand},
    {Command::kStreamingQueryListenerBusCommand, RunListenerBusCommand},
    {Command::kRegisterFunction, RunRegisterFunction, "Python functions"},
    {Command::kRegisterTableFunction, RunRegisterTableFunction},
    {Command::kRegisterDataSource, RunRegisterDataSource},
    {Command::kGetResourcesCommand, RunGetResources},
    {Command::kCheckpointCommand, RunCheckpoint},
    {Command::kRemoveCachedRemoteRelationCommand, RunRemoveCachedRelation},
    {Command::kExtension, RunDeltaCommand, "Delta's tables made and vacuumed, and features of theirs switched on"},
    {Command::kMergeIntoTableCommand, RunMergeIntoTable},
    {Command::kMlCommand, RunMlCommand, "clean_cache only"},
};

}  // namespace

std::span<const CommandEntry> AllCommands() { return kCommands; }

arrow::Status RunCommand(const CommandContext& context, const Command& command) {
  for (const CommandEntry& entry : kCommands) {
    if (entry.kind == command.command_type_case()) return entry.run(context, command);
  }
  const auto* field = command.GetDescriptor()->FindFieldByNumber(command.command_type_case());
  return analyzer::NotSupported("the command " + (field == nullptr ? std::string("without a kind") : field->name()));
}

}  // namespace millrace::connect
