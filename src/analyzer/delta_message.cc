#include "analyzer/delta_message.h"

#include <google/protobuf/unknown_field_set.h>

#include "base/error.h"

namespace millrace::analyzer {

using google::protobuf::UnknownField;

arrow::Result<DeltaMessage> DeltaMessage::Parse(const std::string& bytes) {
  google::protobuf::UnknownFieldSet fields;
  if (!fields.ParseFromString(bytes)) {
    return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE", {{"errorMsg", "the extension is no such message"}});
  }
  DeltaMessage message;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.type() == UnknownField::TYPE_VARINT) {
      message.fields_.push_back({field.number(), true, static_cast<int64_t>(field.varint()), ""});
    } else if (field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      message.fields_.push_back({field.number(), false, 0, field.length_delimited()});
    }
  }
  return message;
}

int DeltaMessage::FirstField() const { return fields_.empty() ? 0 : fields_[0].number; }

std::vector<std::string> DeltaMessage::AllBytes(int number) const {
  std::vector<std::string> found;
  for (const Field& field : fields_) {
    if (field.number == number && !field.is_varint) found.push_back(field.bytes);
  }
  return found;
}

std::string DeltaMessage::Bytes(int number) const {
  for (const Field& field : fields_) {
    if (field.number == number && !field.is_varint) return field.bytes;
  }
  return "";
}

bool DeltaMessage::Has(int number) const {
  for (const Field& field : fields_) {
    if (field.number == number) return true;
  }
  return false;
}

int64_t DeltaMessage::Varint(int number) const {
  for (const Field& field : fields_) {
    if (field.number == number && field.is_varint) return field.varint;
  }
  return 0;
}

arrow::Result<DeltaTableName> DeltaTableOf(const DeltaMessage& message) {
  ARROW_ASSIGN_OR_RAISE(DeltaMessage table, DeltaMessage::Parse(message.Bytes(1)));
  DeltaTableName found;
  found.name = table.Bytes(2);
  if (!found.name.empty()) return found;
  ARROW_ASSIGN_OR_RAISE(DeltaMessage path, DeltaMessage::Parse(table.Bytes(1)));
  found.path = path.Bytes(1);
  return found;
}

}  // namespace millrace::analyzer
