#include "streaming/query_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>

#include "base/ascii.h"
#include "base/elapsed.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "connector/duration.h"
#include "state/operator_metadata.h"

namespace millrace::streaming {

namespace {

using physical::StatefulBatch;

std::string ConfText(const StreamingQuerySpec& spec, std::string_view key, std::string_view fallback) {
  return spec.conf(key).value_or(std::string(fallback));
}

int64_t ConfNumber(const StreamingQuerySpec& spec, std::string_view key, int64_t fallback) {
  std::optional<std::string> text = spec.conf(key);
  return text && !text->empty() ? std::strtoll(text->c_str(), nullptr, 10) : fallback;
}

state::StateStoreConf StoreConf(const StreamingQuerySpec& spec) {
  state::StateStoreConf conf;
  conf.provider_class = ConfText(spec, "spark.sql.streaming.stateStore.providerClass", conf.provider_class);
  conf.compression_codec = ConfText(spec, "spark.sql.streaming.stateStore.compression.codec", conf.compression_codec);
  conf.min_versions_to_retain = std::max<int64_t>(1, ConfNumber(spec, "spark.sql.streaming.minBatchesToRetain", 100));
  conf.min_deltas_for_snapshot =
      ConfNumber(spec, "spark.sql.streaming.stateStore.minDeltasForSnapshot", conf.min_deltas_for_snapshot);
  auto interval_ms =
      connector::ParseDurationMillis(ConfText(spec, "spark.sql.streaming.stateStore.maintenanceInterval", "60s"));
  if (interval_ms.ok()) conf.maintenance_interval_ms = std::max<int64_t>(1, *interval_ms);
  conf.schema_check = ConfText(spec, "spark.sql.streaming.stateStore.stateSchemaCheck", "true") != "false";
  conf.rocksdb_changelog =
      ConfText(spec, "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled", "false") == "true";
  conf.rocksdb_merges_with_comma =
      ConfText(spec, "spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "2") == "1";
  conf.has_unique_ids = HasUniqueStateIds(spec);
  conf.has_row_checksums =
      ToLowerAscii(ConfText(spec, "spark.sql.streaming.stateStore.rowChecksum.enabled", "false")) == "true";
  conf.durability = spec.connector.durability;
  return conf;
}

// As many instance metrics as Spark reports (numStateStoreInstanceMetricsToReport), those of the smallest values.
void KeepFewInstances(std::map<std::string, int64_t>* metrics) {
  constexpr std::string_view kPrefix = "SnapshotLastUploaded.";
  constexpr size_t kReported = 5;
  std::vector<std::pair<int64_t, std::string>> instances;
  for (const auto& [name, value] : *metrics) {
    if (name.starts_with(kPrefix)) instances.emplace_back(value, name);
  }
  if (instances.size() <= kReported) return;
  std::sort(instances.begin(), instances.end());
  for (size_t i = kReported; i < instances.size(); ++i) metrics->erase(instances[i].second);
}

// Spark reads such state, and fails when it commits.
arrow::Status NoUniqueId() {
  arrow::Status status = UserError("CANNOT_WRITE_STATE_STORE.CANNOT_COMMIT");
  return status.WithMessage(
      status.message(),
      "\nThe state of this query has checkpoint format 1: the commit log tells no ids of its files. "
      "Set spark.sql.streaming.stateStore.checkpointFormatVersion = 1.");
}

}  // namespace

bool HasUniqueStateIds(const StreamingQuerySpec& spec) {
  return ConfNumber(spec, "spark.sql.streaming.stateStore.checkpointFormatVersion", 1) >= 2;
}

QueryState::QueryState(const physical::Operator& root, const StreamingQuerySpec& spec, const Checkpoint& checkpoint)
    : pool_(spec.pool),
      num_partitions_(static_cast<int>(std::max<int64_t>(1, ConfNumber(spec, "spark.sql.shuffle.partitions", 200)))),
      propagator_(&root, ConfText(spec, "spark.sql.streaming.statefulOperator.allowMultiple", "true") == "false"),
      stores_(spec.file_system, JoinPath(checkpoint.location, "state"), StoreConf(spec)) {
  for (const physical::StatefulOperator* op : physical::StatefulOperators(root)) {
    StatefulNode node;
    node.op = op;
    node.stores = op->state_stores();
    node.num_partitions = op->single_partition() ? 1 : num_partitions_;
    // What a micro-batch reports that a sink had already: the plan did not run.
    node.progress.operator_name = std::string(op->short_name());
    node.progress.num_shuffle_partitions = num_partitions_;
    for (int p = 0; p < node.num_partitions; ++p) partitions_.emplace_back(nodes_.size(), static_cast<size_t>(p));
    nodes_.push_back(std::move(node));
  }
}

arrow::Result<std::unique_ptr<QueryState>> QueryState::Make(const physical::Operator& root,
                                                            const StreamingQuerySpec& spec,
                                                            const Checkpoint& checkpoint) {
  if (physical::StatefulOperators(root).empty()) return nullptr;
  std::unique_ptr<QueryState> state(new QueryState(root, spec, checkpoint));
  if (!HasUniqueStateIds(spec)) return state;
  constexpr std::string_view kVersion = "spark.sql.streaming.stateStore.checkpointFormatVersion";
  if (int64_t version = ConfNumber(spec, kVersion, 1); version > 2) {
    return arrow::Status::NotImplemented(kVersion, " = ", version, " is not supported; supported: 1, 2");
  }
  state->state_ids_.emplace();
  ARROW_ASSIGN_OR_RAISE(auto newest, checkpoint.commit_log.log().LatestId());
  if (!newest) return state;
  auto commit = checkpoint.commit_log.Get(*newest);
  // What is wrong with the entry is told where it is needed.
  if (commit.ok() && *commit && (*commit)->state_ids) state->state_ids_ = std::move((*commit)->state_ids);
  return state;
}

std::optional<state::StateIds> QueryState::IdsToCommit(const QueryState* state, const StreamingQuerySpec& spec) {
  if (state != nullptr) return state->state_ids_;
  return HasUniqueStateIds(spec) ? std::make_optional<state::StateIds>() : std::nullopt;
}

arrow::Status QueryState::CheckNone(const StreamingQuerySpec& spec, const Checkpoint& checkpoint) {
  return state::CheckOperatorNames(*spec.file_system, JoinPath(checkpoint.location, "state"), {});
}

arrow::Status QueryState::SetWatermarks(int64_t previous_watermark_ms, int64_t watermark_ms) {
  // Spark's compatibility mode goes by one watermark for both.
  ARROW_ASSIGN_OR_RAISE(auto late, propagator_.Propagate(propagator_.single() ? watermark_ms : previous_watermark_ms));
  ARROW_ASSIGN_OR_RAISE(auto eviction, propagator_.Propagate(watermark_ms));
  for (StatefulNode& node : nodes_) {
    node.late_watermark_ms = late[node.op];
    node.eviction_watermark_ms = eviction[node.op];
    node.watermark_moved = propagator_.single() ? watermark_ms != previous_watermark_ms
                                                : node.late_watermark_ms != node.eviction_watermark_ms;
  }
  return arrow::Status::OK();
}

arrow::Status QueryState::DeclareOperators(BatchId batch_id) {
  if (declared_) return arrow::Status::OK();
  std::vector<state::StatefulOperatorInfo> infos;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    state::StatefulOperatorInfo info;
    info.operator_id = static_cast<int64_t>(n);
    info.operator_name = std::string(nodes_[n].op->short_name());
    info.num_partitions = num_partitions_;
    for (const physical::StateStoreSpec& store : nodes_[n].stores) {
      info.stores.push_back({store.name,
                             {store.key_schema, store.value_schema, store.num_prefix_columns, store.time},
                             store.validates_value,
                             store.schema_version});
    }
    nodes_[n].op->DescribeFamilies(&info);
    if (info.has_families) info.stores.clear();
    infos.push_back(std::move(info));
  }
  ARROW_RETURN_NOT_OK(stores_.DeclareOperators(infos, batch_id.value));
  declared_ = true;
  if (batch_id.value == 0) {
    for (StatefulNode& node : nodes_) node.earliest_us = INT64_MAX;
  }
  stores_.StartMaintenance();
  return arrow::Status::OK();
}

arrow::Status QueryState::ForEachPartition(const std::function<arrow::Status(size_t, size_t)>& task) {
  auto one = [&](int i) {
    return task(partitions_[static_cast<size_t>(i)].first, partitions_[static_cast<size_t>(i)].second);
  };
  auto count = static_cast<int>(partitions_.size());
  if (pool_ != nullptr && count > 1) return pool_->RunAll(count, one);
  for (int i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(one(i));
  return arrow::Status::OK();
}

void QueryState::KeepUniqueIds(const physical::StreamingBatch& batch) {
  if (!state_ids_) return;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    auto& of_operator = (*state_ids_)[static_cast<int64_t>(n)];
    of_operator.clear();
    for (const auto& stores : batch.stateful.at(nodes_[n].op).stores) {
      auto& of_partition = of_operator.emplace_back();
      for (const state::StateStore* store : stores) of_partition.push_back(store->unique_id());
    }
  }
}

arrow::Status QueryState::OpenStores(BatchId batch_id, physical::StreamingBatch* batch) {
  std::vector<StatefulBatch*> batches;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    StatefulBatch& stateful = batch->stateful[nodes_[n].op];
    stateful.operator_id = static_cast<int>(n);
    stateful.late_watermark_ms = nodes_[n].late_watermark_ms;
    stateful.eviction_watermark_ms = nodes_[n].eviction_watermark_ms;
    stateful.watermark_moved = nodes_[n].watermark_moved;
    stateful.stores.assign(static_cast<size_t>(nodes_[n].num_partitions),
                           std::vector<state::StateStore*>(nodes_[n].stores.size(), nullptr));
    batches.push_back(&stateful);
  }
  arrow::Status status = ForEachPartition([&](size_t n, size_t partition) -> arrow::Status {
    for (size_t s = 0; s < nodes_[n].stores.size(); ++s) {
      std::string unique_id;
      if (state_ids_) unique_id = state::StateIdOf(*state_ids_, static_cast<int64_t>(n), partition, s);
      if (state_ids_ && unique_id.empty() && batch_id.value > 0) return NoUniqueId();
      state::StateStoreId id{static_cast<int64_t>(n), static_cast<int32_t>(partition), nodes_[n].stores[s].name};
      ARROW_ASSIGN_OR_RAISE(batches[n]->stores[partition][s],
                            stores_.Open(id, state::StateVersion(batch_id.value), unique_id));
    }
    return arrow::Status::OK();
  });
  open_.clear();
  for (StatefulBatch* stateful : batches) {
    for (const auto& partition : stateful->stores) {
      for (state::StateStore* store : partition) {
        if (store != nullptr) open_.push_back(store);
      }
    }
  }
  return status;
}

arrow::Status QueryState::Begin(int64_t previous_watermark_ms, int64_t watermark_ms, bool first,
                                physical::StreamingBatch* batch) {
  ARROW_RETURN_NOT_OK(SetWatermarks(previous_watermark_ms, watermark_ms));
  if (first) {
    ARROW_RETURN_NOT_OK(HitFailpoint("state.before_metadata"));
    ARROW_RETURN_NOT_OK(DeclareOperators(batch->batch_id));
  }
  arrow::Status opened = OpenStores(batch->batch_id, batch);
  if (!opened.ok()) Abort();
  return opened;
}

arrow::Status QueryState::Skip(BatchId batch_id, int64_t previous_watermark_ms, int64_t watermark_ms) {
  ARROW_RETURN_NOT_OK(DeclareOperators(batch_id));
  return SetWatermarks(previous_watermark_ms, watermark_ms);
}

arrow::Status QueryState::Commit(physical::StreamingBatch* batch) {
  ARROW_RETURN_NOT_OK(HitFailpoint("state.before_commit"));
  std::vector<std::atomic<int64_t>> commit_us(nodes_.size());
  ARROW_RETURN_NOT_OK(ForEachPartition([&](size_t n, size_t partition) -> arrow::Status {
    auto start = std::chrono::steady_clock::now();
    for (state::StateStore* store : batch->stateful.at(nodes_[n].op).stores[partition]) {
      ARROW_RETURN_NOT_OK(HitFailpoint("state.before_store_commit"));
      ARROW_RETURN_NOT_OK(store->Commit().status());
    }
    commit_us[n] += MicrosSince(start);
    return arrow::Status::OK();
  }));
  ARROW_RETURN_NOT_OK(HitFailpoint("state.before_sync"));
  auto sync_start = std::chrono::steady_clock::now();
  ARROW_RETURN_NOT_OK(stores_.Sync());
  for (auto& us : commit_us) us += MicrosSince(sync_start);
  KeepUniqueIds(*batch);
  for (size_t n = 0; n < nodes_.size(); ++n) {
    Summarize(batch->stateful.at(nodes_[n].op), commit_us[n], &nodes_[n]);
  }
  open_.clear();
  return HitFailpoint("state.after_commit");
}

bool QueryState::is_final_before_rows() const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](const StatefulNode& node) { return node.op->short_name() == "stateStoreSave"; });
}

arrow::Status QueryState::CheckRowsWereWanted(BatchId batch_id) const {
  int64_t expected = 0;
  std::string missing;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].op->single_partition()) return arrow::Status::OK();
    for (int partition = 0; partition < nodes_[n].num_partitions; ++partition) {
      for (const physical::StateStoreSpec& store : nodes_[n].stores) {
        missing += (expected++ == 0 ? "" : ", ") +
                   fmt::format("(operator={}, partition={}, store={})", n, partition, store.name);
      }
    }
  }
  return UserError("STATE_STORE_COMMIT_VALIDATION_FAILED", {{"batchId", std::to_string(batch_id.value)},
                                                            {"expectedCommits", std::to_string(expected)},
                                                            {"actualCommits", "0"},
                                                            {"missingCommits", missing}});
}

void QueryState::Abort() {
  for (state::StateStore* store : open_) store->Abort();
  open_.clear();
}

void QueryState::Summarize(const StatefulBatch& batch, int64_t commit_us, StatefulNode* node) const {
  StateOperatorProgress progress;
  progress.operator_name = std::string(node->op->short_name());
  progress.num_rows_updated = batch.metrics.rows_updated;
  progress.num_rows_removed = batch.metrics.rows_removed;
  progress.num_rows_dropped_by_watermark = batch.metrics.rows_dropped_by_watermark;
  progress.all_updates_time_ms = batch.metrics.update_us / 1000;
  progress.all_removals_time_ms = batch.metrics.removal_us / 1000;
  progress.commit_time_ms = commit_us / 1000;
  progress.num_shuffle_partitions = num_partitions_;
  if (node->op->counts_store_instances()) {
    progress.num_state_store_instances = static_cast<int64_t>(node->stores.size()) * node->num_partitions;
  }
  for (const auto& partition : batch.stores) {
    for (size_t s = 0; s < partition.size(); ++s) {
      state::StateStoreMetrics metrics = partition[s]->metrics();
      if (node->stores[s].counts_rows) progress.num_rows_total += metrics.num_keys;
      progress.memory_used_bytes += metrics.memory_used_bytes;
      for (const auto& [name, value] : metrics.custom) progress.custom_metrics[name] += value;
    }
  }
  KeepFewInstances(&progress.custom_metrics);
  for (std::string_view name : node->op->custom_metrics()) progress.custom_metrics[std::string(name)] += 0;
  for (const auto& [name, value] : batch.metrics.custom) progress.custom_metrics[name] += value;
  node->progress = std::move(progress);
  node->next_timeout_ms = batch.metrics.next_timeout_ms;
  if (batch.metrics.saw_all_rows) {
    node->earliest_us = batch.metrics.earliest_waiting_us;
  } else if (node->earliest_us) {
    node->earliest_us = std::min(*node->earliest_us, batch.metrics.earliest_waiting_us);
  }
}

arrow::Result<bool> QueryState::ShouldRunAnotherBatch(int64_t watermark_ms) const {
  ARROW_ASSIGN_OR_RAISE(auto next, propagator_.Propagate(watermark_ms));
  for (const StatefulNode& node : nodes_) {
    if (node.op->ShouldRunAnotherBatch(node.eviction_watermark_ms, next[node.op])) return true;
  }
  return false;
}

bool QueryState::goes_by_processing_time() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const StatefulNode& node) { return node.op->goes_by_processing_time(); });
}

int64_t QueryState::NextTimeoutMs() const {
  int64_t next_ms = INT64_MAX;
  for (const StatefulNode& node : nodes_) {
    if (node.op->goes_by_processing_time()) next_ms = std::min(next_ms, node.next_timeout_ms);
  }
  return next_ms;
}

std::vector<StateOperatorProgress> QueryState::Progress(bool ran) {
  std::vector<StateOperatorProgress> all;
  for (const StatefulNode& node : nodes_) {
    StateOperatorProgress progress = node.progress;
    if (!ran) {
      progress.num_rows_updated = 0;
      progress.num_rows_removed = 0;
      progress.num_rows_dropped_by_watermark = 0;
    }
    all.push_back(std::move(progress));
  }
  return all;
}

std::optional<QueryState::Waiting> QueryState::WaitingRows() const {
  for (const StatefulNode& node : nodes_) {
    if (!node.op->holds_rows_back() || node.progress.num_rows_total == 0) continue;
    Waiting waiting{node.progress.num_rows_total, std::nullopt};
    // The first whole millisecond that is not before it: what a watermark can be.
    if (node.earliest_us && *node.earliest_us != INT64_MAX) waiting.next_ms = (*node.earliest_us + 999) / 1000;
    return waiting;
  }
  return std::nullopt;
}

}  // namespace millrace::streaming
