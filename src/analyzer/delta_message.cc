#include "analyzer/delta_message.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <bit>

#include "analyzer/name_resolution.h"
#include "base/error.h"
#include "base/file_system.h"

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
    } else if (field.type() == UnknownField::TYPE_FIXED64) {
      message.fields_.push_back({field.number(), true, static_cast<int64_t>(field.fixed64()), ""});
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

std::optional<double> DeltaMessage::Double(int number) const {
  if (!Has(number)) return std::nullopt;
  return std::bit_cast<double>(Varint(number));
}

namespace {

arrow::Result<DeltaEnvelope> OpenEnvelope(const google::protobuf::Any& extension, const char* type_url) {
  if (extension.type_url() != type_url) {
    return UserError("CONNECT_INVALID_PLAN.NO_HANDLER_FOR_EXTENSION", {{"extensionTypeUrl", extension.type_url()}});
  }
  ARROW_ASSIGN_OR_RAISE(DeltaMessage outer, DeltaMessage::Parse(extension.value()));
  DeltaEnvelope envelope;
  envelope.kind = outer.FirstField();
  if (envelope.kind == 0) {
    return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE", {{"errorMsg", "an empty message of Delta's"}});
  }
  ARROW_ASSIGN_OR_RAISE(envelope.message, DeltaMessage::Parse(outer.Bytes(envelope.kind)));
  return envelope;
}

}  // namespace

arrow::Result<DeltaEnvelope> OpenDeltaRelation(const google::protobuf::Any& extension) {
  return OpenEnvelope(extension, "type.googleapis.com/delta.connect.DeltaRelation");
}

arrow::Result<DeltaEnvelope> OpenDeltaCommand(const google::protobuf::Any& extension) {
  return OpenEnvelope(extension, "type.googleapis.com/delta.connect.DeltaCommand");
}

arrow::Result<std::vector<std::string>> DeltaTableParts(const DeltaMessage& message) {
  ARROW_ASSIGN_OR_RAISE(DeltaTableName table, DeltaTableOf(message));
  if (!table.name.empty()) return ParseNameParts(table.name);
  // DeltaTable takes paths below the working directory, which names in SQL do not.
  bool has_scheme = table.path.find(':') < table.path.find('/');
  return std::vector<std::string>{"delta", has_scheme ? table.path : AbsolutePath(table.path)};
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
