#include "base/ascii.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "sql/string_literal.h"
#include "types/time_zone.h"

/// SHOW, DESCRIBE, USE, EXPLAIN, CACHE, REFRESH, ANALYZE, COMMENT, SET, RESET.

namespace millrace::sql {

using Kind = Show::Kind;

// [IN|FROM database] [[LIKE] 'pattern']
arrow::Status Grammar::ParseShowTail(Show* show) {
  if (Accept(Keyword::kIn) || Accept(Keyword::kFrom)) {
    ARROW_ASSIGN_OR_RAISE(show->name, MultipartIdentifier());
  }
  bool like = Accept(Keyword::kLike);
  if (like || Peek().kind == TokenKind::kString) {
    ARROW_ASSIGN_OR_RAISE(show->pattern, StringValue());
  }
  return Status::OK();
}

arrow::Status Grammar::ParseShowFunctions(Show* show) {
  show->kind = Kind::kFunctions;
  if (!At(Keyword::kFunctions)) show->scope = ToUpperAscii(Take().text);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFunctions));
  if (Accept(Keyword::kIn) || Accept(Keyword::kFrom)) {
    ARROW_ASSIGN_OR_RAISE(show->database, MultipartIdentifier());
  }
  Accept(Keyword::kLike);
  if (Peek().kind == TokenKind::kString) {
    ARROW_ASSIGN_OR_RAISE(show->pattern, StringValue());
  } else if (Peek().IsIdentifier()) {
    ARROW_ASSIGN_OR_RAISE(NameParts name, MultipartIdentifier());
    show->pattern = name.back();
  }
  return Status::OK();
}

arrow::Status Grammar::ParseShowColumns(Show* show) {
  show->kind = Kind::kColumns;
  Take();
  if (!Accept(Keyword::kIn)) ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  ARROW_ASSIGN_OR_RAISE(show->name, MultipartIdentifier());
  if (Accept(Keyword::kIn) || Accept(Keyword::kFrom)) {
    ARROW_ASSIGN_OR_RAISE(show->database, MultipartIdentifier());
  }
  return Status::OK();
}

// PARTITIONS table [PARTITION (…)], TBLPROPERTIES table [(key)]
arrow::Status Grammar::ParseShowDetails(Show show, Command* out) {
  bool partitions = Take().Is(Keyword::kPartitions);
  show.kind = partitions ? Kind::kPartitions : Kind::kTblProperties;
  ARROW_ASSIGN_OR_RAISE(show.name, MultipartIdentifier());
  if (partitions && Accept(Keyword::kPartition)) {
    ARROW_RETURN_NOT_OK(ParsePartitionSpec(&show.partition));
  } else if (!partitions && Accept(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(show.key, PropertyKey());
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  *out = std::move(show);
  return Status::OK();
}

arrow::Status Grammar::ParseShowCreate(Show show, Command* out) {
  if (!Peek(1).Is(Keyword::kTable)) {
    --position_;
    return UnsupportedStatement();
  }
  position_ += 2;
  show.kind = Kind::kCreateTable;
  ARROW_ASSIGN_OR_RAISE(show.name, MultipartIdentifier());
  if (At(Keyword::kAs)) return Unsupported("SHOW CREATE TABLE AS SERDE");
  *out = std::move(show);
  return Status::OK();
}

// TABLE EXTENDED [IN database] LIKE 'pattern' [PARTITION (…)]
arrow::Status Grammar::ParseShowTableExtended(Show show, Command* out) {
  position_ += 2;
  show.kind = Kind::kTableExtended;
  if (Accept(Keyword::kIn) || Accept(Keyword::kFrom)) {
    ARROW_ASSIGN_OR_RAISE(show.name, MultipartIdentifier());
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kLike));
  ARROW_ASSIGN_OR_RAISE(show.pattern, StringValue());
  if (Accept(Keyword::kPartition)) ARROW_RETURN_NOT_OK(ParsePartitionSpec(&show.partition));
  *out = std::move(show);
  return Status::OK();
}

arrow::Status Grammar::ParseShow(Command* out) {
  Show show{};
  Take();
  const Token& what = Peek();
  switch (what.keyword) {
    case Keyword::kTables:
      show.kind = Kind::kTables;
      break;
    case Keyword::kViews:
      show.kind = Kind::kViews;
      break;
    case Keyword::kDatabases:
    case Keyword::kSchemas:
    case Keyword::kNamespaces:
      show.kind = Kind::kDatabases;
      break;
    case Keyword::kCatalogs:
      show.kind = Kind::kCatalogs;
      break;
    case Keyword::kColumns:
      ARROW_RETURN_NOT_OK(ParseShowColumns(&show));
      *out = std::move(show);
      return Status::OK();
    case Keyword::kFunctions:
    case Keyword::kUser:
    case Keyword::kSystem:
    case Keyword::kAll:
      ARROW_RETURN_NOT_OK(ParseShowFunctions(&show));
      *out = std::move(show);
      return Status::OK();
    case Keyword::kCurrent:
      Take();
      if (!AtDatabaseWord(0)) return SyntaxErrorHere();
      show.kind = Kind::kCurrentNamespace;
      break;
    case Keyword::kPartitions:
    case Keyword::kTblproperties:
      return ParseShowDetails(std::move(show), out);
    case Keyword::kCreate:
      return ParseShowCreate(std::move(show), out);
    case Keyword::kTable:
      if (Peek(1).Is(Keyword::kExtended)) return ParseShowTableExtended(std::move(show), out);
      --position_;
      return UnsupportedStatement();
    default:
      --position_;
      return UnsupportedStatement();
  }
  Take();
  if (show.kind != Kind::kCurrentNamespace) ARROW_RETURN_NOT_OK(ParseShowTail(&show));
  *out = std::move(show);
  return Status::OK();
}

// [PARTITION (…) | column] [AS JSON]
arrow::Status Grammar::ParseDescribeTail(Describe* describe) {
  if (Accept(Keyword::kPartition)) {
    size_t first = position_;
    ARROW_RETURN_NOT_OK(ParsePartitionSpec(&describe->partition));
    for (const auto& [name, value] : describe->partition) {
      if (!value) {
        return ErrorAt(first, "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", {{"partKey", QuoteIdentifier(name)}});
      }
    }
  } else if (Peek().IsIdentifier() && !At(Keyword::kAs)) {
    describe->kind = Describe::Kind::kColumn;
    ARROW_ASSIGN_OR_RAISE(describe->column, MultipartIdentifier());
  }
  if (!At(Keyword::kAs)) return Status::OK();
  size_t first = position_;
  Take();
  if (!EqualsIgnoreCase(Peek().text, "JSON")) return SyntaxErrorHere();
  Take();
  if (describe->kind == Describe::Kind::kColumn)
    return ErrorAt(first, "UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_JSON", {});
  if (!describe->extended) {
    return ErrorAt(first, "DESCRIBE_JSON_NOT_EXTENDED", {{"tableName", types::QuoteIfNeeded(describe->name.back())}});
  }
  describe->as_json = true;
  return Status::OK();
}

arrow::Status Grammar::ParseDescribe(Command* out) {
  using What = Describe::Kind;
  Take();
  Describe describe{};
  if (At(Keyword::kFunction)) {
    Take();
    describe.kind = What::kFunction;
    describe.extended = Accept(Keyword::kExtended);
    if (Peek().IsIdentifier()) {
      ARROW_ASSIGN_OR_RAISE(describe.name, MultipartIdentifier());
    } else if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(std::string name, StringValue());
      describe.name = {name};
    } else {
      describe.name = {std::string(Take().text)};
    }
  } else if (AtDatabaseWord(0) && (Peek(1).IsIdentifier() || Peek(1).Is(Keyword::kExtended))) {
    Take();
    describe.kind = What::kDatabase;
    describe.extended = Accept(Keyword::kExtended);
    ARROW_ASSIGN_OR_RAISE(describe.name, MultipartIdentifier());
  } else if (At(Keyword::kQuery) || (AtQueryStatement() && !At(Keyword::kTable))) {
    if (At(Keyword::kQuery) && Peek(1).kind != TokenKind::kEnd) Take();
    describe.kind = What::kQuery;
    ARROW_RETURN_NOT_OK(ParseQuery(&describe.query.emplace()));
  } else {
    if (At(Keyword::kTable) && Peek(1).IsIdentifier()) Take();
    describe.kind = What::kTable;
    if ((At(Keyword::kExtended) || At(Keyword::kFormatted)) && Peek(1).IsIdentifier()) {
      Take();
      describe.extended = true;
    }
    ARROW_ASSIGN_OR_RAISE(describe.name, MultipartIdentifier());
    ARROW_RETURN_NOT_OK(ParseDescribeTail(&describe));
  }
  *out = std::move(describe);
  return Status::OK();
}

arrow::Status Grammar::ParseUse(Command* out) {
  Take();
  Use use;
  if (AtDatabaseWord(0) && Peek(1).IsIdentifier()) {
    Take();
    use.is_database = true;
  } else if (At(Keyword::kCatalog) && Peek(1).IsIdentifier()) {
    Take();
    use.is_catalog = true;
  }
  ARROW_ASSIGN_OR_RAISE(use.name, MultipartIdentifier());
  *out = std::move(use);
  return Status::OK();
}

arrow::Status Grammar::ParseExplain(Command* out) {
  Take();
  Explain explain;
  using Mode = Explain::Mode;
  if (Accept(Keyword::kExtended))
    explain.mode = Mode::kExtended;
  else if (Accept(Keyword::kCodegen))
    explain.mode = Mode::kCodegen;
  else if (Accept(Keyword::kCost))
    explain.mode = Mode::kCost;
  else if (Accept(Keyword::kFormatted))
    explain.mode = Mode::kFormatted;
  if (!AtQueryStatement()) return Unsupported("EXPLAIN of a statement that is no query");
  ARROW_RETURN_NOT_OK(ParseQuery(&explain.query));
  *out = std::move(explain);
  return Status::OK();
}

arrow::Status Grammar::ParseCache(Command* out) {
  CacheTable cache{};
  if (At(Keyword::kClear)) {
    Take();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kCache));
    cache.kind = CacheTable::Kind::kClear;
    *out = std::move(cache);
    return Status::OK();
  }
  bool uncache = Take().Is(Keyword::kUncache);
  cache.kind = uncache ? CacheTable::Kind::kUncache : CacheTable::Kind::kCache;
  if (!uncache) Accept(Keyword::kLazy);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kTable));
  if (uncache) {
    ARROW_ASSIGN_OR_RAISE(cache.if_exists, IfExists());
  }
  ARROW_ASSIGN_OR_RAISE(cache.name, MultipartIdentifier());
  if (!uncache && Accept(Keyword::kOptions)) {
    Properties ignored;
    ARROW_RETURN_NOT_OK(ParseProperties(&ignored));
  }
  bool as = !uncache && Accept(Keyword::kAs);
  if (as || (!uncache && AtQueryStatement())) ARROW_RETURN_NOT_OK(ParseQuery(&cache.query.emplace()));
  *out = std::move(cache);
  return Status::OK();
}

arrow::Status Grammar::ParseRefresh(Command* out) {
  Take();
  Refresh refresh;
  if (At(Keyword::kFunction)) return UnsupportedStatement();
  if (Peek().kind == TokenKind::kString) {
    Take();
  } else if (Accept(Keyword::kTable)) {
    ARROW_ASSIGN_OR_RAISE(refresh.table, MultipartIdentifier());
  } else {
    while (Peek().kind != TokenKind::kEnd) Take();
  }
  *out = std::move(refresh);
  return Status::OK();
}

arrow::Status Grammar::ParseAnalyze(Command* out) {
  Take();
  if (!At(Keyword::kTable)) return Unsupported("ANALYZE TABLES");
  Take();
  Analyze analyze;
  ARROW_ASSIGN_OR_RAISE(analyze.table, MultipartIdentifier());
  while (Peek().kind != TokenKind::kEnd && !At(Symbol::kSemicolon)) Take();
  *out = std::move(analyze);
  return Status::OK();
}

arrow::Status Grammar::ParseComment(Command* out) {
  position_ += 2;
  bool database = AtDatabaseWord(0);
  if (!database && !At(Keyword::kTable)) return SyntaxErrorHere();
  Take();
  ARROW_ASSIGN_OR_RAISE(NameParts name, MultipartIdentifier());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kIs));
  std::string text;
  if (!Accept(Keyword::kNull)) {
    ARROW_ASSIGN_OR_RAISE(text, StringValue());
  }
  if (database) {
    *out = AlterDatabase{std::move(name), {}, std::move(text)};
  } else {
    *out = CommentOnTable{std::move(name), std::move(text)};
  }
  return Status::OK();
}

// MSCK REPAIR TABLE name [{ADD|DROP|SYNC} PARTITIONS]
arrow::Status Grammar::ParseRepair(Command* out) {
  if (Accept(Keyword::kMsck)) {
    // What follows is the same.
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kRepair));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kTable));
  AlterTable alter{};
  alter.kind = AlterTable::Kind::kRecoverPartitions;
  alter.operation = "MSCK REPAIR TABLE";
  ARROW_ASSIGN_OR_RAISE(alter.name, MultipartIdentifier());
  if (Accept(Keyword::kAdd) || Accept(Keyword::kDrop) || Accept(Keyword::kSync)) {
    ARROW_RETURN_NOT_OK(Expect(Keyword::kPartitions));
  }
  *out = std::move(alter);
  return Status::OK();
}

// SET key=value takes the rest of the text as it stands, so this works on the text.
arrow::Status Grammar::ParseConf(Command* out) {
  bool set = At(Keyword::kSet);
  const Token& next = Peek(1);
  if (set && (next.Is(Keyword::kRole) || next.Is(Keyword::kPath))) return UnsupportedStatement();
  if (set && next.Is(Keyword::kCatalog) && Peek(2).kind != TokenKind::kEnd) {
    position_ += 2;
    Use use;
    use.is_catalog = true;
    if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(std::string name, StringValue());
      use.name = {name};
    } else {
      ARROW_ASSIGN_OR_RAISE(use.name, MultipartIdentifier());
    }
    *out = std::move(use);
    return ExpectStatementEnd();
  }
  using What = ConfStatement::Kind;
  ConfStatement statement{set ? What::kShowAll : What::kResetAll, "", ""};
  if (set && next.Is(Keyword::kTime) && Peek(2).Is(Keyword::kZone)) {
    position_ += 3;
    statement = {What::kSet, "spark.sql.session.timeZone", ""};
    ARROW_RETURN_NOT_OK(ParseTimeZone(&statement));
    *out = std::move(statement);
    return ExpectStatementEnd();
  }
  std::string_view rest = TrimAscii(text_.substr(Peek().offset + Peek().text.size()));
  while (rest.ends_with(';')) rest = TrimAscii(rest.substr(0, rest.size() - 1));
  auto unquote = [](std::string_view word) {
    bool quoted = word.size() >= 2 && word.front() == '`' && word.back() == '`';
    return quoted ? UnquoteIdentifier(word) : std::string(word);
  };
  if (!rest.empty()) {
    size_t equal = set ? rest.find('=') : std::string_view::npos;
    statement.kind = !set ? What::kReset : equal == std::string_view::npos ? What::kShow : What::kSet;
    std::string_view key = TrimAscii(rest.substr(0, equal));
    bool quoted = key.starts_with('`');
    if (set && EqualsIgnoreCase(key, "-v")) {
      statement.kind = What::kShowAll;
    } else if (key.empty() || (!quoted && key.find_first_of(" \t\r\n") != std::string_view::npos)) {
      return PositionedError(text_, Peek().offset, "INVALID_SET_SYNTAX");
    } else {
      statement.key = unquote(key);
      if (statement.kind == What::kSet) statement.value = unquote(TrimAscii(rest.substr(equal + 1)));
    }
  }
  *out = std::move(statement);
  return Status::OK();
}

// LOCAL, a name, or an interval of whole hours, minutes and seconds within a day.
arrow::Status Grammar::ParseTimeZone(ConfStatement* statement) {
  if (Accept(Keyword::kLocal)) {
    statement->value = types::TimeZone::System()->id();
    return Status::OK();
  }
  size_t first = position_;
  if (!At(Keyword::kInterval)) {
    ARROW_ASSIGN_OR_RAISE(statement->value, StringValue());
    return Status::OK();
  }
  Expression interval;
  ARROW_RETURN_NOT_OK(ParseIntervalLiteral(&interval));
  constexpr int64_t kSecond = 1000000;
  const auto& literal = interval.literal();
  int64_t micros = literal.has_day_time_interval() ? literal.day_time_interval() : 1;
  int64_t seconds = micros / kSecond;
  bool whole =
      literal.has_day_time_interval() && micros % kSecond == 0 && seconds >= -18 * 3600 && seconds <= 18 * 3600;
  if (!whole) return ErrorAt(first, "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", {{"input", ""}});
  int64_t size = seconds < 0 ? -seconds : seconds;
  auto two = [](int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  statement->value = (seconds < 0 ? "-" : "+") + two(size / 3600) + ":" + two(size / 60 % 60);
  if (size % 60 != 0) statement->value += ":" + two(size % 60);
  return Status::OK();
}

}  // namespace millrace::sql
