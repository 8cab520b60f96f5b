#include "base/ascii.h"
#include "sql/data_type_proto.h"
#include "sql/grammar/grammar.h"

/// CREATE FUNCTION … RETURN and DROP FUNCTION.

namespace millrace::sql {

// CREATE [OR REPLACE] [TEMPORARY] FUNCTION [IF NOT EXISTS] name (parameters) [RETURNS …] [characteristics] RETURN body
arrow::Status Grammar::ParseCreateFunction(Command* out) {
  size_t start = position_;
  Take();
  CreateFunction create;
  create.replace = Accept(Keyword::kOr, Keyword::kReplace);
  create.temporary = Accept(Keyword::kTemporary) || Accept(Keyword::kTemp);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFunction));
  ARROW_ASSIGN_OR_RAISE(create.if_not_exists, IfNotExists());
  ARROW_ASSIGN_OR_RAISE(create.name, MultipartIdentifier());
  // A class of the JVM.
  if (!At(Symbol::kLeftParen)) {
    if (!At(Keyword::kAs)) return SyntaxErrorHere();
    position_ = start;
    return UnsupportedStatement();
  }
  if (create.replace && create.if_not_exists) {
    return ErrorAt(start, "INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE");
  }
  if (create.temporary && create.if_not_exists) {
    return ErrorAt(start, "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS");
  }
  ARROW_RETURN_NOT_OK(ParseFunctionParameters(&create));
  if (At(Keyword::kReturns)) ARROW_RETURN_NOT_OK(ParseFunctionReturns(&create));
  ARROW_RETURN_NOT_OK(ParseFunctionCharacteristics(&create));
  if (!EqualsIgnoreCase(Peek().text, "RETURN")) return SyntaxErrorHere();
  Take();
  size_t first = position_;
  create.body_is_query = AtQueryStatement() && !At(Symbol::kLeftParen);
  if (create.body_is_query) {
    Relation query;
    ARROW_RETURN_NOT_OK(ParseQuery(&query));
  } else {
    Expression value;
    std::vector<Relation> subqueries;
    std::vector<Relation>* outside = subqueries_;
    subqueries_ = &subqueries;
    arrow::Status parsed = ParseExpression(&value);
    subqueries_ = outside;
    ARROW_RETURN_NOT_OK(parsed);
  }
  create.body = TextBetween(first, position_);
  *out = std::move(create);
  return Status::OK();
}

arrow::Status Grammar::ParseFunctionParameters(CreateFunction* create) {
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  size_t first = position_;
  while (!At(Symbol::kRightParen)) {
    CreateFunction::Parameter& parameter = create->parameters.emplace_back();
    ARROW_ASSIGN_OR_RAISE(parameter.field.name, Identifier());
    spark::connect::DataType type;
    size_t type_start = position_;
    ARROW_RETURN_NOT_OK(ParseType(&type));
    if (type.has_char_() || type.has_var_char()) {
      return ErrorAt(type_start, "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING");
    }
    ARROW_ASSIGN_OR_RAISE(parameter.field.type, DataTypeFromProto(type));
    while (!At(Symbol::kComma) && !At(Symbol::kRightParen)) {
      if (Accept(Keyword::kNot, Keyword::kNull)) {
        parameter.field.nullable = false;
      } else if (Accept(Keyword::kDefault)) {
        size_t begin = position_;
        Expression value;
        std::vector<Relation> subqueries;
        std::vector<Relation>* outside = subqueries_;
        subqueries_ = &subqueries;
        arrow::Status parsed = ParseExpression(&value);
        subqueries_ = outside;
        ARROW_RETURN_NOT_OK(parsed);
        if (!subqueries.empty()) {
          return UserError("USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION",
                           {{"functionName", create->name.back()}, {"parameterName", parameter.field.name}});
        }
        parameter.default_text = TextBetween(begin, position_);
      } else if (Accept(Keyword::kComment)) {
        ARROW_ASSIGN_OR_RAISE(parameter.comment, StringValue());
      } else if (At(Keyword::kGenerated)) {
        return ErrorAt(0, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS");
      } else if (At(Keyword::kUnique) || At(Keyword::kCheck) || At(Keyword::kPrimary) || At(Keyword::kConstraint) ||
                 At(Keyword::kReferences)) {
        return ErrorAt(0, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS");
      } else {
        return SyntaxErrorHere();
      }
    }
    if (Accept(Symbol::kComma) && At(Symbol::kRightParen)) return SyntaxErrorHere();
  }
  create->parameters_text = TextBetween(first, position_);
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseFunctionReturns(CreateFunction* create) {
  Take();
  if (!Accept(Keyword::kTable)) {
    spark::connect::DataType type;
    size_t type_start = position_;
    ARROW_RETURN_NOT_OK(ParseType(&type));
    if (type.has_char_() || type.has_var_char()) {
      return ErrorAt(type_start, "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING");
    }
    return DataTypeFromProto(type).Value(&create->returns);
  }
  create->is_table = true;
  if (!Accept(Symbol::kLeftParen)) return Status::OK();
  size_t first = position_;
  std::vector<types::StructField> fields;
  do {
    types::StructField& field = fields.emplace_back();
    ARROW_ASSIGN_OR_RAISE(field.name, Identifier());
    spark::connect::DataType type;
    ARROW_RETURN_NOT_OK(ParseType(&type));
    ARROW_ASSIGN_OR_RAISE(field.type, DataTypeFromProto(type));
    if (Accept(Keyword::kNot, Keyword::kNull)) field.nullable = false;
    if (Accept(Keyword::kComment)) ARROW_RETURN_NOT_OK(StringValue().status());
  } while (Accept(Symbol::kComma));
  create->returns_text = TextBetween(first, position_);
  create->returns = types::Struct(std::move(fields));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseFunctionCharacteristics(CreateFunction* create) {
  while (true) {
    if (Accept(Keyword::kLanguage)) {
      ARROW_ASSIGN_OR_RAISE(std::string language, Identifier());
      if (!EqualsIgnoreCase(language, "SQL")) return Unsupported("CREATE FUNCTION LANGUAGE " + ToUpperAscii(language));
    } else if (Accept(Keyword::kDeterministic)) {
      create->deterministic = true;
    } else if (At(Keyword::kNot) && Peek(1).Is(Keyword::kDeterministic)) {
      position_ += 2;
      create->deterministic = false;
    } else if (Accept(Keyword::kComment)) {
      ARROW_ASSIGN_OR_RAISE(create->comment, StringValue());
    } else if (At(Keyword::kContains) || At(Keyword::kReads)) {
      create->reads_data = Take().Is(Keyword::kReads);
      if (!EqualsIgnoreCase(Peek().text, "SQL")) return SyntaxErrorHere();
      Take();
      if (*create->reads_data) {
        if (!EqualsIgnoreCase(Peek().text, "DATA")) return SyntaxErrorHere();
        Take();
      }
    } else if (EqualsIgnoreCase(Peek().text, "SQL") && EqualsIgnoreCase(Peek(1).text, "SECURITY")) {
      position_ += 2;
      ARROW_RETURN_NOT_OK(Identifier().status());
    } else {
      return Status::OK();
    }
  }
}

// DROP [TEMPORARY] FUNCTION [IF EXISTS] name
arrow::Status Grammar::ParseDropFunction(Command* out) {
  Take();
  DropFunction drop;
  drop.temporary = Accept(Keyword::kTemporary) || Accept(Keyword::kTemp);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFunction));
  ARROW_ASSIGN_OR_RAISE(drop.if_exists, IfExists());
  ARROW_ASSIGN_OR_RAISE(drop.name, MultipartIdentifier());
  *out = std::move(drop);
  return Status::OK();
}

}  // namespace millrace::sql
