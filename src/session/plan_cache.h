#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "logical/node/local_relation.h"
#include "logical/plan.h"

namespace millrace::session {

/// Spark's StorageLevel. Rows are held in memory whatever the level says; the level is what storageLevel answers.
struct StorageLevel {
  bool use_disk = false;
  bool use_memory = false;
  bool use_off_heap = false;
  bool deserialized = false;
  int replication = 1;
};
/// MEMORY_AND_DISK_DESER: what cache() and persist() mean without a level.
inline constexpr StorageLevel kDefaultStorageLevel{.use_disk = true, .use_memory = true, .deserialized = true};

/// A text that two plans share exactly when they compute the same: columns numbered by first use, data by content.
std::string CanonicalText(const logical::Plan& plan);

/// The error of a stream where rows are asked for now.
arrow::Status CheckIsNoStream(const logical::Plan& plan);

/// The frames a session has persisted: where such a plan stands in a query, its rows are computed once and kept.
///
/// Thread-safe; two queries that need the same rows first compute them once. Source: Spark, CacheManager.
class PlanCache {
 public:
  using Partitions = std::shared_ptr<const std::vector<logical::LocalRelation::Partition>>;
  using RunPlan = std::function<arrow::Result<Partitions>(const logical::PlanPtr& plan)>;

  /// Keeps the level it had when it is persisted already. Error: a stream.
  arrow::Status Persist(const logical::PlanPtr& plan, StorageLevel level);
  /// False when it was not persisted.
  bool Unpersist(const logical::Plan& plan);
  /// All-false when it is not persisted.
  StorageLevel LevelOf(const logical::Plan& plan) const;
  bool Holds(const logical::Plan& plan) const;
  void Clear();
  /// Forgets rows read from below `path`: they are computed again when next asked for.
  void Invalidate(const std::string& path);

  /// `plan` with persisted parts replaced by their rows. `run` computes a part.
  arrow::Result<logical::PlanPtr> Apply(const logical::PlanPtr& plan, const RunPlan& run);

  struct Part {
    /// What the part is called in the text of the plan that is shown.
    std::string mark;
    logical::PlanPtr plan;
    StorageLevel level;
  };
  /// `plan` as Apply would make it, for showing only: the parts have no rows and are told in `parts`.
  logical::PlanPtr Mark(const logical::PlanPtr& plan, std::vector<Part>* parts) const;

 private:
  struct Entry {
    std::string canonical;
    logical::PlanPtr plan;
    StorageLevel level;
    std::mutex mutex;
    Partitions rows;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  std::vector<EntryPtr> Entries() const;
  EntryPtr Find(const logical::Plan& plan) const;
  /// `plan` with its persisted parts, outermost first, as `replace` makes them.
  static arrow::Result<logical::PlanPtr> Replace(
      const std::vector<EntryPtr>& entries, const logical::PlanPtr& plan,
      const std::function<arrow::Result<logical::PlanPtr>(Entry&, const logical::PlanPtr&)>& replace);
  arrow::Result<Partitions> RowsOf(Entry& entry, const RunPlan& run);

  mutable std::mutex mutex_;
  std::vector<EntryPtr> entries_;
};

}  // namespace millrace::session
