#include "connector/delta/change_files.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>

#include "base/error.h"
#include "connector/delta/change_feed.h"
#include "delta/partition_value.h"
#include "delta/transaction/table_metadata.h"
#include "types/arrow_type.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

constexpr const char* kDirectory = "_change_data";

// Rows whose partition columns have the files' values; the other columns are NULL.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PartitionRowsOf(const delta::Snapshot& snapshot,
                                                                   const std::vector<delta::PartitionValues>& values,
                                                                   const types::TimeZone& zone) {
  auto num_rows = static_cast<int64_t>(values.size());
  std::shared_ptr<arrow::Schema> schema = types::ToArrowSchema(*snapshot.schema());
  arrow::ArrayVector columns(static_cast<size_t>(schema->num_fields()));
  for (int index : snapshot.partition_columns()) {
    const types::StructField& field = snapshot.schema()->fields()[static_cast<size_t>(index)];
    std::string physical = delta::PhysicalName(field);
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

}  // namespace

arrow::Result<std::vector<bool>> MatchPartitions(const delta::Snapshot& snapshot, const RowExpressions& condition,
                                                 const std::vector<delta::PartitionValues>& values,
                                                 const types::TimeZone& zone) {
  std::vector<bool> matched(values.size());
  if (values.empty()) return matched;
  ARROW_ASSIGN_OR_RAISE(auto rows, PartitionRowsOf(snapshot, values, zone));
  ARROW_ASSIGN_OR_RAISE(auto results, condition.Evaluate(rows));
  const auto& met = static_cast<const arrow::BooleanArray&>(*results[0]);
  for (int64_t i = 0; i < met.length(); ++i) matched[static_cast<size_t>(i)] = met.IsValid(i) && met.Value(i);
  return matched;
}

std::shared_ptr<const DataFilePlan> ChangeFiles::PlanOf(const DataFilePlan& copies) {
  auto plan = std::make_shared<DataFilePlan>(copies);
  std::vector<types::StructField> fields = plan->file_schema->fields();
  fields.push_back({std::string(kChangeType), types::String(), true, ""});
  plan->file_schema = types::Struct(std::move(fields));
  auto router = std::make_shared<PartitionRouter>(*copies.router);
  router->AddDataColumn(static_cast<int>(copies.shaper->schema()->fields().size()));
  router->PutBelow(kDirectory);
  plan->router = std::move(router);
  plan->random_prefix_length = 0;
  plan->name_prefix = "cdc";
  return plan;
}

arrow::Status ChangeFiles::Write(const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                 const char* change_type) {
  for (const auto& batch : rows) {
    ARROW_ASSIGN_OR_RAISE(auto shaped, copies_->shaper->Shape(batch));
    ARROW_RETURN_NOT_OK(WriteShaped(shaped, change_type));
  }
  return arrow::Status::OK();
}

arrow::Status ChangeFiles::WriteShaped(const std::shared_ptr<arrow::RecordBatch>& shaped, const char* change_type) {
  ARROW_ASSIGN_OR_RAISE(auto type, arrow::MakeArrayFromScalar(arrow::StringScalar(change_type), shaped->num_rows()));
  ARROW_ASSIGN_OR_RAISE(auto typed, shaped->AddColumn(shaped->num_columns(), std::string(kChangeType), type));
  return writer_.WriteShaped(typed);
}

arrow::Result<int64_t> ChangeFiles::Stage(const std::shared_ptr<const DataFilePlan>& plan,
                                          std::vector<WriterCommitMessage> tasks, delta::Transaction* transaction) {
  ARROW_ASSIGN_OR_RAISE(std::vector<AddedFile> files, WriteHeldRows(plan, &tasks));
  for (AddedFile& file : files) {
    delta::Cdc cdc;
    cdc.path = std::move(file.add.path);
    cdc.partition_values = std::move(file.add.partition_values);
    cdc.size_bytes = file.add.size_bytes;
    transaction->Stage(std::move(cdc));
  }
  return static_cast<int64_t>(files.size());
}

}  // namespace millrace::connector::delta_table
