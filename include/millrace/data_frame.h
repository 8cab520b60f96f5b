#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/column.h"
#include "millrace/row.h"

namespace spark::connect {
class Relation;
}

namespace millrace {

namespace api {
class Connection;
}

class DataFrame;
class DataFrameWriter;
template <typename K, typename V>
class KeyValueGroupedDataset;
class DataStreamWriter;

/// Groups of a DataFrame, before aggregation.
class GroupedData {
 public:
  DataFrame Agg(const std::vector<Column>& aggregates) const;
  DataFrame Count() const;

 private:
  friend class DataFrame;
  GroupedData(std::shared_ptr<const spark::connect::Relation> input, std::shared_ptr<api::Connection> connection,
              std::vector<Column> keys, int group_type)
      : input_(std::move(input)), connection_(std::move(connection)), keys_(std::move(keys)), group_type_(group_type) {}
  std::shared_ptr<const spark::connect::Relation> input_;
  std::shared_ptr<api::Connection> connection_;
  std::vector<Column> keys_;
  int group_type_;
};

/// A relation, described but not computed (Spark's DataFrame). Immutable, cheap to copy, thread-safe.
///
/// Transformations cannot fail; what is wrong with them shows in the first action (Schema, Show, Collect, a write).
class DataFrame {
 public:
  DataFrame(std::shared_ptr<const spark::connect::Relation> message, std::shared_ptr<api::Connection> connection)
      : message_(std::move(message)), connection_(std::move(connection)) {}

  // Transformations.
  DataFrame Select(const std::vector<Column>& columns) const;
  DataFrame SelectExpr(const std::vector<std::string>& expressions) const;
  DataFrame Filter(const Column& condition) const;
  DataFrame Filter(std::string_view condition) const;
  DataFrame Where(std::string_view condition) const { return Filter(condition); }
  DataFrame WithColumn(std::string_view name, const Column& value) const;
  DataFrame WithColumns(const std::vector<std::pair<std::string, Column>>& columns) const;
  DataFrame WithColumnRenamed(std::string_view from, std::string_view to) const;
  DataFrame Drop(const std::vector<std::string>& columns) const;
  DataFrame ToDf(const std::vector<std::string>& names) const;
  DataFrame Distinct() const;
  DataFrame DropDuplicates(const std::vector<std::string>& columns) const;
  /// Drops a row when another of its key came no longer before than the watermark's delay. Streams with a watermark
  /// only.
  DataFrame DropDuplicatesWithinWatermark(const std::vector<std::string>& columns = {}) const;
  DataFrame OrderBy(const std::vector<Column>& order) const;
  DataFrame SortWithinPartitions(const std::vector<Column>& order) const;
  DataFrame Limit(int32_t count) const;
  DataFrame Offset(int32_t count) const;
  DataFrame Alias(std::string_view name) const;
  /// `how`: inner, cross, left, right, full, semi, anti (and Spark's longer spellings).
  DataFrame Join(const DataFrame& right, const Column& condition, std::string_view how = "inner") const;
  DataFrame Join(const DataFrame& right, const std::vector<std::string>& using_columns,
                 std::string_view how = "inner") const;
  DataFrame CrossJoin(const DataFrame& right) const;
  DataFrame Union(const DataFrame& other) const;
  DataFrame UnionByName(const DataFrame& other, bool allow_missing_columns = false) const;
  DataFrame Intersect(const DataFrame& other) const;
  DataFrame Except(const DataFrame& other) const;
  GroupedData GroupBy(const std::vector<Column>& keys) const;
  /// Groups for functions over typed rows, with state: keys and rows become values of K and V (millrace/typed_value.h).
  template <typename K, typename V = Row>
  KeyValueGroupedDataset<K, V> GroupByKey(const std::vector<Column>& keys) const;
  GroupedData Rollup(const std::vector<Column>& keys) const;
  GroupedData Cube(const std::vector<Column>& keys) const;
  DataFrame Agg(const std::vector<Column>& aggregates) const;
  DataFrame Repartition(int32_t num_partitions, const std::vector<Column>& keys = {}) const;
  DataFrame Coalesce(int32_t num_partitions) const;
  DataFrame WithWatermark(std::string_view event_time, std::string_view delay) const;
  DataFrame Sample(double fraction, int64_t seed) const;
  DataFrame DropNa(const std::vector<std::string>& columns = {}) const;

  // Actions.
  /// The schema in DDL: "a INT,b STRING NOT NULL".
  arrow::Result<std::string> SchemaDdl() const;
  arrow::Result<std::vector<std::string>> Columns() const;
  /// Prints the schema's tree to standard output.
  arrow::Status PrintSchema() const;
  /// Prints the first rows to standard output; `truncate` 0 shows cells whole.
  arrow::Status Show(int32_t num_rows = 20, int32_t truncate = 20, bool vertical = false) const;
  arrow::Result<std::string> ShowString(int32_t num_rows = 20, int32_t truncate = 20, bool vertical = false) const;
  arrow::Result<std::vector<Row>> Collect() const;
  arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> CollectBatches() const;
  arrow::Result<int64_t> Count() const;
  arrow::Result<std::vector<Row>> Take(int32_t count) const;
  /// Runs `function` for each partition's rows, on the engine's threads, several at once.
  arrow::Status ForeachPartition(
      const std::function<arrow::Status(int partition_id, const std::vector<Row>& rows)>& function) const;
  arrow::Status CreateTempView(std::string_view name, bool replace = false) const;
  arrow::Result<std::string> Explain(bool extended = false) const;
  arrow::Result<bool> IsStreaming() const;

  /// Writes a bounded result.
  DataFrameWriter Write() const;
  /// Writes a stream.
  DataStreamWriter WriteStream() const;

  const spark::connect::Relation& message() const { return *message_; }
  const std::shared_ptr<api::Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<const spark::connect::Relation> message_;
  std::shared_ptr<api::Connection> connection_;
};

/// Describes and runs one batch write (Spark's DataFrameWriter).
class DataFrameWriter {
 public:
  explicit DataFrameWriter(DataFrame input) : input_(std::move(input)) {}
  DataFrameWriter& Format(std::string_view name);
  /// append, overwrite, error (default), ignore.
  DataFrameWriter& Mode(std::string_view mode);
  DataFrameWriter& Option(std::string_view key, std::string_view value);
  DataFrameWriter& PartitionBy(const std::vector<std::string>& columns);
  /// Returns when everything is written. Errors: the data's, the sink's.
  arrow::Status Save(std::string_view path = "");

 private:
  DataFrame input_;
  std::string format_;
  std::string mode_;
  std::map<std::string, std::string> options_;
  std::vector<std::string> partition_columns_;
};

}  // namespace millrace
