#include "format/protobuf/protobuf_write_step.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::format {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using types::TypeId;

namespace {

using Step = ProtobufWriteStep;
using Op = Step::Op;
using StepResult = arrow::Result<std::unique_ptr<Step>>;

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
    step->tag = ProtobufTag(field, step->packed);
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
        step->wrapped = ProtobufTag(*message.field(0), /*packed=*/false);
        return arrow::Status::OK();
      }
    }
  }

  const Descriptor& root_;
  const types::DataType& type_;
  std::vector<std::string> sql_path_, proto_path_;
};

}  // namespace

uint32_t ProtobufTag(const FieldDescriptor& field, bool packed) {
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

arrow::Result<std::unique_ptr<ProtobufWriteStep>> BindProtobufWrite(const Descriptor& message,
                                                                    const types::DataType& type) {
  return WriteBinder(message, type).Root();
}

}  // namespace millrace::format
