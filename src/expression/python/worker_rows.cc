#include "expression/python/worker_rows.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/cast.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "base/error.h"
#include "base/json_value.h"
#include "types/arrow_type.h"

namespace millrace::expression {

namespace {

using types::TypeId;

// A zone is a label of a column, and so is the nullability of what is nested in it.
std::shared_ptr<arrow::ArrayData> WithType(const std::shared_ptr<arrow::ArrayData>& data,
                                           const std::shared_ptr<arrow::DataType>& type) {
  std::shared_ptr<arrow::ArrayData> copy = data->Copy();
  copy->type = type;
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    copy->child_data[i] = WithType(copy->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return copy;
}

std::shared_ptr<arrow::Array> Labelled(const std::shared_ptr<arrow::Array>& array,
                                       const std::shared_ptr<arrow::DataType>& type) {
  return array->type()->Equals(*type, true) ? array : arrow::MakeArray(WithType(array->data(), type));
}

// Whether the bytes of a column of `from` are those of a column of `to`.
bool SameLayout(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.id() != to.id() || from.num_fields() != to.num_fields()) return false;
  if (from.id() == arrow::Type::TIMESTAMP) {
    return static_cast<const arrow::TimestampType&>(from).unit() == static_cast<const arrow::TimestampType&>(to).unit();
  }
  if (from.num_fields() == 0) return from.Equals(to);
  for (int i = 0; i < from.num_fields(); ++i) {
    if (!SameLayout(*from.field(i)->type(), *to.field(i)->type())) return false;
  }
  return true;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::DataType>> WorkerType(const types::DataType& type,
                                                           const python::Environment& environment) {
  switch (type.id()) {
    case TypeId::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, environment.time_zone);
    case TypeId::kCalendarInterval:
      return UserError("UNSUPPORTED_DATATYPE", {{"typeName", QuoteSqlType(type.Sql())}});
    case TypeId::kArray: {
      ARROW_ASSIGN_OR_RAISE(auto element, WorkerType(*type.element(), environment));
      return arrow::list(arrow::field("element", std::move(element), type.contains_null()));
    }
    case TypeId::kMap: {
      ARROW_ASSIGN_OR_RAISE(auto key, WorkerType(*type.key(), environment));
      ARROW_ASSIGN_OR_RAISE(auto value, WorkerType(*type.value(), environment));
      return arrow::map(std::move(key), arrow::field("value", std::move(value), type.value_contains_null()));
    }
    case TypeId::kStruct: {
      arrow::FieldVector fields;
      for (const types::StructField& field : type.fields()) {
        ARROW_ASSIGN_OR_RAISE(auto one, WorkerType(*field.type, environment));
        fields.push_back(arrow::field(field.name, std::move(one), field.nullable));
      }
      return arrow::struct_(std::move(fields));
    }
    default:
      return types::ToArrow(type);
  }
}

arrow::Result<std::shared_ptr<arrow::Schema>> WorkerSchema(const std::vector<types::StructField>& fields,
                                                           const python::Environment& environment) {
  arrow::FieldVector made;
  for (const types::StructField& field : fields) {
    ARROW_ASSIGN_OR_RAISE(auto type, WorkerType(*field.type, environment));
    std::shared_ptr<const arrow::KeyValueMetadata> metadata;
    // As functions find the metadata of columns. Source: Spark, ArrowUtils.toArrowField.
    if (!field.metadata_json.empty()) {
      ARROW_ASSIGN_OR_RAISE(JsonValue json, ParseJson(field.metadata_json));
      metadata = arrow::key_value_metadata({{"SPARK::metadata::json", json.ToString()}});
    }
    made.push_back(arrow::field(field.name, std::move(type), field.nullable, std::move(metadata)));
  }
  return arrow::schema(std::move(made));
}

std::shared_ptr<arrow::RecordBatch> ForWorker(const std::shared_ptr<arrow::Schema>& schema,
                                              const arrow::ArrayVector& columns, int64_t num_rows) {
  arrow::ArrayVector labelled;
  for (size_t i = 0; i < columns.size(); ++i) {
    labelled.push_back(Labelled(columns[i], schema->field(static_cast<int>(i))->type()));
  }
  return arrow::RecordBatch::Make(schema, num_rows, std::move(labelled));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> AsStruct(const std::shared_ptr<arrow::RecordBatch>& rows) {
  auto type = arrow::struct_(rows->schema()->fields());
  auto data = arrow::ArrayData::Make(type, rows->num_rows(), {nullptr}, 0);
  for (const auto& column : rows->columns()) data->child_data.push_back(column->data());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("struct", type, false)}), rows->num_rows(),
                                  arrow::ArrayVector{arrow::MakeArray(std::move(data))});
}

arrow::Result<std::shared_ptr<arrow::Array>> FromWorker(const std::shared_ptr<arrow::Array>& column,
                                                        const types::DataType& type, python::EvalType eval_type,
                                                        arrow::MemoryPool* memory) {
  std::shared_ptr<arrow::DataType> wanted = types::ToArrow(type);
  if (SameLayout(*column->type(), *wanted)) return Labelled(column, wanted);
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr actual, types::FromArrow(*column->type()));
  types::DataTypePtr stored = types::WithoutUserClasses(std::make_shared<types::DataType>(type));
  if (!actual->EqualsIgnoreNullability(*stored)) {
    return UserError("ARROW_TYPE_MISMATCH", {{"operation", std::string(python::EvalTypeName(eval_type))},
                                             {"outputTypes", type.Sql()},
                                             {"actualDataTypes", actual->Sql()}});
  }
  // The same type in another form: 64-bit offsets, nanoseconds, dictionaries.
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(wanted);
  options.allow_time_truncate = true;
  arrow::compute::ExecContext context(memory);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, arrow::compute::Cast(column, options, &context));
  return cast.make_array();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowsOfStruct(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                                const std::shared_ptr<arrow::Schema>& schema,
                                                                const std::vector<types::DataTypePtr>& types,
                                                                python::EvalType eval_type, arrow::MemoryPool* memory,
                                                                int column) {
  const std::shared_ptr<arrow::Array>& rows = batch->column(column);
  if (rows->type_id() != arrow::Type::STRUCT || rows->type()->num_fields() < static_cast<int>(types.size())) {
    return UserError("ARROW_TYPE_MISMATCH", {{"operation", std::string(python::EvalTypeName(eval_type))},
                                             {"outputTypes", schema->ToString()},
                                             {"actualDataTypes", rows->type()->ToString()}});
  }
  const auto& structs = static_cast<const arrow::StructArray&>(*rows);
  arrow::ArrayVector columns;
  for (size_t i = 0; i < types.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto made, FromWorker(structs.field(static_cast<int>(i)), *types[i], eval_type, memory));
    const auto& field = schema->field(static_cast<int>(i));
    if (!field->nullable() && made->null_count() > 0) return arrow::Status::Invalid("Value at index is null");
    columns.push_back(Labelled(made, field->type()));
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

// Appends to whatever string is being filled.
class ArrowPieces::Sink final : public arrow::io::OutputStream {
 public:
  std::string* out = nullptr;

  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, int64_t nbytes) override {
    out->append(static_cast<const char*>(data), static_cast<size_t>(nbytes));
    position_ += nbytes;
    return arrow::Status::OK();
  }

 private:
  int64_t position_ = 0;
};

arrow::Status ArrowPieces::Begin(std::string* out) {
  if (writer_ == nullptr) {
    sink_ = std::make_shared<Sink>();
    sink_->out = out;
    arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(writer_, arrow::ipc::MakeStreamWriter(sink_, schema_, options));
  }
  sink_->out = out;
  return arrow::Status::OK();
}

arrow::Status ArrowPieces::Write(const arrow::RecordBatch& batch, std::string* out) {
  ARROW_RETURN_NOT_OK(Begin(out));
  return writer_->WriteRecordBatch(batch);
}

arrow::Status ArrowPieces::End(std::string* out) {
  ARROW_RETURN_NOT_OK(Begin(out));
  ARROW_RETURN_NOT_OK(writer_->Close());
  writer_ = nullptr;
  return arrow::Status::OK();
}

void BatchCutter::Add(std::shared_ptr<arrow::RecordBatch> batch) {
  if (batch->num_rows() == 0) return;
  if (limit_ == 0) {
    int64_t bytes = std::max<int64_t>(1, arrow::util::ReferencedBufferSize(*batch).ValueOr(1) / batch->num_rows());
    limit_ = std::clamp<int64_t>(max_bytes_ / bytes, 1, max_rows_);
  }
  num_rows_ += batch->num_rows();
  waiting_.push_back(std::move(batch));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchCutter::Next(bool last, arrow::MemoryPool* memory) {
  if (num_rows_ == 0 || (num_rows_ < limit_ && !last)) return nullptr;
  int64_t wanted = std::min(limit_, num_rows_);
  num_rows_ -= wanted;
  arrow::RecordBatchVector pieces;
  int64_t num_rows = wanted;
  size_t used = 0;
  while (wanted > 0) {
    std::shared_ptr<arrow::RecordBatch>& head = waiting_[used];
    int64_t part = std::min(wanted, head->num_rows());
    pieces.push_back(part == head->num_rows() ? head : head->Slice(0, part));
    wanted -= part;
    if (part == head->num_rows()) {
      ++used;
    } else {
      head = head->Slice(part);
    }
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
  if (pieces.size() == 1) return pieces[0];
  arrow::ArrayVector columns;
  for (int c = 0; c < schema_->num_fields(); ++c) {
    arrow::ArrayVector parts;
    for (const auto& piece : pieces) parts.push_back(piece->column(c));
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::Concatenate(parts, memory));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, num_rows, std::move(columns));
}

}  // namespace millrace::expression
