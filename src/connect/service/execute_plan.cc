#include "base/error.h"
#include "base/ids.h"
#include "connect/execution.h"
#include "connect/plan_compression.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

// Spark's default of spark.connect.session.resultChunking.maxChunkSize, and the least a client may ask for.
constexpr int64_t kMaxChunkBytes = 3 << 20;
constexpr int64_t kMinChunkBytes = 1024;

OperationOptions OptionsOf(const proto::ExecutePlanRequest& request, const ClientSession& session) {
  OperationOptions options;
  options.id = request.has_operation_id() && !request.operation_id().empty() ? request.operation_id() : RandomUuid();
  options.session_id = request.session_id();
  options.server_side_session_id = session.server_side_id();
  options.tags.assign(request.tags().begin(), request.tags().end());
  for (const auto& option : request.request_options()) {
    if (option.has_reattach_options()) options.reattachable = option.reattach_options().reattachable();
    if (option.has_result_chunking_options() && option.result_chunking_options().allow_arrow_batch_chunking()) {
      int64_t preferred = option.result_chunking_options().preferred_arrow_chunk_size();
      bool usable = preferred >= kMinChunkBytes && preferred <= kMaxChunkBytes;
      options.chunk_bytes = usable ? preferred : kMaxChunkBytes;
    }
  }
  return options;
}

}  // namespace

arrow::Status ExecutePlan(ConnectService& service, const proto::ExecutePlanRequest& request, ResponseStream& client) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, SessionOf(service, request));
  auto operation = std::make_shared<Operation>(OptionsOf(request, *session));
  ARROW_RETURN_NOT_OK(session->AddOperation(operation));
  // The execution may outlive this call, and with it the request.
  auto plan = std::make_shared<proto::Plan>(request.plan());
  service.Start(session, operation, [session, operation, plan] {
    proto::Plan storage;
    ARROW_ASSIGN_OR_RAISE(const proto::Plan* whole, Decompressed(*plan, &storage));
    return ExecuteOperation(session, operation, *whole);
  });
  arrow::Status status = operation->Send(client, std::nullopt);
  // Without reattaching nobody will ask for the rest.
  if (!operation->options().reattachable) session->RemoveOperation(operation->id());
  return status;
}

}  // namespace millrace::connect
