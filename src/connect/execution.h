#pragma once

#include <arrow/status.h>

#include <memory>

#include "connect/client_session.h"
#include "session/session.h"

namespace spark::connect {
class Command;
class Plan;
}  // namespace spark::connect

namespace millrace::connect {

/// What a command may use while it runs.
struct CommandContext {
  std::shared_ptr<ClientSession> client;
  std::shared_ptr<Operation> operation;

  session::Session& session() const { return client->engine(); }
  session::RunControl control() const { return {.cancelled = &operation->cancelled(), .observed = observed.get()}; }
  /// What DataFrame.observe computed; sent when the command has ended.
  std::shared_ptr<std::vector<physical::ObservedMetrics>> observed =
      std::make_shared<std::vector<physical::ObservedMetrics>>();
};

/// Runs a plan and emits its answers; returns when it has ended.
arrow::Status ExecuteOperation(const std::shared_ptr<ClientSession>& client,
                               const std::shared_ptr<Operation>& operation, const spark::connect::Plan& plan);

/// Schema and rows of a result, as arrow_batch responses.
arrow::Status EmitRows(const CommandContext& context, session::QueryResult result);

/// A command: dispatched by kind, see command/registry.cc.
arrow::Status RunCommand(const CommandContext& context, const spark::connect::Command& command);

}  // namespace millrace::connect
