#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/plan_conventions.h"

namespace millrace::sql {

namespace {

bool AtName(const Token& token, Keyword end) {
  return token.IsIdentifier() && (end == Keyword::kNotKeyword || !token.Is(end));
}

}  // namespace

arrow::Status Grammar::ParsePivots(Relation* relation) {
  while (StartsClause(position_)) {
    if (At(Keyword::kPivot)) {
      ARROW_RETURN_NOT_OK(ParsePivot(relation));
    } else if (At(Keyword::kUnpivot)) {
      ARROW_RETURN_NOT_OK(ParseUnpivot(relation));
    } else {
      break;
    }
  }
  return Status::OK();
}

arrow::Status Grammar::ParseAliasBefore(Keyword end, Expression* expression) {
  if (!Accept(Keyword::kAs) && !AtName(Peek(0), end)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::string name, Identifier());
  Expression named;
  named.mutable_alias()->mutable_expr()->Swap(expression);
  named.mutable_alias()->add_name(std::move(name));
  expression->Swap(&named);
  return Status::OK();
}

// PIVOT (sum(a) AS s, … FOR c IN ('x' AS y, …))
arrow::Status Grammar::ParsePivot(Relation* relation) {
  Take();
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  Relation input;
  input.Swap(relation);
  auto* aggregate = relation->mutable_aggregate();
  aggregate->mutable_input()->Swap(&input);
  aggregate->set_group_type(spark::connect::Aggregate::GROUP_TYPE_PIVOT);
  do {
    Expression* item = aggregate->add_aggregate_expressions();
    ARROW_RETURN_NOT_OK(ParseExpression(item));
    ARROW_RETURN_NOT_OK(ParseAliasBefore(Keyword::kFor, item));
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFor));
  Expression* column = aggregate->mutable_pivot()->mutable_col();
  if (Accept(Symbol::kLeftParen)) {
    auto* columns = column->mutable_unresolved_function();
    columns->set_function_name("struct");
    do {
      ARROW_ASSIGN_OR_RAISE(std::string name, Identifier());
      SetAttribute({std::move(name)}, columns->add_arguments());
    } while (Accept(Symbol::kComma));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  } else {
    ARROW_ASSIGN_OR_RAISE(std::string name, Identifier());
    SetAttribute({std::move(name)}, column);
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kIn));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  auto* values = aggregate->add_grouping_expressions()->mutable_unresolved_function();
  values->set_function_name(std::string(kPivotValues));
  values->set_is_internal(true);
  do {
    Expression* value = values->add_arguments();
    ARROW_RETURN_NOT_OK(ParseExpression(value));
    ARROW_RETURN_NOT_OK(ParseAliasBefore(Keyword::kNotKeyword, value));
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  return ParseTableAlias(relation);
}

// The columns of one row that UNPIVOT makes: a, or (a, b) where it makes several values.
arrow::Status Grammar::ParseUnpivotValue(Expression* value) {
  bool several = Accept(Symbol::kLeftParen);
  if (!several) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
    SetAttribute(name, value);
    return ParseAliasBefore(Keyword::kNotKeyword, value);
  }
  auto* columns = value->mutable_unresolved_function();
  columns->set_function_name(std::string(kUnpivotValues));
  columns->set_is_internal(true);
  do {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
    SetAttribute(name, columns->add_arguments());
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  return ParseAliasBefore(Keyword::kNotKeyword, value);
}

// UNPIVOT [INCLUDE NULLS | EXCLUDE NULLS] (value FOR name IN (a AS x, b, …)), or ((v, w) FOR name IN ((a, b) AS x, …))
arrow::Status Grammar::ParseUnpivot(Relation* relation) {
  Take();
  bool keeps_nulls = At(Keyword::kInclude);
  if (keeps_nulls || At(Keyword::kExclude)) {
    Take();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kNulls));
  }
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  std::vector<std::string> value_names;
  bool several = Accept(Symbol::kLeftParen);
  do {
    ARROW_ASSIGN_OR_RAISE(std::string name, Identifier());
    value_names.push_back(std::move(name));
  } while (several && Accept(Symbol::kComma));
  if (several) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  Relation input;
  input.Swap(relation);
  auto* unpivot = relation->mutable_unpivot();
  unpivot->mutable_input()->Swap(&input);
  unpivot->set_value_column_name(value_names[0]);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFor));
  ARROW_ASSIGN_OR_RAISE(*unpivot->mutable_variable_column_name(), Identifier());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kIn));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  unpivot->add_ids()->mutable_unresolved_star();
  if (several) {
    auto* names = unpivot->add_ids()->mutable_unresolved_function();
    names->set_function_name(std::string(kUnpivotColumns));
    names->set_is_internal(true);
    for (const std::string& name : value_names) SetString(name, names->add_arguments());
  }
  do {
    ARROW_RETURN_NOT_OK(ParseUnpivotValue(unpivot->mutable_values()->add_values()));
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  if (!keeps_nulls) {
    Expression present;
    SetAttribute({value_names[0]}, &present);
    WrapInFunction("isnotnull", &present);
    for (size_t i = 1; i < value_names.size(); ++i) {
      Expression another;
      SetAttribute({value_names[i]}, &another);
      WrapInFunction("isnotnull", &another);
      WrapInFunction("or", &present)->add_arguments()->Swap(&another);
    }
    WrapInFilter(&present, relation);
  }
  return ParseTableAlias(relation);
}

}  // namespace millrace::sql
