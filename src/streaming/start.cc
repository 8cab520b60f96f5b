#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "logical/node/source_scan.h"
#include "optimizer/optimizer.h"
#include "physical/planner.h"
#include "streaming/async_progress.h"
#include "streaming/low_latency.h"
#include "streaming/micro_batch_execution.h"
#include "streaming/planning_time.h"
#include "streaming/unsupported_operations.h"

namespace millrace::streaming {

namespace {

using logical::NodeKind;
using logical::PlanPtr;
using logical::SourceScan;

// The scans of streams, depth first and left to right: the order of their offsets in the log.
void CollectStreams(const logical::Plan& plan, std::vector<const SourceScan*>* scans) {
  for (const PlanPtr& child : plan.children()) CollectStreams(*child, scans);
  if (plan.kind() != NodeKind::kSourceScan || !plan.is_streaming()) return;
  scans->push_back(&static_cast<const SourceScan&>(plan));
}

// What a column of a stream is, wherever it is passed on as it is.
struct StreamColumn {
  int64_t source = 0;
  int index = 0;
  int64_t place = 0;
};

// The columns of streams among the columns of `plan`. Those of a union are its first input's, as in Spark.
std::map<expression::AttributeId, StreamColumn> PassedOn(const logical::Plan& plan) {
  std::map<expression::AttributeId, StreamColumn> columns;
  if (!plan.is_streaming()) return columns;
  if (plan.kind() == NodeKind::kSourceScan) {
    const auto& scan = static_cast<const SourceScan&>(plan);
    for (size_t i = 0; i < scan.output().size(); ++i) {
      columns[scan.output()[i]->id()] = {scan.source_key(), scan.columns().indices[i], scan.key().place};
    }
    return columns;
  }
  std::map<expression::AttributeId, StreamColumn> below;
  for (const PlanPtr& child : plan.children()) below.merge(PassedOn(*child));
  bool is_union = plan.kind() == NodeKind::kUnion;
  for (size_t i = 0; i < plan.output().size(); ++i) {
    auto it = below.find((is_union ? *plan.child() : plan).output()[i]->id());
    if (it != below.end()) columns[plan.output()[i]->id()] = it->second;
  }
  return columns;
}

// A stream read on both sides of a join is one source, unless both sides show the same column of it: then the right
// side reads a source of its own. Source: Spark, DeduplicateRelations, which renews the relation in that case only, and
// MicroBatchExecution, where equal relations are one source.
PlanPtr SeparateJoinedStreams(const PlanPtr& plan) {
  return logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != NodeKind::kJoin || !node->is_streaming()) return nullptr;
    std::map<std::pair<int64_t, int>, int64_t> place_on_the_left;
    for (const auto& [id, column] : PassedOn(*node->children()[0])) {
      place_on_the_left[{column.source, column.index}] = column.place;
    }
    std::map<int64_t, int64_t> renewed;
    for (const auto& [id, column] : PassedOn(*node->children()[1])) {
      auto shown = place_on_the_left.find({column.source, column.index});
      // The two halves of a common table expression are the same relation still.
      if (shown == place_on_the_left.end() || shown->second == column.place) continue;
      renewed.emplace(column.source, expression::NextAttributeId().value);
    }
    if (renewed.empty()) return nullptr;
    PlanPtr right = logical::TransformUp(node->children()[1], [&](const PlanPtr& below) -> PlanPtr {
      if (below->kind() != NodeKind::kSourceScan) return nullptr;
      const auto& scan = static_cast<const SourceScan&>(*below);
      auto it = renewed.find(scan.source_key());
      return it == renewed.end() ? nullptr : scan.WithKey({it->second, scan.key().place});
    });
    return node->WithChildren({node->children()[0], std::move(right)});
  });
}

// Gives each scan of a stream a key of its own, because each may want other columns; `origin` says which stream a key
// reads.
PlanPtr SeparateScans(const PlanPtr& plan, std::map<int64_t, int64_t>* origin) {
  return logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != NodeKind::kSourceScan || !node->is_streaming()) return nullptr;
    const auto& scan = static_cast<const SourceScan&>(*node);
    int64_t key = expression::NextAttributeId().value;
    (*origin)[key] = scan.source_key();
    return scan.WithKey({key, scan.key().place});
  });
}

// What the optimizer doubled (a semi join over a union has its right side with each input) reads by keys of its own.
std::set<int64_t> SeparateRepeatedScans(PlanPtr* plan, std::map<int64_t, int64_t>* origin) {
  std::set<int64_t> seen, repeated;
  *plan = logical::TransformUp(*plan, [&](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != NodeKind::kSourceScan || !node->is_streaming()) return nullptr;
    const auto& scan = static_cast<const SourceScan&>(*node);
    if (seen.insert(scan.source_key()).second) return nullptr;
    int64_t key = expression::NextAttributeId().value;
    (*origin)[key] = (*origin)[scan.source_key()];
    repeated.insert(key);
    return scan.WithKey({key, scan.key().place});
  });
  return repeated;
}

// Settings of the checkpoint win over the session's: state was laid out with them.
arrow::Status RestoreConf(const Checkpoint& checkpoint, StreamingQuerySpec* spec) {
  ARROW_ASSIGN_OR_RAISE(auto newest, checkpoint.offset_log.log().LatestId());
  if (!newest) return arrow::Status::OK();
  auto read = checkpoint.offset_log.Get(*newest, -1);
  // What is wrong with the entry is told where it is needed: by the query, when it goes on from there.
  if (!read.ok() || !read->has_value()) return arrow::Status::OK();
  const OffsetEntry* entry = &**read;
  std::map<std::string, std::string> restored;
  for (const CheckpointedConf& conf : CheckpointedConfs()) {
    auto it = entry->conf.find(std::string(conf.key));
    if (it != entry->conf.end()) {
      restored[std::string(conf.key)] = it->second;
    } else if (!conf.value_if_absent.empty()) {
      restored[std::string(conf.key)] = std::string(conf.value_if_absent);
    }
  }
  spec->conf = [restored = std::move(restored),
                session = spec->conf](std::string_view key) -> std::optional<std::string> {
    auto it = restored.find(std::string(key));
    return it != restored.end() ? it->second : session(key);
  };
  return arrow::Status::OK();
}

// Queries whose sources or sink go by names of the user's keep logs of other formats.
arrow::Status CheckEvolution(const StreamingQuerySpec& spec) {
  for (std::string_view key : {"spark.sql.streaming.queryEvolution.enableSourceEvolution",
                               "spark.sql.streaming.queryEvolution.enableSinkEvolution"}) {
    if (ToLowerAscii(spec.conf(key).value_or("false")) == "true") {
      return arrow::Status::NotImplemented(key, " = true is not supported: sources and sinks have no names here");
    }
  }
  constexpr std::string_view kVersion = "spark.sql.streaming.offsetLog.formatVersion";
  if (int64_t version = ConfInt64(spec, kVersion, 1); version != 1 && version != 2) {
    return arrow::Status::NotImplemented(kVersion, " = ", version, " is not supported; supported: 1, 2");
  }
  return arrow::Status::OK();
}

int NumStatePartitions(const StreamingQuerySpec& spec) {
  return static_cast<int>(std::max<int64_t>(1, ConfInt64(spec, "spark.sql.shuffle.partitions", 200)));
}

arrow::Result<BoundQuery> Bind(const StreamingQuerySpec& spec, const Checkpoint& checkpoint) {
  BoundQuery bound;
  PlanPtr plan = SeparateJoinedStreams(spec.plan);
  std::vector<const SourceScan*> scans;
  CollectStreams(*plan, &scans);
  if (scans.empty()) return UserError("WRITE_STREAM_NOT_ALLOWED");
  std::map<int64_t, size_t> index_of;
  std::set<int64_t> places;
  for (const SourceScan* scan : scans) {
    if (!places.insert(scan->key().place).second) continue;
    auto [it, is_new] = index_of.emplace(scan->source_key(), bound.sources.size());
    bound.source_of_place.push_back(it->second);
    if (!is_new) continue;
    connector::SourceRequest request = *scan->request();
    request.metadata_path = checkpoint.SourcePath(bound.sources.size());
    request.context = &spec.connector;
    QuerySource source;
    auto stream = scan->def().open_stream(request);
    if (!stream.ok()) {
      if (IsErrorCondition(stream.status(), "UNSUPPORTED_CALL")) return stream.status();
      bound.not_opened = stream.status();
      return bound;
    }
    source.stream = *std::move(stream);
    source.description = source.stream->Description();
    bound.sources.push_back(std::move(source));
  }
  std::map<int64_t, int64_t> origin;
  PlanPtr separated = WithPlanningTime(SeparateScans(plan, &origin), bound.planning_time);
  separated = WithSeedsOfBatch(separated, bound.running_batch);
  bound.refused = CheckAggregatedTimes(separated);
  if (!bound.refused.ok()) return bound;
  ARROW_ASSIGN_OR_RAISE(PlanPtr optimized, optimizer::Optimize(separated, spec.eval));
  optimized = WithBatchTimeKnown(optimized);
  std::set<int64_t> repeated = SeparateRepeatedScans(&optimized, &origin);
  logical::VisitPlan(*optimized, [&](const logical::Plan& node) {
    if (node.kind() != NodeKind::kSourceScan || !node.is_streaming()) return;
    const auto& scan = static_cast<const SourceScan&>(node);
    int64_t key = scan.source_key();
    bound.sources[index_of[origin[key]]].scans.push_back({key, scan.columns(), repeated.count(key) > 0});
  });
  bound.logical_text = logical::TreeString(*optimized);
  std::vector<std::string> descriptions;
  for (size_t source : bound.source_of_place) descriptions.push_back(bound.sources[source].description);
  bound.refused = CheckLowLatencyRun(*optimized, spec, descriptions);
  if (!bound.refused.ok()) return bound;
  physical::StreamingPlan streaming;
  streaming.output_mode = spec.output_mode;
  streaming.conf = spec.conf;
  streaming.num_state_partitions = NumStatePartitions(spec);
  auto root = physical::PlanOperators(optimized,
                                      {.parallelism = spec.connector.parallelism, .streaming = std::move(streaming)});
  if (root.ok()) {
    bound.root = *std::move(root);
  } else {
    bound.refused = root.status();
    // What is not built here is told at once.
    bool is_sparks = bound.refused.IsInvalid() ||
                     (GetErrorDetail(bound.refused) != nullptr && !IsErrorCondition(bound.refused, "UNSUPPORTED_CALL"));
    if (!is_sparks) return bound.refused;
  }
  return bound;
}

}  // namespace

arrow::Result<std::shared_ptr<StreamingQuery>> Start(StreamingQuerySpec spec) {
  if (spec.sink != nullptr && (spec.sink->output_modes & (1u << static_cast<unsigned>(spec.output_mode))) == 0) {
    static constexpr const char* kModes[] = {"append", "update", "complete"};
    return UserError(
        "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
        {{"className", std::string(spec.sink->name)}, {"outputMode", kModes[static_cast<size_t>(spec.output_mode)]}});
  }
  auto enabled = [&](std::string_view key) { return spec.conf(key).value_or("true") != "false"; };
  // What real-time mode asks comes before what all streams ask; a continuous query is asked after that.
  bool is_real_time = spec.trigger.kind == TriggerKind::kRealTime;
  if (is_real_time) ARROW_RETURN_NOT_OK(CheckLowLatencyStart(*spec.plan, spec));
  if (enabled("spark.sql.streaming.unsupportedOperationCheck")) {
    ARROW_RETURN_NOT_OK(CheckSupported(*spec.plan, spec.output_mode, spec.conf));
  }
  arrow::Status possible = CheckPossible(*spec.plan, spec.output_mode);
  if (possible.IsNotImplemented()) return possible;
  if (!is_real_time) ARROW_RETURN_NOT_OK(CheckLowLatencyStart(*spec.plan, spec));
  ARROW_RETURN_NOT_OK(CheckEvolution(spec));
  ARROW_ASSIGN_OR_RAISE(Checkpoint checkpoint,
                        OpenCheckpoint(spec.file_system, spec.checkpoint_location, spec.connector.durability,
                                       enabled("spark.sql.streaming.checkpoint.verifyMetadataExists.enabled"),
                                       enabled("spark.sql.streaming.verifyCheckpointDirectoryEmptyOnStart")));
  ARROW_RETURN_NOT_OK(RestoreConf(checkpoint, &spec));
  // Sources keep a pointer to the connector context: it must already lie where the query keeps it.
  auto owned = std::make_unique<StreamingQuerySpec>(std::move(spec));
  ARROW_ASSIGN_OR_RAISE(BoundQuery bound, Bind(*owned, checkpoint));
  if (bound.refused.ok()) bound.refused = possible;
  std::string policy = owned->conf("spark.sql.streaming.multipleWatermarkPolicy").value_or("min");
  ARROW_ASSIGN_OR_RAISE(WatermarkTracker watermarks,
                        WatermarkTracker::Make(bound.root.get(), policy, owned->clock->NowMillis()));
  std::unique_ptr<QueryState> state;
  if (bound.root != nullptr) {
    ARROW_ASSIGN_OR_RAISE(state, QueryState::Make(*bound.root, *owned, checkpoint));
  }
  connector::SinkRequest request = owned->sink_request;
  request.schema = owned->plan->Schema();
  request.query_id = checkpoint.query_id;
  request.checkpoint_location = checkpoint.location;
  request.context = &owned->connector;
  std::unique_ptr<connector::StreamSink> sink;
  if (owned->make_sink) {
    ARROW_ASSIGN_OR_RAISE(sink, owned->make_sink(request));
  } else {
    ARROW_ASSIGN_OR_RAISE(sink, owned->sink->open_stream(request));
  }
  ARROW_ASSIGN_OR_RAISE(bool is_async, TracksProgressAsync(*owned, *sink));
  if (is_async && is_real_time) return UserError("STREAMING_REAL_TIME_MODE.ASYNC_PROGRESS_TRACKING_NOT_SUPPORTED");
  if (is_async && state != nullptr) bound.refused = StatefulWithAsyncProgress();
  auto query = std::make_shared<MicroBatchExecution>(std::move(owned), std::move(checkpoint), std::move(bound),
                                                     std::move(watermarks), std::move(state), std::move(sink));
  query->Launch();
  return query;
}

}  // namespace millrace::streaming
