#include "format/protobuf/protobuf_encoder.h"

#include <arrow/array/builder_binary.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"
#include "format/protobuf/protobuf_wire.h"

namespace millrace::format {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using types::TypeId;

/// One field of a bound encoder: a column's type and the field it is written as; the root is a message alone.
struct ProtobufWriteStep {
  enum class Op : uint8_t {
    kNothing,  ///< a column of NULLs
    kBoolean,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kUint64OfDecimal,
    kFloat,
    kDouble,
    kBytes,  ///< strings too
    kEnumByName,
    kEnumByNumber,
    kTimestamp,  ///< and durations
    kMessage,
    kMap,
  };
  Op op = Op::kNothing;
  const FieldDescriptor* field = nullptr;
  uint32_t tag = 0;
  bool zigzag = false;
  bool fixed = false;
  bool repeated = false;
  bool packed = false;
  /// The default is not written.
  bool skips_default = false;
  /// google.protobuf.Int32Value and the like around the value: the tag of their field; 0: none.
  uint32_t wrapped = 0;
  /// Of the struct around it.
  int column = 0;
  std::string sql_path, proto_path;
  std::map<std::string, int32_t, std::less<>> enum_numbers;
  std::string enum_text;
  /// kMessage: fields in the order of their numbers; kMap: key and value.
  std::vector<std::unique_ptr<ProtobufWriteStep>> children;
  /// Required fields that no column fills.
  std::string missing_required;
};

namespace {

using Step = ProtobufWriteStep;
using Op = Step::Op;
using StepResult = arrow::Result<std::unique_ptr<Step>>;

uint32_t TagOf(const FieldDescriptor& field, bool packed) {
  uint32_t wire = 0;
  switch (field.type()) {
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_FLOAT:
      wire = 5;
      break;
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
    case FieldDescriptor::TYPE_DOUBLE:
      wire = 1;
      break;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      wire = 2;
      break;
    case FieldDescriptor::TYPE_GROUP:
      wire = 3;
      break;
    default:
      break;
  }
  return static_cast<uint32_t>(field.number()) << 3 | (packed ? 2 : wire);
}

class WriteBinder {
 public:
  WriteBinder(const Descriptor& root, const types::DataType& type) : root_(root), type_(type) {}

  StepResult Root() {
    auto step = std::make_unique<Step>();
    ARROW_RETURN_NOT_OK(BindMessage(type_, root_, step.get()));
    return step;
  }

 private:
  // Spark tells the place and the reason as the cause.
  arrow::Status Unable() const {
    return UserError("UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE",
                     {{"protobufType", root_.name()}, {"toType", QuoteSqlType(type_.Sql())}});
  }

  arrow::Status BindMessage(const types::DataType& type, const Descriptor& message, Step* step) {
    step->op = Op::kMessage;
    if (type.id() != TypeId::kStruct) return Unable();
    std::set<const FieldDescriptor*> filled;
    for (size_t i = 0; i < type.fields().size(); ++i) {
      const std::string& name = type.fields()[i].name;
      const FieldDescriptor* field = nullptr;
      for (int k = 0; k < message.field_count(); ++k) {
        if (!EqualsIgnoreCase(message.field(k)->name(), name)) continue;
        if (field != nullptr) return Unable();  // two that differ in case only
        field = message.field(k);
      }
      if (field == nullptr) return Unable();
      filled.insert(field);
      sql_path_.push_back(name);
      proto_path_.push_back(field->name());
      auto child = std::make_unique<Step>();
      child->column = static_cast<int>(i);
      ARROW_RETURN_NOT_OK(BindField(*type.fields()[i].type, *field, child.get()));
      sql_path_.pop_back();
      proto_path_.pop_back();
      step->children.push_back(std::move(child));
    }
    for (int k = 0; k < message.field_count(); ++k) {
      const FieldDescriptor* field = message.field(k);
      if (filled.contains(field)) continue;
      // As Spark has it: what is optional must have a column, what is required fails when a row is written.
      if (field->is_optional()) return Unable();
      if (field->is_required()) step->missing_required = field->full_name();
    }
    std::stable_sort(step->children.begin(), step->children.end(),
                     [](const auto& a, const auto& b) { return a->field->number() < b->field->number(); });
    return arrow::Status::OK();
  }

  arrow::Status BindField(const types::DataType& type, const FieldDescriptor& field, Step* step) {
    step->field = &field;
    step->repeated = type.id() == TypeId::kArray;
    step->packed = step->repeated && field.is_packed();
    step->tag = TagOf(field, step->packed);
    step->skips_default = !field.has_presence() && !field.is_repeated();
    step->sql_path = fmt::format("`{}`", fmt::join(sql_path_, "`.`"));
    step->proto_path = fmt::format("field '{}'", fmt::join(proto_path_, "."));
    if (field.is_repeated() != (step->repeated || type.id() == TypeId::kMap) && type.id() != TypeId::kNull) {
      return Unable();
    }
    return BindValue(step->repeated ? *type.element() : type, field, step);
  }

  arrow::Status BindValue(const types::DataType& type, const FieldDescriptor& field, Step* step) {
    if (type.id() == TypeId::kNull) return arrow::Status::OK();
    switch (field.type()) {
      case FieldDescriptor::TYPE_SINT32:
      case FieldDescriptor::TYPE_SINT64:
        step->zigzag = true;
        break;
      case FieldDescriptor::TYPE_FIXED32:
      case FieldDescriptor::TYPE_SFIXED32:
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        step->fixed = true;
        break;
      default:
        break;
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return BindMessageValue(type, field, step);
    std::optional<Op> op = ScalarOp(type, field);
    if (!op) return Unable();
    step->op = *op;
    if (*op == Op::kEnumByName || *op == Op::kEnumByNumber) BindEnum(*field.enum_type(), step);
    return arrow::Status::OK();
  }

  static std::optional<Op> ScalarOp(const types::DataType& type, const FieldDescriptor& field) {
    auto when = [](bool fits, Op op) { return fits ? std::optional(op) : std::nullopt; };
    FieldDescriptor::CppType kind = field.cpp_type();
    bool is_int = kind == FieldDescriptor::CPPTYPE_INT32 || kind == FieldDescriptor::CPPTYPE_UINT32;
    bool is_long = kind == FieldDescriptor::CPPTYPE_INT64 || kind == FieldDescriptor::CPPTYPE_UINT64;
    bool is_enum = kind == FieldDescriptor::CPPTYPE_ENUM;
    switch (type.id()) {
      case TypeId::kBoolean:
        return when(kind == FieldDescriptor::CPPTYPE_BOOL, Op::kBoolean);
      case TypeId::kByte:
        return when(is_int, Op::kInt8);
      case TypeId::kShort:
        return when(is_int, Op::kInt16);
      case TypeId::kInteger:
        return is_enum ? std::optional(Op::kEnumByNumber) : when(is_int, Op::kInt32);
      case TypeId::kDate:
        return when(is_int, Op::kInt32);
      case TypeId::kLong:
        return when(is_long || field.type() == FieldDescriptor::TYPE_UINT32, Op::kInt64);
      case TypeId::kDecimal:
        return when(field.type() == FieldDescriptor::TYPE_UINT64, Op::kUint64OfDecimal);
      case TypeId::kFloat:
        return when(kind == FieldDescriptor::CPPTYPE_FLOAT, Op::kFloat);
      case TypeId::kDouble:
        return when(kind == FieldDescriptor::CPPTYPE_DOUBLE, Op::kDouble);
      case TypeId::kString:
        return is_enum ? std::optional(Op::kEnumByName)
                       : when(field.type() == FieldDescriptor::TYPE_STRING, Op::kBytes);
      case TypeId::kBinary:
        return when(field.type() == FieldDescriptor::TYPE_BYTES, Op::kBytes);
      default:
        return std::nullopt;
    }
  }

  static void BindEnum(const google::protobuf::EnumDescriptor& values, Step* step) {
    bool by_name = step->op == Op::kEnumByName;
    for (int i = 0; i < values.value_count(); ++i) {
      std::string number = std::to_string(values.value(i)->number());
      step->enum_numbers.emplace(by_name ? values.value(i)->name() : number, values.value(i)->number());
      if (i > 0) step->enum_text += ", ";
      step->enum_text += by_name ? "\"" + values.value(i)->name() + "\"" : number;
    }
  }

  arrow::Status BindMessageValue(const types::DataType& type, const FieldDescriptor& field, Step* step) {
    const Descriptor& message = *field.message_type();
    switch (type.id()) {
      case TypeId::kTimestamp:
      case TypeId::kDayTimeInterval:
        step->op = Op::kTimestamp;
        return arrow::Status::OK();
      case TypeId::kStruct:
        return BindMessage(type, message, step);
      case TypeId::kMap: {
        if (!field.is_map()) return Unable();
        step->op = Op::kMap;
        for (bool is_key : {true, false}) {
          sql_path_.emplace_back(is_key ? "key" : "value");
          proto_path_.emplace_back(is_key ? "key" : "value");
          auto child = std::make_unique<Step>();
          ARROW_RETURN_NOT_OK(
              BindField(is_key ? *type.key() : *type.value(), *message.field(is_key ? 0 : 1), child.get()));
          sql_path_.pop_back();
          proto_path_.pop_back();
          step->children.push_back(std::move(child));
        }
        return arrow::Status::OK();
      }
      default: {
        if (!IsProtobufWrapper(message)) return Unable();
        std::optional<Op> op = ScalarOp(type, *message.field(0));
        // Spark writes no unsigned wrapper from the type it was read as with upcast.unsigned.ints.
        if (!op || *op == Op::kUint64OfDecimal || (*op == Op::kInt64 && message.name() == "UInt32Value"))
          return Unable();
        step->op = *op;
        step->wrapped = TagOf(*message.field(0), /*packed=*/false);
        return arrow::Status::OK();
      }
    }
  }

  const Descriptor& root_;
  const types::DataType& type_;
  std::vector<std::string> sql_path_, proto_path_;
};

/// A step with the buffers of one batch.
struct BoundColumn {
  const Step* step = nullptr;
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;
  const uint8_t* validity = nullptr;
  int64_t offset = 0;
  bool all_null = false;
  /// Of an array: where each list begins; the values and their validity are the elements'.
  const int32_t* lists = nullptr;
  const uint8_t* list_validity = nullptr;
  int64_t list_offset = 0;
  std::vector<BoundColumn> children;

  bool IsNull(int64_t row) const {
    return all_null || (validity != nullptr && !arrow::bit_util::GetBit(validity, offset + row));
  }
  bool IsListNull(int64_t row) const {
    return list_validity != nullptr && !arrow::bit_util::GetBit(list_validity, list_offset + row);
  }
  template <typename T>
  T Value(int64_t row) const {
    return reinterpret_cast<const T*>(values)[offset + row];
  }
  std::string_view Bytes(int64_t row) const {
    int32_t begin = offsets[offset + row];
    return {reinterpret_cast<const char*>(values) + begin, static_cast<size_t>(offsets[offset + row + 1] - begin)};
  }
};

const uint8_t* BufferAt(const arrow::ArrayData& data, size_t i) {
  return data.buffers[i] == nullptr ? nullptr : data.buffers[i]->data();
}

/// `parent_offset`: where the rows of the struct around it begin, which Arrow leaves out of its children.
BoundColumn BindColumn(const Step& step, const arrow::ArrayData& given, int64_t parent_offset = 0) {
  BoundColumn bound;
  bound.step = &step;
  const arrow::ArrayData* data = &given;
  if (step.repeated && given.type->id() != arrow::Type::NA) {
    bound.lists = reinterpret_cast<const int32_t*>(BufferAt(given, 1));
    bound.list_validity = BufferAt(given, 0);
    bound.list_offset = given.offset + parent_offset;
    data = given.child_data[0].get();
    parent_offset = 0;
  }
  bound.offset = data->offset + parent_offset;
  bound.all_null = data->type->id() == arrow::Type::NA;
  if (bound.all_null) return bound;
  bound.validity = BufferAt(*data, 0);
  switch (step.op) {
    case Op::kBytes:
    case Op::kEnumByName:
      bound.offsets = reinterpret_cast<const int32_t*>(BufferAt(*data, 1));
      bound.values = BufferAt(*data, 2);
      break;
    case Op::kMap: {
      bound.offsets = reinterpret_cast<const int32_t*>(BufferAt(*data, 1));
      const arrow::ArrayData& entries = *data->child_data[0];
      for (size_t k = 0; k < 2; ++k) {
        bound.children.push_back(BindColumn(*step.children[k], *entries.child_data[k], entries.offset));
      }
      break;
    }
    case Op::kMessage:
      for (const auto& child : step.children) {
        bound.children.push_back(
            BindColumn(*child, *data->child_data[static_cast<size_t>(child->column)], bound.offset));
      }
      break;
    default:
      bound.values = BufferAt(*data, 1);
  }
  return bound;
}

void PutTag(uint32_t tag, std::string* out) { PutProtobufVarint(tag, out); }

template <typename T>
void PutFixed(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void PutNumber(const Step& step, int64_t value, std::string* out) {
  // The value itself may be in a wrapper, which is never fixed or zigzag.
  bool is_int = step.field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                step.field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
  if (step.fixed) {
    if (is_int) {
      PutFixed(static_cast<int32_t>(value), out);
    } else {
      PutFixed(value, out);
    }
    return;
  }
  if (step.zigzag) {
    auto bits = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    PutProtobufVarint(is_int ? static_cast<uint32_t>(bits) : bits, out);
    return;
  }
  bool is_uint32 = step.field->type() == FieldDescriptor::TYPE_UINT32 ||
                   (step.wrapped != 0 && step.field->message_type()->name() == "UInt32Value");
  PutProtobufVarint(is_uint32 ? static_cast<uint32_t>(value) : static_cast<uint64_t>(value), out);
}

arrow::Status EnumNumber(const BoundColumn& column, int64_t row, int32_t* number) {
  const Step& step = *column.step;
  std::string text =
      step.op == Op::kEnumByName ? std::string(column.Bytes(row)) : std::to_string(column.Value<int32_t>(row));
  auto found = step.enum_numbers.find(text);
  if (found == step.enum_numbers.end()) {
    return UserError("CANNOT_CONVERT_SQL_VALUE_TO_PROTOBUF_ENUM_TYPE", {{"sqlColumn", step.sql_path},
                                                                        {"protobufColumn", step.proto_path},
                                                                        {"data", text},
                                                                        {"enumString", step.enum_text}});
  }
  *number = found->second;
  return arrow::Status::OK();
}

class Encoder {
 public:
  arrow::Status PutMessage(const BoundColumn& column, int64_t row, std::string* out) {
    if (!column.step->missing_required.empty()) {
      return arrow::Status::Invalid("Message missing required fields: ", column.step->missing_required);
    }
    for (const BoundColumn& child : column.children) ARROW_RETURN_NOT_OK(PutField(child, row, out));
    return arrow::Status::OK();
  }

 private:
  arrow::Status PutField(const BoundColumn& column, int64_t row, std::string* out) {
    const Step& step = *column.step;
    if (step.op == Op::kNothing && !step.field->is_required()) return arrow::Status::OK();
    if (step.repeated) return column.IsListNull(row) ? arrow::Status::OK() : PutList(column, row, out);
    if (column.IsNull(row)) return step.field->is_required() ? PutDefault(step, out) : arrow::Status::OK();
    if (step.op == Op::kMap) return PutMap(column, row, out);
    return PutValue(column, row, out);
  }

  // A required field is never missing; Spark fills in its default.
  static arrow::Status PutDefault(const Step& step, std::string* out) {
    const FieldDescriptor& field = *step.field;
    PutTag(TagOf(field, false), out);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        PutProtobufVarint(field.default_value_bool() ? 1 : 0, out);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        PutNumber(step, field.default_value_int32(), out);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        PutNumber(step, static_cast<int32_t>(field.default_value_uint32()), out);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        PutNumber(step, field.default_value_int64(), out);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        PutNumber(step, static_cast<int64_t>(field.default_value_uint64()), out);
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        PutFixed(field.default_value_float(), out);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        PutFixed(field.default_value_double(), out);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        PutProtobufVarint(static_cast<uint64_t>(int64_t{field.default_value_enum()->number()}), out);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        PutProtobufVarint(field.default_value_string().size(), out);
        out->append(field.default_value_string());
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return arrow::Status::Invalid("Message missing required fields: ", field.full_name());
    }
    return arrow::Status::OK();
  }

  arrow::Status PutList(const BoundColumn& column, int64_t row, std::string* out) {
    const Step& step = *column.step;
    int64_t begin = column.lists[column.list_offset + row], end = column.lists[column.list_offset + row + 1];
    if (begin == end) return arrow::Status::OK();
    std::string packed;
    for (int64_t i = begin; i < end; ++i) {
      if (column.IsNull(i))
        return arrow::Status::Invalid("An array with a NULL cannot be written as ", step.proto_path);
      if (step.packed) {
        ARROW_RETURN_NOT_OK(PutScalar(column, i, &packed));
      } else {
        ARROW_RETURN_NOT_OK(PutValue(column, i, out));
      }
    }
    if (step.packed) PutNested(step.tag, packed, out);
    return arrow::Status::OK();
  }

  arrow::Status PutMap(const BoundColumn& column, int64_t row, std::string* out) {
    int64_t begin = column.offsets[column.offset + row], end = column.offsets[column.offset + row + 1];
    for (int64_t i = begin; i < end; ++i) {
      std::string entry;
      ARROW_RETURN_NOT_OK(PutField(column.children[0], i, &entry));
      const BoundColumn& value = column.children[1];
      if (value.IsNull(i) && value.step->field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        return arrow::Status::Invalid("A map with a NULL cannot be written as ", column.step->proto_path);
      }
      // Of proto2, where a default is there to be seen.
      if (value.IsNull(i) && !value.step->skips_default) {
        ARROW_RETURN_NOT_OK(PutDefault(*value.step, &entry));
      } else {
        ARROW_RETURN_NOT_OK(PutField(value, i, &entry));
      }
      PutNested(column.step->tag, entry, out);
    }
    return arrow::Status::OK();
  }

  static void PutNested(uint32_t tag, std::string_view bytes, std::string* out) {
    PutTag(tag, out);
    PutProtobufVarint(bytes.size(), out);
    out->append(bytes);
  }

  /// A value with its tag.
  arrow::Status PutValue(const BoundColumn& column, int64_t row, std::string* out) {
    const Step& step = *column.step;
    if (step.op == Op::kMessage) {
      std::string nested;
      ARROW_RETURN_NOT_OK(PutMessage(column, row, &nested));
      if (step.field->type() == FieldDescriptor::TYPE_GROUP) {
        PutTag(step.tag, out);
        out->append(nested);
        PutTag(step.tag + 1, out);
      } else {
        PutNested(step.tag, nested, out);
      }
      return arrow::Status::OK();
    }
    if (step.op == Op::kTimestamp) {
      PutNested(step.tag, SecondsAndNanos(column.Value<int64_t>(row)), out);
      return arrow::Status::OK();
    }
    if (step.wrapped != 0) {
      std::string value;
      ARROW_RETURN_NOT_OK(PutScalar(column, row, &value));
      if (IsDefault(column, row)) {
        value.clear();
      } else {
        std::string tagged;
        PutTag(step.wrapped, &tagged);
        value = tagged + value;
      }
      PutNested(step.tag, value, out);
      return arrow::Status::OK();
    }
    if (step.skips_default && IsDefault(column, row)) return arrow::Status::OK();
    PutTag(step.tag, out);
    return PutScalar(column, row, out);
  }

  /// Spark goes through milliseconds, and lets both parts have the sign.
  static std::string SecondsAndNanos(int64_t micros) {
    int64_t millis = micros / 1000 - (micros % 1000 < 0 ? 1 : 0);
    int64_t seconds = millis / 1000, nanos = millis % 1000 * 1'000'000;
    std::string out;
    if (seconds != 0) {
      PutTag(1 << 3, &out);
      PutProtobufVarint(static_cast<uint64_t>(seconds), &out);
    }
    if (nanos != 0) {
      PutTag(2 << 3, &out);
      PutProtobufVarint(static_cast<uint64_t>(nanos), &out);
    }
    return out;
  }

  static bool IsDefault(const BoundColumn& column, int64_t row) {
    switch (column.step->op) {
      case Op::kBoolean:
        return !arrow::bit_util::GetBit(column.values, column.offset + row);
      case Op::kInt8:
        return column.Value<int8_t>(row) == 0;
      case Op::kInt16:
        return column.Value<int16_t>(row) == 0;
      case Op::kInt32:
      case Op::kEnumByNumber:
        return column.Value<int32_t>(row) == 0;
      case Op::kInt64:
        return column.Value<int64_t>(row) == 0;
      case Op::kUint64OfDecimal:
        return Unscaled(column, row) == 0;
      case Op::kFloat:
        return std::bit_cast<uint32_t>(column.Value<float>(row)) == 0;
      case Op::kDouble:
        return std::bit_cast<uint64_t>(column.Value<double>(row)) == 0;
      case Op::kBytes:
        return column.Bytes(row).empty();
      case Op::kEnumByName: {
        auto found = column.step->enum_numbers.find(column.Bytes(row));
        return found != column.step->enum_numbers.end() && found->second == 0;
      }
      default:
        return false;
    }
  }

  static int64_t Unscaled(const BoundColumn& column, int64_t row) {
    int64_t low;
    std::memcpy(&low, column.values + (column.offset + row) * 16, 8);
    return low;
  }

  /// A value without a tag.
  static arrow::Status PutScalar(const BoundColumn& column, int64_t row, std::string* out) {
    const Step& step = *column.step;
    switch (step.op) {
      case Op::kBoolean:
        out->push_back(arrow::bit_util::GetBit(column.values, column.offset + row) ? '\1' : '\0');
        break;
      case Op::kInt8:
        PutNumber(step, column.Value<int8_t>(row), out);
        break;
      case Op::kInt16:
        PutNumber(step, column.Value<int16_t>(row), out);
        break;
      case Op::kInt32:
        PutNumber(step, column.Value<int32_t>(row), out);
        break;
      case Op::kInt64:
        PutNumber(step, column.Value<int64_t>(row), out);
        break;
      case Op::kUint64OfDecimal:
        PutNumber(step, Unscaled(column, row), out);
        break;
      case Op::kFloat:
        PutFixed(column.Value<float>(row), out);
        break;
      case Op::kDouble:
        PutFixed(column.Value<double>(row), out);
        break;
      case Op::kBytes: {
        std::string_view bytes = column.Bytes(row);
        PutProtobufVarint(bytes.size(), out);
        out->append(bytes);
        break;
      }
      case Op::kEnumByName:
      case Op::kEnumByNumber: {
        int32_t number;
        ARROW_RETURN_NOT_OK(EnumNumber(column, row, &number));
        PutProtobufVarint(static_cast<uint64_t>(int64_t{number}), out);
        break;
      }
      default:
        return InternalError("no scalar of a Protobuf message");
    }
    return arrow::Status::OK();
  }
};

}  // namespace

ProtobufEncoder::ProtobufEncoder(std::shared_ptr<const ProtobufDescriptors> descriptors,
                                 std::unique_ptr<ProtobufWriteStep> root)
    : descriptors_(std::move(descriptors)), root_(std::move(root)) {}
ProtobufEncoder::~ProtobufEncoder() = default;

arrow::Result<std::unique_ptr<ProtobufEncoder>> ProtobufEncoder::Make(
    types::DataTypePtr type, std::shared_ptr<const ProtobufDescriptors> descriptors, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const Descriptor* message, descriptors->FindMessage(name));
  ARROW_ASSIGN_OR_RAISE(auto root, WriteBinder(*message, *type).Root());
  return std::unique_ptr<ProtobufEncoder>(new ProtobufEncoder(std::move(descriptors), std::move(root)));
}

arrow::Result<std::shared_ptr<arrow::Array>> ProtobufEncoder::Encode(const arrow::Array& values,
                                                                     arrow::MemoryPool* pool) {
  BoundColumn column = BindColumn(*root_, *values.data());
  arrow::BinaryBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(values.length()));
  Encoder encoder;
  std::string message;
  for (int64_t row = 0; row < values.length(); ++row) {
    if (column.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    message.clear();
    ARROW_RETURN_NOT_OK(encoder.PutMessage(column, row, &message));
    ARROW_RETURN_NOT_OK(builder.Append(message));
  }
  return builder.Finish();
}

}  // namespace millrace::format
