#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/ascii.h"
#include "base/error.h"
#include "sql/grammar/grammar.h"

/// What Delta's own parser adds: DESCRIBE HISTORY and DESCRIBE DETAIL, as the messages of Delta's DeltaTable class;
/// OPTIMIZE, VACUUM, RESTORE, CONVERT TO DELTA and SHALLOW CLONE.

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

bool Grammar::AtWord(std::string_view word, size_t ahead) const { return EqualsIgnoreCase(Peek(ahead).text, word); }

// OPTIMIZE, VACUUM, RESTORE and CONVERT are words of Delta's only.
Grammar::CommandRule Grammar::FindDeltaRule() const {
  if (AtWord("REORG") && Peek(1).Is(Keyword::kTable)) return &Grammar::ParseReorg;
  bool names_table = Peek(1).IsIdentifier() || Peek(1).kind == TokenKind::kString;
  if (!names_table) return nullptr;
  if (AtWord("OPTIMIZE")) return &Grammar::ParseOptimize;
  if (AtWord("GENERATE")) return &Grammar::ParseGenerate;
  if (AtWord("VACUUM")) return &Grammar::ParseVacuum;
  if (AtWord("RESTORE")) return &Grammar::ParseRestore;
  if (AtWord("CONVERT")) return &Grammar::ParseConvert;
  return nullptr;
}

// A name, or 'a path'.
arrow::Result<NameParts> Grammar::DeltaTableName() {
  if (Peek().kind != TokenKind::kString) return MultipartIdentifier();
  ARROW_ASSIGN_OR_RAISE(std::string path, StringValue());
  return NameParts{"delta", std::move(path)};
}

// OPTIMIZE table [FULL] [WHERE condition] [ZORDER BY (column, …)]
arrow::Status Grammar::ParseOptimize(Command* out) {
  Take();
  OptimizeTable optimize;
  ARROW_ASSIGN_OR_RAISE(optimize.table, DeltaTableName());
  if (AtWord("FULL")) {
    Take();
    optimize.full = true;
  }
  if (Accept(Keyword::kWhere)) {
    ARROW_ASSIGN_OR_RAISE(optimize.where.emplace_back(), ExpressionText());
  }
  if (AtWord("ZORDER")) {
    Take();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kBy));
    bool parenthesized = Accept(Symbol::kLeftParen);
    do {
      ARROW_ASSIGN_OR_RAISE(optimize.zorder_by.emplace_back(), MultipartIdentifier());
    } while (Accept(Symbol::kComma));
    if (parenthesized) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  *out = std::move(optimize);
  return Status::OK();
}

// REORG TABLE table [WHERE condition] APPLY (PURGE)
arrow::Status Grammar::ParseReorg(Command* out) {
  size_t start = position_;
  position_ += 2;
  ReorgTable reorg;
  ARROW_ASSIGN_OR_RAISE(reorg.table, DeltaTableName());
  if (Accept(Keyword::kWhere)) {
    ARROW_ASSIGN_OR_RAISE(reorg.where.emplace_back(), ExpressionText());
  }
  if (!AtWord("APPLY")) return SyntaxErrorHere();
  Take();
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  if (AtWord("UPGRADE")) return Unsupported("REORG TABLE … APPLY (UPGRADE UNIFORM …)");
  // What Delta's parser does not know, Spark's does not know from its first word.
  if (!AtWord("PURGE")) {
    position_ = start;
    return SyntaxErrorHere();
  }
  Take();
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  *out = std::move(reorg);
  return Status::OK();
}

// GENERATE mode FOR TABLE table
arrow::Status Grammar::ParseGenerate(Command* out) {
  Take();
  GenerateManifest generate;
  ARROW_ASSIGN_OR_RAISE(generate.mode, Identifier());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFor));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kTable));
  ARROW_ASSIGN_OR_RAISE(generate.table, DeltaTableName());
  *out = std::move(generate);
  return Status::OK();
}

// VACUUM table [LITE | FULL] [RETAIN number HOURS] [DRY RUN], in any order
arrow::Status Grammar::ParseVacuum(Command* out) {
  Take();
  VacuumTable vacuum;
  ARROW_ASSIGN_OR_RAISE(vacuum.table, DeltaTableName());
  const size_t modifiers = position_;
  bool has_kind = false;
  auto twice = [&](const char* clause) { return ErrorAt(modifiers, "DUPLICATE_CLAUSES", {{"clauseName", clause}}); };
  while (AtWord("RETAIN") || AtWord("DRY") || AtWord("LITE") || AtWord("FULL") || AtWord("USING")) {
    if (AtWord("USING")) return Unsupported("VACUUM … USING INVENTORY");
    if (AtWord("LITE") || AtWord("FULL")) {
      if (std::exchange(has_kind, true)) return twice("LITE/FULL");
      vacuum.lite = AtWord("LITE");
      Take();
      continue;
    }
    if (AtWord("DRY")) {
      Take();
      if (!AtWord("RUN")) return SyntaxErrorHere();
      Take();
      if (std::exchange(vacuum.dry_run, true)) return twice("DRY RUN");
      continue;
    }
    Take();
    if (vacuum.retain_hours) return twice("RETAIN");
    bool negative = Accept(Symbol::kMinus);
    bool number = Peek().kind == TokenKind::kInteger || Peek().kind == TokenKind::kDecimal;
    if (!number) return SyntaxErrorHere();
    vacuum.retain_hours = std::strtod(std::string(Take().text).c_str(), nullptr) * (negative ? -1 : 1);
    if (!AtWord("HOURS")) return SyntaxErrorHere();
    Take();
  }
  *out = std::move(vacuum);
  return Status::OK();
}

// [FOR] {VERSION AS OF number | TIMESTAMP AS OF 'time'}
arrow::Status Grammar::ParseTimePoint(std::optional<int64_t>* version, std::optional<std::string>* timestamp) {
  if (AtWord("FOR")) Take();
  bool by_version = AtWord("VERSION") || AtWord("SYSTEM_VERSION");
  if (!by_version && !AtWord("TIMESTAMP") && !AtWord("SYSTEM_TIME")) return SyntaxErrorHere();
  Take();
  ARROW_RETURN_NOT_OK(Expect(Keyword::kAs));
  if (!AtWord("OF")) return SyntaxErrorHere();
  Take();
  if (by_version) {
    std::string text;
    if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(text, StringValue());
    } else if (Peek().kind == TokenKind::kInteger) {
      text = std::string(Take().text);
    }
    int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return SyntaxErrorHere();
    *version = number;
  } else {
    ARROW_ASSIGN_OR_RAISE(*timestamp, StringValue());
  }
  return Status::OK();
}

// RESTORE [TABLE] table [TO] VERSION AS OF number | TIMESTAMP AS OF 'time'
arrow::Status Grammar::ParseRestore(Command* out) {
  Take();
  if (At(Keyword::kTable) && (Peek(1).IsIdentifier() || Peek(1).kind == TokenKind::kString)) Take();
  RestoreTable restore;
  ARROW_ASSIGN_OR_RAISE(restore.table, DeltaTableName());
  if (AtWord("TO")) Take();
  ARROW_RETURN_NOT_OK(ParseTimePoint(&restore.version, &restore.timestamp));
  *out = std::move(restore);
  return Status::OK();
}

// … SHALLOW CLONE source [time] [TBLPROPERTIES (…)] [LOCATION 'path']
arrow::Status Grammar::ParseClone(CreateTable target, Command* out) {
  position_ += 2;
  CloneTable clone;
  ARROW_ASSIGN_OR_RAISE(clone.source, DeltaTableName());
  bool of_a_time =
      AtWord("FOR") || AtWord("VERSION") || AtWord("SYSTEM_VERSION") || AtWord("TIMESTAMP") || AtWord("SYSTEM_TIME");
  if (of_a_time) ARROW_RETURN_NOT_OK(ParseTimePoint(&clone.version, &clone.timestamp));
  ARROW_RETURN_NOT_OK(ParseTableClauses(&target));
  clone.target = std::move(target);
  *out = std::move(clone);
  return Status::OK();
}

// CONVERT TO DELTA table [NO STATISTICS] [PARTITIONED BY (column type, …)]
arrow::Status Grammar::ParseConvert(Command* out) {
  Take();
  if (!AtWord("TO") || !AtWord("DELTA", 1)) return SyntaxErrorHere();
  position_ += 2;
  ConvertToDelta convert;
  ARROW_ASSIGN_OR_RAISE(convert.table, DeltaTableName());
  if (AtWord("NO") && AtWord("STATISTICS", 1)) {
    position_ += 2;
    convert.no_statistics = true;
  }
  if (At(Keyword::kPartitioned, Keyword::kBy)) {
    position_ += 2;
    ARROW_RETURN_NOT_OK(ParseColumnDefinitions(&convert.partition_columns));
  }
  *out = std::move(convert);
  return Status::OK();
}

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
