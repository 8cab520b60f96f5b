#include "format/orc/orc_columns.h"

#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/util/key_value_metadata.h>

#include "base/ascii.h"
#include "types/arrow_type.h"

namespace millrace::format {

using types::TypeId;

namespace {

constexpr const char* kCatalystType = "spark.sql.catalyst.type";

/// The attribute of types that a file has no type for; empty for others.
std::string CatalystType(const types::DataType& type) {
  bool named = type.id() == TypeId::kTimestampNtz || type.is_ansi_interval();
  return named ? type.TypeName() : std::string();
}

std::shared_ptr<arrow::DataType> OrcType(const types::DataType& type);

std::shared_ptr<arrow::Field> OrcField(const std::string& name, const types::DataType& type, bool nullable) {
  auto field = arrow::field(name, OrcType(type), nullable);
  std::string attribute = CatalystType(type);
  return attribute.empty() ? field : field->WithMetadata(arrow::key_value_metadata({kCatalystType}, {attribute}));
}

std::shared_ptr<arrow::DataType> OrcType(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case TypeId::kYearMonthInterval:
      return arrow::int32();
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
      return arrow::int64();
    case TypeId::kArray:
      return arrow::list(OrcField("item", *type.element(), type.contains_null()));
    case TypeId::kMap:
      return std::make_shared<arrow::MapType>(OrcField("key", *type.key(), false),
                                              OrcField("value", *type.value(), type.value_contains_null()));
    case TypeId::kStruct: {
      arrow::FieldVector fields;
      for (const types::StructField& field : type.fields()) fields.push_back(OrcField(field.name, *field.type, true));
      return arrow::struct_(std::move(fields));
    }
    default:
      return types::ToArrow(type);
  }
}

arrow::Result<types::DataTypePtr> SparkType(const arrow::Field& field) {
  if (field.metadata() != nullptr) {
    auto attribute = field.metadata()->Get(kCatalystType);
    if (attribute.ok()) {
      auto type = types::ParseTypeDdl(*attribute);
      if (type.ok()) return type;
    }
  }
  const arrow::DataType& type = *field.type();
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      return types::Timestamp();
    case arrow::Type::LIST: {
      ARROW_ASSIGN_OR_RAISE(auto element, SparkType(*static_cast<const arrow::ListType&>(type).value_field()));
      return types::Array(std::move(element));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      ARROW_ASSIGN_OR_RAISE(auto key, SparkType(*map.key_field()));
      ARROW_ASSIGN_OR_RAISE(auto value, SparkType(*map.item_field()));
      return types::Map(std::move(key), std::move(value));
    }
    case arrow::Type::STRUCT: {
      std::vector<types::StructField> fields;
      for (const auto& child : type.fields()) {
        ARROW_ASSIGN_OR_RAISE(auto of, SparkType(*child));
        fields.push_back({child->name(), std::move(of), true, {}});
      }
      return types::Struct(std::move(fields));
    }
    default:
      return types::FromArrow(type);
  }
}

/// The same buffers under another type of the same width.
std::shared_ptr<arrow::Array> Viewed(const arrow::Array& column, std::shared_ptr<arrow::DataType> type) {
  auto data = column.data()->Copy();
  data->type = std::move(type);
  return arrow::MakeArray(std::move(data));
}

/// Which rows are not null, from the first one on; none where all are.
arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& column) {
  if (column.null_count() == 0) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto bitmap, arrow::AllocateEmptyBitmap(column.length()));
  for (int64_t i = 0; i < column.length(); ++i) {
    if (!column.IsNull(i)) arrow::bit_util::SetBit(bitmap->mutable_data(), i);
  }
  return bitmap;
}

/// Microseconds moved between UTC and what a wall clock shows.
arrow::Result<std::shared_ptr<arrow::Array>> Shifted(const arrow::Array& micros, const types::TimeZone& zone,
                                                     bool to_local, const std::shared_ptr<arrow::DataType>& type) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(micros.length() * static_cast<int64_t>(sizeof(int64_t))));
  auto* out = reinterpret_cast<int64_t*>(buffer->mutable_data());
  const auto* in = micros.data()->GetValues<int64_t>(1);
  for (int64_t i = 0; i < micros.length(); ++i) {
    out[i] = micros.IsNull(i) ? 0 : to_local ? zone.ToLocalMicros(in[i]) : zone.ToUtcMicros(in[i]);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, ValidityOf(micros));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, micros.length(), {std::move(validity), std::move(buffer)}, micros.null_count()));
}

arrow::Result<std::shared_ptr<arrow::Array>> MicrosOf(const std::shared_ptr<arrow::Array>& column) {
  auto micros = arrow::timestamp(arrow::TimeUnit::MICRO);
  if (column->type()->id() != arrow::Type::TIMESTAMP) {
    return arrow::Status::Invalid("cannot read ", column->type()->ToString(), " as a timestamp");
  }
  const auto& type = static_cast<const arrow::TimestampType&>(*column->type());
  auto plain = Viewed(*column, arrow::timestamp(type.unit()));
  if (type.unit() == arrow::TimeUnit::MICRO) return plain;
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(micros);
  options.allow_time_truncate = true;
  return arrow::compute::Cast(*plain, micros, options);
}

arrow::Result<std::shared_ptr<arrow::Array>> TimestampFrom(const std::shared_ptr<arrow::Array>& column,
                                                           const types::DataType& wanted, const types::TimeZone& zone) {
  bool instant = column->type()->id() == arrow::Type::TIMESTAMP &&
                 !static_cast<const arrow::TimestampType&>(*column->type()).timezone().empty();
  ARROW_ASSIGN_OR_RAISE(auto micros, MicrosOf(column));
  auto type = types::ToArrow(wanted);
  if (wanted.id() == TypeId::kTimestamp && !instant) return Shifted(*micros, zone, /*to_local=*/false, type);
  if (wanted.id() == TypeId::kTimestampNtz && instant) return Shifted(*micros, zone, /*to_local=*/true, type);
  return Viewed(*micros, type);
}

arrow::Result<std::shared_ptr<arrow::Array>> StructFrom(const arrow::Array& column, const types::DataType& wanted,
                                                        const types::TimeZone& zone) {
  if (column.type_id() != arrow::Type::STRUCT) {
    return arrow::Status::Invalid("cannot read ", column.type()->ToString(), " as ", wanted.CatalogString());
  }
  const auto& rows = static_cast<const arrow::StructArray&>(column);
  std::vector<std::shared_ptr<arrow::Array>> children;
  for (const types::StructField& field : wanted.fields()) {
    int place = rows.struct_type()->GetFieldIndex(field.name);
    for (int i = 0; place < 0 && i < rows.num_fields(); ++i) {
      if (EqualsIgnoreCase(rows.struct_type()->field(i)->name(), field.name)) place = i;
    }
    std::shared_ptr<arrow::Array> child;
    if (place < 0) {
      ARROW_ASSIGN_OR_RAISE(child, arrow::MakeArrayOfNull(types::ToArrow(*field.type), rows.length()));
    } else {
      ARROW_ASSIGN_OR_RAISE(child, FromOrcColumn(rows.field(place), field.type, zone));
    }
    children.push_back(std::move(child));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, ValidityOf(rows));
  return std::make_shared<arrow::StructArray>(types::ToArrow(wanted), rows.length(), std::move(children),
                                              std::move(validity), rows.null_count());
}

}  // namespace

bool SupportsOrc(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kNull:
    case TypeId::kCalendarInterval:
    case TypeId::kTime:
    case TypeId::kVariant:
      return false;
    case TypeId::kArray:
      return SupportsOrc(*type.element());
    case TypeId::kMap:
      return SupportsOrc(*type.key()) && SupportsOrc(*type.value());
    case TypeId::kStruct:
      for (const types::StructField& field : type.fields()) {
        if (!SupportsOrc(*field.type)) return false;
      }
      return true;
    default:
      return true;
  }
}

arrow::Result<types::DataTypePtr> OrcSparkType(const arrow::Schema& schema) {
  return SparkType(*arrow::field("", arrow::struct_(schema.fields())));
}

std::shared_ptr<arrow::Schema> OrcFileSchema(const types::DataType& type) {
  return arrow::schema(OrcType(type)->fields());
}

arrow::Result<std::shared_ptr<arrow::Array>> ToOrcColumn(const std::shared_ptr<arrow::Array>& column,
                                                         const types::DataType& type, const types::TimeZone& zone) {
  auto to = OrcType(type);
  switch (type.id()) {
    case TypeId::kTimestamp:
      return Shifted(*column, zone, /*to_local=*/true, to);
    case TypeId::kTimestampNtz:
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return Viewed(*column, to);
    case TypeId::kArray:
    case TypeId::kMap: {
      auto data = column->data()->Copy();
      data->type = to;
      if (type.id() == TypeId::kArray) {
        ARROW_ASSIGN_OR_RAISE(auto items, ToOrcColumn(arrow::MakeArray(data->child_data[0]), *type.element(), zone));
        data->child_data = {items->data()};
        return arrow::MakeArray(std::move(data));
      }
      const auto& map = static_cast<const arrow::MapArray&>(*column);
      ARROW_ASSIGN_OR_RAISE(auto keys, ToOrcColumn(map.keys(), *type.key(), zone));
      ARROW_ASSIGN_OR_RAISE(auto items, ToOrcColumn(map.items(), *type.value(), zone));
      const auto& entries = static_cast<const arrow::MapType&>(*to).value_type();
      data->child_data = {
          arrow::ArrayData::Make(entries, keys->length(), {nullptr}, {keys->data(), items->data()}, 0, 0)};
      return arrow::MakeArray(std::move(data));
    }
    case TypeId::kStruct: {
      const auto& rows = static_cast<const arrow::StructArray&>(*column);
      std::vector<std::shared_ptr<arrow::ArrayData>> children;
      for (int i = 0; i < rows.num_fields(); ++i) {
        const types::StructField& field = type.fields()[static_cast<size_t>(i)];
        ARROW_ASSIGN_OR_RAISE(auto child, ToOrcColumn(rows.field(i), *field.type, zone));
        children.push_back(child->data());
      }
      // Its children begin where its rows do now.
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, ValidityOf(rows));
      return arrow::MakeArray(
          arrow::ArrayData::Make(to, rows.length(), {std::move(validity)}, std::move(children), rows.null_count(), 0));
    }
    default:
      return column;
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> FromOrcColumn(const std::shared_ptr<arrow::Array>& column,
                                                           const types::DataTypePtr& wanted,
                                                           const types::TimeZone& zone) {
  auto to = types::ToArrow(*wanted);
  switch (wanted->id()) {
    case TypeId::kTimestamp:
      return TimestampFrom(column, *wanted, zone);
    case TypeId::kTimestampNtz:
      if (column->type_id() == arrow::Type::TIMESTAMP) return TimestampFrom(column, *wanted, zone);
      [[fallthrough]];
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval: {
      auto number = wanted->id() == TypeId::kYearMonthInterval ? arrow::int32() : arrow::int64();
      ARROW_ASSIGN_OR_RAISE(auto cast,
                            arrow::compute::Cast(*column, number, arrow::compute::CastOptions::Safe(number)));
      return Viewed(*cast, to);
    }
    case TypeId::kArray: {
      if (column->type_id() != arrow::Type::LIST) break;
      const auto& lists = static_cast<const arrow::ListArray&>(*column);
      ARROW_ASSIGN_OR_RAISE(auto items, FromOrcColumn(lists.values(), wanted->element(), zone));
      auto data = lists.data()->Copy();
      data->type = to;
      data->child_data = {items->data()};
      return arrow::MakeArray(std::move(data));
    }
    case TypeId::kMap: {
      if (column->type_id() != arrow::Type::MAP) break;
      const auto& maps = static_cast<const arrow::MapArray&>(*column);
      ARROW_ASSIGN_OR_RAISE(auto keys, FromOrcColumn(maps.keys(), wanted->key(), zone));
      ARROW_ASSIGN_OR_RAISE(auto items, FromOrcColumn(maps.items(), wanted->value(), zone));
      auto data = maps.data()->Copy();
      data->type = to;
      const auto& entries = static_cast<const arrow::MapType&>(*to).value_type();
      data->child_data = {
          arrow::ArrayData::Make(entries, keys->length(), {nullptr}, {keys->data(), items->data()}, 0, 0)};
      return arrow::MakeArray(std::move(data));
    }
    case TypeId::kStruct:
      return StructFrom(*column, *wanted, zone);
    default:
      if (column->type()->Equals(*to)) return column;
      return arrow::compute::Cast(*column, to, arrow::compute::CastOptions::Safe(to));
  }
  return arrow::Status::Invalid("cannot read ", column->type()->ToString(), " as ", wanted->CatalogString());
}

}  // namespace millrace::format
