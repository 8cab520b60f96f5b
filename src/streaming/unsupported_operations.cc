#include "streaming/unsupported_operations.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/call.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/groups_with_state.h"
#include "logical/node/join.h"
#include "logical/node/limit.h"
#include "logical/node/window.h"
#include "physical/join_plan.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/state_watermark.h"

namespace millrace::streaming {

namespace {

using connector::OutputMode;
using expression::AttributeReference;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using logical::Aggregate;
using logical::GroupStateTimeout;
using logical::GroupsWithState;
using logical::Join;
using logical::JoinType;
using logical::NodeKind;
using logical::Plan;

arrow::Status Refused(std::string message) {
  return UserError("_LEGACY_ERROR_TEMP_3102", {{"msg", std::move(message)}});
}

arrow::Status ModeRefused(OutputMode mode, std::string operation) {
  static constexpr const char* kModes[] = {"append", "update", "complete"};
  return UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
                   {{"outputMode", kModes[static_cast<size_t>(mode)]}, {"operation", std::move(operation)}});
}

const char* ModeName(OutputMode mode) {
  static constexpr const char* kModes[] = {"Append", "Update", "Complete"};
  return kModes[static_cast<size_t>(mode)];
}

bool HasDelay(const expression::Expression& column) {
  return column.kind() == ExpressionKind::kAttribute &&
         physical::WatermarkDelayMs(static_cast<const AttributeReference&>(column)).has_value();
}

bool Contains(const ExpressionPtr& root, const std::function<bool(const expression::Expression&)>& is) {
  if (is(*root)) return true;
  return std::any_of(root->children().begin(), root->children().end(),
                     [&](const ExpressionPtr& child) { return Contains(child, is); });
}

// Parents first, left to right.
void VisitDown(const Plan& node, const std::function<void(const Plan&)>& visit) {
  visit(node);
  for (const auto& child : node.children()) VisitDown(*child, visit);
}

void VisitUp(const Plan& node, const std::function<void(const Plan&)>& visit) {
  for (const auto& child : node.children()) VisitUp(*child, visit);
  visit(node);
}

// INTERSECT and EXCEPT count as themselves.
bool IsStreamingAggregate(const Plan& node) {
  if (node.kind() != NodeKind::kAggregate || !node.is_streaming()) return false;
  Aggregate::Origin origin = static_cast<const Aggregate&>(node).origin();
  return origin == Aggregate::Origin::kGrouping || origin == Aggregate::Origin::kPivot;
}

bool IsStreamStreamJoin(const Plan& node) {
  return node.kind() == NodeKind::kJoin && node.children()[0]->is_streaming() && node.children()[1]->is_streaming();
}

bool HasStreamingAggregate(const Plan& plan) {
  bool found = false;
  VisitDown(plan, [&](const Plan& node) { found = found || IsStreamingAggregate(node); });
  return found;
}

bool IsGroupsWithState(const Plan& node) { return node.kind() == NodeKind::kGroupsWithState && node.is_streaming(); }

bool IsStateful(const Plan& node) {
  if (IsStreamingAggregate(node) || IsStreamStreamJoin(node) || IsGroupsWithState(node)) return true;
  if (node.kind() == NodeKind::kTransformWithState && node.is_streaming()) return true;
  if (node.kind() != NodeKind::kDeduplicate || !node.is_streaming()) return false;
  const auto& deduplicate = static_cast<const logical::Deduplicate&>(node);
  if (deduplicate.within_watermark()) return true;
  return std::any_of(deduplicate.keys().begin(), deduplicate.keys().end(),
                     [](const auto& key) { return HasDelay(*key); });
}

arrow::Status CheckOutputMode(const Plan& plan, OutputMode mode) {
  const Aggregate* first = nullptr;
  VisitDown(plan, [&](const Plan& node) {
    if (first == nullptr && IsStreamingAggregate(node)) first = static_cast<const Aggregate*>(&node);
  });
  if (first == nullptr) {
    return mode == OutputMode::kComplete ? ModeRefused(mode, "no streaming aggregations") : arrow::Status::OK();
  }
  const auto& grouping = first->grouping();
  if (mode == OutputMode::kAppend &&
      std::none_of(grouping.begin(), grouping.end(), [](const ExpressionPtr& group) { return HasDelay(*group); })) {
    // Without a watermark no group is ever finished.
    return ModeRefused(mode, "streaming aggregations without watermark");
  }
  auto is_session = [](const ExpressionPtr& group) {
    return group->kind() == ExpressionKind::kAttribute &&
           static_cast<const AttributeReference&>(*group).metadata_json().find("\"spark.sessionWindow\":true") !=
               std::string::npos;
  };
  if (mode == OutputMode::kUpdate && std::any_of(grouping.begin(), grouping.end(), is_session)) {
    return ModeRefused(mode, "session window streaming aggregations");
  }
  return arrow::Status::OK();
}

// Operations that no place in a streaming plan may have.
class NodeCheck {
 public:
  /// `plan`: the whole query.
  NodeCheck(const Plan& plan, OutputMode mode) : plan_(plan), mode_(mode) {
    VisitDown(plan, [&](const Plan& node) {
      if (node.kind() == NodeKind::kAggregate && node.is_streaming() && !IsStreamingAggregate(node)) {
        set_operations_.insert(node.child().get());
      }
    });
  }

  arrow::Status Check(const Plan& node) const {
    switch (node.kind()) {
      case NodeKind::kAggregate:
        return CheckAggregate(static_cast<const Aggregate&>(node));
      case NodeKind::kJoin:
        return CheckJoin(static_cast<const Join&>(node));
      case NodeKind::kDeduplicate:
        return CheckDeduplicate(static_cast<const logical::Deduplicate&>(node));
      case NodeKind::kGroupsWithState:
        return CheckGroupsWithState(static_cast<const GroupsWithState&>(node));
      case NodeKind::kUnion:
        // EXCEPT ALL is made of one; what may stand on its sides was looked at.
        return set_operations_.contains(&node) ? arrow::Status::OK() : CheckUnion(node);
      case NodeKind::kLimit:
        return CheckLimit(static_cast<const logical::Limit&>(node));
      case NodeKind::kSort:
        if (!node.is_streaming() || (HasStreamingAggregate(node) && mode_ == OutputMode::kComplete)) break;
        return Refused(
            "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated "
            "DataFrame/Dataset in Complete output mode");
      case NodeKind::kWindow:
        if (auto refused = static_cast<const logical::Window&>(node).spec().refused_in_streams) return *refused;
        break;
      case NodeKind::kSample:
        if (!node.is_streaming()) break;
        return Refused("Sampling is not supported on streaming DataFrames/Datasets");
      default:
        break;
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status CheckAggregate(const Aggregate& aggregate) const {
    if (!aggregate.is_streaming()) return arrow::Status::OK();
    auto is_distinct = [](const expression::Expression& node) {
      return node.kind() == ExpressionKind::kAggregateCall &&
             static_cast<const expression::AggregateCall&>(node).distinct();
    };
    for (const ExpressionPtr& item : aggregate.items()) {
      if (!Contains(item, is_distinct)) continue;
      return Refused(
          "Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using "
          "approx_count_distinct() instead.");
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckJoin(const Join& join) const {
    bool left = join.left()->is_streaming(), right = join.right()->is_streaming();
    if (!left && !right) return arrow::Status::OK();
    if (left && right) return CheckStreamStreamJoin(join);
    switch (join.type()) {
      case JoinType::kFullOuter:
        return Refused(left ? "FullOuter joins with streaming DataFrames/Datasets on the left and a static "
                              "DataFrame/Dataset on the right is not supported"
                            : "FullOuter joins with streaming DataFrames/Datasets on the right and a static "
                              "DataFrame/Dataset on the left is not supported");
      case JoinType::kLeftAnti:
        if (!right) break;
        return Refused("LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported");
      case JoinType::kLeftOuter:
      case JoinType::kLeftSemi:
        if (!right) break;
        return Refused(std::string(logical::JoinTypeName(join.type())) +
                       " join with a streaming DataFrame/Dataset on the right and a static DataFrame/Dataset on the "
                       "left is not supported");
      case JoinType::kRightOuter:
        if (!left) break;
        return Refused(
            "RightOuter join with a streaming DataFrame/Dataset on the left and a static DataFrame/DataSet on the "
            "right not supported");
      default:
        break;
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckStreamStreamJoin(const Join& join) const {
    std::string type = logical::JoinTypeName(join.type());
    switch (join.type()) {
      case JoinType::kLeftAnti:
        return Refused("LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported");
      case JoinType::kLeftOuter:
      case JoinType::kRightOuter:
      case JoinType::kFullOuter:
        if (mode_ == OutputMode::kAppend) break;
        return Refused(fmt::format(
            "{} join between two streaming DataFrames/Datasets is not supported in {} output mode, only in Append "
            "output mode",
            type, ModeName(mode_)));
      default:
        if (mode_ != OutputMode::kComplete) break;
        return Refused(fmt::format(
            "{} join between two streaming DataFrames/Datasets is not supported in {} output mode, only in Append and "
            "Update output modes",
            type, ModeName(mode_)));
    }
    if (join.type() == JoinType::kInner || join.type() == JoinType::kCross) return arrow::Status::OK();
    if (HasWatermarkInKeys(join) || HasWatermarkRange(join)) return arrow::Status::OK();
    return Refused(fmt::format(
        "Stream-stream {} join between two streaming DataFrame/Datasets is not supported without a watermark "
        "in the join keys, or a watermark on the nullable side and an appropriate range condition",
        type));
  }

  static bool HasWatermarkInKeys(const Join& join) {
    physical::JoinCondition condition = physical::SplitJoinCondition(join);
    return physical::JoinKeyWithWatermark(condition.left_keys, condition.right_keys) >= 0;
  }

  static bool HasWatermarkRange(const Join& join) {
    const auto& left = join.left()->output();
    const auto& right = join.right()->output();
    bool on_left = physical::StateWatermark::Derive(join.condition(), left, right).has_value();
    bool on_right = physical::StateWatermark::Derive(join.condition(), right, left).has_value();
    switch (join.type()) {
      case JoinType::kRightOuter:
        return on_right;
      case JoinType::kFullOuter:
        return on_left || on_right;
      default:
        return on_left;
    }
  }

  static arrow::Status CheckDeduplicate(const logical::Deduplicate& deduplicate) {
    if (!deduplicate.within_watermark() || !deduplicate.is_streaming()) return arrow::Status::OK();
    const auto& columns = deduplicate.child()->output();
    if (std::any_of(columns.begin(), columns.end(), [](const auto& column) { return HasDelay(*column); })) {
      return arrow::Status::OK();
    }
    return Refused("dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark");
  }

  arrow::Status CheckGroupsWithState(const GroupsWithState& groups) const {
    if (!groups.is_streaming()) return arrow::Status::OK();
    const GroupsWithState::Function& function = groups.function();
    if (groups.children().size() == 2 && groups.children()[1]->is_streaming()) {
      return Refused(
          "Non-streaming DataFrame/Dataset is not supported as the initial state in [flatMap|map]GroupsWithState "
          "operation on a streaming DataFrame/Dataset");
    }
    if (function.maps) {
      if (mode_ != OutputMode::kUpdate) {
        return Refused(
            fmt::format("mapGroupsWithState is not supported with {} output mode on a streaming "
                        "DataFrame/Dataset",
                        ModeName(mode_)));
      }
    } else {
      ARROW_RETURN_NOT_OK(CheckModeOf(groups));
    }
    const auto& columns = groups.child()->output();
    if (function.timeout != GroupStateTimeout::kEventTime ||
        std::any_of(columns.begin(), columns.end(), [](const auto& column) { return HasDelay(*column); })) {
      return arrow::Status::OK();
    }
    return Refused(fmt::format(
        "Watermark must be specified in the query using '[Dataset/DataFrame].withWatermark()' for using event-time "
        "timeout in a {}. Event-time timeout not supported without watermark.",
        function.native != nullptr ? "[map|flatMap]GroupsWithState" : function.name()));
  }

  arrow::Status CheckModeOf(const GroupsWithState& groups) const {
    const GroupsWithState::Function& function = groups.function();
    const char* own_mode = function.updates ? "update" : "append";
    if (!HasStreamingAggregate(plan_)) {
      if (mode_ == (function.updates ? OutputMode::kUpdate : OutputMode::kAppend)) return arrow::Status::OK();
      return Refused(fmt::format("{} in {} mode is not supported with {} output mode on a streaming DataFrame/Dataset",
                                 function.name(), own_mode, ModeName(mode_)));
    }
    if (function.updates) {
      return Refused(fmt::format("{} in update mode is not supported with aggregation on a streaming DataFrame/Dataset",
                                 function.name()));
    }
    if (function.native == nullptr && HasStreamingAggregate(*groups.child())) {
      return Refused(
          "applyInPandasWithState in append mode is not supported after aggregation on a streaming DataFrame/Dataset");
    }
    return arrow::Status::OK();
  }

  static arrow::Status CheckUnion(const Plan& node) {
    bool all = true, any = false;
    for (const auto& child : node.children()) {
      all = all && child->is_streaming();
      any = any || child->is_streaming();
    }
    if (all || !any) return arrow::Status::OK();
    return Refused("Union between streaming and batch DataFrames/Datasets is not supported");
  }

  arrow::Status CheckLimit(const logical::Limit& limit) const {
    if (limit.offset() != 0) return Refused("Offset is not supported on streaming DataFrames/Datasets");
    if (!limit.is_streaming() || mode_ != OutputMode::kUpdate) return arrow::Status::OK();
    return Refused("Limits are not supported on streaming DataFrames/Datasets in Update output mode");
  }

  const Plan& plan_;
  OutputMode mode_;
  /// What INTERSECT and EXCEPT count in.
  std::set<const Plan*> set_operations_;
};

arrow::Status CheckOneGroupsWithState(const Plan& plan, OutputMode mode) {
  int maps = 0, flat_maps = 0, in_pandas = 0;
  bool all_append = mode == OutputMode::kAppend;
  VisitDown(plan, [&](const Plan& node) {
    if (!IsGroupsWithState(node)) return;
    const GroupsWithState::Function& function = static_cast<const GroupsWithState&>(node).function();
    ++(function.native == nullptr ? in_pandas : function.maps ? maps : flat_maps);
    all_append = all_append && (function.native == nullptr || !function.updates);
  });
  if (maps > 1) return Refused("Multiple mapGroupsWithStates are not supported on a streaming DataFrames/Datasets");
  if (maps > 0 && flat_maps > 0) {
    return Refused(
        "Mixing mapGroupsWithStates and flatMapGroupsWithStates are not supported on a streaming DataFrames/Datasets");
  }
  if (flat_maps > 1 && !all_append) {
    return Refused(
        "Multiple flatMapGroupsWithStates are not supported when they are not all in append mode or the output mode is "
        "not append on a streaming DataFrames/Datasets");
  }
  if (in_pandas <= 1) return arrow::Status::OK();
  return Refused("Multiple applyInPandasWithStates are not supported on a streaming DataFrames/Datasets");
}

// In Spark an expression that numbers rows by the batch alone is refused wherever it stands.
arrow::Status CheckExpressions(const Plan& node) {
  std::vector<std::string> texts;
  auto collect = [&](const expression::Expression& expression) {
    if (expression.kind() == ExpressionKind::kCall &&
        static_cast<const expression::Call&>(expression).name() == "monotonically_increasing_id") {
      std::string text = expression.Sql(true);
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
    }
    return false;
  };
  for (const ExpressionPtr& expression : node.expressions()) Contains(expression, collect);
  if (texts.empty()) return arrow::Status::OK();
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return Refused("Expression(s): " + all + " is not supported with streaming DataFrames/Datasets");
}

arrow::Status CheckSetOperations(const Plan& plan) {
  arrow::Status status;
  VisitDown(plan, [&](const Plan& node) {
    if (!status.ok() || node.kind() != NodeKind::kAggregate || !node.is_streaming()) return;
    switch (static_cast<const Aggregate&>(node).origin()) {
      case Aggregate::Origin::kIntersect:
        status = Refused("Intersect of streaming DataFrames/Datasets is not supported");
        break;
      case Aggregate::Origin::kExceptStream:
        status = Refused("Except on a streaming DataFrame/Dataset on the right is not supported");
        break;
      default:
        break;
    }
  });
  return status;
}

// An operator with state behind another that may emit rows which count as late by then.
arrow::Status CheckChain(const Plan& plan, OutputMode mode) {
  // Source: Spark, UnsupportedOperationChecker.ifCannotBeFollowedByStatefulOperation.
  auto emits_late_rows = [mode](const Plan& node) {
    if (IsGroupsWithState(node)) {
      return static_cast<const GroupsWithState&>(node).function().timeout == GroupStateTimeout::kEventTime;
    }
    return IsStreamingAggregate(node) && mode != OutputMode::kAppend;
  };
  bool refused = false;
  VisitDown(plan, [&](const Plan& node) {
    if (refused || !IsStateful(node)) return;
    refused = mode != OutputMode::kAppend && node.kind() == NodeKind::kAggregate &&
              static_cast<const Aggregate&>(node).origin() == Aggregate::Origin::kPivot;
    for (const auto& child : node.children()) {
      VisitDown(*child, [&](const Plan& below) { refused = refused || emits_late_rows(below); });
    }
  });
  if (!refused) return arrow::Status::OK();
  return Refused(
      "Detected pattern of possible 'correctness' issue due to global watermark. The query contains stateful operation "
      "which can emit rows older than the current watermark plus allowed late record delay, which are \"late rows\" in "
      "downstream stateful operations and these rows can be discarded. Please refer the programming guide doc for more "
      "details. If you understand the possible risk of correctness issue and still need to run the query, you can "
      "disable this check by setting the config `spark.sql.streaming.statefulOperator.checkCorrectness.enabled` to "
      "false.");
}

arrow::Status CheckEncoding(const Plan& plan, std::string_view encoding) {
  if (ToLowerAscii(encoding) != "avro") return arrow::Status::OK();
  std::string found;
  VisitDown(plan, [&](const Plan& node) {
    if (!found.empty() || !node.is_streaming()) return;
    if (IsStreamingAggregate(node)) found = "aggregation";
    if (IsStreamStreamJoin(node)) found = "join";
    if (node.kind() == NodeKind::kDeduplicate) {
      found = static_cast<const logical::Deduplicate&>(node).within_watermark() ? "dropDuplicatesWithinWatermark"
                                                                                : "dropDuplicates";
    }
    if (IsGroupsWithState(node)) found = static_cast<const GroupsWithState&>(node).function().name();
  });
  if (found.empty()) return arrow::Status::OK();
  return Refused("State store encoding format as avro is not supported for operator=" + found +
                 " used within the query");
}

}  // namespace

arrow::Status CheckSupported(const Plan& plan, OutputMode output_mode,
                             const std::function<std::optional<std::string>(std::string_view)>& conf) {
  ARROW_RETURN_NOT_OK(CheckOneGroupsWithState(plan, output_mode));
  ARROW_RETURN_NOT_OK(CheckEncoding(plan, conf("spark.sql.streaming.stateStore.encodingFormat").value_or("unsaferow")));
  ARROW_RETURN_NOT_OK(CheckOutputMode(plan, output_mode));
  // Before what they are made of is looked at.
  ARROW_RETURN_NOT_OK(CheckSetOperations(plan));
  NodeCheck check(plan, output_mode);
  arrow::Status status;
  VisitUp(plan, [&](const Plan& node) {
    if (status.ok()) status = check.Check(node);
    if (status.ok()) status = CheckExpressions(node);
  });
  ARROW_RETURN_NOT_OK(status);
  if (conf("spark.sql.streaming.statefulOperator.checkCorrectness.enabled").value_or("true") == "false") {
    return arrow::Status::OK();
  }
  return CheckChain(plan, output_mode);
}

arrow::Status CheckPossible(const Plan& plan, OutputMode mode) {
  arrow::Status status;
  auto refuse = [&](std::string_view what) {
    status = arrow::Status::NotImplemented(what, " is not supported without ",
                                           "spark.sql.streaming.unsupportedOperationCheck");
  };
  VisitDown(plan, [&](const Plan& node) {
    if (!status.ok()) return;
    if (IsStreamStreamJoin(node)) {
      JoinType type = static_cast<const Join&>(node).type();
      bool is_outer = type == JoinType::kLeftOuter || type == JoinType::kRightOuter || type == JoinType::kFullOuter;
      if (type == JoinType::kLeftAnti) {
        status = arrow::Status::Invalid(
            "requirement failed: StreamingSymmetricHashJoinExec should not take LeftAnti as the JoinType");
      } else if (is_outer && mode == OutputMode::kUpdate) {
        status = arrow::Status::Invalid("requirement failed: Update output mode is not supported for stream-stream ",
                                        logical::JoinTypeName(type), " join");
      }
    }
    if (node.kind() == NodeKind::kDeduplicate) {
      const auto& deduplicate = static_cast<const logical::Deduplicate&>(node);
      const auto& columns = deduplicate.child()->output();
      bool timed = std::any_of(columns.begin(), columns.end(), [](const auto& column) { return HasDelay(*column); });
      if (deduplicate.within_watermark() && !timed)
        refuse("dropDuplicatesWithinWatermark of a stream without a watermark");
    }
    if (node.kind() != NodeKind::kAggregate || !node.is_streaming()) return;
    auto is_distinct = [](const expression::Expression& value) {
      return value.kind() == ExpressionKind::kAggregateCall &&
             static_cast<const expression::AggregateCall&>(value).distinct();
    };
    for (const ExpressionPtr& item : static_cast<const Aggregate&>(node).items()) {
      if (Contains(item, is_distinct)) refuse("DISTINCT in an aggregate function of a stream");
    }
  });
  return status;
}

}  // namespace millrace::streaming
