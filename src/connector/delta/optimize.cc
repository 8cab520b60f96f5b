#include "connector/delta/optimize.h"

#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/table.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "connector/delta/change_files.h"
#include "connector/delta/data_file_scan.h"
#include "connector/delta/moved_rows.h"
#include "connector/delta/write_plan.h"
#include "delta/partition_value.h"
#include "delta/schema/clustering.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

/// Deleted rows a file may have before it is rewritten for their sake alone.
constexpr double kDeletedRowsMax = 0.05;

struct Candidate {
  delta::FileRef file;
  int64_t size_bytes = 0;
};

// Values of the partition columns as a key that tells partitions apart.
std::string PartitionKey(const delta::Snapshot& snapshot, const delta::FileRef& file) {
  std::string key;
  for (int index : snapshot.partition_columns()) {
    auto value = file.columns->partition_value(
        file.row, delta::PhysicalName(snapshot.schema()->fields()[static_cast<size_t>(index)]));
    key += value ? "=" + std::to_string(value->size()) + ":" + std::string(*value) : std::string("-");
  }
  return key;
}

bool HasManyDeleted(const delta::FileRef& file) {
  auto vector = file.columns->deletion_vector(file.row);
  if (!vector) return false;
  auto stats = file.columns->stats(file.row);
  auto parsed = stats ? ParseJson(*stats) : arrow::Result<JsonValue>(arrow::Status::KeyError(""));
  const JsonValue* count = parsed.ok() ? parsed->Find("numRecords") : nullptr;
  if (count == nullptr) return true;
  return static_cast<double>(vector->cardinality) > kDeletedRowsMax * static_cast<double>(count->AsInt64());
}

// The files of one partition in groups that become one file each, smallest first.
std::vector<std::vector<Candidate>> Pack(std::vector<Candidate> files, int64_t max_bytes) {
  std::stable_sort(files.begin(), files.end(),
                   [](const Candidate& a, const Candidate& b) { return a.size_bytes < b.size_bytes; });
  std::vector<std::vector<Candidate>> bins;
  int64_t bytes = 0;
  for (Candidate& file : files) {
    if (bins.empty() || bytes + file.size_bytes > max_bytes) {
      bins.emplace_back();
      bytes = 0;
    }
    bytes += file.size_bytes;
    bins.back().push_back(std::move(file));
  }
  return bins;
}

// For each row the bits of its columns' ranks, interleaved.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> InZOrder(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                            const std::vector<std::vector<int>>& columns) {
  constexpr int kBits = 16;
  auto num_rows = static_cast<size_t>(rows->num_rows());
  std::vector<std::vector<uint32_t>> ranks;
  for (const std::vector<int>& position : columns) {
    arrow::compute::RankOptions options(arrow::compute::SortOrder::Ascending, arrow::compute::RankOptions::Dense);
    std::shared_ptr<arrow::Array> column = rows->column(position[0]);
    for (size_t depth = 1; depth < position.size(); ++depth) {
      ARROW_ASSIGN_OR_RAISE(column, static_cast<const arrow::StructArray&>(*column).GetFlattenedField(position[depth]));
    }
    ARROW_ASSIGN_OR_RAISE(arrow::Datum ranked, arrow::compute::CallFunction("rank", {column}, &options));
    const std::shared_ptr<arrow::Array> ranked_array = ranked.make_array();
    const auto& values = static_cast<const arrow::UInt64Array&>(*ranked_array);
    uint64_t highest = 1;
    for (int64_t i = 0; i < values.length(); ++i) highest = std::max(highest, values.Value(i));
    std::vector<uint32_t> scaled(num_rows);
    for (size_t i = 0; i < num_rows; ++i) {
      scaled[i] = static_cast<uint32_t>((values.Value(static_cast<int64_t>(i)) - 1) * ((1u << kBits) - 1) / highest);
    }
    ranks.push_back(std::move(scaled));
  }
  std::vector<std::vector<bool>> keys(num_rows);
  for (size_t i = 0; i < num_rows; ++i) {
    for (int bit = kBits; bit-- > 0;) {
      for (const auto& rank : ranks) keys[i].push_back((rank[i] >> bit & 1) != 0);
    }
  }
  std::vector<int64_t> order(num_rows);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)]; });
  arrow::Int64Builder indices;
  ARROW_RETURN_NOT_OK(indices.AppendValues(order));
  ARROW_ASSIGN_OR_RAISE(auto taken, indices.Finish());
  ARROW_ASSIGN_OR_RAISE(arrow::Datum sorted, arrow::compute::Take(rows, taken));
  return sorted.record_batch();
}

class Optimizer {
 public:
  Optimizer(const OptimizeRequest& request, delta::Transaction* transaction)
      : request_(request), snapshot_(*request.snapshot), transaction_(transaction) {}

  arrow::Result<OptimizeTotals> Run() {
    ARROW_ASSIGN_OR_RAISE(auto by_partition, Candidates());
    ARROW_RETURN_NOT_OK(Plan());
    transaction_->set_data_change(false);
    for (auto& [key, files] : by_partition) {
      bool any = false;
      for (std::vector<Candidate>& bin : Pack(std::move(files), request_.one_by_one ? 0 : request_.max_file_bytes)) {
        bool worth = bin.size() > 1 || !request_.order_by.empty() || request_.wants;
        if (!worth) continue;
        any = true;
        ++totals_.num_bins;
        ARROW_RETURN_NOT_OK(Rewrite(bin));
      }
      totals_.num_partitions += any;
    }
    return std::move(totals_);
  }

 private:
  arrow::Result<std::map<std::string, std::vector<Candidate>>> Candidates() {
    bool chooses = request_.partitions != nullptr || !request_.only_partitions.empty();
    std::vector<delta::FileRef> files;
    std::vector<delta::PartitionValues> values;
    snapshot_.files().ForEach([&](const delta::FileRef& file) {
      files.push_back(file);
      if (chooses) values.push_back(file.columns->ToAdd(file.row).partition_values);
    });
    std::vector<bool> chosen(files.size(), true);
    if (request_.partitions != nullptr) {
      ARROW_ASSIGN_OR_RAISE(chosen,
                            MatchPartitions(snapshot_, *request_.partitions, values, *request_.context->time_zone));
    }
    const auto& only = request_.only_partitions;
    for (size_t i = 0; !only.empty() && i < files.size(); ++i) {
      chosen[i] = chosen[i] && std::find(only.begin(), only.end(), values[i]) != only.end();
    }
    std::map<std::string, std::vector<Candidate>> by_partition;
    std::set<std::string> cubes;
    for (size_t i = 0; i < files.size(); ++i) {
      if (!chosen[i]) continue;
      ++totals_.num_considered;
      if (!request_.clustering.empty()) CountCubes(files[i], &cubes);
      Candidate candidate{files[i], files[i].columns->size_bytes(files[i].row)};
      bool wanted = false;
      if (request_.wants) {
        ARROW_ASSIGN_OR_RAISE(wanted, request_.wants(files[i]));
      } else {
        wanted =
            candidate.size_bytes < request_.min_file_bytes || HasManyDeleted(files[i]) || !request_.order_by.empty();
      }
      if (!wanted) continue;
      by_partition[PartitionKey(snapshot_, files[i])].push_back(std::move(candidate));
    }
    totals_.num_cubes = static_cast<int64_t>(cubes.size());
    return by_partition;
  }

  void CountCubes(const delta::FileRef& file, std::set<std::string>* cubes) {
    delta::Add add = file.columns->ToAdd(file.row);
    auto cube = add.tags ? add.tags->find("ZCUBE_ID") : delta::StringMap::iterator();
    bool in_cube = add.tags && cube != add.tags->end();
    if (in_cube) cubes->insert(cube->second);
    (in_cube ? totals_.cube_files : totals_.other_files).push_back(add.size_bytes);
  }

  arrow::Status Plan() {
    const ConnectorContext& context = *request_.context;
    SinkRequest sink;
    sink.path = request_.table->path();
    sink.schema = snapshot_.schema();
    sink.context = &context;
    sink.save_mode = SaveMode::kAppend;
    WriteOptions options;
    WritePlanRequest planning;
    planning.sink = &sink;
    planning.options = &options;
    planning.copies = true;
    const delta::SnapshotPtr& as = request_.written_as != nullptr ? request_.written_as : request_.snapshot;
    sink.schema = as->schema();
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeWritePlan(as, request_.table->path(), planning));
    files_ = WithRowMarks(plan->files, snapshot_);
    ReadColumns all;
    for (size_t i = 0; i < snapshot_.schema()->fields().size(); ++i) all.indices.push_back(static_cast<int>(i));
    ReadRowMarks(snapshot_, *snapshot_.schema(), &all);
    ARROW_ASSIGN_OR_RAISE(read_, MakeDataReadPlan(snapshot_, *snapshot_.schema(), all, context));
    return arrow::Status::OK();
  }

  arrow::Status Rewrite(const std::vector<Candidate>& bin) {
    DataFileWriter writer(files_, static_cast<int>(totals_.num_bins) - 1);
    arrow::Status status = WriteRows(bin, &writer);
    if (!status.ok()) {
      writer.Abort();
      return status;
    }
    ARROW_ASSIGN_OR_RAISE(std::vector<AddedFile> added, writer.Finish());
    for (const Candidate& candidate : bin) {
      totals_.removed.push_back(candidate.size_bytes);
      if (auto vector = candidate.file.columns->deletion_vector(candidate.file.row)) {
        ++totals_.num_vectors_removed;
        totals_.num_vector_rows_removed += vector->cardinality;
      }
      ARROW_RETURN_NOT_OK(transaction_->StageRemove(
          candidate.file, request_.tells_removed_rows ? delta::RemovedStats::kNumRecords : delta::RemovedStats::kNone));
    }
    delta::StringMap cube;
    if (!request_.clustering.empty()) cube = {{"ZCUBE_ID", RandomUuid()}, {"ZCUBE_ZORDER_BY", request_.clustering}};
    for (AddedFile& file : added) {
      if (!cube.empty()) {
        file.add.tags = cube;
        file.add.clustering_provider = std::string(delta::kClusteringProvider);
      }
      totals_.added.push_back(file.add.size_bytes);
      file.add.data_change = false;
      transaction_->Stage(std::move(file.add));
    }
    return arrow::Status::OK();
  }

  arrow::Status Write(std::shared_ptr<arrow::RecordBatch> rows, DataFileWriter* writer) {
    ARROW_ASSIGN_OR_RAISE(RowMarks marks, TakeRowMarks(snapshot_, &rows));
    totals_.num_rows += rows->num_rows();
    ARROW_ASSIGN_OR_RAISE(auto shaped, files_->shaper->Shape(rows));
    ARROW_ASSIGN_OR_RAISE(shaped, PutRowMarks(snapshot_, std::move(shaped), marks));
    ARROW_ASSIGN_OR_RAISE(auto parts, files_->router->Split(shaped));
    for (const PartitionRows& part : parts) {
      ARROW_RETURN_NOT_OK(writer->Write(part.directory, part.values, part.rows));
    }
    return arrow::Status::OK();
  }

  arrow::Status WriteRows(const std::vector<Candidate>& bin, DataFileWriter* writer) {
    std::vector<std::shared_ptr<arrow::RecordBatch>> held;
    for (const Candidate& candidate : bin) {
      for (const auto& partition : PackDataFiles(read_, {ToDataFile(snapshot_, candidate.file)}, *request_.context)) {
        ARROW_ASSIGN_OR_RAISE(auto reader, partition->Open(arrow::default_memory_pool()));
        while (true) {
          ARROW_ASSIGN_OR_RAISE(auto rows, reader->Next());
          if (rows == nullptr) break;
          if (request_.order_by.empty()) {
            ARROW_RETURN_NOT_OK(Write(rows, writer));
          } else {
            held.push_back(std::move(rows));
          }
        }
      }
    }
    if (held.empty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(held));
    held.clear();
    ARROW_ASSIGN_OR_RAISE(auto whole, table->CombineChunksToBatch());
    ARROW_ASSIGN_OR_RAISE(auto sorted, InZOrder(whole, request_.order_by));
    return Write(sorted, writer);
  }

  const OptimizeRequest& request_;
  const delta::Snapshot& snapshot_;
  delta::Transaction* transaction_;
  std::shared_ptr<const DataFilePlan> files_;
  std::shared_ptr<const DataReadPlan> read_;
  OptimizeTotals totals_;
};

}  // namespace

std::vector<std::pair<std::string, int64_t>> OptimizeMetrics(const OptimizeTotals& totals) {
  std::vector<int64_t> sorted = totals.added;
  std::sort(sorted.begin(), sorted.end());
  auto sum = [](const std::vector<int64_t>& sizes) { return std::accumulate(sizes.begin(), sizes.end(), int64_t{0}); };
  auto percentile = [&](size_t percent) { return sorted.empty() ? 0 : sorted[sorted.size() * percent / 100]; };
  return {{"numRemovedFiles", static_cast<int64_t>(totals.removed.size())},
          {"numRemovedBytes", sum(totals.removed)},
          {"p25FileSize", percentile(25)},
          {"numDeletionVectorsRemoved", totals.num_vectors_removed},
          {"minFileSize", sorted.empty() ? 0 : sorted.front()},
          {"p75FileSize", percentile(75)},
          {"p50FileSize", percentile(50)},
          {"numAddedBytes", sum(totals.added)},
          {"numAddedFiles", static_cast<int64_t>(totals.added.size())},
          {"maxFileSize", sorted.empty() ? 0 : sorted.back()}};
}

arrow::Result<OptimizeTotals> StageOptimize(const OptimizeRequest& request, delta::Transaction* transaction) {
  return Optimizer(request, transaction).Run();
}

}  // namespace millrace::connector::delta_table
