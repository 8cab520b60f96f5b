#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "types/data_type.h"

namespace millrace::connector {

using MemoryRows = std::vector<std::shared_ptr<arrow::RecordBatch>>;

/// Rows kept in the process: what the memory sink fills and a view reads, and what a test feeds to a memory stream.
/// Rows arrive in units, numbered from 0: an offset of the stream is the number of the last unit read. Thread-safe.
class MemoryTable {
 public:
  explicit MemoryTable(types::DataTypePtr schema) : schema_(std::move(schema)) {}

  const types::DataTypePtr& schema() const { return schema_; }

  /// Adds one unit of rows with `schema`'s columns. Wakes the streams that read this table.
  void Append(MemoryRows rows);
  /// Adds several units at once: no reader sees some of them without the others.
  void AppendUnits(std::vector<MemoryRows> units);
  /// The memory sink's commit: adds the rows, or replaces all by them. A micro-batch that was added before is left out.
  void AddMicroBatch(BatchId batch_id, MemoryRows rows, bool replace);
  void Clear();

  int64_t num_units() const;
  /// The rows of units `begin` … `end` − 1.
  MemoryRows Units(int64_t begin, int64_t end) const;
  MemoryRows All() const { return Units(0, num_units()); }

  /// Called after each Append until the token is given back.
  int AddListener(std::function<void()> on_append);
  void RemoveListener(int token);

 private:
  types::DataTypePtr schema_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<MemoryRows> units_;
  std::optional<BatchId> newest_batch_;
  std::map<int, std::function<void()>> listeners_;
  int next_listener_ = 0;
};

/// The memory tables of a session, by name. Thread-safe.
///
/// The memory sink of a query called `q` makes table `q`; a view of that name reads it with source "memory" and option
/// "table" = `q`. A stream over source "memory" yields the units of the table as they arrive.
class MemoryTables {
 public:
  /// Makes an empty table, in place of one of that name.
  std::shared_ptr<MemoryTable> Create(const std::string& name, types::DataTypePtr schema);
  /// Null when there is none.
  std::shared_ptr<MemoryTable> Find(const std::string& name) const;
  void Drop(const std::string& name);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<MemoryTable>> tables_;
};

}  // namespace millrace::connector
