#include "format/protobuf/protobuf_encoder.h"

#include <arrow/array/builder_binary.h>
#include <arrow/util/bit_util.h>
#include <google/protobuf/descriptor.h>

#include <bit>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "format/column_values.h"
#include "format/protobuf/protobuf_wire.h"
#include "format/protobuf/protobuf_write_step.h"

namespace millrace::format {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

using Step = ProtobufWriteStep;
using Op = Step::Op;

/// A step with the buffers of one batch. Of an array they are the elements', and `lists` says where each list begins.
struct BoundColumn : ColumnValues {
  const Step* step = nullptr;
  const int32_t* lists = nullptr;
  const uint8_t* list_validity = nullptr;
  int64_t list_offset = 0;
  std::vector<BoundColumn> children;

  bool IsListNull(int64_t row) const {
    return list_validity != nullptr && !arrow::bit_util::GetBit(list_validity, list_offset + row);
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
    PutTag(ProtobufTag(field, false), out);
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
  ARROW_ASSIGN_OR_RAISE(auto root, BindProtobufWrite(*message, *type));
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
