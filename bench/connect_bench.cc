#include <benchmark/benchmark.h>

#include "base/ids.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

/// What a Spark Connect call costs inside the server, the transport aside.

namespace millrace {
namespace {

namespace proto = spark::connect;

class CountingClient final : public connect::ResponseStream {
 public:
  bool Write(const proto::ExecutePlanResponse& response) override {
    num_rows += response.arrow_batch().row_count();
    return true;
  }
  bool is_cancelled() const override { return false; }
  int64_t num_rows = 0;
};

proto::ExecutePlanRequest CollectRange(const std::string& session_id, int64_t end) {
  proto::ExecutePlanRequest request;
  request.set_session_id(session_id);
  request.mutable_plan()->mutable_root()->mutable_range()->set_end(end);
  request.mutable_plan()->mutable_root()->mutable_range()->set_step(1);
  request.add_request_options()->mutable_reattach_options()->set_reattachable(true);
  return request;
}

// spark.range(n).collect(), and the release that follows it.
void BM_CollectRange(benchmark::State& state) {
  connect::ConnectService service(std::make_shared<session::Engine>(), {});
  std::string session_id = RandomUuid();
  for (auto _ : state) {
    proto::ExecutePlanRequest request = CollectRange(session_id, state.range(0));
    request.set_operation_id(RandomUuid());
    CountingClient client;
    if (!connect::ExecutePlan(service, request, client).ok() || client.num_rows != state.range(0)) {
      state.SkipWithError("the query failed");
      break;
    }
    proto::ReleaseExecuteRequest release;
    release.set_session_id(session_id);
    release.set_operation_id(request.operation_id());
    release.mutable_release_all();
    proto::ReleaseExecuteResponse released;
    if (!connect::ReleaseExecute(service, release, &released).ok()) state.SkipWithError("the release failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CollectRange)->Arg(10)->Arg(100000)->UseRealTime()->Unit(benchmark::kMicrosecond);

// df.schema of the same frame.
void BM_AnalyzeSchema(benchmark::State& state) {
  connect::ConnectService service(std::make_shared<session::Engine>(), {});
  proto::AnalyzePlanRequest request;
  request.set_session_id(RandomUuid());
  *request.mutable_schema()->mutable_plan() = CollectRange(request.session_id(), 10).plan();
  for (auto _ : state) {
    proto::AnalyzePlanResponse response;
    if (!connect::AnalyzePlan(service, request, &response).ok()) state.SkipWithError("the call failed");
  }
}
BENCHMARK(BM_AnalyzeSchema)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace millrace
