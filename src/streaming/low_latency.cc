#include "streaming/low_latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/join.h"
#include "logical/node/repartition.h"
#include "logical/node/source_scan.h"
#include "physical/aggregation.h"
#include "physical/join_plan.h"
#include "streaming/planning_time.h"

namespace millrace::streaming {

using arrow::Status;
using logical::NodeKind;
using logical::Plan;

namespace {

constexpr int64_t kMinBatchDurationMs = 5000;

Status Refused(std::string message) { return UserError("_LEGACY_ERROR_TEMP_3102", {{"msg", std::move(message)}}); }

// Spark's name of a logical node: what its line in explain() begins with.
std::string NodeName(const Plan& node) {
  // Spark has a limit in two nodes, of which it sees the lower one first.
  if (node.kind() == NodeKind::kLimit) return "LocalLimit";
  std::string line = node.Describe();
  return line.substr(0, line.find_first_of(" ("));
}

// Source: Spark, UnsupportedOperationChecker.checkForContinuous.
bool HasCurrentTime(const expression::Expression& expression) {
  if (AsksForCurrentTime(expression)) return true;
  return std::any_of(expression.children().begin(), expression.children().end(),
                     [](const expression::ExpressionPtr& child) { return HasCurrentTime(*child); });
}

Status CheckContinuousNode(const Plan& node) {
  switch (node.kind()) {
    case NodeKind::kProject:
    case NodeKind::kFilter:
    case NodeKind::kSubqueryAlias:
    case NodeKind::kEvalPython:
      break;
    case NodeKind::kSourceScan: {
      const auto& scan = static_cast<const logical::SourceScan&>(node);
      if (node.is_streaming() && scan.def().low_latency.continuous) break;
      // Sources of Spark's older interface are told apart as nodes.
      constexpr std::string_view kOlder[] = {"FileStreamSource", "DeltaSource"};
      std::string_view name = scan.def().low_latency.class_name;
      bool is_older = std::any_of(std::begin(kOlder), std::end(kOlder), [&](auto end) { return name.ends_with(end); });
      if (node.is_streaming() && !is_older) {
        return UserError("_LEGACY_ERROR_TEMP_2253", {{"sourceName", std::string(scan.def().name)}});
      }
      [[fallthrough]];
    }
    default:
      return Refused("Continuous processing does not support " + NodeName(node) + " operations.");
  }
  for (const expression::ExpressionPtr& expression : node.expressions()) {
    if (HasCurrentTime(*expression)) {
      return Refused("Continuous processing does not support current time operations.");
    }
  }
  return Status::OK();
}

Status CheckContinuous(const Plan& plan) {
  for (const logical::PlanPtr& child : plan.children()) ARROW_RETURN_NOT_OK(CheckContinuous(*child));
  return CheckContinuousNode(plan);
}

std::string Joined(const std::set<std::string>& names) {
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  return text + (names.size() > 1 ? " are" : " is");
}

Status NotAllowed(std::string_view kind, const std::set<std::string>& names) {
  return UserError("STREAMING_REAL_TIME_MODE.OPERATOR_OR_SINK_NOT_IN_ALLOWLIST",
                   {{"errorType", std::string(kind)}, {"message", Joined(names)}});
}

bool ChecksAllowlist(const StreamingQuerySpec& spec) {
  return spec.conf("spark.sql.streaming.realTimeMode.allowlistCheck").value_or("true") != "false";
}

const connector::LowLatency& SinkOf(const StreamingQuerySpec& spec) {
  return spec.sink != nullptr ? spec.sink->low_latency : spec.made_sink_low_latency;
}

std::string SinkClass(const StreamingQuerySpec& spec) {
  std::string_view name = SinkOf(spec).class_name;
  return std::string(name.empty() ? spec.sink->name : name);
}

Status CheckBatchDuration(const StreamingQuerySpec& spec) {
  int64_t least = kMinBatchDurationMs;
  if (auto text = spec.conf("spark.sql.streaming.realTimeMode.minBatchDuration")) {
    std::from_chars(text->data(), text->data() + text->size(), least);
  }
  if (spec.trigger.interval_ms >= least) return Status::OK();
  return UserError(
      "INVALID_STREAMING_REAL_TIME_MODE_TRIGGER_INTERVAL",
      {{"interval", std::to_string(spec.trigger.interval_ms)}, {"minBatchDuration", std::to_string(least)}});
}

template <typename Add>
void AddAggregate(const logical::Aggregate& node, const Add& add) {
  physical::AggregationSpec spec = physical::MakeAggregationSpec(node);
  if (physical::AggregatesBySorting(spec)) {
    add("SortExec");
    add("aggregate.SortAggregateExec");
    return;
  }
  bool any_opaque = std::any_of(spec.calls.begin(), spec.calls.end(),
                                [](const auto& call) { return call->function()->opaque_buffer(); });
  add(any_opaque ? "aggregate.ObjectHashAggregateExec" : "aggregate.HashAggregateExec");
}

// The classes of Spark's operators for a node over a stream, below org.apache.spark.sql.execution, that real-time mode
// does not take.
void AddOperators(const Plan& node, std::set<std::string>* names) {
  constexpr std::string_view kExchange = "exchange.ShuffleExchangeExec";
  constexpr std::string_view kStateful = "streaming.operators.stateful.";
  auto add = [&](std::string_view name) { names->insert(fmt::format("org.apache.spark.sql.execution.{}", name)); };
  switch (node.kind()) {
    case NodeKind::kAggregate:
      AddAggregate(static_cast<const logical::Aggregate&>(node), add);
      add(kExchange);
      add(fmt::format("{}StateStoreRestoreExec", kStateful));
      add(fmt::format("{}StateStoreSaveExec", kStateful));
      return;
    case NodeKind::kDeduplicate: {
      bool within = static_cast<const logical::Deduplicate&>(node).within_watermark();
      add(kExchange);
      add(fmt::format("{}StreamingDeduplicate{}Exec", kStateful, within ? "WithinWatermark" : ""));
      return;
    }
    case NodeKind::kJoin:
      if (node.children()[0]->is_streaming() && node.children()[1]->is_streaming()) {
        add(kExchange);
        add(fmt::format("{}join.StreamingSymmetricHashJoinExec", kStateful));
      } else if (physical::SplitJoinCondition(static_cast<const logical::Join&>(node)).left_keys.empty()) {
        add("joins.BroadcastNestedLoopJoinExec");
      }
      return;
    case NodeKind::kRepartition: {
      const auto& repartition = static_cast<const logical::Repartition&>(node);
      add(repartition.shuffle() || !repartition.keys().empty() ? kExchange : std::string_view("CoalesceExec"));
      return;
    }
    case NodeKind::kLimit:
      add(fmt::format("{}StreamingGlobalLimitExec", kStateful));
      return;
    case NodeKind::kEvalPython:
    case NodeKind::kMapInPython:
    case NodeKind::kGroupsInPython:
      add("python." + NodeName(node) + "Exec");
      return;
    case NodeKind::kGroupsWithState:
    case NodeKind::kTransformWithState:
      add(kExchange);
      add("python.streaming." + NodeName(node) + "Exec");
      return;
    case NodeKind::kSort:
      add("SortExec");
      return;
    case NodeKind::kWindow:
      add("window.WindowExec");
      return;
    default:
      return;
  }
}

Status CheckRealTimeSources(const Plan& plan) {
  Status status;
  logical::VisitPlan(plan, [&](const Plan& node) {
    if (!status.ok() || node.kind() != NodeKind::kSourceScan || !node.is_streaming()) return;
    const connector::SourceDef& def = static_cast<const logical::SourceScan&>(node).def();
    if (def.low_latency.real_time) return;
    std::string_view name = def.low_latency.class_name.empty() ? def.name : def.low_latency.class_name;
    status = UserError("STREAMING_REAL_TIME_MODE.INPUT_STREAM_NOT_SUPPORTED", {{"className", std::string(name)}});
  });
  return status;
}

// Spark reads a source once for each place where it stands, and would not know which rows are whose.
Status CheckIdenticalSources(const Plan& plan, const std::vector<std::string>& sources) {
  std::set<int64_t> seen;
  bool twice = false;
  logical::VisitPlan(plan, [&](const Plan& node) {
    if (node.kind() != NodeKind::kSourceScan || !node.is_streaming()) return;
    twice |= !seen.insert(static_cast<const logical::SourceScan&>(node).source_key()).second;
  });
  if (!twice) return Status::OK();
  return UserError("STREAMING_REAL_TIME_MODE.IDENTICAL_SOURCES_IN_UNION_NOT_SUPPORTED",
                   {{"sources", fmt::format("{}", fmt::join(sources, ", "))}});
}

Status CheckRealTimeOperators(const Plan& plan, const StreamingQuerySpec& spec) {
  if (!ChecksAllowlist(spec)) return Status::OK();
  std::set<std::string> names;
  logical::VisitPlan(plan, [&](const Plan& node) {
    if (node.is_streaming()) AddOperators(node, &names);
  });
  return names.empty() ? Status::OK() : NotAllowed("operator", names);
}

}  // namespace

Status CheckLowLatencyStart(const Plan& plan, const StreamingQuerySpec& spec) {
  if (spec.trigger.kind == TriggerKind::kContinuous) {
    if (spec.conf("spark.sql.streaming.unsupportedOperationCheck").value_or("true") == "false") return Status::OK();
    return CheckContinuous(plan);
  }
  if (spec.trigger.kind != TriggerKind::kRealTime) return Status::OK();
  ARROW_RETURN_NOT_OK(CheckBatchDuration(spec));
  if (!SinkOf(spec).real_time && ChecksAllowlist(spec)) return NotAllowed("sink", {SinkClass(spec)});
  if (spec.output_mode != connector::OutputMode::kUpdate) {
    bool append = spec.output_mode == connector::OutputMode::kAppend;
    return UserError("STREAMING_REAL_TIME_MODE.OUTPUT_MODE_NOT_SUPPORTED",
                     {{"outputMode", append ? "Append" : "Complete"}});
  }
  return Status::OK();
}

Status CheckLowLatencyRun(const Plan& plan, const StreamingQuerySpec& spec, const std::vector<std::string>& sources) {
  if (spec.trigger.kind == TriggerKind::kContinuous) {
    // Spark runs a sink of its older interface in micro-batches, which do not know this trigger.
    if (SinkOf(spec).continuous) return Status::OK();
    return Status::Invalid("Unknown type of trigger: ContinuousTrigger(", spec.trigger.interval_ms, ")");
  }
  if (spec.trigger.kind != TriggerKind::kRealTime) return Status::OK();
  if (!SinkOf(spec).continuous) {
    return UserError("STREAMING_REAL_TIME_MODE.SINK_NOT_SUPPORTED", {{"className", SinkClass(spec)}});
  }
  ARROW_RETURN_NOT_OK(CheckRealTimeSources(plan));
  ARROW_RETURN_NOT_OK(CheckIdenticalSources(*spec.plan, sources));
  return CheckRealTimeOperators(plan, spec);
}

}  // namespace millrace::streaming
