#include "format/protobuf/protobuf_message.h"

#include <google/protobuf/descriptor.h>

#include <bit>
#include <map>
#include <optional>

#include "base/error.h"

namespace millrace::format {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

constexpr int kDeepestRecursion = 10;
constexpr int kDense = 4096;
constexpr const char* kDummyField = "__dummy_field_in_empty_struct";

bool IsSecondsAndNanos(const Descriptor& message, std::string_view name) {
  auto is = [&](int i, std::string_view field, FieldDescriptor::Type type) {
    return message.field(i)->name() == field && message.field(i)->type() == type && !message.field(i)->is_repeated();
  };
  return message.name() == name && message.field_count() == 2 && is(0, "seconds", FieldDescriptor::TYPE_INT64) &&
         is(1, "nanos", FieldDescriptor::TYPE_INT32);
}

ProtobufWire WireOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_FLOAT:
      return ProtobufWire::kFixed32;
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
    case FieldDescriptor::TYPE_DOUBLE:
      return ProtobufWire::kFixed64;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      return ProtobufWire::kLength;
    case FieldDescriptor::TYPE_GROUP:
      return ProtobufWire::kGroup;
    default:
      return ProtobufWire::kVarint;
  }
}

void SetDefault(const FieldDescriptor& field, ProtobufField* out) {
  auto zigzag = [](int64_t value) { return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63); };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      out->default_bits = field.default_value_bool() ? 1 : 0;
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      out->default_bits = out->op == ProtobufOp::kZigzag32
                              ? zigzag(field.default_value_int32())
                              : static_cast<uint64_t>(int64_t{field.default_value_int32()});
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      out->default_bits = field.default_value_uint32();
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      out->default_bits = out->op == ProtobufOp::kZigzag64 ? zigzag(field.default_value_int64())
                                                           : static_cast<uint64_t>(field.default_value_int64());
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      out->default_bits = field.default_value_uint64();
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      out->default_bits = std::bit_cast<uint32_t>(field.default_value_float());
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      out->default_bits = std::bit_cast<uint64_t>(field.default_value_double());
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      out->default_bits = static_cast<uint64_t>(int64_t{field.default_value_enum()->number()});
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      out->default_bytes = field.default_value_string();
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

class Binder {
 public:
  explicit Binder(const ProtobufOptions& options) : options_(options) {}

  /// How many times each message type lies around the place that is bound.
  using Depths = std::map<std::string, int>;

  arrow::Result<std::unique_ptr<ProtobufMessage>> Message(const Descriptor& descriptor, const Depths& depths,
                                                          std::vector<types::StructField>* columns) {
    auto message = std::make_unique<ProtobufMessage>();
    for (int i = 0; i < descriptor.field_count(); ++i) {
      const FieldDescriptor& field = *descriptor.field(i);
      ProtobufField bound;
      ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, Field(field, depths, &bound));
      if (type != nullptr) {
        bound.column = static_cast<int>(columns->size());
        bool is_list = bound.repeated && bound.op != ProtobufOp::kMap;
        columns->push_back(
            {field.name(), is_list ? types::Array(type, false) : type, bound.repeated || !field.is_required(), {}});
      }
      message->any_required |= bound.required;
      message->fields.push_back(std::move(bound));
      auto place = static_cast<uint16_t>(message->fields.size());
      if (field.number() < kDense) {
        if (static_cast<size_t>(field.number()) >= message->dense.size()) {
          message->dense.resize(static_cast<size_t>(field.number()) + 1);
        }
        message->dense[static_cast<size_t>(field.number())] = place;
      } else {
        message->sparse[field.number()] = place;
      }
    }
    if (columns->empty() && options_.retain_empty_messages)
      columns->push_back({kDummyField, types::String(), true, {}});
    message->num_columns = static_cast<int>(columns->size());
    return message;
  }

 private:
  /// The type of one value; null where the field is left out.
  arrow::Result<types::DataTypePtr> Field(const FieldDescriptor& field, const Depths& depths, ProtobufField* out) {
    out->number = field.number();
    out->wire = WireOf(field);
    out->repeated = field.is_repeated();
    out->packable = field.is_packable();
    out->required = field.is_required();
    out->has_presence = field.has_presence();
    out->has_default = field.has_default_value();
    if (const auto* oneof = field.containing_oneof()) out->oneof = oneof->index();
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, Value(field, depths, out));
    SetDefault(field, out);
    return type;
  }

  arrow::Result<types::DataTypePtr> Value(const FieldDescriptor& field, const Depths& depths, ProtobufField* out) {
    auto as = [&](ProtobufOp op, types::DataTypePtr type) {
      out->op = op;
      return type;
    };
    switch (field.type()) {
      case FieldDescriptor::TYPE_BOOL:
        return as(ProtobufOp::kBoolean, types::Boolean());
      case FieldDescriptor::TYPE_INT32:
      case FieldDescriptor::TYPE_FIXED32:
      case FieldDescriptor::TYPE_SFIXED32:
        return as(ProtobufOp::kInt32, types::Integer());
      case FieldDescriptor::TYPE_UINT32:
        return options_.upcast_unsigned_ints ? as(ProtobufOp::kUint32, types::Long())
                                             : as(ProtobufOp::kInt32, types::Integer());
      case FieldDescriptor::TYPE_SINT32:
        return as(ProtobufOp::kZigzag32, types::Integer());
      case FieldDescriptor::TYPE_INT64:
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        return as(ProtobufOp::kInt64, types::Long());
      case FieldDescriptor::TYPE_UINT64:
        return options_.upcast_unsigned_ints ? as(ProtobufOp::kUint64, types::Decimal(20, 0))
                                             : as(ProtobufOp::kInt64, types::Long());
      case FieldDescriptor::TYPE_SINT64:
        return as(ProtobufOp::kZigzag64, types::Long());
      case FieldDescriptor::TYPE_FLOAT:
        return as(ProtobufOp::kFloat, types::Float());
      case FieldDescriptor::TYPE_DOUBLE:
        return as(ProtobufOp::kDouble, types::Double());
      case FieldDescriptor::TYPE_STRING:
        out->checks_utf8 = field.file()->syntax() == google::protobuf::FileDescriptor::SYNTAX_PROTO3;
        return as(ProtobufOp::kString, types::String());
      case FieldDescriptor::TYPE_BYTES:
        return as(ProtobufOp::kBytes, types::Binary());
      case FieldDescriptor::TYPE_ENUM:
        return Enum(field, out);
      case FieldDescriptor::TYPE_MESSAGE:
      case FieldDescriptor::TYPE_GROUP:
        return MessageValue(field, depths, out);
    }
    return UserError("PROTOBUF_TYPE_NOT_SUPPORT", {{"protobufType", field.type_name()}});
  }

  types::DataTypePtr Enum(const FieldDescriptor& field, ProtobufField* out) {
    const auto& values = *field.enum_type();
    out->closed = values.file()->syntax() != google::protobuf::FileDescriptor::SYNTAX_PROTO3;
    out->enum_type = values.name();
    // Of several names of a number the first counts.
    for (int i = 0; i < values.value_count(); ++i)
      out->enum_names.emplace(values.value(i)->number(), values.value(i)->name());
    out->op = options_.enums_as_ints ? ProtobufOp::kEnumNumber : ProtobufOp::kEnumName;
    return options_.enums_as_ints ? types::Integer() : types::String();
  }

  /// Binds a message whose fields are no columns of their own.
  arrow::Status Inner(const Descriptor& descriptor, ProtobufField* out) {
    std::vector<types::StructField> columns;
    ARROW_ASSIGN_OR_RAISE(out->message, Message(descriptor, {}, &columns));
    return arrow::Status::OK();
  }

  arrow::Result<types::DataTypePtr> MessageValue(const FieldDescriptor& field, const Depths& depths,
                                                 ProtobufField* out) {
    const Descriptor& message = *field.message_type();
    if (IsSecondsAndNanos(message, "Duration") || IsSecondsAndNanos(message, "Timestamp")) {
      bool is_duration = message.name() == "Duration";
      out->op = is_duration ? ProtobufOp::kDuration : ProtobufOp::kTimestamp;
      ARROW_RETURN_NOT_OK(Inner(message, out));
      return is_duration ? types::DayTimeInterval() : types::Timestamp();
    }
    if (options_.any_to_json && message.full_name() == "google.protobuf.Any") {
      out->op = ProtobufOp::kAnyJson;
      return types::String();
    }
    if (options_.unwrap_wrapper_types && IsProtobufWrapper(message)) {
      out->op = ProtobufOp::kWrapped;
      std::vector<types::StructField> columns;
      ARROW_ASSIGN_OR_RAISE(out->message, Message(message, {}, &columns));
      return columns[0].type;
    }
    if (field.is_map()) {
      std::vector<types::StructField> columns;
      out->op = ProtobufOp::kMap;
      ARROW_ASSIGN_OR_RAISE(out->message, Message(message, depths, &columns));
      // The value's type lies too deep.
      if (columns.size() < 2) return nullptr;
      return types::Map(columns[0].type, columns[1].type, false);
    }
    out->op = ProtobufOp::kMessage;
    auto around = depths.find(message.full_name());
    if (around != depths.end()) {
      int most = options_.recursive_fields_max_depth;
      if (most <= 0 || most > kDeepestRecursion) {
        return UserError("RECURSIVE_PROTOBUF_SCHEMA", {{"fieldDescriptor", field.full_name()}});
      }
      if (around->second >= most) return nullptr;
    }
    Depths inside = depths;
    ++inside[message.full_name()];
    std::vector<types::StructField> columns;
    ARROW_ASSIGN_OR_RAISE(out->message, Message(message, inside, &columns));
    if (columns.empty()) return nullptr;
    return types::Struct(std::move(columns));
  }

  const ProtobufOptions& options_;
};

}  // namespace

arrow::Result<ProtobufSchema> BindProtobuf(std::shared_ptr<const ProtobufDescriptors> descriptors,
                                           const std::string& name, const ProtobufOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Descriptor* descriptor, descriptors->FindMessage(name));
  std::vector<types::StructField> columns;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<const ProtobufMessage> message,
                        Binder(options).Message(*descriptor, {{descriptor->full_name(), 1}}, &columns));
  return ProtobufSchema{std::move(descriptors), std::move(message), types::Struct(std::move(columns))};
}

}  // namespace millrace::format
