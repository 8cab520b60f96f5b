#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/plan_conventions.h"

namespace millrace::sql {

struct Grammar::SelectClause {
  std::vector<spark::connect::Hint> hints;
  bool distinct = false;
  std::vector<Expression> items;
};

namespace {

// An Arrow stream with one row and no columns: what SELECT without FROM reads.
arrow::Result<std::string> OneRow() {
  auto schema = arrow::schema(arrow::FieldVector{});
  auto batch = arrow::RecordBatch::Make(schema, 1, std::vector<std::shared_ptr<arrow::Array>>{});
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create(256));
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(sink, schema));
  ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(auto buffer, sink->Finish());
  return buffer->ToString();
}

// The name a SELECT item gives its column, where the text alone says it.
std::string ColumnName(const Expression& item) {
  if (item.has_alias()) return ToLowerAscii(item.alias().name(0));
  if (item.has_unresolved_attribute()) return ToLowerAscii(AttributeParts(item).back());
  return "";
}

bool IsGroupingFunction(std::string_view name) { return name == "grouping" || name == "grouping_id"; }

bool IsAggregateWrapper(const Expression& expression) {
  return IsInternalFunction(expression, kAggregateFilter) || IsInternalFunction(expression, kIgnoreNulls) ||
         IsInternalFunction(expression, kWithinGroup);
}

// What is a condition by its form alone. HAVING takes any value as one.
bool IsPredicate(const Expression& expression) {
  static constexpr std::string_view kPredicates[] = {
      "=",   "==",  "<=>", "!=", "<>",   "<",     "<=",    ">",      ">=",        "!",
      "not", "and", "or",  "in", "like", "ilike", "rlike", "isnull", "isnotnull", "between"};
  if (!expression.has_unresolved_function()) return !expression.has_unresolved_attribute() && !expression.has_literal();
  const auto& function = expression.unresolved_function();
  std::string name = ToLowerAscii(function.function_name());
  return function.is_internal() ||
         std::find(std::begin(kPredicates), std::end(kPredicates), name) != std::end(kPredicates);
}

}  // namespace

void WrapInFilter(Expression* condition, Relation* relation) {
  Relation input;
  input.Swap(relation);
  relation->mutable_filter()->mutable_input()->Swap(&input);
  relation->mutable_filter()->mutable_condition()->Swap(condition);
}

arrow::Status Grammar::ParseSelect(Relation* out, std::optional<SelectInfo>* info) {
  select_start_ = position_;
  SelectClause clause;
  ARROW_RETURN_NOT_OK(ParseSelectClause(&clause));
  Relation input;
  if (At(Keyword::kFrom)) {
    ARROW_RETURN_NOT_OK(ParseFrom(&input));
  } else {
    ARROW_ASSIGN_OR_RAISE(std::string one_row, OneRow());
    input.mutable_local_relation()->set_data(std::move(one_row));
  }
  return ParseSelectTail(&clause, &input, out, info);
}

arrow::Status Grammar::ParseFromSelect(Relation* out, std::optional<SelectInfo>* info) {
  select_start_ = position_;
  Relation input;
  ARROW_RETURN_NOT_OK(ParseFrom(&input));
  if (!At(Keyword::kSelect)) {
    // FROM t alone is all of t.
    bool ends = Peek().kind == TokenKind::kEnd || At(Symbol::kRightParen) || At(Symbol::kPipeOperator);
    if (!ends) return SyntaxErrorHere();
    out->mutable_project()->add_expressions()->mutable_unresolved_star();
    out->mutable_project()->mutable_input()->Swap(&input);
    return Status::OK();
  }
  SelectClause clause;
  ARROW_RETURN_NOT_OK(ParseSelectClause(&clause));
  return ParseSelectTail(&clause, &input, out, info);
}

arrow::Status Grammar::ParseSelectClause(SelectClause* clause) {
  ARROW_RETURN_NOT_OK(Expect(Keyword::kSelect));
  if (At(Keyword::kTransform) && Peek(1).Is(Symbol::kLeftParen) &&
      tokens_[Closing(position_ + 1)].Is(Symbol::kRightParen) &&
      tokens_[std::min(Closing(position_ + 1) + 1, tokens_.size() - 1)].Is(Keyword::kUsing)) {
    return Unsupported("SELECT TRANSFORM");
  }
  while (At(Symbol::kHintStart)) ARROW_RETURN_NOT_OK(ParseHints(&clause->hints));
  if ((At(Keyword::kDistinct) || At(Keyword::kAll)) && StartsOperand(position_ + 1) && !StartsClause(position_ + 1)) {
    clause->distinct = Take().Is(Keyword::kDistinct);
  }
  do {
    ARROW_RETURN_NOT_OK(ParseNamedExpression(&clause->items.emplace_back()));
  } while (Accept(Symbol::kComma));
  return Status::OK();
}

arrow::Status Grammar::ParseHints(std::vector<spark::connect::Hint>* hints) {
  Take();
  while (!At(Symbol::kHintEnd)) {
    spark::connect::Hint& hint = hints->emplace_back();
    ARROW_ASSIGN_OR_RAISE(*hint.mutable_name(), Identifier());
    if (Accept(Symbol::kLeftParen)) {
      do {
        ARROW_RETURN_NOT_OK(ParsePrimary(hint.add_parameters()));
      } while (Accept(Symbol::kComma));
      ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    }
    Accept(Symbol::kComma);
  }
  Take();
  return Status::OK();
}

arrow::Status Grammar::ParseSelectTail(SelectClause* clause, Relation* input, Relation* out,
                                       std::optional<SelectInfo>* out_info) {
  ARROW_RETURN_NOT_OK(ParseLateralViews(input));
  auto partitioning = std::stable_partition(
      clause->hints.begin(), clause->hints.end(),
      [](const spark::connect::Hint& hint) { return !IsPartitioningHint(ToUpperAscii(hint.name())); });
  SelectInfo info;
  info.hints.assign(partitioning, clause->hints.end());
  clause->hints.erase(partitioning, clause->hints.end());
  WrapInHints(&clause->hints, input);
  if (Accept(Keyword::kWhere)) {
    Expression condition;
    ARROW_RETURN_NOT_OK(ParseExpression(&condition));
    WrapInFilter(&condition, input);
  }
  bool grouped = Accept(Keyword::kGroup, Keyword::kBy);
  if (grouped) ARROW_RETURN_NOT_OK(ParseGroupBy(&info.grouping));
  std::optional<Expression> having;
  if (At(Keyword::kHaving)) {
    Take();
    ARROW_RETURN_NOT_OK(ParseExpression(&having.emplace()));
    if (!IsPredicate(*having)) {
      Expression value;
      value.Swap(&*having);
      having->mutable_cast()->mutable_type()->mutable_boolean();
      having->mutable_cast()->mutable_expr()->Swap(&value);
    }
  }
  ARROW_RETURN_NOT_OK(ParseWindowClause());
  std::optional<Expression> qualify;
  if (At(Keyword::kQualify) && StartsClause(position_)) {
    Take();
    ARROW_RETURN_NOT_OK(ParseExpression(&qualify.emplace()));
    bool windows = ContainsWindow(*qualify) || std::any_of(clause->items.begin(), clause->items.end(),
                                                           [](const Expression& item) { return ContainsWindow(item); });
    if (!windows) return UserError("QUALIFY_REQUIRES_WINDOW_FUNCTION");
  }

  for (const Expression& item : clause->items) info.columns.push_back(ColumnName(item));
  info.is_aggregate = grouped || having ||
                      std::any_of(clause->items.begin(), clause->items.end(),
                                  [&](const Expression& item) { return ContainsAggregate(item); });
  if (info.is_aggregate) {
    auto* aggregate = out->mutable_aggregate();
    aggregate->mutable_input()->Swap(input);
    for (const Expression& key : info.grouping) *aggregate->add_grouping_expressions() = key;
    for (Expression& item : clause->items) aggregate->add_aggregate_expressions()->Swap(&item);
  } else {
    out->mutable_project()->mutable_input()->Swap(input);
    for (Expression& item : clause->items) out->mutable_project()->add_expressions()->Swap(&item);
  }
  if (having) {
    HideAggregates(&info, &*having);
    AppendHidden(&info, out);
    WrapInInternalFunction(kHaving, &*having);
    WrapInFilter(&*having, out);
  }
  if (qualify) {
    HideWindows(&info, &*qualify);
    AppendHidden(&info, out);
    WrapInFilter(&*qualify, out);
  }
  if (clause->distinct) {
    DropHidden(info.hidden, out);
    Relation all_rows;
    all_rows.Swap(out);
    out->mutable_deduplicate()->mutable_input()->Swap(&all_rows);
    out->mutable_deduplicate()->set_all_columns_as_keys(true);
    WrapInHints(&info.hints, out);
    return Status::OK();
  }
  *out_info = std::move(info);
  return Status::OK();
}

// Named windows are parsed where they are used; here they are only read past.
arrow::Status Grammar::ParseWindowClause() {
  if (!At(Keyword::kWindow) || !Peek(1).IsIdentifier() || !Peek(2).Is(Keyword::kAs)) return Status::OK();
  Take();
  std::vector<std::string> names;
  do {
    size_t at = position_;
    ARROW_ASSIGN_OR_RAISE(std::string name, NameIdentifier());
    for (const std::string& known : names) {
      if (known == name)
        return ErrorAt(at, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", {{"windowName", QuoteIdentifier(name)}});
    }
    names.push_back(std::move(name));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kAs));
    Expression::Window ignored;
    ARROW_RETURN_NOT_OK(ParseWindowSpec(&ignored));
  } while (Accept(Symbol::kComma));
  return Status::OK();
}

arrow::Status Grammar::ParseSelectOf(Relation* input, Relation* out) {
  SelectClause clause;
  std::optional<SelectInfo> info;
  ARROW_RETURN_NOT_OK(ParseSelectClause(&clause));
  ARROW_RETURN_NOT_OK(ParseSelectTail(&clause, input, out, &info));
  return ParseQueryOrganization(out, &info);
}

arrow::Status Grammar::ParseGroupBy(std::vector<Expression>* grouping) {
  do {
    ARROW_RETURN_NOT_OK(ParseGroupingElement(&grouping->emplace_back()));
    // GROUP BY a AS b is taken, and the name ignored, as in Spark.
    if (At(Keyword::kAs) && Peek(1).IsIdentifier()) position_ += 2;
  } while (Accept(Symbol::kComma));
  std::string_view function;
  if (Accept(Keyword::kWith, Keyword::kRollup)) function = kRollup;
  if (Accept(Keyword::kWith, Keyword::kCube)) function = kCube;
  if (!function.empty()) {
    Expression analytics;
    Function* call = SetInternalFunction(function, &analytics);
    for (Expression& key : *grouping) call->add_arguments()->Swap(&key);
    grouping->clear();
    grouping->emplace_back().Swap(&analytics);
  } else if (At(Keyword::kGrouping, Keyword::kSets)) {
    // GROUP BY a, b GROUPING SETS (…): the sets say it all but which keys there are.
    Expression sets, keys;
    Function* listed = SetInternalFunction(kGroupingKeys, &keys);
    for (Expression& key : *grouping) listed->add_arguments()->Swap(&key);
    grouping->clear();
    ARROW_RETURN_NOT_OK(ParseGroupingElement(&sets));
    Function* call = SetInternalFunction(kGroupingSets, &grouping->emplace_back());
    call->add_arguments()->Swap(&keys);
    for (Expression& set : *sets.mutable_unresolved_function()->mutable_arguments()) call->add_arguments()->Swap(&set);
  }
  return Status::OK();
}

arrow::Status Grammar::ParseGroupingElement(Expression* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  std::string_view function;
  if (At(Keyword::kGrouping, Keyword::kSets) && Peek(2).Is(Symbol::kLeftParen)) {
    function = kGroupingSets;
    position_ += 2;
  } else if ((At(Keyword::kRollup) || At(Keyword::kCube)) && Peek(1).Is(Symbol::kLeftParen)) {
    function = Take().Is(Keyword::kRollup) ? kRollup : kCube;
  } else {
    return ParseExpression(out);
  }
  Take();
  Function* analytics = SetInternalFunction(function, out);
  do {
    bool nested =
        function == kGroupingSets && (At(Keyword::kGrouping, Keyword::kSets) ||
                                      ((At(Keyword::kRollup) || At(Keyword::kCube)) && Peek(1).Is(Symbol::kLeftParen)));
    ARROW_RETURN_NOT_OK(nested ? ParseGroupingElement(analytics->add_arguments())
                               : ParseGroupingSet(analytics->add_arguments()));
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

// (a, b), () or a single expression.
arrow::Status Grammar::ParseGroupingSet(Expression* out) {
  size_t open = position_;
  bool is_list =
      At(Symbol::kLeftParen) &&
      (tokens_[Closing(open) + 1].Is(Symbol::kComma) || tokens_[Closing(open) + 1].Is(Symbol::kRightParen)) &&
      CountArguments(open) != 1;
  if (!is_list) return ParseExpression(out);
  Take();
  Function* set = SetInternalFunction(kGroupingSet, out);
  if (Accept(Symbol::kRightParen)) return Status::OK();
  do {
    ARROW_RETURN_NOT_OK(ParseExpression(set->add_arguments()));
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

bool Grammar::IsAggregateCall(const Expression& expression) const {
  if (IsAggregateWrapper(expression)) return IsAggregateCall(expression.unresolved_function().arguments(0));
  if (!expression.has_unresolved_function() || expression.unresolved_function().is_internal()) return false;
  const std::string& name = expression.unresolved_function().function_name();
  return IsGroupingFunction(name) || (options_->is_aggregate && options_->is_aggregate(name));
}

bool Grammar::ContainsAggregate(const Expression& expression) const {
  if (IsAggregateCall(expression)) return true;
  bool found = false;
  auto visit = [&](const Expression& child) { found = found || ContainsAggregate(child); };
  if (!expression.has_window()) {
    ForEachChild(expression, visit);
    return found;
  }
  // sum(a) OVER () is none, sum(sum(a)) OVER () has one.
  const Expression* function = &expression.window().window_function();
  while (IsAggregateWrapper(*function)) function = &function->unresolved_function().arguments(0);
  ForEachChild(*function, visit);
  for (const Expression& key : expression.window().partition_spec()) visit(key);
  for (const Expression::SortOrder& order : expression.window().order_spec()) visit(order.child());
  return found;
}

void Grammar::HideAggregates(SelectInfo* info, Expression* expression) {
  auto selected = [&](const std::string& name) {
    return std::find(info->columns.begin(), info->columns.end(), name) != info->columns.end();
  };
  if (expression->has_unresolved_attribute()) {
    std::string name = ToLowerAscii(AttributeParts(*expression).back());
    if (selected(name)) return;
    // Hive's name of grouping_id().
    if (name == "grouping__id") return Hide(info, expression);
    for (const Expression& key : info->grouping) {
      if (!key.has_unresolved_attribute() || ToLowerAscii(AttributeParts(key).back()) != name) continue;
      *expression = key;
      return Hide(info, expression);
    }
    return;
  }
  if (expression->has_window() || expression->has_literal()) return;
  bool is_key = std::any_of(info->grouping.begin(), info->grouping.end(),
                            [&](const Expression& key) { return SameExpression(key, *expression); });
  if (is_key || IsAggregateCall(*expression)) return Hide(info, expression);
  ForEachChild(expression, [&](Expression* child) { HideAggregates(info, child); });
}

bool Grammar::ContainsWindow(const Expression& expression) {
  if (expression.has_window()) return true;
  bool found = false;
  ForEachChild(expression, [&](const Expression& child) { found = found || ContainsWindow(child); });
  return found;
}

void Grammar::HideWindows(SelectInfo* info, Expression* expression) {
  if (expression->has_window()) return Hide(info, expression);
  ForEachChild(expression, [&](Expression* child) { HideWindows(info, child); });
}

void Grammar::Hide(SelectInfo* info, Expression* expression) {
  std::string name;
  for (const auto& [known_name, known] : info->hidden) {
    if (SameExpression(known, *expression)) name = known_name;
  }
  if (name.empty()) {
    name = std::string(kHiddenPrefix) + std::to_string(next_hidden_++);
    info->hidden.emplace_back(name, *expression);
  }
  SetAttribute({name}, expression);
}

void Grammar::AppendHidden(SelectInfo* info, Relation* query) {
  while (query->has_filter()) query = query->mutable_filter()->mutable_input();
  for (; info->appended < info->hidden.size(); ++info->appended) {
    Expression* column = query->has_aggregate() ? query->mutable_aggregate()->add_aggregate_expressions()
                                                : query->mutable_project()->add_expressions();
    const auto& [name, expression] = info->hidden[info->appended];
    column->mutable_alias()->add_name(name);
    *column->mutable_alias()->mutable_expr() = expression;
  }
}

// The first hint comes outermost.
void Grammar::WrapInHints(std::vector<spark::connect::Hint>* hints, Relation* query) {
  for (auto hint = hints->rbegin(); hint != hints->rend(); ++hint) {
    hint->mutable_input()->Swap(query);
    query->Clear();
    query->mutable_hint()->Swap(&*hint);
  }
  hints->clear();
}

void Grammar::DropHidden(const HiddenColumns& hidden, Relation* query) {
  if (hidden.empty()) return;
  Relation input;
  input.Swap(query);
  query->mutable_drop()->mutable_input()->Swap(&input);
  for (const auto& [name, expression] : hidden) query->mutable_drop()->add_column_names(name);
}

void Grammar::CloseSelect(std::optional<SelectInfo>* info, Relation* query) {
  if (!*info) return;
  DropHidden((*info)->hidden, query);
  WrapInHints(&(*info)->hints, query);
  info->reset();
}

}  // namespace millrace::sql
