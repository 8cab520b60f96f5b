#include <sstream>

#include "base/error.h"
#include "base/ids.h"
#include "connect/command/command.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace proto = spark::connect;

// Rows are kept by this process, for checkpoint() and localCheckpoint() alike; a lazy one is computed at once, too.
arrow::Status RunCheckpoint(const CommandContext& context, const proto::Command& command) {
  const auto& checkpoint = command.checkpoint_command();
  session::Session& session = context.session();
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(checkpoint.relation()));
  ARROW_RETURN_NOT_OK(session::CheckIsNoStream(*plan));
  ARROW_ASSIGN_OR_RAISE(auto rows, session.Materialize(plan, context.control()));
  std::string id = RandomUuid();
  session.PutRelation(id, std::make_shared<logical::LocalRelation>(plan->output(), std::move(rows)));
  proto::ExecutePlanResponse response;
  response.mutable_checkpoint_command_result()->mutable_relation()->set_relation_id(id);
  return context.operation->Emit(std::move(response));
}

arrow::Status RunRemoveCachedRelation(const CommandContext& context, const proto::Command& command) {
  // A job gives up many at once.
  std::istringstream ids(command.remove_cached_remote_relation_command().relation().relation_id());
  for (std::string id; ids >> id;) context.session().RemoveRelation(id);
  return arrow::Status::OK();
}

}  // namespace millrace::connect
