#include "format/parquet/parquet_columns.h"

#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/extension_type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/schema.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "format/parquet/shredded_variant.h"
#include "types/arrow_type.h"

namespace millrace::format {

using types::DataTypePtr;
using types::TypeId;

namespace {

/// The same buffers under another type of the same layout; NULLs of VOID under any.
std::shared_ptr<arrow::ArrayData> Retype(const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
  if (data.type->id() == arrow::Type::NA && type->id() == arrow::Type::BOOL) {
    int64_t num_bytes = (data.offset + data.length + 7) / 8;
    auto zeros = arrow::Buffer::FromString(std::string(static_cast<size_t>(num_bytes), '\0'));
    return arrow::ArrayData::Make(type, data.length, {zeros, zeros}, data.length, data.offset);
  }
  auto copy = std::make_shared<arrow::ArrayData>(data);
  copy->type = type;
  for (int i = 0; i < type->num_fields(); ++i) {
    copy->child_data[static_cast<size_t>(i)] = Retype(*data.child_data[static_cast<size_t>(i)], type->field(i)->type());
  }
  return copy;
}

/// Fields that cannot be NULL and are so only where the struct around them is: the writer takes any NULL among their
/// values for one that the file may not have. `data` and all below it belong to the caller.
void DropHiddenNulls(arrow::ArrayData* data) {
  for (const auto& child : data->child_data) DropHiddenNulls(child.get());
  if (data->type->id() != arrow::Type::STRUCT) return;
  const arrow::Buffer* above = data->buffers[0].get();
  for (int i = 0; above != nullptr && i < data->type->num_fields(); ++i) {
    arrow::ArrayData* child = data->child_data[static_cast<size_t>(i)].get();
    const arrow::Buffer* validity = child->buffers[0].get();
    if (data->type->field(i)->nullable() || validity == nullptr) continue;
    bool hidden = true;
    for (int64_t row = data->offset; hidden && row < data->offset + data->length; ++row) {
      hidden = arrow::bit_util::GetBit(validity->data(), child->offset + row) ||
               !arrow::bit_util::GetBit(above->data(), row);
    }
    if (!hidden) continue;
    child->buffers[0] = nullptr;
    child->null_count = 0;
  }
}

std::shared_ptr<arrow::DataType> WriteType(const std::shared_ptr<arrow::DataType>& type) {
  auto with_type = [](const std::shared_ptr<arrow::Field>& field) { return field->WithType(WriteType(field->type())); };
  switch (type->id()) {
    case arrow::Type::NA:
      return arrow::boolean();
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

/// The id a column's metadata asks for ("parquet.field.id", as Spark reads it); none for most.
std::shared_ptr<const arrow::KeyValueMetadata> FieldIdOf(const types::StructField& field) {
  if (field.metadata_json.find("parquet.field.id") == std::string::npos) return nullptr;
  auto metadata = ParseJson(field.metadata_json);
  if (!metadata.ok()) return nullptr;
  const JsonValue* id = metadata->Find("parquet.field.id");
  if (id == nullptr || !id->is_number()) return nullptr;
  return arrow::key_value_metadata({"PARQUET:field_id"}, {id->AsString()});
}

std::shared_ptr<arrow::Field> WithFieldIds(const std::shared_ptr<arrow::Field>& field, const types::DataType& type,
                                           std::shared_ptr<const arrow::KeyValueMetadata> id);

std::shared_ptr<arrow::DataType> WithFieldIds(const std::shared_ptr<arrow::DataType>& arrow_type,
                                              const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kStruct: {
      arrow::FieldVector fields;
      for (size_t i = 0; i < type.fields().size(); ++i) {
        const types::StructField& field = type.fields()[i];
        fields.push_back(WithFieldIds(arrow_type->field(static_cast<int>(i)), *field.type, FieldIdOf(field)));
      }
      return arrow::struct_(std::move(fields));
    }
    case TypeId::kArray:
      return arrow::list(WithFieldIds(arrow_type->field(0), *type.element(), nullptr));
    case TypeId::kMap: {
      const auto& map = static_cast<const arrow::MapType&>(*arrow_type);
      return std::make_shared<arrow::MapType>(WithFieldIds(map.key_field(), *type.key(), nullptr),
                                              WithFieldIds(map.item_field(), *type.value(), nullptr));
    }
    default:
      return arrow_type;
  }
}

std::shared_ptr<arrow::Field> WithFieldIds(const std::shared_ptr<arrow::Field>& field, const types::DataType& type,
                                           std::shared_ptr<const arrow::KeyValueMetadata> id) {
  auto typed = field->WithType(WithFieldIds(field->type(), type));
  return id == nullptr ? typed : typed->WithMetadata(std::move(id));
}
using FileFields = std::vector<parquet::arrow::SchemaField>;

/// Index of the field called `name`: the exact one, else the only one that differs by case; -1.
int FindByName(const FileFields& fields, const std::string& name) {
  int found = -1;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].field->name() == name) return static_cast<int>(i);
    if (EqualsIgnoreCase(fields[i].field->name(), name)) found = found == -1 ? static_cast<int>(i) : -2;
  }
  return found == -2 ? -1 : found;
}

int FindById(const FileFields& fields, const std::string& id) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto& metadata = fields[i].field->metadata();
    int key = metadata == nullptr ? -1 : metadata->FindKey("PARQUET:field_id");
    if (key >= 0 && metadata->value(key) == id) return static_cast<int>(i);
  }
  return -1;
}

int FindField(const FileFields& fields, const types::StructField& wanted, const ColumnMatch& match) {
  if (match.by == ColumnMatch::By::kName || wanted.metadata_json.empty()) return FindByName(fields, wanted.name);
  auto metadata = ParseJson(wanted.metadata_json);
  const JsonValue* value = metadata.ok() ? metadata->Find(match.key) : nullptr;
  if (value == nullptr) return FindByName(fields, wanted.name);
  return match.by == ColumnMatch::By::kFieldId ? FindById(fields, value->AsString())
                                               : FindByName(fields, value->AsString());
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
  return f == Type::NA;
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& column,
                                                           const std::shared_ptr<arrow::DataType>& to,
                                                           const ColumnPlace& place);

arrow::Result<std::shared_ptr<arrow::Array>> ConvertStruct(const arrow::StructArray& column,
                                                           const std::shared_ptr<arrow::DataType>& to,
                                                           const ColumnPlace& place) {
  arrow::ArrayVector children;
  for (int i = 0; i < to->num_fields(); ++i) {
    const ColumnPlace& child_place = place.children[static_cast<size_t>(i)];
    const auto& type = to->field(i)->type();
    if (child_place.read_index < 0) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type, column.length()));
      children.push_back(std::move(nulls));
    } else {
      ARROW_ASSIGN_OR_RAISE(auto child, ConvertColumn(column.field(child_place.read_index), type, child_place));
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

// The entries of a map are a struct without NULLs; key and value are its two fields.
arrow::Result<std::shared_ptr<arrow::Array>> ConvertMap(const arrow::Array& column,
                                                        const std::shared_ptr<arrow::DataType>& to,
                                                        const ColumnPlace& place) {
  auto data = std::make_shared<arrow::ArrayData>(*column.data());
  auto entries = std::make_shared<arrow::ArrayData>(*data->child_data[0]);
  const auto& map = static_cast<const arrow::MapType&>(*to);
  std::shared_ptr<arrow::Array> whole_entries = arrow::MakeArray(entries);
  const auto& sources = static_cast<const arrow::StructArray&>(*whole_entries);
  ARROW_ASSIGN_OR_RAISE(auto keys, ConvertColumn(sources.field(0), map.key_type(), place.children[0]));
  ARROW_ASSIGN_OR_RAISE(auto items, ConvertColumn(sources.field(1), map.item_type(), place.children[1]));
  auto converted = std::make_shared<arrow::StructArray>(map.value_type(), sources.length(),
                                                        arrow::ArrayVector{std::move(keys), std::move(items)});
  data->type = to;
  data->child_data = {converted->data()};
  return arrow::MakeArray(data);
}

arrow::Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& column,
                                                           const std::shared_ptr<arrow::DataType>& to,
                                                           const ColumnPlace& place) {
  using arrow::Type;
  // A group that says it is a variant.
  if (column->type_id() == Type::EXTENSION) {
    return ConvertColumn(static_cast<const arrow::ExtensionArray&>(*column).storage(), to, place);
  }
  if (place.is_shredded_variant) return AssembleVariants(static_cast<const arrow::StructArray&>(*column), to);
  // A nested type of the same form may still have its fields in another order.
  if (place.children.empty() && column->type()->Equals(*to)) return column;
  Type::type from = column->type_id();
  switch (to->id()) {
    case Type::STRUCT:
      if (from == Type::STRUCT) return ConvertStruct(static_cast<const arrow::StructArray&>(*column), to, place);
      break;
    case Type::MAP:
      if (from == Type::MAP) return ConvertMap(*column, to, place);
      break;
    case Type::LIST: {
      if (from != Type::LIST) break;
      auto data = std::make_shared<arrow::ArrayData>(*column->data());
      ARROW_ASSIGN_OR_RAISE(
          auto child, ConvertColumn(arrow::MakeArray(data->child_data[0]), to->field(0)->type(), place.children[0]));
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
    case TypeId::kCalendarInterval:
    case TypeId::kTime:
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

namespace {

/// Finds the places of wanted columns level by level.
class PlaceFinder {
 public:
  PlaceFinder(const std::string& path, const ColumnMatch& match, std::vector<int>* leaves,
              std::map<std::vector<std::string>, int>* leaf_of)
      : path_(path), match_(match), leaves_(leaves), leaf_of_(leaf_of) {}

  /// Places of the fields of `wanted` among `file_fields`.
  arrow::Result<std::vector<ColumnPlace>> Find(const std::vector<types::StructField>& wanted,
                                               const FileFields& file_fields) {
    std::vector<ColumnPlace> places(wanted.size());
    std::vector<int> read;
    for (size_t i = 0; i < wanted.size(); ++i) {
      int index = FindField(file_fields, wanted[i], match_);
      if (index < 0) continue;
      name_.push_back(wanted[i].name);
      ARROW_ASSIGN_OR_RAISE(places[i], FindType(*wanted[i].type, file_fields[static_cast<size_t>(index)]));
      name_.pop_back();
      places[i].file_index = index;
      read.push_back(index);
    }
    std::sort(read.begin(), read.end());
    read.erase(std::unique(read.begin(), read.end()), read.end());
    for (ColumnPlace& place : places) {
      if (place.file_index < 0) continue;
      place.read_index = static_cast<int>(std::lower_bound(read.begin(), read.end(), place.file_index) - read.begin());
    }
    return places;
  }

 private:
  arrow::Result<ColumnPlace> FindType(const types::DataType& wanted, const parquet::arrow::SchemaField& field) {
    ColumnPlace place;
    arrow::Type::type id = field.field->type()->id();
    switch (wanted.id()) {
      case TypeId::kStruct: {
        if (id != arrow::Type::STRUCT) return Mismatch(wanted, field);
        size_t num_leaves = leaves_->size();
        ARROW_ASSIGN_OR_RAISE(place.children, Find(wanted.fields(), field.children));
        // Some leaf must tell which rows have the struct at all.
        if (leaves_->size() == num_leaves) AddFirstLeaf(field);
        return place;
      }
      case TypeId::kVariant:
        return FindVariant(wanted, field);
      case TypeId::kArray: {
        if (id != arrow::Type::LIST && id != arrow::Type::LARGE_LIST) return Mismatch(wanted, field);
        NestedName nested(this, "element");
        ARROW_ASSIGN_OR_RAISE(ColumnPlace element, FindWhole(*wanted.element(), field.children[0]));
        place.children.push_back(std::move(element));
        return place;
      }
      case TypeId::kMap: {
        if (id != arrow::Type::MAP || field.children.size() != 1) return Mismatch(wanted, field);
        const FileFields& entry = field.children[0].children;
        NestedName nested(this, "entry");
        ARROW_ASSIGN_OR_RAISE(ColumnPlace key, FindWhole(*wanted.key(), entry[0]));
        ARROW_ASSIGN_OR_RAISE(ColumnPlace value, FindWhole(*wanted.value(), entry[1]));
        place.children.push_back(std::move(key));
        place.children.push_back(std::move(value));
        return place;
      }
      default:
        if (!field.is_leaf() || !CanRead(*field.field->type(), *types::ToArrow(wanted))) return Mismatch(wanted, field);
        leaves_->push_back(field.column_index);
        if (num_nested_ == 0) (*leaf_of_)[name_] = field.column_index;
        return place;
    }
  }

  // A group of the two byte strings, or a shredded one.
  arrow::Result<ColumnPlace> FindVariant(const types::DataType& wanted, const parquet::arrow::SchemaField& field) {
    if (field.is_leaf()) return Mismatch(wanted, field);
    if (FindByName(field.children, "typed_value") >= 0) {
      ColumnPlace shredded;
      shredded.is_shredded_variant = true;
      AddAllLeaves(field);
      return shredded;
    }
    NestedName nested(this, "variant");
    ColumnPlace place;
    for (const char* part : {"value", "metadata"}) {
      int index = FindByName(field.children, part);
      if (index < 0) return UserError("INVALID_VARIANT_FROM_PARQUET.MISSING_FIELD", {{"field", part}});
      const parquet::arrow::SchemaField& child = field.children[static_cast<size_t>(index)];
      if (!child.is_leaf() || !IsTextual(child.field->type()->id())) {
        return UserError("INVALID_VARIANT_FROM_PARQUET.NULLABLE_OR_NOT_BINARY_FIELD", {{"field", part}});
      }
      ARROW_ASSIGN_OR_RAISE(ColumnPlace one, FindType(*types::Binary(), child));
      one.file_index = one.read_index = index;
      place.children.push_back(std::move(one));
    }
    return place;
  }

  // Below arrays and maps too, fields that are not wanted are left out.
  arrow::Result<ColumnPlace> FindWhole(const types::DataType& wanted, const parquet::arrow::SchemaField& field) {
    ARROW_ASSIGN_OR_RAISE(ColumnPlace place, FindType(wanted, field));
    place.file_index = place.read_index = 0;
    return place;
  }

  void AddAllLeaves(const parquet::arrow::SchemaField& field) {
    if (field.is_leaf()) leaves_->push_back(field.column_index);
    for (const parquet::arrow::SchemaField& child : field.children) AddAllLeaves(child);
  }

  void AddFirstLeaf(const parquet::arrow::SchemaField& field) {
    const parquet::arrow::SchemaField* first = &field;
    while (!first->is_leaf() && !first->children.empty()) first = &first->children[0];
    if (first->is_leaf()) leaves_->push_back(first->column_index);
  }

  arrow::Status Mismatch(const types::DataType& wanted, const parquet::arrow::SchemaField& field) const {
    std::string name;
    for (const std::string& part : name_) name += (name.empty() ? "" : ", ") + part;
    return UserError("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH",
                     {{"path", path_},
                      {"column", "[" + name + "]"},
                      {"expectedType", wanted.CatalogString()},
                      {"actualType", PhysicalTypeName(*field.field->type())}});
  }

  /// Columns below arrays and maps have statistics of their elements, not of rows.
  struct NestedName {
    NestedName(PlaceFinder* finder, const char* name) : finder_(finder) {
      finder_->name_.emplace_back(name);
      ++finder_->num_nested_;
    }
    ~NestedName() {
      finder_->name_.pop_back();
      --finder_->num_nested_;
    }
    PlaceFinder* finder_;
  };

  const std::string& path_;
  const ColumnMatch& match_;
  std::vector<int>* leaves_;
  std::map<std::vector<std::string>, int>* leaf_of_;
  std::vector<std::string> name_;
  int num_nested_ = 0;
};

}  // namespace

arrow::Result<ParquetColumns> ParquetColumns::Make(const std::string& path, const FileFields& file_fields,
                                                   const DataTypePtr& wanted, const ColumnMatch& match) {
  ParquetColumns columns;
  columns.schema_ = types::ToArrowSchema(*wanted);
  PlaceFinder finder(path, match, &columns.leaves_, &columns.leaf_of_);
  ARROW_ASSIGN_OR_RAISE(columns.places_, finder.Find(wanted->fields(), file_fields));
  std::sort(columns.leaves_.begin(), columns.leaves_.end());
  columns.leaves_.erase(std::unique(columns.leaves_.begin(), columns.leaves_.end()), columns.leaves_.end());
  return columns;
}

int ParquetColumns::LeafOf(const std::vector<std::string>& column) const {
  auto it = leaf_of_.find(column);
  return it == leaf_of_.end() ? -1 : it->second;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ParquetColumns::Convert(const arrow::RecordBatch& batch) const {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < places_.size(); ++i) {
    const auto& type = schema_->field(static_cast<int>(i))->type();
    if (places_[i].read_index < 0) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type, batch.num_rows()));
      columns.push_back(std::move(nulls));
    } else {
      ARROW_ASSIGN_OR_RAISE(auto column, ConvertColumn(batch.column(places_[i].read_index), type, places_[i]));
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
    arrow_field = arrow_field->WithType(WriteType(arrow_field->type()));
    fields.push_back(WithFieldIds(arrow_field, *field.type, FieldIdOf(field)));
  }
  ParquetWriteColumns columns;
  columns.schema_ = arrow::schema(std::move(fields));
  return columns;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ParquetWriteColumns::Convert(const arrow::RecordBatch& batch) const {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    auto column = Retype(*batch.column_data(i), schema_->field(i)->type());
    DropHiddenNulls(column.get());
    columns.push_back(arrow::MakeArray(std::move(column)));
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
}

}  // namespace millrace::format
