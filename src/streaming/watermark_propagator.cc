#include "streaming/watermark_propagator.h"

#include <algorithm>

#include "base/error.h"
#include "physical/operator/event_time_watermark.h"

namespace millrace::streaming {

namespace {

using physical::Operator;
using physical::StatefulOperator;
using Watermarks = std::map<const Operator*, int64_t>;

// Children first: the watermark of the rows that come out of `node`, nullopt when it has none.
arrow::Result<std::optional<int64_t>> Simulate(const Operator& node, int64_t watermark_ms, Watermarks* inputs) {
  std::optional<int64_t> input;
  for (const physical::OperatorPtr& child : node.children()) {
    ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> below, Simulate(*child, watermark_ms, inputs));
    if (below) input = input ? std::min(*input, *below) : *below;
  }
  if (dynamic_cast<const physical::EventTimeWatermark*>(&node) != nullptr) {
    if (input) {
      return UserError("_LEGACY_ERROR_TEMP_3076", {{"config", "spark.sql.streaming.statefulOperator.allowMultiple"}});
    }
    return watermark_ms;
  }
  const auto* stateful = dynamic_cast<const StatefulOperator*>(&node);
  if (stateful == nullptr) return input;
  (*inputs)[&node] = std::max<int64_t>(input.value_or(0), 0);
  if (!input) return std::nullopt;
  return stateful->OutputWatermark(*input);
}

}  // namespace

arrow::Result<Watermarks> WatermarkPropagator::Propagate(int64_t watermark_ms) const {
  Watermarks inputs;
  // Before there is a watermark nothing is simulated, and nothing checked: as Spark.
  if (single_ || watermark_ms == 0) {
    for (const StatefulOperator* op : physical::StatefulOperators(*plan_)) inputs[op] = watermark_ms;
    return inputs;
  }
  ARROW_RETURN_NOT_OK(Simulate(*plan_, watermark_ms, &inputs).status());
  return inputs;
}

}  // namespace millrace::streaming
