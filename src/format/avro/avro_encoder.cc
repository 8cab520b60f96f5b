#include "format/avro/avro_encoder.h"

#include <arrow/array/builder_binary.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/ascii.h"
#include "base/error.h"
#include "format/avro/avro_encoding.h"
#include "format/avro/avro_types.h"
#include "format/column_values.h"

namespace millrace::format {

using types::TypeId;

/// One step of a bound encoder: a column's type and the schema it is written as.
struct AvroWriteStep {
  enum class Op : uint8_t {
    kNull,
    kBoolean,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kMicrosAsMillis,
    kFloat,
    kDouble,
    kBytes,  ///< strings too
    kFixed,
    kEnum,
    kDecimalBytes,
    kDecimalFixed,
    kArray,
    kMap,
    kRecord,
    kMembers,  ///< a struct of which one member is written, as a union
  };
  Op op = Op::kNull;
  const AvroSchema* schema = nullptr;
  /// Places in the union around the schema; −1 for none.
  int value_branch = -1;
  int null_branch = -1;
  /// What messages call this place: its name, and "field 'a.b'".
  std::string name;
  std::string path;
  std::vector<std::unique_ptr<AvroWriteStep>> children;
  /// kRecord: the column of each field, or −1 for one that is written as null; kMembers: the branch of each member.
  std::vector<int> places;
};

namespace {

using Op = AvroWriteStep::Op;
using StepResult = arrow::Result<std::unique_ptr<AvroWriteStep>>;

class WriteBinder {
 public:
  explicit WriteBinder(bool positional) : positional_(positional) {}

  StepResult Bind(const types::DataType& type, const AvroSchema& given, const std::string& name) {
    auto step = std::make_unique<AvroWriteStep>();
    step->name = name;
    step->path = Path("top-level record", "field");
    const AvroSchema* schema = &given;
    if (given.kind == AvroKind::kUnion) {
      std::vector<const AvroSchema*> branches = NonNullBranches(given);
      for (size_t i = 0; i < given.children.size(); ++i) {
        if (given.children[i]->kind == AvroKind::kNull) step->null_branch = static_cast<int>(i);
      }
      if (branches.size() > 1) return BindMembers(type, given, branches, std::move(step));
      if (branches.size() == 1) {
        schema = branches[0];
        step->value_branch =
            static_cast<int>(std::find(given.children.begin(), given.children.end(), schema) - given.children.begin());
      } else {
        schema = given.children.empty() ? &given : given.children[0];
      }
    }
    step->schema = schema;
    ARROW_ASSIGN_OR_RAISE(bool bound, BindValue(type, *schema, step.get()));
    if (!bound) return Incompatible(type, given);
    return step;
  }

 private:
  std::string Path(const char* top, const char* field) const {
    if (path_.empty()) return top;
    std::string text = std::string(field) + " '";
    for (size_t i = 0; i < path_.size(); ++i) text += (i > 0 ? "." : "") + path_[i];
    return text + "'";
  }

  arrow::Status Incompatible(const types::DataType& type, const AvroSchema& schema) const {
    return arrow::Status::Invalid(
        "Cannot convert SQL ", Path("top-level record", "field"), " to Avro ", Path("top-level record", "field"),
        " because schema is incompatible (sqlType = ", type.Sql(), ", avroType = ", AvroKindName(schema.kind), ")");
  }

  arrow::Result<bool> BindValue(const types::DataType& type, const AvroSchema& schema, AvroWriteStep* step) {
    AvroKind kind = schema.kind;
    auto as = [&](Op op, bool fits) {
      step->op = op;
      return fits;
    };
    switch (type.id()) {
      case TypeId::kNull:
        return as(Op::kNull, kind == AvroKind::kNull || step->null_branch >= 0);
      case TypeId::kBoolean:
        return as(Op::kBoolean, kind == AvroKind::kBoolean);
      case TypeId::kByte:
        return as(Op::kInt8, kind == AvroKind::kInt);
      case TypeId::kShort:
        return as(Op::kInt16, kind == AvroKind::kInt);
      case TypeId::kInteger:
      case TypeId::kDate:
      case TypeId::kYearMonthInterval:
        return as(Op::kInt32, kind == AvroKind::kInt);
      case TypeId::kLong:
      case TypeId::kDayTimeInterval:
        return as(Op::kInt64, kind == AvroKind::kLong);
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz: {
        bool micros =
            schema.logical == AvroLogical::kTimestampMicros || schema.logical == AvroLogical::kLocalTimestampMicros;
        bool local = schema.logical == AvroLogical::kLocalTimestampMillis ||
                     schema.logical == AvroLogical::kLocalTimestampMicros;
        bool fits = kind == AvroKind::kLong &&
                    (schema.logical == AvroLogical::kNone || local == (type.id() == TypeId::kTimestampNtz));
        return as(micros ? Op::kInt64 : Op::kMicrosAsMillis, fits);
      }
      case TypeId::kFloat:
        return as(Op::kFloat, kind == AvroKind::kFloat);
      case TypeId::kDouble:
        return as(Op::kDouble, kind == AvroKind::kDouble);
      case TypeId::kString:
        return as(kind == AvroKind::kEnum ? Op::kEnum : Op::kBytes,
                  kind == AvroKind::kEnum || kind == AvroKind::kString);
      case TypeId::kBinary:
        return as(kind == AvroKind::kFixed ? Op::kFixed : Op::kBytes,
                  kind == AvroKind::kFixed || kind == AvroKind::kBytes);
      case TypeId::kDecimal:
        return as(kind == AvroKind::kFixed ? Op::kDecimalFixed : Op::kDecimalBytes,
                  schema.logical == AvroLogical::kDecimal && schema.precision == type.precision() &&
                      schema.scale == type.scale());
      case TypeId::kArray:
      case TypeId::kMap: {
        bool is_array = type.id() == TypeId::kArray;
        step->op = is_array ? Op::kArray : Op::kMap;
        if (kind != (is_array ? AvroKind::kArray : AvroKind::kMap)) return false;
        if (!is_array && type.key()->id() != TypeId::kString) return false;
        path_.push_back(is_array ? "element" : "value");
        ARROW_ASSIGN_OR_RAISE(auto child,
                              Bind(is_array ? *type.element() : *type.value(), *schema.children[0], path_.back()));
        path_.pop_back();
        step->children.push_back(std::move(child));
        return true;
      }
      case TypeId::kStruct:
        if (kind != AvroKind::kRecord) return false;
        ARROW_RETURN_NOT_OK(BindRecord(type, schema, step));
        return true;
      default:
        return false;
    }
  }

  arrow::Status BindRecord(const types::DataType& type, const AvroSchema& schema, AvroWriteStep* step) {
    step->op = Op::kRecord;
    std::vector<bool> taken(type.fields().size(), false);
    for (size_t k = 0; k < schema.fields.size(); ++k) {
      const AvroField& field = schema.fields[k];
      int column = -1;
      for (size_t i = 0; i < type.fields().size(); ++i) {
        const std::string& name = type.fields()[i].name;
        if (positional_ ? i == k : name == field.name || (column < 0 && EqualsIgnoreCase(name, field.name))) {
          column = static_cast<int>(i);
        }
      }
      path_.push_back(field.name);
      std::unique_ptr<AvroWriteStep> child;
      if (column >= 0) {
        taken[static_cast<size_t>(column)] = true;
        ARROW_ASSIGN_OR_RAISE(child, Bind(*type.fields()[static_cast<size_t>(column)].type, *field.schema, field.name));
      } else {
        bool null_union = field.schema->kind == AvroKind::kUnion &&
                          NonNullBranches(*field.schema).size() < field.schema->children.size();
        if (!null_union && field.schema->kind != AvroKind::kNull) {
          return arrow::Status::Invalid("Found ", Path("top-level record", "field"),
                                        " in Avro schema but there is no match in the SQL schema");
        }
        ARROW_ASSIGN_OR_RAISE(child, Bind(*types::Null(), *field.schema, field.name));
      }
      path_.pop_back();
      step->children.push_back(std::move(child));
      step->places.push_back(column);
    }
    for (size_t i = 0; i < taken.size(); ++i) {
      if (taken[i]) continue;
      path_.push_back(type.fields()[i].name);
      return arrow::Status::Invalid("Found ", Path("top-level record", "field"),
                                    " in SQL schema but there is no match in the Avro schema");
    }
    return arrow::Status::OK();
  }

  StepResult BindMembers(const types::DataType& type, const AvroSchema& given,
                         const std::vector<const AvroSchema*>& branches, std::unique_ptr<AvroWriteStep> step) {
    step->op = Op::kMembers;
    step->schema = &given;
    if (type.id() == TypeId::kNull && step->null_branch >= 0) {
      step->op = Op::kNull;
      return step;
    }
    if (type.id() != TypeId::kStruct || type.fields().size() != branches.size()) return Incompatible(type, given);
    for (size_t i = 0; i < branches.size(); ++i) {
      path_.push_back(type.fields()[i].name);
      ARROW_ASSIGN_OR_RAISE(auto child, Bind(*type.fields()[i].type, *branches[i], path_.back()));
      path_.pop_back();
      step->children.push_back(std::move(child));
      step->places.push_back(static_cast<int>(std::find(given.children.begin(), given.children.end(), branches[i]) -
                                              given.children.begin()));
    }
    return step;
  }

  bool positional_;
  std::vector<std::string> path_;
};

/// A step with the buffers of one batch; all NULL for a field that has no column.
struct BoundColumn : ColumnValues {
  const AvroWriteStep* step = nullptr;
  std::vector<BoundColumn> children;
};

/// `parent_offset`: where the rows of the struct around it begin, which Arrow leaves out of its children.
BoundColumn BindColumn(const AvroWriteStep& step, const arrow::ArrayData& data, int64_t parent_offset = 0) {
  BoundColumn bound;
  bound.step = &step;
  bound.offset = data.offset + parent_offset;
  bound.all_null = data.type->id() == arrow::Type::NA;
  if (bound.all_null) return bound;
  if (data.buffers[0] != nullptr) bound.validity = data.buffers[0]->data();
  auto at = [&](size_t i) { return data.buffers[i] == nullptr ? nullptr : data.buffers[i]->data(); };
  switch (step.op) {
    case Op::kBytes:
    case Op::kFixed:
    case Op::kEnum:
      bound.offsets = reinterpret_cast<const int32_t*>(at(1));
      bound.values = at(2);
      break;
    case Op::kArray:
      bound.offsets = reinterpret_cast<const int32_t*>(at(1));
      bound.children.push_back(BindColumn(*step.children[0], *data.child_data[0]));
      break;
    case Op::kMap: {
      bound.offsets = reinterpret_cast<const int32_t*>(at(1));
      static const AvroWriteStep kKeys{.op = Op::kBytes};
      const arrow::ArrayData& entries = *data.child_data[0];
      bound.children.push_back(BindColumn(kKeys, *entries.child_data[0], entries.offset));
      bound.children.push_back(BindColumn(*step.children[0], *entries.child_data[1], entries.offset));
      break;
    }
    case Op::kRecord:
    case Op::kMembers:
      for (size_t i = 0; i < step.children.size(); ++i) {
        int column = step.op == Op::kRecord ? step.places[i] : static_cast<int>(i);
        if (column < 0) {
          BoundColumn& missing = bound.children.emplace_back();
          missing.step = step.children[i].get();
          missing.all_null = true;
          continue;
        }
        const arrow::ArrayData& child = *data.child_data[static_cast<size_t>(column)];
        bound.children.push_back(BindColumn(*step.children[i], child, bound.offset));
      }
      break;
    default:
      bound.values = at(1);
  }
  return bound;
}

int64_t FloorMillis(int64_t micros) { return micros / 1000 - (micros % 1000 < 0 ? 1 : 0); }

/// Two's complement, most significant byte first: all 16 bytes of the decimal.
std::array<char, 16> BigEndian(const BoundColumn& column, int64_t row) {
  arrow::Decimal128 value(column.values + (column.offset + row) * 16);
  std::array<uint8_t, 16> little;
  value.ToBytes(little.data());
  std::array<char, 16> big;
  for (size_t i = 0; i < 16; ++i) big[i] = static_cast<char>(little[15 - i]);
  return big;
}

arrow::Status PutValue(const BoundColumn& column, int64_t row, std::string* out);

arrow::Status PutDecimal(const BoundColumn& column, int64_t row, std::string* out) {
  std::array<char, 16> big = BigEndian(column, row);
  std::string_view bytes(big.data(), big.size());
  if (column.step->op == Op::kDecimalBytes) {
    while (bytes.size() > 1 && (bytes[0] == 0 || bytes[0] == '\xFF') && ((bytes[0] ^ bytes[1]) & 0x80) == 0) {
      bytes.remove_prefix(1);
    }
    PutAvroBytes(bytes, out);
    return arrow::Status::OK();
  }
  auto size = static_cast<size_t>(column.step->schema->size);
  if (size > 16) {
    out->append(size - 16, (bytes[0] & 0x80) != 0 ? '\xFF' : '\0');
    out->append(bytes);
  } else {
    out->append(bytes.substr(16 - size));
  }
  return arrow::Status::OK();
}

arrow::Status PutEnum(const BoundColumn& column, int64_t row, std::string* out) {
  const std::vector<std::string>& symbols = column.step->schema->symbols;
  std::string_view text = column.Bytes(row);
  auto symbol = std::find(symbols.begin(), symbols.end(), text);
  if (symbol == symbols.end()) {
    std::string known;
    for (const std::string& one : symbols) known += (known.empty() ? "\"" : ", \"") + one + "\"";
    return arrow::Status::Invalid("Cannot convert SQL ", column.step->path, " to Avro ", column.step->path,
                                  " because \"", text, "\" cannot be written since it's not defined in enum ", known);
  }
  PutAvroLong(symbol - symbols.begin(), out);
  return arrow::Status::OK();
}

arrow::Status PutItems(const BoundColumn& column, int64_t row, std::string* out) {
  int64_t begin = column.offsets[column.offset + row], end = column.offsets[column.offset + row + 1];
  if (begin < end) PutAvroLong(end - begin, out);
  for (int64_t i = begin; i < end; ++i) {
    if (column.step->op == Op::kMap) PutAvroBytes(column.children[0].Bytes(i), out);
    ARROW_RETURN_NOT_OK(PutValue(column.children.back(), i, out));
  }
  PutAvroLong(0, out);
  return arrow::Status::OK();
}

arrow::Status PutMember(const BoundColumn& column, int64_t row, std::string* out) {
  for (size_t i = 0; i < column.children.size(); ++i) {
    if (column.children[i].IsNull(row)) continue;
    PutAvroLong(column.step->places[i], out);
    return PutValue(column.children[i], row, out);
  }
  if (column.step->null_branch >= 0) {
    PutAvroLong(column.step->null_branch, out);
    return arrow::Status::OK();
  }
  return arrow::Status::Invalid("Cannot write a union of which no member is set: ", column.step->name);
}

arrow::Status PutNull(const AvroWriteStep& step, std::string* out) {
  if (step.null_branch >= 0) {
    PutAvroLong(step.null_branch, out);
    return arrow::Status::OK();
  }
  if (step.schema->kind == AvroKind::kNull) return arrow::Status::OK();
  return UserError(
      "AVRO_CANNOT_WRITE_NULL_FIELD",
      {{"name", QuoteIdentifier(step.name)}, {"dataType", "\"" + std::string(AvroKindName(step.schema->kind)) + "\""}});
}

arrow::Status PutValue(const BoundColumn& column, int64_t row, std::string* out) {
  const AvroWriteStep& step = *column.step;
  if (column.IsNull(row)) return PutNull(step, out);
  if (step.value_branch >= 0) PutAvroLong(step.value_branch, out);
  switch (step.op) {
    case Op::kNull:
      return PutNull(step, out);
    case Op::kBoolean:
      out->push_back(arrow::bit_util::GetBit(column.values, column.offset + row) ? '\1' : '\0');
      return arrow::Status::OK();
    case Op::kInt8:
      PutAvroLong(column.Value<int8_t>(row), out);
      return arrow::Status::OK();
    case Op::kInt16:
      PutAvroLong(column.Value<int16_t>(row), out);
      return arrow::Status::OK();
    case Op::kInt32:
      PutAvroLong(column.Value<int32_t>(row), out);
      return arrow::Status::OK();
    case Op::kInt64:
      PutAvroLong(column.Value<int64_t>(row), out);
      return arrow::Status::OK();
    case Op::kMicrosAsMillis:
      PutAvroLong(FloorMillis(column.Value<int64_t>(row)), out);
      return arrow::Status::OK();
    case Op::kFloat: {
      auto value = column.Value<float>(row);
      out->append(reinterpret_cast<const char*>(&value), sizeof(value));
      return arrow::Status::OK();
    }
    case Op::kDouble: {
      auto value = column.Value<double>(row);
      out->append(reinterpret_cast<const char*>(&value), sizeof(value));
      return arrow::Status::OK();
    }
    case Op::kBytes:
      PutAvroBytes(column.Bytes(row), out);
      return arrow::Status::OK();
    case Op::kFixed: {
      std::string_view bytes = column.Bytes(row);
      if (static_cast<int64_t>(bytes.size()) != step.schema->size) {
        return arrow::Status::Invalid(
            "Cannot convert SQL ", step.path, " to Avro ", step.path, " because ", bytes.size(),
            " bytes of binary data cannot be written into FIXED type with size of ", step.schema->size, " bytes");
      }
      out->append(bytes);
      return arrow::Status::OK();
    }
    case Op::kEnum:
      return PutEnum(column, row, out);
    case Op::kDecimalBytes:
    case Op::kDecimalFixed:
      return PutDecimal(column, row, out);
    case Op::kArray:
    case Op::kMap:
      return PutItems(column, row, out);
    case Op::kRecord:
      for (const BoundColumn& child : column.children) ARROW_RETURN_NOT_OK(PutValue(child, row, out));
      return arrow::Status::OK();
    case Op::kMembers:
      return PutMember(column, row, out);
  }
  return arrow::Status::OK();
}

}  // namespace

AvroEncoder::AvroEncoder(types::DataTypePtr type, std::shared_ptr<const AvroDocument> schema,
                         std::unique_ptr<AvroWriteStep> root)
    : type_(std::move(type)), schema_(std::move(schema)), root_(std::move(root)) {}
AvroEncoder::~AvroEncoder() = default;

arrow::Result<std::unique_ptr<AvroEncoder>> AvroEncoder::Make(types::DataTypePtr type,
                                                              std::shared_ptr<const AvroDocument> schema,
                                                              bool positional) {
  const AvroSchema* root_schema = &schema->root();
  if (root_schema->kind == AvroKind::kUnion && NonNullBranches(*root_schema).size() == 1) {
    root_schema = NonNullBranches(*root_schema)[0];
  }
  auto root = WriteBinder(positional).Bind(*type, schema->root(), "topLevelRecord");
  // Spark writes a struct at the root as nothing but a record.
  if (!root.ok() || (type->id() == TypeId::kStruct && root_schema->kind != AvroKind::kRecord)) {
    arrow::Status error =
        arrow::Status::Invalid("Cannot convert SQL type ", type->Sql(), " to Avro type ", schema->text(), ".");
    return root.ok() ? error : error.WithMessage(error.message(), " Caused by: ", root.status().message());
  }
  return std::unique_ptr<AvroEncoder>(new AvroEncoder(std::move(type), std::move(schema), std::move(*root)));
}

arrow::Result<std::shared_ptr<arrow::Array>> AvroEncoder::Encode(const arrow::Array& values, arrow::MemoryPool* pool) {
  BoundColumn bound = BindColumn(*root_, *values.data());
  arrow::BinaryBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(values.length()));
  std::string record;
  for (int64_t row = 0; row < values.length(); ++row) {
    if (bound.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    record.clear();
    ARROW_RETURN_NOT_OK(PutValue(bound, row, &record));
    ARROW_RETURN_NOT_OK(builder.Append(record));
  }
  return builder.Finish();
}

arrow::Status AvroEncoder::EncodeRows(const arrow::Array& values, std::string* out) {
  BoundColumn bound = BindColumn(*root_, *values.data());
  for (int64_t row = 0; row < values.length(); ++row) ARROW_RETURN_NOT_OK(PutValue(bound, row, out));
  return arrow::Status::OK();
}

}  // namespace millrace::format
