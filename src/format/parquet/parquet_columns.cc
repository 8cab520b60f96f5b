#include "format/parquet/parquet_columns.h"

#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/util/bitmap_ops.h>
#include <parquet/arrow/schema.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "types/arrow_type.h"

namespace millrace::format {

using types::DataTypePtr;
using types::TypeId;

namespace {

/// The same buffers under another type of the same layout.
std::shared_ptr<arrow::ArrayData> Retype(const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
  auto copy = std::make_shared<arrow::ArrayData>(data);
  copy->type = type;
  for (int i = 0; i < type->num_fields(); ++i) {
    copy->child_data[static_cast<size_t>(i)] = Retype(*data.child_data[static_cast<size_t>(i)], type->field(i)->type());
  }
  return copy;
}

std::shared_ptr<arrow::DataType> WriteType(const std::shared_ptr<arrow::DataType>& type) {
  auto with_type = [](const std::shared_ptr<arrow::Field>& field) { return field->WithType(WriteType(field->type())); };
  switch (type->id()) {
    case arrow::Type::INTERVAL_MONTHS:
      return arrow::int32();
    case arrow::Type::DURATION:
      return arrow::int64();
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(with_type(field));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
      return arrow::list(with_type(static_cast<const arrow::ListType&>(*type).value_field()));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(with_type(map.key_field()), with_type(map.item_field()));
    }
    default:
      return type;
  }
}

/// Index of the field called `name`: the exact one, else the only one that differs by case; -1.
int FindColumn(const arrow::FieldVector& fields, const std::string& name) {
  int found = -1;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i]->name() == name) return static_cast<int>(i);
    if (EqualsIgnoreCase(fields[i]->name(), name)) found = found == -1 ? static_cast<int>(i) : -2;
  }
  return found == -2 ? -1 : found;
}

bool IsTextual(arrow::Type::type id) {
  return id == arrow::Type::STRING || id == arrow::Type::BINARY || id == arrow::Type::LARGE_STRING ||
         id == arrow::Type::LARGE_BINARY || id == arrow::Type::FIXED_SIZE_BINARY;
}

/// Whether values of a file's type can be given as `to` without changing any.
bool CanRead(const arrow::DataType& from, const arrow::DataType& to) {
  using arrow::Type;
  if (from.Equals(to)) return true;
  Type::type f = from.id(), t = to.id();
  if (f == Type::DICTIONARY) return CanRead(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  if (IsTextual(f) && IsTextual(t)) return true;
  if (arrow::is_integer(f)) {
    // Spark stores its narrow types, and intervals, as INT32 and INT64.
    if (arrow::is_integer(t) || t == Type::INTERVAL_MONTHS || t == Type::DURATION || t == Type::DOUBLE) return true;
    return t == Type::DECIMAL128;
  }
  if (f == Type::FLOAT) return t == Type::DOUBLE;
  if (f == Type::DATE32) return t == Type::TIMESTAMP && static_cast<const arrow::TimestampType&>(to).timezone().empty();
  if (f == Type::TIMESTAMP) return t == Type::TIMESTAMP;
  if (arrow::is_decimal(f) && t == Type::DECIMAL128) {
    const auto& a = static_cast<const arrow::DecimalType&>(from);
    const auto& b = static_cast<const arrow::DecimalType&>(to);
    return b.scale() >= a.scale() && b.precision() - b.scale() >= a.precision() - a.scale();
  }
  if (f == Type::STRUCT && t == Type::STRUCT) {
    for (const auto& field : to.fields()) {
      int index = FindColumn(from.fields(), field->name());
      if (index >= 0 && !CanRead(*from.field(index)->type(), *field->type())) return false;
    }
    return true;
  }
  if ((f == Type::LIST || f == Type::LARGE_LIST || f == Type::MAP) && (t == Type::LIST || t == Type::MAP)) {
    if ((f == Type::MAP) != (t == Type::MAP)) return false;
    return CanRead(*from.field(0)->type(), *to.field(0)->type());
  }
  return f == Type::NA;
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& column,
                                                           const std::shared_ptr<arrow::DataType>& to);

arrow::Result<std::shared_ptr<arrow::Array>> ConvertStruct(const arrow::StructArray& column,
                                                           const std::shared_ptr<arrow::DataType>& to) {
  arrow::ArrayVector children;
  for (const auto& field : to->fields()) {
    int index = FindColumn(column.type()->fields(), field->name());
    if (index < 0) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(field->type(), column.length()));
      children.push_back(std::move(nulls));
    } else {
      ARROW_ASSIGN_OR_RAISE(auto child, ConvertColumn(column.field(index), field->type()));
      children.push_back(std::move(child));
    }
  }
  std::shared_ptr<arrow::Buffer> validity = column.null_bitmap();
  if (validity != nullptr && column.offset() != 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), validity->data(),
                                                                column.offset(), column.length()));
  }
  return std::make_shared<arrow::StructArray>(to, column.length(), std::move(children), std::move(validity),
                                              column.null_count());
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& column,
                                                           const std::shared_ptr<arrow::DataType>& to) {
  using arrow::Type;
  if (column->type()->Equals(*to)) return column;
  Type::type from = column->type_id();
  switch (to->id()) {
    case Type::STRUCT:
      if (from == Type::STRUCT) return ConvertStruct(static_cast<const arrow::StructArray&>(*column), to);
      break;
    case Type::LIST:
    case Type::MAP: {
      if (from != to->id()) break;
      auto data = std::make_shared<arrow::ArrayData>(*column->data());
      ARROW_ASSIGN_OR_RAISE(auto child, ConvertColumn(arrow::MakeArray(data->child_data[0]), to->field(0)->type()));
      data->type = to;
      data->child_data = {child->data()};
      return arrow::MakeArray(data);
    }
    case Type::INTERVAL_MONTHS:
      if (from == Type::INT32) return arrow::MakeArray(Retype(*column->data(), to));
      break;
    case Type::DURATION:
      if (from == Type::INT64) return arrow::MakeArray(Retype(*column->data(), to));
      break;
    case Type::TIMESTAMP:
      if (from == Type::TIMESTAMP) {
        // The same moments or readings; finer units are rounded down.
        auto plain = arrow::timestamp(arrow::TimeUnit::MICRO);
        auto unzoned = arrow::MakeArray(Retype(
            *column->data(), arrow::timestamp(static_cast<const arrow::TimestampType&>(*column->type()).unit())));
        arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(plain);
        options.allow_time_truncate = true;
        ARROW_ASSIGN_OR_RAISE(auto micros, arrow::compute::Cast(*unzoned, plain, options));
        return arrow::MakeArray(Retype(*micros->data(), to));
      }
      break;
    default:
      break;
  }
  return arrow::compute::Cast(*column, to, arrow::compute::CastOptions::Safe(to));
}

std::string PhysicalTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return "BOOLEAN";
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::DATE32:
      return "INT32";
    case arrow::Type::INT64:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::TIMESTAMP:
      return "INT64";
    case arrow::Type::FLOAT:
      return "FLOAT";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return "BINARY";
    case arrow::Type::DECIMAL128:
      return "FIXED_LEN_BYTE_ARRAY";
    default:
      return type.ToString();
  }
}

}  // namespace

bool SupportsParquet(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kNull:
    case TypeId::kCalendarInterval:
      return false;
    case TypeId::kStruct:
      return std::all_of(type.fields().begin(), type.fields().end(),
                         [](const types::StructField& field) { return SupportsParquet(*field.type); });
    case TypeId::kArray:
      return SupportsParquet(*type.element());
    case TypeId::kMap:
      return SupportsParquet(*type.key()) && SupportsParquet(*type.value());
    default:
      return true;
  }
}

arrow::Result<DataTypePtr> MergeParquetSchemas(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->EqualsIgnoreNullability(*b)) return types::AsNullable(a);
  if (a->id() == TypeId::kStruct && b->id() == TypeId::kStruct) {
    std::vector<types::StructField> fields = a->fields();
    for (const types::StructField& field : b->fields()) {
      int index = a->FieldIndex(field.name, /*case_sensitive=*/false);
      if (index < 0) {
        fields.push_back(field);
      } else {
        ARROW_ASSIGN_OR_RAISE(fields[static_cast<size_t>(index)].type,
                              MergeParquetSchemas(a->fields()[static_cast<size_t>(index)].type, field.type));
      }
    }
    return types::Struct(std::move(fields));
  }
  if (a->id() == TypeId::kArray && b->id() == TypeId::kArray) {
    ARROW_ASSIGN_OR_RAISE(DataTypePtr element, MergeParquetSchemas(a->element(), b->element()));
    return types::Array(std::move(element));
  }
  if (a->id() == TypeId::kMap && b->id() == TypeId::kMap) {
    ARROW_ASSIGN_OR_RAISE(DataTypePtr key, MergeParquetSchemas(a->key(), b->key()));
    ARROW_ASSIGN_OR_RAISE(DataTypePtr value, MergeParquetSchemas(a->value(), b->value()));
    return types::Map(std::move(key), std::move(value));
  }
  if (a->id() == TypeId::kDecimal && b->id() == TypeId::kDecimal && a->scale() == b->scale()) {
    return a->precision() >= b->precision() ? a : b;
  }
  return UserError("CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
                   {{"left", QuoteSqlType(a->Sql())}, {"right", QuoteSqlType(b->Sql())}});
}

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) {
    leaves->push_back(field.column_index);
    return;
  }
  for (const parquet::arrow::SchemaField& child : field.children) CollectLeaves(child, leaves);
}

arrow::Result<ParquetColumns> ParquetColumns::Make(const std::string& path, const arrow::Schema& file_schema,
                                                   const DataTypePtr& wanted) {
  ParquetColumns columns;
  columns.schema_ = types::ToArrowSchema(*wanted);
  std::vector<int> found;
  for (size_t i = 0; i < wanted->fields().size(); ++i) {
    const auto& field = columns.schema_->field(static_cast<int>(i));
    int index = FindColumn(file_schema.fields(), field->name());
    found.push_back(index);
    if (index < 0) continue;
    const arrow::DataType& from = *file_schema.field(index)->type();
    if (!CanRead(from, *field->type())) {
      return UserError("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH",
                       {{"path", path},
                        {"column", "[" + field->name() + "]"},
                        {"expectedType", wanted->fields()[i].type->CatalogString()},
                        {"actualType", PhysicalTypeName(from)}});
    }
    columns.file_columns_.push_back(index);
  }
  auto& read = columns.file_columns_;
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  for (int index : found) {
    auto place = std::find(read.begin(), read.end(), index);
    columns.sources_.push_back(index < 0 ? -1 : static_cast<int>(place - read.begin()));
  }
  return columns;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ParquetColumns::Convert(const arrow::RecordBatch& batch) const {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const auto& type = schema_->field(static_cast<int>(i))->type();
    if (sources_[i] < 0) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type, batch.num_rows()));
      columns.push_back(std::move(nulls));
    } else {
      ARROW_ASSIGN_OR_RAISE(auto column, ConvertColumn(batch.column(sources_[i]), type));
      columns.push_back(std::move(column));
    }
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
}

arrow::Result<ParquetWriteColumns> ParquetWriteColumns::Make(const DataTypePtr& schema) {
  arrow::FieldVector fields;
  for (const types::StructField& field : schema->fields()) {
    if (!SupportsParquet(*field.type)) {
      return UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", {{"format", "Parquet"},
                                                                {"columnName", QuoteIdentifier(field.name)},
                                                                {"columnType", QuoteSqlType(field.type->Sql())}});
    }
    auto arrow_field = types::ToArrow(field);
    fields.push_back(arrow_field->WithType(WriteType(arrow_field->type())));
  }
  ParquetWriteColumns columns;
  columns.schema_ = arrow::schema(std::move(fields));
  return columns;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ParquetWriteColumns::Convert(const arrow::RecordBatch& batch) const {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    columns.push_back(arrow::MakeArray(Retype(*batch.column_data(i), schema_->field(i)->type())));
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
}

}  // namespace millrace::format
