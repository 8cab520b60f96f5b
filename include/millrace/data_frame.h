#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/column.h"
#include "millrace/row.h"

namespace spark::connect {
class Relation;
class WriteOperation;
}  // namespace spark::connect

namespace millrace {

namespace api {
class Connection;
}

class DataFrame;
class DataFrameWriter;
template <typename K, typename V>
class KeyValueGroupedDataset;
class DataStreamWriter;

/// Groups of a DataFrame, before aggregation (Spark's GroupedData).
class GroupedData {
 public:
  DataFrame Agg(const std::vector<Column>& aggregates) const;
  DataFrame Count() const;
  // One column a name: "sum(amount)".
  DataFrame Sum(const std::vector<std::string>& columns) const;
  DataFrame Avg(const std::vector<std::string>& columns) const;
  DataFrame Min(const std::vector<std::string>& columns) const;
  DataFrame Max(const std::vector<std::string>& columns) const;
  /// A column for each of `values`, constants; without them, for each value that is there (which runs a query).
  /// REQUIRES: groups of GroupBy.
  GroupedData Pivot(const Column& column, const std::vector<ColumnOrLiteral>& values = {}) const;

 private:
  friend class DataFrame;
  GroupedData(std::shared_ptr<const spark::connect::Relation> input, std::shared_ptr<api::Connection> connection,
              std::vector<Column> keys, int group_type)
      : input_(std::move(input)), connection_(std::move(connection)), keys_(std::move(keys)), group_type_(group_type) {}
  DataFrame AggEach(std::string_view function, const std::vector<std::string>& columns) const;

  std::shared_ptr<const spark::connect::Relation> input_;
  std::shared_ptr<api::Connection> connection_;
  std::vector<Column> keys_;
  int group_type_;
  std::vector<Column> pivot_;  ///< the column, then the values; empty: none
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
  DataFrame WithColumnsRenamed(const std::map<std::string, std::string>& renames) const;
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
  DataFrame IntersectAll(const DataFrame& other) const;
  DataFrame Except(const DataFrame& other) const;
  DataFrame ExceptAll(const DataFrame& other) const;
  DataFrame Subtract(const DataFrame& other) const { return Except(other); }
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
  /// NULLs of the columns (all of `value`'s type without) become `value`, a constant.
  DataFrame FillNa(const ColumnOrLiteral& value, const std::vector<std::string>& columns = {}) const;
  /// A planner's hint: "broadcast", "coalesce" with a number, "rebalance" with columns.
  DataFrame Hint(std::string_view name, const std::vector<ColumnOrLiteral>& parameters = {}) const;
  /// A row for each of `values`, with its name and value beside `ids`.
  DataFrame Unpivot(const std::vector<Column>& ids, const std::vector<Column>& values, std::string_view variable_name,
                    std::string_view value_name) const;
  /// Aggregates over all rows that pass, reported with the query's progress (observedMetrics) under `name`.
  DataFrame Observe(std::string_view name, const std::vector<Column>& metrics) const;
  /// What `function` makes of this frame, to chain one's own steps.
  DataFrame Transform(const std::function<DataFrame(const DataFrame&)>& function) const { return function(*this); }
  /// Count, mean, deviation, least and greatest, as texts.
  DataFrame Describe(const std::vector<std::string>& columns = {}) const;
  /// As Describe, with quartiles; `statistics`: "count", "mean", "75%", ….
  DataFrame Summary(const std::vector<std::string>& statistics = {}) const;

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
  /// nullopt when there is none.
  arrow::Result<std::optional<Row>> First() const;
  arrow::Result<bool> IsEmpty() const;
  /// Runs `function` for each partition's rows, on the engine's threads, several at once.
  arrow::Status ForeachPartition(
      const std::function<arrow::Status(int partition_id, const std::vector<Row>& rows)>& function) const;
  arrow::Status CreateTempView(std::string_view name, bool replace = false) const;
  arrow::Status CreateOrReplaceTempView(std::string_view name) const { return CreateTempView(name, true); }
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
  DataFrameWriter& Option(std::string_view key, const char* value) { return Option(key, std::string_view(value)); }
  DataFrameWriter& Option(std::string_view key, bool value) { return Option(key, value ? "true" : "false"); }
  DataFrameWriter& Option(std::string_view key, int64_t value) { return Option(key, std::to_string(value)); }
  DataFrameWriter& Option(std::string_view key, int value) { return Option(key, std::to_string(value)); }
  DataFrameWriter& Options(const std::map<std::string, std::string>& options);
  DataFrameWriter& PartitionBy(const std::vector<std::string>& columns);
  /// Returns when everything is written. Errors: the data's, the sink's.
  arrow::Status Save(std::string_view path = "");
  /// Into a table of the catalog, created when it is not there; columns go by name.
  arrow::Status SaveAsTable(std::string_view name);
  /// Into a table that is there; columns go by position.
  arrow::Status InsertInto(std::string_view name);

 private:
  arrow::Result<spark::connect::WriteOperation> Operation() const;

  DataFrame input_;
  std::string format_;
  std::string mode_;
  std::map<std::string, std::string> options_;
  std::vector<std::string> partition_columns_;
};

}  // namespace millrace
