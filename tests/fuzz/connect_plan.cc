// A client's plan, any bytes: it is analyzed, optimized and planned, or refused with an error that is not ours
// (INTERNAL_ERROR aside, which a damaged message may be answered with); nothing runs.

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "connect/plan_compression.h"
#include "session/session.h"
#include "spark/connect/base.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  static const auto engine = std::make_shared<session::Engine>(1);
  spark::connect::Plan plan;
  if (!plan.ParseFromArray(data, static_cast<int>(size))) return 0;
  spark::connect::Plan storage;
  auto whole = connect::Decompressed(plan, &storage);
  if (!whole.ok() || !(*whole)->has_root()) return 0;
  auto session = session::Session::Create(engine);
  auto analyzed = session->Analyze((*whole)->root());
  if (!analyzed.ok()) return 0;
  (void)(*analyzed)->Schema();
  (void)session->ExplainPlan(*analyzed, session::ExplainMode::kExtended);
  return 0;
}
