#include "streaming/unsupported_operations.h"

#include "base/error.h"
#include "logical/node/join.h"
#include "logical/node/limit.h"
#include "logical/node/sort.h"

namespace millrace::streaming {

namespace {

using logical::NodeKind;

arrow::Status NeedsState(std::string_view what) {
  return UserError(
      "UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
      {{"methodName", std::string(what) + " on a stream (an operator with state)"}, {"className", "Millrace"}});
}

arrow::Status CheckNode(const logical::Plan& node) {
  if (!node.is_streaming()) return arrow::Status::OK();
  switch (node.kind()) {
    case NodeKind::kAggregate:
      return NeedsState("an aggregation");
    case NodeKind::kDeduplicate:
      return NeedsState("dropDuplicates");
    case NodeKind::kWatermark:
      return NeedsState("withWatermark");
    case NodeKind::kLimit:
      return NeedsState("limit");
    case NodeKind::kSort:
      return UserError("_LEGACY_ERROR_TEMP_3102",
                       {{"msg",
                         "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated "
                         "DataFrame/Dataset in Complete output mode"}});
    case NodeKind::kSample:
      return UserError("_LEGACY_ERROR_TEMP_3102",
                       {{"msg", "Sampling is not supported on streaming DataFrames/Datasets"}});
    case NodeKind::kJoin: {
      const auto& join = static_cast<const logical::Join&>(node);
      if (join.left()->is_streaming() && join.right()->is_streaming()) return NeedsState("a stream-stream join");
      bool left_stream = join.left()->is_streaming();
      bool refused = (left_stream && (join.type() == logical::JoinType::kRightOuter)) ||
                     (!left_stream &&
                      (join.type() == logical::JoinType::kLeftOuter || join.type() == logical::JoinType::kLeftSemi ||
                       join.type() == logical::JoinType::kLeftAnti)) ||
                     join.type() == logical::JoinType::kFullOuter;
      if (refused) {
        return UserError("_LEGACY_ERROR_TEMP_3102",
                         {{"msg", std::string(logical::JoinTypeName(join.type())) +
                                      " join between a stream and a static DataFrame/Dataset on this side is not "
                                      "supported"}});
      }
      return arrow::Status::OK();
    }
    default:
      return arrow::Status::OK();
  }
}

}  // namespace

arrow::Status CheckSupported(const logical::Plan& plan, connector::OutputMode output_mode) {
  arrow::Status status;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    if (status.ok()) status = CheckNode(node);
  });
  ARROW_RETURN_NOT_OK(status);
  if (output_mode == connector::OutputMode::kComplete) {
    return UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
                     {{"outputMode", "complete"}, {"operation", "no streaming aggregations"}});
  }
  return arrow::Status::OK();
}

}  // namespace millrace::streaming
