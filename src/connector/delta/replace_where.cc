#include "connector/delta/replace_where.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <algorithm>

#include "base/error.h"
#include "delta/partition_value.h"
#include "delta/transaction/table_metadata.h"
#include "types/arrow_type.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

// Rows whose partition columns have the files' values; the other columns are NULL.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PartitionRowsOf(const delta::Snapshot& snapshot,
                                                                   const std::vector<delta::PartitionValues>& values,
                                                                   const types::TimeZone& zone) {
  auto num_rows = static_cast<int64_t>(values.size());
  std::shared_ptr<arrow::Schema> schema = types::ToArrowSchema(*snapshot.schema());
  arrow::ArrayVector columns(static_cast<size_t>(schema->num_fields()));
  for (int index : snapshot.partition_columns()) {
    const types::StructField& field = snapshot.schema()->fields()[static_cast<size_t>(index)];
    std::string physical = delta::PhysicalNameOf(field);
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), schema->field(index)->type(), &builder));
    for (const delta::PartitionValues& of_file : values) {
      const auto* text = of_file.Find(physical);
      std::optional<std::string_view> value_text;
      if (text != nullptr && text->has_value()) value_text = **text;
      ARROW_ASSIGN_OR_RAISE(auto value, delta::ReadPartitionValue(value_text, *field.type, zone));
      ARROW_RETURN_NOT_OK(builder->AppendScalar(*value));
    }
    ARROW_ASSIGN_OR_RAISE(columns[static_cast<size_t>(index)], builder->Finish());
  }
  for (int i = 0; i < schema->num_fields(); ++i) {
    if (columns[static_cast<size_t>(i)] != nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(columns[static_cast<size_t>(i)], arrow::MakeArrayOfNull(schema->field(i)->type(), num_rows));
  }
  return arrow::RecordBatch::Make(std::move(schema), num_rows, std::move(columns));
}

arrow::Result<std::vector<bool>> Match(const delta::Snapshot& snapshot, const RowExpressions& condition,
                                       const std::vector<delta::PartitionValues>& values, const types::TimeZone& zone) {
  std::vector<bool> matched(values.size());
  if (values.empty()) return matched;
  ARROW_ASSIGN_OR_RAISE(auto rows, PartitionRowsOf(snapshot, values, zone));
  ARROW_ASSIGN_OR_RAISE(auto results, condition.Evaluate(rows));
  const auto& met = static_cast<const arrow::BooleanArray&>(*results[0]);
  for (int64_t i = 0; i < met.length(); ++i) matched[static_cast<size_t>(i)] = met.IsValid(i) && met.Value(i);
  return matched;
}

}  // namespace

arrow::Result<std::shared_ptr<const ReplaceWhere>> ReplaceWhere::Make(const std::string& condition,
                                                                      const delta::SnapshotPtr& snapshot,
                                                                      std::shared_ptr<const DataFilePlan> files,
                                                                      const ConnectorContext& context) {
  std::shared_ptr<ReplaceWhere> replace(new ReplaceWhere);
  replace->snapshot_ = snapshot;
  replace->time_zone_ = context.time_zone;
  ARROW_ASSIGN_OR_RAISE(replace->condition_, context.compile(snapshot->schema(), {condition}));
  const auto& partitions = snapshot->partition_columns();
  for (int column : replace->condition_->InputColumns(0)) {
    if (std::find(partitions.begin(), partitions.end(), column) == partitions.end()) replace->partitions_only_ = false;
  }
  (void)files;
  if (!replace->partitions_only_) {
    return UserError(
        "UNSUPPORTED_FEATURE.TABLE_OPERATION",
        {{"tableName", "`delta`"}, {"operation", "replaceWhere on columns that are no partition columns"}});
  }
  return std::shared_ptr<const ReplaceWhere>(std::move(replace));
}

arrow::Result<ReplacedRows> ReplaceWhere::Replace(delta::Transaction* transaction) const {
  std::vector<delta::FileRef> files;
  std::vector<delta::PartitionValues> values;
  snapshot_->files().ForEach([&](const delta::FileRef& file) {
    files.push_back(file);
    values.push_back(file.columns->ToAdd(file.row).partition_values);
  });
  ARROW_ASSIGN_OR_RAISE(std::vector<bool> matched, Match(*snapshot_, *condition_, values, *time_zone_));
  ReplacedRows replaced;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!matched[i]) continue;
    ++replaced.num_removed_files;
    replaced.num_removed_bytes += files[i].columns->size_bytes(files[i].row);
    ARROW_RETURN_NOT_OK(transaction->StageRemove(files[i]));
  }
  transaction->ReadPartitions(
      [snapshot = snapshot_, condition = condition_, zone = time_zone_](const delta::PartitionValues& of_file) {
        auto met = Match(*snapshot, *condition, {of_file}, *zone);
        return !met.ok() || (*met)[0];  // what cannot be judged is taken for a conflict
      });
  return replaced;
}

}  // namespace millrace::connector::delta_table
