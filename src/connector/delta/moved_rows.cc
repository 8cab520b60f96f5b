#include "connector/delta/moved_rows.h"

#include <arrow/array.h>
#include <arrow/array/util.h>

#include "base/error.h"
#include "connector/delta/row_metadata.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

std::shared_ptr<const DataFilePlan> WithRowMarks(std::shared_ptr<const DataFilePlan> plan,
                                                 const delta::Snapshot& snapshot) {
  if (!TracksRows(snapshot)) return plan;
  auto marked = std::make_shared<DataFilePlan>(*plan);
  std::vector<types::StructField> fields = plan->file_schema->fields();
  int next = static_cast<int>(plan->shaper->schema()->fields().size());
  auto router = std::make_shared<PartitionRouter>(*plan->router);
  for (types::StructField& field : RowMetadataFields(snapshot)) {
    field.metadata_json.clear();  // it is called as files call it already
    fields.push_back(std::move(field));
    router->AddDataColumn(next++);
  }
  marked->file_schema = types::Struct(std::move(fields));
  marked->router = std::move(router);
  return marked;
}

void ReadRowMarks(const delta::Snapshot& snapshot, const types::DataType& schema, ReadColumns* columns) {
  if (TracksRows(snapshot)) columns->indices.push_back(static_cast<int>(schema.fields().size()));
}

arrow::Result<RowMarks> TakeRowMarks(const delta::Snapshot& snapshot, std::shared_ptr<arrow::RecordBatch>* rows) {
  RowMarks marks;
  if (!TracksRows(snapshot)) return marks;
  int last = (*rows)->num_columns() - 1;
  const auto& metadata = static_cast<const arrow::StructArray&>(*(*rows)->column(last));
  marks.ids = metadata.GetFieldByName(std::string(kRowIdField));
  marks.versions = metadata.GetFieldByName(std::string(kRowVersionField));
  if (marks.ids == nullptr || marks.versions == nullptr) return InternalError("Rows that were read without their ids");
  ARROW_ASSIGN_OR_RAISE(*rows, (*rows)->RemoveColumn(last));
  return marks;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PutRowMarks(const delta::Snapshot& snapshot,
                                                               std::shared_ptr<arrow::RecordBatch> shaped,
                                                               const RowMarks& marks) {
  std::vector<types::StructField> fields = RowMetadataFields(snapshot);
  for (size_t i = 0; i < fields.size(); ++i) {
    std::shared_ptr<arrow::Array> values = i == 0 ? marks.ids : marks.versions;
    if (values == nullptr) {
      ARROW_ASSIGN_OR_RAISE(values, arrow::MakeArrayOfNull(arrow::int64(), shaped->num_rows()));
    }
    ARROW_ASSIGN_OR_RAISE(shaped, shaped->AddColumn(shaped->num_columns(), fields[i].name, std::move(values)));
  }
  return shaped;
}

}  // namespace millrace::connector::delta_table
