#include <limits>

#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/plan_conventions.h"

namespace millrace::sql {

using spark::connect::SetOperation;

arrow::Status Grammar::ParseQuery(Relation* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  std::vector<Relation> subqueries;
  std::vector<Relation>* outer_subqueries = subqueries_;
  size_t outer_select_start = select_start_;
  std::vector<std::string> outer_variables;
  outer_variables.swap(lambda_variables_);
  subqueries_ = &subqueries;

  std::vector<Relation> common_tables;
  if (At(Keyword::kWith)) ARROW_RETURN_NOT_OK(ParseCommonTables(&common_tables));
  std::optional<SelectInfo> info;
  ARROW_RETURN_NOT_OK(ParseQueryTerm(1, out, &info));
  ARROW_RETURN_NOT_OK(ParseQueryOrganization(out, &info));

  subqueries_ = outer_subqueries;
  select_start_ = outer_select_start;
  outer_variables.swap(lambda_variables_);
  // Plans of expression subqueries inside, common tables (which those may read) outside.
  for (std::vector<Relation>* references : {&subqueries, &common_tables}) {
    if (references->empty()) continue;
    Relation root;
    root.Swap(out);
    out->mutable_with_relations()->mutable_root()->Swap(&root);
    for (Relation& reference : *references) out->mutable_with_relations()->add_references()->Swap(&reference);
  }
  // Expressions say where in the text they stand; the text itself goes along once.
  if (subqueries_ == nullptr) {
    out->mutable_common()->mutable_origin()->mutable_jvm_origin()->set_sql_text(std::string(text_));
  }
  return Status::OK();
}

arrow::Status Grammar::ParseCommonTables(std::vector<Relation>* tables) {
  Take();
  bool recursive = At(Keyword::kRecursive) && Peek(1).IsIdentifier();
  if (recursive) Take();
  do {
    ARROW_ASSIGN_OR_RAISE(std::string name, NameIdentifier());
    std::vector<std::string> columns;
    if (At(Symbol::kLeftParen) && !StartsQuery(position_ + 1)) {
      ARROW_ASSIGN_OR_RAISE(columns, IdentifierList());
    }
    std::optional<int64_t> max_level;
    if (At(Keyword::kMax, Keyword::kRecursion)) {
      position_ += 2;
      ARROW_RETURN_NOT_OK(Expect(Keyword::kLevel));
      if (Peek().kind != TokenKind::kInteger) return SyntaxErrorHere();
      max_level = std::strtoll(std::string(Take().text).c_str(), nullptr, 10);
    }
    Accept(Keyword::kAs);
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    Relation query;
    ARROW_RETURN_NOT_OK(ParseQuery(&query));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    auto* alias = tables->emplace_back().mutable_subquery_alias();
    alias->set_alias(name);
    Relation* input = alias->mutable_input();
    if (recursive) {
      input->mutable_hint()->set_name(std::string(kRecursive));
      if (max_level) SetInteger(static_cast<int32_t>(*max_level), input->mutable_hint()->add_parameters());
      input = input->mutable_hint()->mutable_input();
    }
    if (!columns.empty()) {
      for (std::string& column : columns) input->mutable_to_df()->add_column_names(std::move(column));
      input = input->mutable_to_df()->mutable_input();
    }
    input->Swap(&query);
  } while (Accept(Symbol::kComma));
  return Status::OK();
}

arrow::Status Grammar::ParseQueryTerm(int min_precedence, Relation* out, std::optional<SelectInfo>* info) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  ARROW_RETURN_NOT_OK(ParseQueryPrimary(out, info));
  for (int chain = 0;; ++chain) {
    bool piped = At(Symbol::kPipeOperator) && min_precedence <= 1;
    if (piped) Take();
    bool set_operation = At(Keyword::kUnion) || At(Keyword::kIntersect) || At(Keyword::kExcept) || At(Keyword::kMinus);
    if (piped && !set_operation) {
      CloseSelect(info, out);
      ARROW_RETURN_NOT_OK(ParsePipeOperator(out));
      continue;
    }
    Keyword keyword = Peek().keyword;
    int precedence = keyword == Keyword::kIntersect                                                            ? 2
                     : keyword == Keyword::kUnion || keyword == Keyword::kExcept || keyword == Keyword::kMinus ? 1
                                                                                                               : 0;
    if (precedence == 0 || precedence < min_precedence) return Status::OK();
    if (chain > kMaxOperatorChain) return TooComplex();
    Take();
    bool all = Accept(Keyword::kAll);
    if (!all) Accept(Keyword::kDistinct);
    CloseSelect(info, out);
    Relation left;
    left.Swap(out);
    SetOperation* operation = out->mutable_set_op();
    operation->mutable_left_input()->Swap(&left);
    operation->set_set_op_type(keyword == Keyword::kUnion       ? SetOperation::SET_OP_TYPE_UNION
                               : keyword == Keyword::kIntersect ? SetOperation::SET_OP_TYPE_INTERSECT
                                                                : SetOperation::SET_OP_TYPE_EXCEPT);
    operation->set_is_all(all);
    std::optional<SelectInfo> right_info;
    // Behind a pipe the other side is one query, and what follows applies to both together.
    ARROW_RETURN_NOT_OK(piped ? ParseQueryPrimary(operation->mutable_right_input(), &right_info)
                              : ParseQueryTerm(precedence + 1, operation->mutable_right_input(), &right_info));
    CloseSelect(&right_info, operation->mutable_right_input());
  }
}

arrow::Status Grammar::ParseQueryPrimary(Relation* out, std::optional<SelectInfo>* info) {
  switch (Peek().keyword) {
    case Keyword::kSelect:
      return ParseSelect(out, info);
    case Keyword::kFrom:
      return ParseFromSelect(out, info);
    case Keyword::kValues:
      return ParseValues(out);
    case Keyword::kTable:
      Take();
      return ParseTable(/*is_streaming=*/false, out);
    case Keyword::kMap:
    case Keyword::kReduce:
      return Unsupported("TRANSFORM");
    default:
      break;
  }
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  ARROW_RETURN_NOT_OK(ParseQuery(out));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseQueryOrganization(Relation* query, std::optional<SelectInfo>* info) {
  if (Accept(Keyword::kOrder, Keyword::kBy)) ARROW_RETURN_NOT_OK(ParseOrderBy(query, info));
  CloseSelect(info, query);
  if (Accept(Keyword::kCluster, Keyword::kBy)) ARROW_RETURN_NOT_OK(ParseDistribution(query, /*sort=*/true));
  if (Accept(Keyword::kDistribute, Keyword::kBy)) ARROW_RETURN_NOT_OK(ParseDistribution(query, /*sort=*/false));
  if (Accept(Keyword::kSort, Keyword::kBy)) {
    Relation input;
    input.Swap(query);
    query->mutable_sort()->mutable_input()->Swap(&input);
    query->mutable_sort()->set_is_global(false);
    ARROW_RETURN_NOT_OK(ParseSortItems([&] { return query->mutable_sort()->add_order(); }));
  }
  ARROW_RETURN_NOT_OK(ParseWindowClause());
  return ParseLimits(query);
}

arrow::Status Grammar::ParseOrderBy(Relation* query, std::optional<SelectInfo>* info) {
  Relation sorted;
  auto* sort = sorted.mutable_sort();
  sort->set_is_global(true);
  ARROW_RETURN_NOT_OK(ParseSortItems([&] { return sort->add_order(); }));
  if (*info && (*info)->is_aggregate) {
    for (Expression::SortOrder& order : *sort->mutable_order()) HideAggregates(&**info, order.mutable_child());
    AppendHidden(&**info, query);
  }
  if (*info) WrapInHints(&(*info)->hints, query);
  sort->mutable_input()->Swap(query);
  query->Swap(&sorted);
  return Status::OK();
}

arrow::Status Grammar::ParseDistribution(Relation* query, bool sort) {
  Relation input;
  input.Swap(query);
  auto* repartition = query->mutable_repartition_by_expression();
  repartition->mutable_input()->Swap(&input);
  do {
    ARROW_RETURN_NOT_OK(ParseExpression(repartition->add_partition_exprs()));
  } while (Accept(Symbol::kComma));
  if (!sort) return Status::OK();
  Relation sorted;
  sorted.mutable_sort()->set_is_global(false);
  for (const Expression& key : repartition->partition_exprs()) {
    Expression::SortOrder* order = sorted.mutable_sort()->add_order();
    *order->mutable_child() = key;
    order->set_direction(Expression::SortOrder::SORT_DIRECTION_ASCENDING);
    order->set_null_ordering(Expression::SortOrder::SORT_NULLS_FIRST);
  }
  sorted.mutable_sort()->mutable_input()->Swap(query);
  query->Swap(&sorted);
  return Status::OK();
}

arrow::Status Grammar::ParseLimits(Relation* query) {
  std::optional<int32_t> limit;
  if (At(Keyword::kLimit)) {
    Take();
    if (At(Keyword::kAll) && (!StartsOperand(position_ + 1) || Peek(1).Is(Keyword::kOffset))) {
      Take();
    } else {
      ARROW_ASSIGN_OR_RAISE(limit, ParseRowCount("limit"));
    }
  }
  // LIMIT 2 OFFSET 1 skips first.
  if (Accept(Keyword::kOffset)) {
    ARROW_ASSIGN_OR_RAISE(int32_t offset, ParseRowCount("offset"));
    Relation input;
    input.Swap(query);
    query->mutable_offset()->mutable_input()->Swap(&input);
    query->mutable_offset()->set_offset(offset);
  }
  if (limit) {
    Relation input;
    input.Swap(query);
    query->mutable_limit()->mutable_input()->Swap(&input);
    query->mutable_limit()->set_limit(*limit);
  }
  return Status::OK();
}

namespace {

// The value of an integer expression without columns; nothing when it is not one.
std::optional<int64_t> FoldInteger(const Expression& expression) {
  if (expression.has_literal()) {
    const Expression::Literal& literal = expression.literal();
    if (literal.has_integer()) return literal.integer();
    if (literal.has_short_()) return literal.short_();
    if (literal.has_byte()) return literal.byte();
    return std::nullopt;
  }
  if (!expression.has_unresolved_function()) return std::nullopt;
  const Expression::UnresolvedFunction& function = expression.unresolved_function();
  std::vector<int64_t> values;
  for (const Expression& argument : function.arguments()) {
    std::optional<int64_t> value = FoldInteger(argument);
    if (!value || *value > std::numeric_limits<int32_t>::max() || *value < std::numeric_limits<int32_t>::min()) {
      return std::nullopt;
    }
    values.push_back(*value);
  }
  const std::string& name = function.function_name();
  if (values.size() == 1 && name == "-") return -values[0];
  if (values.size() == 1 && name == "+") return values[0];
  if (values.size() != 2) return std::nullopt;
  if (name == "+") return values[0] + values[1];
  if (name == "-") return values[0] - values[1];
  if (name == "*") return values[0] * values[1];
  return std::nullopt;
}

}  // namespace

arrow::Result<int32_t> Grammar::ParseRowCount(std::string_view clause) {
  size_t first = position_;
  Expression expression;
  ARROW_RETURN_NOT_OK(ParseExpression(&expression));
  const Token& last = tokens_[position_ - 1];
  size_t begin = tokens_[first].offset;
  std::string sql(text_.substr(begin, last.offset + last.text.size() - begin));
  if (expression.literal().has_string()) sql = expression.literal().string();
  auto invalid = [&](std::string_view kind, ErrorParameters parameters) {
    parameters["name"] = std::string(clause);
    parameters["expr"] = QuoteSqlExpression(sql);
    return ErrorAt(first, "INVALID_LIMIT_LIKE_EXPRESSION." + std::string(kind), std::move(parameters));
  };
  if (expression.literal().has_null()) return invalid("DATA_TYPE", {{"dataType", QuoteSqlType("VOID")}});
  if (expression.literal().has_string()) return invalid("DATA_TYPE", {{"dataType", QuoteSqlType("STRING")}});
  if (expression.literal().has_long_()) return invalid("DATA_TYPE", {{"dataType", QuoteSqlType("BIGINT")}});
  if (expression.literal().has_double_()) return invalid("DATA_TYPE", {{"dataType", QuoteSqlType("DOUBLE")}});
  std::optional<int64_t> value = FoldInteger(expression);
  if (!value && options_->constant) {
    arrow::Result<std::optional<ConstantValue>> made = options_->constant(expression);
    // What reads columns is no constant.
    const std::optional<ConstantValue> constant = made.ok() ? *made : std::optional<ConstantValue>();
    if (constant && constant->type != "INT") return invalid("DATA_TYPE", {{"dataType", QuoteSqlType(constant->type)}});
    if (constant && !constant->integer) return invalid("IS_NULL", {});
    if (constant) value = *constant->integer;
  }
  if (!value || *value > std::numeric_limits<int32_t>::max()) return invalid("IS_UNFOLDABLE", {});
  if (*value < 0) return invalid("IS_NEGATIVE", {{"v", std::to_string(*value)}});
  return static_cast<int32_t>(*value);
}

}  // namespace millrace::sql
