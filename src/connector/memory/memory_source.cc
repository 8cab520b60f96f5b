#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/error.h"
#include "connector/memory/memory_table.h"
#include "connector/rows_partition.h"
#include "connector/source.h"

namespace millrace::connector {

namespace {

constexpr OptionDef kOptions[] = {
    {"table", "", "Name of the memory table. Required."},
    {"maxUnitsPerTrigger", "", "Streams: at most so many additions to the table in one micro-batch."},
    {"numPartitions", "1", "Over how many partitions the rows are dealt out."},
};

arrow::Result<std::shared_ptr<MemoryTable>> FindTable(const SourceRequest& request) {
  std::string name = request.options.GetOr("table", "");
  if (request.context->memory_tables != nullptr) {
    if (auto table = request.context->memory_tables->Find(name)) return table;
  }
  return UserError("TABLE_OR_VIEW_NOT_FOUND", {{"relationName", QuoteIdentifier(name)}, {"searchPath", "[]"}});
}

arrow::Result<InputPartitions> Deal(const MemoryRows& rows, int64_t num_partitions, const ReadColumns& columns) {
  int64_t num_rows = 0;
  for (const auto& batch : rows) num_rows += batch->num_rows();
  InputPartitions partitions;
  if (num_rows == 0) return partitions;
  int64_t share = (num_rows + num_partitions - 1) / num_partitions;
  MemoryRows part;
  int64_t filled = 0;
  auto close = [&] {
    partitions.push_back(std::make_shared<RowsPartition>(std::move(part)));
    part = {};
    filled = 0;
  };
  for (const auto& batch : rows) {
    ARROW_ASSIGN_OR_RAISE(auto wanted, batch->SelectColumns(columns.indices));
    for (int64_t at = 0; at < batch->num_rows();) {
      int64_t taken = std::min(share - filled, batch->num_rows() - at);
      part.push_back(wanted->Slice(at, taken));
      filled += taken;
      at += taken;
      if (filled == share) close();
    }
  }
  if (filled > 0) close();
  return partitions;
}

class MemoryScan final : public BatchScan {
 public:
  MemoryScan(std::shared_ptr<MemoryTable> table, int64_t num_partitions)
      : table_(std::move(table)), num_partitions_(num_partitions) {}
  arrow::Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    return Deal(table_->All(), num_partitions_, columns);
  }
  std::string Description() const override { return "MemoryPlan"; }

 private:
  std::shared_ptr<MemoryTable> table_;
  int64_t num_partitions_;
};

arrow::Result<int64_t> ParseUnit(const SourceOffset& offset) {
  int64_t unit = 0;
  const std::string& text = offset.json;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), unit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return arrow::Status::Invalid("Not an offset of a memory stream: ", text);
  }
  return unit;
}

/// Offsets: the number of the last addition read, -1 for none. Not fault-tolerant beyond the process.
class MemoryStream final : public MicroBatchStream {
 public:
  MemoryStream(std::shared_ptr<MemoryTable> table, int64_t max_units, int64_t num_partitions)
      : table_(std::move(table)), max_units_(max_units), num_partitions_(num_partitions) {}
  ~MemoryStream() override { Stop(); }

  arrow::Result<SourceOffset> InitialOffset() override { return SourceOffset{"-1"}; }

  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset& start) override {
    ARROW_ASSIGN_OR_RAISE(int64_t after, ParseUnit(start));
    int64_t last = fixed_last_.value_or(table_->num_units() - 1);
    if (last <= after) return after < 0 ? std::nullopt : std::optional(start);
    return SourceOffset{std::to_string(after + std::min(max_units_, last - after))};
  }

  arrow::Status PrepareForAvailableNow() override {
    fixed_last_ = table_->num_units() - 1;
    return arrow::Status::OK();
  }
  void IgnoreLimits() override { max_units_ = std::numeric_limits<int64_t>::max(); }

  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(int64_t after, ParseUnit(start));
    ARROW_ASSIGN_OR_RAISE(int64_t last, ParseUnit(end));
    if (last >= table_->num_units()) {
      return arrow::Status::Invalid("The memory stream has no rows up to offset ", last,
                                    ": it does not survive the process");
    }
    return Deal(table_->Units(after + 1, last + 1), num_partitions_, columns);
  }

  arrow::Status Commit(const SourceOffset&) override { return arrow::Status::OK(); }
  std::string Description() const override {
    std::vector<std::string> names;
    for (const types::StructField& field : table_->schema()->fields()) names.push_back(field.name);
    return fmt::format("MemoryStream[{}]", fmt::join(names, ","));
  }
  bool NotifyOnData(std::function<void()> on_data) override {
    listener_ = table_->AddListener(std::move(on_data));
    return true;
  }
  void Stop() override {
    if (listener_) table_->RemoveListener(*listener_);
    listener_.reset();
  }

 private:
  std::shared_ptr<MemoryTable> table_;
  int64_t max_units_;
  int64_t num_partitions_;
  std::optional<int64_t> fixed_last_;
  std::optional<int> listener_;
};

}  // namespace

extern const SourceDef kMemorySource;
const SourceDef kMemorySource = {
    .name = "memory",
    .description = "Rows kept in the process: what a memory sink holds, or what a test adds to a stream.",
    .options = kOptions,
    .schema = [](const SourceRequest& request) -> arrow::Result<types::DataTypePtr> {
      ARROW_ASSIGN_OR_RAISE(auto table, FindTable(request));
      return table->schema();
    },
    .open_batch = [](const SourceRequest& request) -> arrow::Result<std::unique_ptr<BatchScan>> {
      ARROW_ASSIGN_OR_RAISE(auto table, FindTable(request));
      ARROW_ASSIGN_OR_RAISE(int64_t num_partitions, request.options.GetInt64("numPartitions", 1));
      return std::make_unique<MemoryScan>(std::move(table), std::max<int64_t>(1, num_partitions));
    },
    .open_stream = [](const SourceRequest& request) -> arrow::Result<std::unique_ptr<MicroBatchStream>> {
      ARROW_ASSIGN_OR_RAISE(auto table, FindTable(request));
      ARROW_ASSIGN_OR_RAISE(int64_t num_partitions, request.options.GetInt64("numPartitions", 1));
      ARROW_ASSIGN_OR_RAISE(int64_t max_units,
                            request.options.GetInt64("maxUnitsPerTrigger", std::numeric_limits<int64_t>::max()));
      return std::make_unique<MemoryStream>(std::move(table), std::max<int64_t>(1, max_units),
                                            std::max<int64_t>(1, num_partitions));
    },
};

}  // namespace millrace::connector
