#include <google/protobuf/unknown_field_set.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "sql/grammar/grammar.h"

/// What Delta's own parser adds: DESCRIBE HISTORY and DESCRIBE DETAIL, as the messages of Delta's DeltaTable class.

namespace millrace::sql {

namespace {

// Field numbers of delta.connect.DeltaRelation, DeltaTable and DeltaTable.Path.
constexpr int kHistoryField = 2;
constexpr int kDetailField = 3;
constexpr int kTableField = 1;
constexpr int kPathField = 1;
constexpr int kNameField = 2;

std::string Message(int field, const std::string& value) {
  google::protobuf::UnknownFieldSet fields;
  *fields.AddLengthDelimited(field) = value;
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

// As a reader of the name wants it: without quotes where it can be.
std::string Text(const NameParts& parts) {
  std::string text;
  for (const std::string& part : parts) {
    bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    text += (text.empty() ? "" : ".") + (plain ? part : QuoteIdentifier(part));
  }
  return text;
}

}  // namespace

bool Grammar::AtDeltaDescribe() const {
  if (!At(Keyword::kDescribe) && !At(Keyword::kDesc)) return false;
  bool word = EqualsIgnoreCase(Peek(1).text, "history") || EqualsIgnoreCase(Peek(1).text, "detail");
  return word && (Peek(2).IsIdentifier() || Peek(2).kind == TokenKind::kString);
}

// DESCRIBE HISTORY table [LIMIT n]; DESCRIBE DETAIL table; the table may be 'a path'.
arrow::Status Grammar::ParseDeltaDescribe(Relation* out) {
  Take();
  bool history = EqualsIgnoreCase(Take().text, "history");
  std::string table;
  if (Peek().kind == TokenKind::kString) {
    ARROW_ASSIGN_OR_RAISE(std::string path, StringValue());
    table = Message(kPathField, Message(kPathField, path));
  } else {
    ARROW_ASSIGN_OR_RAISE(NameParts parts, MultipartIdentifier());
    bool of_path = parts.size() == 2 && EqualsIgnoreCase(parts[0], "delta");
    table = of_path ? Message(kPathField, Message(kPathField, parts[1])) : Message(kNameField, Text(parts));
  }
  Relation described;
  described.mutable_extension()->set_type_url("type.googleapis.com/delta.connect.DeltaRelation");
  described.mutable_extension()->set_value(
      Message(history ? kHistoryField : kDetailField, Message(kTableField, table)));
  if (!history || !Accept(Keyword::kLimit)) {
    *out = std::move(described);
    return Status::OK();
  }
  if (Peek().kind != TokenKind::kInteger || Peek().text.size() > 9) return SyntaxErrorHere();
  out->mutable_limit()->set_limit(std::stoi(std::string(Take().text)));
  out->mutable_limit()->mutable_input()->Swap(&described);
  return Status::OK();
}

}  // namespace millrace::sql
