#include <algorithm>

#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "sql/plan_conventions.h"

/// query |> operator: each operator reads the rows of what stands before it.

namespace millrace::sql {

namespace {

void PushBelow(Relation* query, Relation* input) { input->Swap(query); }

}  // namespace

// An aggregate where only AGGREGATE may have one.
arrow::Status Grammar::RefuseAggregates(const std::vector<Expression>& expressions, size_t first_token,
                                        std::string_view clause) const {
  for (const Expression& expression : expressions) {
    if (!ContainsAggregate(expression)) continue;
    return ErrorAt(first_token, "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION",
                   {{"expr", TextBetween(first_token, position_)}, {"clause", std::string(clause)}});
  }
  return Status::OK();
}

arrow::Status Grammar::ParseNamedList(std::vector<Expression>* out) {
  do {
    ARROW_RETURN_NOT_OK(ParseNamedExpression(&out->emplace_back()));
  } while (Accept(Symbol::kComma));
  return Status::OK();
}

// REQUIRES: the current token is behind |>.
arrow::Status Grammar::ParsePipeOperator(Relation* query) {
  select_start_ = position_;
  switch (Peek().keyword) {
    case Keyword::kSelect:
      return ParsePipeSelect(query);
    case Keyword::kExtend:
      return ParsePipeExtend(query);
    case Keyword::kSet:
      return ParsePipeSet(query);
    case Keyword::kDrop:
      return ParsePipeDrop(query);
    case Keyword::kAs: {
      Take();
      ARROW_ASSIGN_OR_RAISE(std::string alias, NameIdentifier());
      std::vector<std::string> columns;
      if (At(Symbol::kLeftParen)) {
        ARROW_ASSIGN_OR_RAISE(columns, IdentifierList());
      }
      WrapInAlias(alias, std::move(columns), query);
      return Status::OK();
    }
    case Keyword::kWhere: {
      Take();
      Expression condition;
      ARROW_RETURN_NOT_OK(ParseExpression(&condition));
      WrapInFilter(&condition, query);
      return Status::OK();
    }
    case Keyword::kAggregate:
      return ParsePipeAggregate(query);
    case Keyword::kPivot:
    case Keyword::kUnpivot:
      return ParsePivots(query);
    case Keyword::kTablesample:
      return ParseSample(query);
    case Keyword::kOrder:
    case Keyword::kSort:
    case Keyword::kCluster:
    case Keyword::kDistribute:
    case Keyword::kLimit:
    case Keyword::kOffset: {
      std::optional<SelectInfo> none;
      return ParseQueryOrganization(query, &none);
    }
    default:
      break;
  }
  if (AtJoin()) return ParseJoin(query);
  return SyntaxErrorHere();
}

arrow::Status Grammar::ParsePipeSelect(Relation* query) {
  std::vector<Expression> items;
  Take();
  std::vector<spark::connect::Hint> hints;
  while (At(Symbol::kHintStart)) ARROW_RETURN_NOT_OK(ParseHints(&hints));
  bool distinct = false;
  if ((At(Keyword::kDistinct) || At(Keyword::kAll)) && StartsOperand(position_ + 1)) {
    distinct = Take().Is(Keyword::kDistinct);
  }
  ARROW_RETURN_NOT_OK(ParseNamedList(&items));
  std::vector<Expression> keys;
  bool grouped = Accept(Keyword::kGroup, Keyword::kBy);
  if (grouped) ARROW_RETURN_NOT_OK(ParseGroupBy(&keys));
  ARROW_RETURN_NOT_OK(ParseWindowClause());
  Relation input;
  PushBelow(query, &input);
  if (grouped ||
      std::any_of(items.begin(), items.end(), [&](const Expression& item) { return ContainsAggregate(item); })) {
    query->mutable_aggregate()->mutable_input()->Swap(&input);
    for (Expression& key : keys) query->mutable_aggregate()->add_grouping_expressions()->Swap(&key);
    for (Expression& item : items) query->mutable_aggregate()->add_aggregate_expressions()->Swap(&item);
  } else {
    query->mutable_project()->mutable_input()->Swap(&input);
    for (Expression& item : items) query->mutable_project()->add_expressions()->Swap(&item);
  }
  if (distinct) {
    Relation all_rows;
    PushBelow(query, &all_rows);
    query->mutable_deduplicate()->mutable_input()->Swap(&all_rows);
    query->mutable_deduplicate()->set_all_columns_as_keys(true);
  }
  WrapInHints(&hints, query);
  return Status::OK();
}

arrow::Status Grammar::ParsePipeExtend(Relation* query) {
  size_t first = position_ + 1;
  Take();
  std::vector<Expression> items;
  ARROW_RETURN_NOT_OK(ParseNamedList(&items));
  ARROW_RETURN_NOT_OK(RefuseAggregates(items, first, "EXTEND"));
  ARROW_RETURN_NOT_OK(ParseWindowClause());
  Relation input;
  PushBelow(query, &input);
  auto* project = query->mutable_project();
  project->mutable_input()->Swap(&input);
  project->add_expressions()->mutable_unresolved_star();
  for (Expression& item : items) project->add_expressions()->Swap(&item);
  return Status::OK();
}

// SET a = x, b = y: the columns in their places; a later value sees the earlier ones.
arrow::Status Grammar::ParsePipeSet(Relation* query) {
  Take();
  do {
    std::vector<std::string> name;
    ARROW_ASSIGN_OR_RAISE(name.emplace_back(), NameIdentifier());
    ARROW_RETURN_NOT_OK(Expect(Symbol::kEqual));
    size_t value_first = position_;
    Expression value;
    ARROW_RETURN_NOT_OK(ParseExpression(&value));
    ARROW_RETURN_NOT_OK(RefuseAggregates({value}, value_first, "SET"));
    Relation input;
    PushBelow(query, &input);
    query->mutable_with_columns()->mutable_input()->Swap(&input);
    auto* alias = query->mutable_with_columns()->add_aliases();
    alias->add_name(name[0]);
    Function* call = SetInternalFunction(kReplaceExisting, alias->mutable_expr());
    SetAttribute(name, call->add_arguments());
    call->add_arguments()->Swap(&value);
  } while (Accept(Symbol::kComma));
  return ParseWindowClause();
}

arrow::Status Grammar::ParsePipeDrop(Relation* query) {
  Take();
  Expression star;
  star.mutable_unresolved_star();
  Function* except = WrapInInternalFunction(kStarExcept, &star);
  do {
    ARROW_ASSIGN_OR_RAISE(std::string name, NameIdentifier());
    SetAttribute({name}, except->add_arguments());
  } while (Accept(Symbol::kComma));
  Relation input;
  PushBelow(query, &input);
  query->mutable_project()->mutable_input()->Swap(&input);
  query->mutable_project()->add_expressions()->Swap(&star);
  return Status::OK();
}

// AGGREGATE [values] [GROUP BY keys]: the keys, then the values.
arrow::Status Grammar::ParsePipeAggregate(Relation* query) {
  Take();
  std::vector<Expression> values;
  bool grouped = At(Keyword::kGroup, Keyword::kBy);
  if (!grouped) {
    do {
      size_t first = position_;
      Expression& value = values.emplace_back();
      ARROW_RETURN_NOT_OK(ParseNamedExpression(&value));
      if (!ContainsAggregate(value)) {
        return ErrorAt(first, "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION",
                       {{"expr", TextBetween(first, position_)}});
      }
    } while (Accept(Symbol::kComma));
    grouped = At(Keyword::kGroup, Keyword::kBy);
  }
  std::vector<Expression> keys;
  std::vector<Expression> shown;  // with their names
  if (grouped) {
    position_ += 2;
    do {
      Expression& key = keys.emplace_back();
      ARROW_RETURN_NOT_OK(ParseGroupingElement(&key));
      shown.push_back(key);
      ARROW_RETURN_NOT_OK(ParseAlias(&shown.back()));
      // A number names a column of the input; one with a name of its own is that number.
      bool ordinal = shown.back().has_literal() && shown.back().literal().has_integer();
      if (ordinal) WrapInInternalFunction(kInputOrdinal, &shown.back());
    } while (Accept(Symbol::kComma));
    if (At(Keyword::kWith) || At(Keyword::kGrouping))
      return Unsupported("AGGREGATE with GROUPING SETS, CUBE or ROLLUP");
  }
  Relation input;
  PushBelow(query, &input);
  auto* aggregate = query->mutable_aggregate();
  aggregate->mutable_input()->Swap(&input);
  aggregate->set_group_type(spark::connect::Aggregate::GROUP_TYPE_GROUPBY);
  for (size_t i = 0; i < keys.size(); ++i) {
    bool analytics = IsInternalFunction(keys[i], kRollup) || IsInternalFunction(keys[i], kCube) ||
                     IsInternalFunction(keys[i], kGroupingSets);
    if (analytics) return Unsupported("AGGREGATE with GROUPING SETS, CUBE or ROLLUP");
    aggregate->add_grouping_expressions()->Swap(&shown[i]);
  }
  for (Expression& value : values) aggregate->add_aggregate_expressions()->Swap(&value);
  return Status::OK();
}

}  // namespace millrace::sql
