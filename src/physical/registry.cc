#include "physical/registry.h"

#include "physical/operator/collect_metrics.h"
#include "physical/operator/deduplicate.h"
#include "physical/operator/eval_python.h"
#include "physical/operator/event_time_watermark.h"
#include "physical/operator/exchange.h"
#include "physical/operator/expand.h"
#include "physical/operator/generate.h"
#include "physical/operator/groups_in_python.h"
#include "physical/operator/groups_with_state.h"
#include "physical/operator/hash_aggregate.h"
#include "physical/operator/hash_join.h"
#include "physical/operator/limit.h"
#include "physical/operator/local_scan.h"
#include "physical/operator/map_in_python.h"
#include "physical/operator/project_filter.h"
#include "physical/operator/range_scan.h"
#include "physical/operator/renaming.h"
#include "physical/operator/sample.h"
#include "physical/operator/sort.h"
#include "physical/operator/source_scan.h"
#include "physical/operator/streaming_aggregate.h"
#include "physical/operator/streaming_deduplicate.h"
#include "physical/operator/streaming_limit.h"
#include "physical/operator/streaming_session_aggregate.h"
#include "physical/operator/symmetric_hash_join.h"
#include "physical/operator/transform_with_state.h"
#include "physical/operator/union.h"
#include "physical/operator/window.h"

namespace millrace::physical {

namespace {

constexpr OperatorRule kRules[] = {
    // Streams first: operators that keep state from one micro-batch to the next.
    {"StreamingSessionAggregate", MatchesStreamingSessionAggregate, PlanStreamingSessionAggregate},
    {"StreamingAggregate", MatchesStreamingAggregate, PlanStreamingAggregate},
    {"StreamingDeduplicate", MatchesStreamingDeduplicate, PlanStreamingDeduplicate},
    {"SymmetricHashJoin", MatchesSymmetricHashJoin, PlanSymmetricHashJoin},
    {"GroupsWithState", MatchesGroupsWithState, PlanGroupsWithState},
    {"TransformWithState", MatchesTransformWithState, PlanTransformWithState},
    {"StreamingLimit", MatchesStreamingLimit, PlanStreamingLimit},
    {"EventTimeWatermark", MatchesEventTimeWatermark, PlanEventTimeWatermark},
    {"LocalScan", MatchesLocalScan, PlanLocalScan},
    {"RangeScan", MatchesRangeScan, PlanRangeScan},
    {"ConnectorScan", MatchesConnectorScan, PlanConnectorScan},
    {"ProjectFilter", MatchesProjectFilter, PlanProjectFilter},
    {"HashAggregate", MatchesHashAggregate, PlanHashAggregate},
    {"HashJoin", MatchesHashJoin, PlanHashJoin},
    {"Deduplicate", MatchesDeduplicate, PlanDeduplicate},
    {"TopRows", MatchesTopRows, PlanTopRows},
    {"Sort", MatchesSort, PlanSort},
    {"Limit", MatchesLimit, PlanLimit},
    {"Union", MatchesUnion, PlanUnion},
    {"Generate", MatchesGenerate, PlanGenerate},
    {"Expand", MatchesExpand, PlanExpand},
    {"Sample", MatchesSample, PlanSample},
    {"Exchange", MatchesExchange, PlanExchange},
    {"Window", MatchesWindow, PlanWindow},
    {"CollectMetrics", MatchesCollectMetrics, PlanCollectMetrics},
    {"EvalPython", MatchesEvalPython, PlanEvalPython},
    {"MapInPython", MatchesMapInPython, PlanMapInPython},
    {"GroupsInPython", MatchesGroupsInPython, PlanGroupsInPython},
    {"Renaming", MatchesRenaming, PlanRenaming},
};

}  // namespace

std::span<const OperatorRule> OperatorRules() { return kRules; }

}  // namespace millrace::physical
