#include "connector/delta/key_set.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>

namespace millrace::connector::delta_table {

namespace {

bool AnyNull(const arrow::compute::ExecBatch& keys, int64_t row) {
  for (const arrow::Datum& column : keys.values) {
    if (column.array()->IsNull(row)) return true;
  }
  return false;
}

}  // namespace

arrow::Result<KeySet> KeySet::Make(std::vector<int> columns, const arrow::Schema& rows) {
  KeySet set;
  std::vector<arrow::TypeHolder> types;
  for (int column : columns) types.emplace_back(rows.field(column)->type());
  set.columns_ = std::move(columns);
  ARROW_ASSIGN_OR_RAISE(set.keys_, arrow::compute::Grouper::Make(types));
  return set;
}

arrow::Result<arrow::compute::ExecBatch> KeySet::KeysOf(const arrow::RecordBatch& rows) const {
  std::vector<arrow::Datum> columns;
  for (int index : columns_) {
    arrow::Datum column(rows.column(index));
    if (arrow::is_floating(column.type()->id())) {
      ARROW_ASSIGN_OR_RAISE(auto zero, arrow::MakeScalar(column.type(), 0));
      ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Add(column, arrow::Datum(zero)));
    }
    columns.push_back(std::move(column));
  }
  return arrow::compute::ExecBatch(std::move(columns), rows.num_rows());
}

arrow::Status KeySet::Add(const arrow::RecordBatch& rows) {
  if (rows.num_rows() == 0) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto keys, KeysOf(rows));
  return keys_->Consume(arrow::compute::ExecSpan(keys)).status();
}

arrow::Result<std::shared_ptr<arrow::Array>> KeySet::Contains(const arrow::RecordBatch& rows) const {
  ARROW_ASSIGN_OR_RAISE(auto keys, KeysOf(rows));
  arrow::BooleanBuilder found;
  ARROW_RETURN_NOT_OK(found.Reserve(rows.num_rows()));
  if (rows.num_rows() > 0) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum groups, keys_->Lookup(arrow::compute::ExecSpan(keys)));
    const auto known = groups.make_array();
    for (int64_t i = 0; i < known->length(); ++i) found.UnsafeAppend(known->IsValid(i) && !AnyNull(keys, i));
  }
  return found.Finish();
}

}  // namespace millrace::connector::delta_table
