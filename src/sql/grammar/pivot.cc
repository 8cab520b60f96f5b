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
  if (At(Symbol::kLeftParen)) return Unsupported("PIVOT by several columns");
  ARROW_ASSIGN_OR_RAISE(std::string column, Identifier());
  SetAttribute({std::move(column)}, aggregate->mutable_pivot()->mutable_col());
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

// UNPIVOT [INCLUDE NULLS | EXCLUDE NULLS] (value FOR name IN (a AS x, b, …))
arrow::Status Grammar::ParseUnpivot(Relation* relation) {
  Take();
  bool keeps_nulls = At(Keyword::kInclude);
  if (keeps_nulls || At(Keyword::kExclude)) {
    Take();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kNulls));
  }
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  if (At(Symbol::kLeftParen)) return Unsupported("UNPIVOT into several columns");
  Relation input;
  input.Swap(relation);
  auto* unpivot = relation->mutable_unpivot();
  unpivot->mutable_input()->Swap(&input);
  ARROW_ASSIGN_OR_RAISE(*unpivot->mutable_value_column_name(), Identifier());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFor));
  ARROW_ASSIGN_OR_RAISE(*unpivot->mutable_variable_column_name(), Identifier());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kIn));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  unpivot->add_ids()->mutable_unresolved_star();
  do {
    Expression* value = unpivot->mutable_values()->add_values();
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
    SetAttribute(name, value);
    ARROW_RETURN_NOT_OK(ParseAliasBefore(Keyword::kNotKeyword, value));
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  if (!keeps_nulls) {
    Expression present;
    SetAttribute({relation->unpivot().value_column_name()}, &present);
    WrapInFunction("isnotnull", &present);
    WrapInFilter(&present, relation);
  }
  return ParseTableAlias(relation);
}

}  // namespace millrace::sql
