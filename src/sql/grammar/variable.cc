#include "sql/data_type_proto.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "sql/parser.h"

/// Session variables: DECLARE, SET VARIABLE, DROP TEMPORARY VARIABLE.

namespace millrace::sql {

arrow::Status Grammar::SelectOf(std::string_view expressions, Relation* out) const {
  return sql::ParseQuery("SELECT " + std::string(expressions), *options_, out);
}

// DECLARE [OR REPLACE] [VARIABLE | VAR] name [, name]… [type] [DEFAULT | = value]
arrow::Status Grammar::ParseDeclareVariable(Command* out) {
  size_t first = position_;
  Take();
  DeclareVariable declare;
  if (At(Keyword::kOr, Keyword::kReplace)) {
    position_ += 2;
    declare.replace = true;
  }
  if ((At(Keyword::kVariable) || At(Keyword::kVar)) && Peek(1).kind != TokenKind::kEnd && !Peek(1).Is(Symbol::kEqual)) {
    Take();
  }
  do {
    ARROW_ASSIGN_OR_RAISE(declare.names.emplace_back(), MultipartIdentifier());
  } while (Accept(Symbol::kComma));
  auto at_default = [this] { return At(Keyword::kDefault) || At(Symbol::kEqual); };
  auto at_end = [this] { return Peek().kind == TokenKind::kEnd || At(Symbol::kSemicolon); };
  if (at_end()) return ErrorAt(first, "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED");
  if (!at_default()) {
    spark::connect::DataType type;
    ARROW_RETURN_NOT_OK(ParseType(&type));
    ARROW_ASSIGN_OR_RAISE(declare.type, DataTypeFromProto(type));
  }
  std::string value = "NULL";
  if (at_default()) {
    Take();
    size_t begin = position_;
    while (!at_end()) Take();
    value = TextBetween(begin, position_);
  }
  ARROW_RETURN_NOT_OK(SelectOf(value, &declare.value));
  *out = std::move(declare);
  return Status::OK();
}

// SET VARIABLE | VAR name = value, … or (name, …) = (query)
arrow::Status Grammar::ParseSetVariable(Command* out) {
  size_t first = position_;
  position_ += 2;
  SetVariable set;
  if (At(Symbol::kLeftParen)) {
    Take();
    if (At(Symbol::kRightParen)) return ErrorAt(first, "INVALID_SET_SYNTAX");
    do {
      ARROW_ASSIGN_OR_RAISE(set.names.emplace_back(), MultipartIdentifier());
    } while (Accept(Symbol::kComma));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kEqual));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    ARROW_RETURN_NOT_OK(ParseQuery(&set.query.emplace()));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    set.to_default.resize(set.names.size());
    *out = std::move(set);
    return Status::OK();
  }
  std::string values;
  do {
    ARROW_ASSIGN_OR_RAISE(set.names.emplace_back(), MultipartIdentifier());
    ARROW_RETURN_NOT_OK(Expect(Symbol::kEqual));
    size_t begin = position_;
    bool alone = Peek(1).Is(Symbol::kComma) || Peek(1).Is(Symbol::kSemicolon) || Peek(1).kind == TokenKind::kEnd;
    set.to_default.push_back(At(Keyword::kDefault) && alone);
    if (set.to_default.back()) {
      Take();
      continue;
    }
    // The value is parsed as a query of its own.
    const int32_t depth = Peek().paren_depth;
    auto ends = [&] { return At(Symbol::kSemicolon) || (At(Symbol::kComma) && Peek().paren_depth == depth); };
    while (Peek().kind != TokenKind::kEnd && !ends()) Take();
    values += (values.empty() ? "" : ", ") + TextBetween(begin, position_);
  } while (Accept(Symbol::kComma));
  if (!values.empty()) ARROW_RETURN_NOT_OK(SelectOf(values, &set.query.emplace()));
  *out = std::move(set);
  return Status::OK();
}

arrow::Status Grammar::ParseDropVariable(Command* out) {
  position_ += 3;
  DropVariable drop;
  ARROW_ASSIGN_OR_RAISE(drop.if_exists, IfExists());
  ARROW_ASSIGN_OR_RAISE(drop.name, MultipartIdentifier());
  *out = std::move(drop);
  return Status::OK();
}

}  // namespace millrace::sql
