#include <algorithm>
#include <charconv>
#include <limits>

#include "base/ascii.h"
#include "base/error.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/plan_conventions.h"
#include "sql/time_travel.h"

namespace millrace::sql {

using spark::connect::Join;

namespace {

std::string JoinParts(const std::vector<std::string>& parts) {
  Expression name;
  SetAttribute(parts, &name);
  return name.unresolved_attribute().unparsed_identifier();
}

}  // namespace

void WrapInAlias(const std::string& alias, std::vector<std::string> columns, Relation* relation) {
  Relation input;
  input.Swap(relation);
  relation->mutable_subquery_alias()->set_alias(alias);
  Relation* inner = relation->mutable_subquery_alias()->mutable_input();
  if (!columns.empty()) {
    for (std::string& column : columns) inner->mutable_to_df()->add_column_names(std::move(column));
    inner = inner->mutable_to_df()->mutable_input();
  }
  inner->Swap(&input);
}

arrow::Status Grammar::ParseFrom(Relation* out) {
  Take();
  bool first = true;
  do {
    bool lateral = At(Keyword::kLateral) && !Peek(1).Is(Keyword::kView);
    Relation right;
    if (lateral) {
      ARROW_RETURN_NOT_OK(ParseLateral(&right));
    } else {
      ARROW_RETURN_NOT_OK(ParseRelationPrimary(&right));
    }
    if (first) {
      out->Swap(&right);
    } else {
      Relation left;
      left.Swap(out);
      if (lateral) {
        out->mutable_lateral_join()->mutable_left()->Swap(&left);
        out->mutable_lateral_join()->mutable_right()->Swap(&right);
        out->mutable_lateral_join()->set_join_type(Join::JOIN_TYPE_INNER);
      } else {
        out->mutable_join()->mutable_left()->Swap(&left);
        out->mutable_join()->mutable_right()->Swap(&right);
        out->mutable_join()->set_join_type(Join::JOIN_TYPE_INNER);
      }
    }
    first = false;
    // FROM a, b JOIN c is (a, b) JOIN c.
    ARROW_RETURN_NOT_OK(ParseJoins(out));
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(ParseLateralViews(out));
  return ParsePivots(out);
}

arrow::Status Grammar::ParseRelation(Relation* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  if (At(Keyword::kLateral)) {
    ARROW_RETURN_NOT_OK(ParseLateral(out));
  } else {
    ARROW_RETURN_NOT_OK(ParseRelationPrimary(out));
  }
  return ParseJoins(out);
}

arrow::Status Grammar::ParseLateral(Relation* out) {
  Take();
  bool function = Peek().IsIdentifier();
  for (size_t i = position_; function; i += 2) {
    if (tokens_[i + 1].Is(Symbol::kLeftParen)) break;
    function = tokens_[i + 1].Is(Symbol::kDot) && tokens_[i + 2].IsIdentifier();
  }
  bool subquery = At(Symbol::kLeftParen) && (StartsQuery(position_ + 1) || Peek(1).Is(Symbol::kLeftParen));
  if (!function && !subquery) {
    return ErrorAt(position_, "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC");
  }
  return ParseRelationPrimary(out);
}

arrow::Status Grammar::ParseRelationPrimary(Relation* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  if (At(Symbol::kLeftParen)) {
    Take();
    ARROW_RETURN_NOT_OK(StartsQuery(position_) ? ParseQuery(out) : ParseRelation(out));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    return ParseTableSuffixes(out);
  }
  if (At(Keyword::kValues) && StartsQuery(position_)) return ParseValues(out);
  if (!Peek().IsIdentifier()) return SyntaxErrorHere();
  bool enclosed = At(Keyword::kStream) && Peek(1).Is(Symbol::kLeftParen) && Peek(2).IsIdentifier();
  if (enclosed || (At(Keyword::kStream) && Peek(1).IsIdentifier() && !Peek(1).Is(Keyword::kAs))) {
    Take();
    // STREAM range(3): a function's rows are what they are without the word.
    if (!enclosed && tokens_[EndOfName() + 1].Is(Symbol::kLeftParen) && !AtIdentifierClause(EndOfName())) {
      return ParseTableFunction(out);
    }
    return ParseTable(/*is_streaming=*/true, out);
  }
  size_t last = EndOfName();
  bool call = tokens_[last + 1].Is(Symbol::kLeftParen) && !AtIdentifierClause(last);
  // IDENTIFIER('range')(5): a function's name.
  if (AtIdentifierClause(position_)) {
    call = tokens_[std::min(Closing(position_ + 1) + 1, tokens_.size() - 1)].Is(Symbol::kLeftParen);
  }
  if (call) return ParseTableFunction(out);
  return ParseTable(/*is_streaming=*/false, out);
}

// The last part of a name, which a parenthesis behind it makes a call.
size_t Grammar::EndOfName() const {
  size_t last = position_;
  while (tokens_[last].IsIdentifier() && tokens_[last + 1].Is(Symbol::kDot) && tokens_[last + 2].IsIdentifier()) {
    last += 2;
  }
  return last;
}

arrow::Status Grammar::ParseTable(bool is_streaming, Relation* out) {
  bool enclosed = is_streaming && Accept(Symbol::kLeftParen);
  size_t first = position_;
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
  MarkOrigin(first, out);
  if (enclosed) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  out->mutable_read()->mutable_named_table()->set_unparsed_identifier(JoinParts(name));
  out->mutable_read()->set_is_streaming(is_streaming);
  if (At(Keyword::kChanges, Keyword::kFrom)) return Unsupported("CHANGES FROM");
  if (!is_streaming) ARROW_RETURN_NOT_OK(ParseTemporal(out));
  if (At(Keyword::kWith) && Peek(1).Is(Symbol::kLeftParen)) {
    Take();
    ARROW_RETURN_NOT_OK(ParseOptions(out->mutable_read()->mutable_named_table()->mutable_options()));
  }
  if (At(Keyword::kIdentified, Keyword::kBy)) {
    if (!is_streaming) return Unsupported("IDENTIFIED BY");
    // Names of sources matter only where spark.sql.streaming.queryEvolution.enableSourceEvolution is set, and with it
    // no query starts here.
    position_ += 2;
    if (!Peek().IsIdentifier()) return SyntaxErrorHere();
    Take();
  }
  return ParseTableSuffixes(out);
}

// [FOR] VERSION AS OF 3, [FOR] TIMESTAMP AS OF '2026-01-01'
arrow::Status Grammar::ParseTemporal(Relation* table) {
  size_t ahead = At(Keyword::kFor) ? 1 : 0;
  const Token& what = Peek(ahead);
  bool version = what.Is(Keyword::kVersion) || what.Is(Keyword::kSystemVersion);
  bool timestamp = what.Is(Keyword::kTimestamp) || what.Is(Keyword::kSystemTime);
  if ((!version && !timestamp) || !Peek(ahead + 1).Is(Keyword::kAs) || !Peek(ahead + 2).Is(Keyword::kOf)) {
    return Status::OK();
  }
  position_ += ahead + 3;
  const Token& value = Peek();
  bool is_string = value.kind == TokenKind::kString;
  auto& options = *table->mutable_read()->mutable_named_table()->mutable_options();
  if (timestamp) {
    size_t first = position_;
    Expression expression;
    ARROW_RETURN_NOT_OK(ParseExpression(&expression));
    options[kTimestampExpression] = TextBetween(first, position_);
    return Status::OK();
  }
  if (!is_string && value.kind != TokenKind::kInteger) return SyntaxErrorHere();
  std::string text(value.text);
  if (is_string) {
    ARROW_ASSIGN_OR_RAISE(text, StringValue());
  } else {
    Take();
  }
  options["versionAsOf"] = text;
  return Status::OK();
}

arrow::Status Grammar::ParseTableFunction(Relation* out) {
  size_t first = position_;
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
  Expression call;
  bool distinct = false;
  call.mutable_call_function();
  takes_tables_ = true;
  ARROW_RETURN_NOT_OK(ParseArguments(/*ignore_nulls_inside=*/false, &call, &distinct));
  MarkOrigin(first, out);
  auto* function = out->mutable_unresolved_table_valued_function();
  function->set_function_name(name.size() == 1 ? name[0] : JoinParts(name));
  function->mutable_arguments()->Swap(call.mutable_call_function()->mutable_arguments());
  if (At(Keyword::kIdentified, Keyword::kBy)) return Unsupported("IDENTIFIED BY");
  return ParseTableSuffixes(out);
}

// TABLE t | TABLE (SELECT …), then [PARTITION BY … | WITH SINGLE PARTITION] [ORDER BY …].
arrow::Status Grammar::ParseTableArgument(Expression* out) {
  using spark::connect::SubqueryExpression;
  std::vector<Relation>* plans = subqueries_;
  if (plans == nullptr) return Unsupported("a TABLE argument in an expression string");
  Take();
  Relation plan;
  bool parenthesis = Accept(Symbol::kLeftParen);
  bool query = parenthesis && (At(Keyword::kSelect) || At(Keyword::kWith) || At(Keyword::kFrom) ||
                               At(Keyword::kValues) || At(Keyword::kTable) || At(Symbol::kLeftParen));
  if (query) {
    ARROW_RETURN_NOT_OK(ParseQuery(&plan));
  } else {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
    plan.mutable_read()->mutable_named_table()->set_unparsed_identifier(JoinParts(name));
  }
  if (parenthesis) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  int64_t plan_id = next_plan_id_++;
  plan.mutable_common()->set_plan_id(plan_id);
  plans->emplace_back().Swap(&plan);
  SubqueryExpression* subquery = out->mutable_subquery_expression();
  subquery->set_plan_id(plan_id);
  subquery->set_subquery_type(SubqueryExpression::SUBQUERY_TYPE_TABLE_ARG);
  SubqueryExpression::TableArgOptions options;
  bool has_options = false;
  if (At(Keyword::kWith) && Peek(1).Is(Keyword::kSingle)) {
    Take();
    Take();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kPartition));
    options.set_with_single_partition(true);
    has_options = true;
  } else if (Accept(Keyword::kPartition, Keyword::kBy) || Accept(Keyword::kDistribute, Keyword::kBy)) {
    has_options = true;
    bool several = At(Symbol::kLeftParen);
    if (several) Take();
    do {
      ARROW_RETURN_NOT_OK(ParseExpression(options.add_partition_spec()));
    } while (several && Accept(Symbol::kComma));
    if (several) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  if (has_options && (Accept(Keyword::kOrder, Keyword::kBy) || Accept(Keyword::kSort, Keyword::kBy))) {
    bool several = At(Symbol::kLeftParen);
    if (several) Take();
    do {
      ARROW_RETURN_NOT_OK(ParseSortItem(options.add_order_spec()));
    } while (several && Accept(Symbol::kComma));
    if (several) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  if (has_options) *subquery->mutable_table_arg_options() = std::move(options);
  return Status::OK();
}

arrow::Status Grammar::ParseValues(Relation* out) {
  Take();
  auto* table = out->mutable_unresolved_table_valued_function();
  table->set_function_name(std::string(kInlineTable));
  do {
    Expression row;
    size_t first = position_;
    ARROW_RETURN_NOT_OK(ParseExpression(&row));
    Function* columns = SetFunction("struct", table->add_arguments());
    const std::string& name = row.unresolved_function().function_name();
    bool is_row = tokens_[first].Is(Symbol::kLeftParen) && name == "named_struct" && position_ == Closing(first) + 1 &&
                  CountArguments(first) > 1;
    if (is_row) {
      auto* arguments = row.mutable_unresolved_function()->mutable_arguments();
      for (int i = 1; i < arguments->size(); i += 2) columns->add_arguments()->Swap(arguments->Mutable(i));
    } else if (tokens_[first].Is(Keyword::kStruct) && name == "struct") {
      columns->Swap(row.mutable_unresolved_function());
    } else {
      columns->add_arguments()->Swap(&row);
    }
  } while (Accept(Symbol::kComma));
  return ParseTableAlias(out);
}

arrow::Status Grammar::ParseTableSuffixes(Relation* relation) {
  if (At(Keyword::kTablesample) && StartsClause(position_)) ARROW_RETURN_NOT_OK(ParseSample(relation));
  if (At(Keyword::kWatermark) && StartsClause(position_)) return ParseWatermark(relation);
  return ParseTableAlias(relation);
}

arrow::Status Grammar::ParseSample(Relation* relation) {
  Take();
  if (Accept(Keyword::kSystem)) return Unsupported("TABLESAMPLE SYSTEM");
  Accept(Keyword::kBernoulli);
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  if (At(Symbol::kRightParen)) return ErrorAt(position_, "_LEGACY_ERROR_TEMP_0014");
  Relation input;
  input.Swap(relation);
  double fraction = 0;
  bool number = Peek().kind == TokenKind::kInteger || Peek().kind == TokenKind::kDecimal;
  if (number && Peek(1).Is(Keyword::kPercent)) {
    fraction = std::stod(std::string(Take().text)) / 100;
    Take();
  } else if (At(Keyword::kBucket) && Peek(1).kind == TokenKind::kInteger) {
    Take();
    double numerator = std::stod(std::string(Take().text));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kOut));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kOf));
    if (Peek().kind != TokenKind::kInteger) return SyntaxErrorHere();
    fraction = numerator / std::stod(std::string(Take().text));
    if (At(Keyword::kOn)) return Unsupported("TABLESAMPLE(BUCKET x OUT OF y ON column)");
  } else {
    ARROW_ASSIGN_OR_RAISE(int32_t rows, ParseRowCount("limit"));
    if (!At(Keyword::kRows)) return Unsupported("TABLESAMPLE by bytes");
    Take();
    relation->mutable_limit()->mutable_input()->Swap(&input);
    relation->mutable_limit()->set_limit(rows);
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    // The first rows, whatever the seed.
    return SampleSeed().status();
  }
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  if (!(fraction >= 0 && fraction <= 1)) {
    return ErrorAt(position_ - 1, "_LEGACY_ERROR_TEMP_0064",
                   {{"msg", "Sampling fraction (" + std::to_string(fraction) + ") must be on interval [0, 1]"}});
  }
  auto* sample = relation->mutable_sample();
  sample->mutable_input()->Swap(&input);
  sample->set_lower_bound(0);
  sample->set_upper_bound(fraction);
  ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> seed, SampleSeed());
  if (seed) sample->set_seed(*seed);
  return Status::OK();
}

// [REPEATABLE (seed)]
arrow::Result<std::optional<int64_t>> Grammar::SampleSeed() {
  std::optional<int64_t> seed;
  if (!At(Keyword::kRepeatable) || !Peek(1).Is(Symbol::kLeftParen)) return seed;
  position_ += 2;
  if (Peek().kind != TokenKind::kInteger || Peek().text.size() > 18) return SyntaxErrorHere();
  seed = std::stoll(std::string(Take().text));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  return seed;
}

// WATERMARK column|expression AS name DELAY OF INTERVAL 10 SECONDS
arrow::Status Grammar::ParseWatermark(Relation* relation) {
  Take();
  size_t first = Peek().offset;
  Expression column;
  ARROW_RETURN_NOT_OK(ParseExpression(&column));
  size_t end = tokens_[position_ - 1].offset + tokens_[position_ - 1].text.size();
  std::string event_time = column.unresolved_attribute().unparsed_identifier();
  std::string name;
  if (Accept(Keyword::kAs) || (Peek().IsIdentifier() && !At(Keyword::kDelay, Keyword::kOf))) {
    if (!Peek().IsIdentifier()) return SyntaxErrorHere();
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, MultipartIdentifier());
    if (parts.size() != 1) return SyntaxErrorHere();
    name = parts[0];
    event_time = JoinParts(parts);
  } else if (!column.has_unresolved_attribute()) {
    return UserError("REQUIRES_EXPLICIT_NAME_IN_WATERMARK_CLAUSE",
                     {{"sqlExpr", std::string(text_.substr(first, end - first))}});
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kDelay));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kOf));
  if (!At(Keyword::kInterval) || !AtIntervalLiteral()) return SyntaxErrorHere();
  size_t begin = Peek(1).offset;
  Expression delay;
  ARROW_RETURN_NOT_OK(ParseIntervalLiteral(&delay));
  const Token& last = tokens_[position_ - 1];
  std::string text;
  for (char c : text_.substr(begin, last.offset + last.text.size() - begin)) {
    if (c != '\'' && c != '"') text += c;
  }
  // The watermark lies above the alias, which therefore its expression may use and a column it makes does not have.
  ARROW_RETURN_NOT_OK(ParseTableAlias(relation));
  Relation input;
  input.Swap(relation);
  if (!name.empty()) {
    Relation project;
    project.mutable_project()->mutable_input()->Swap(&input);
    project.mutable_project()->add_expressions()->mutable_unresolved_star();
    auto* alias = project.mutable_project()->add_expressions()->mutable_alias();
    alias->mutable_expr()->Swap(&column);
    alias->add_name(name);
    input.Swap(&project);
  }
  auto* watermark = relation->mutable_with_watermark();
  watermark->mutable_input()->Swap(&input);
  watermark->set_event_time(event_time);
  watermark->set_delay_threshold(text);
  return Status::OK();
}

arrow::Status Grammar::ParseTableAlias(Relation* relation) {
  if (At(Keyword::kAs) && Peek(1).IsIdentifier()) {
    Take();
  } else if (!Peek().IsIdentifier() || !MayAliasTable(Peek().keyword) || StartsClause(position_)) {
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(std::string alias, Identifier());
  std::vector<std::string> columns;
  if (At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(columns, IdentifierList());
  }
  WrapInAlias(alias, std::move(columns), relation);
  return Status::OK();
}

bool Grammar::AtJoin() const {
  switch (Peek().keyword) {
    case Keyword::kJoin:
    case Keyword::kInner:
    case Keyword::kCross:
    case Keyword::kLeft:
    case Keyword::kRight:
    case Keyword::kFull:
    case Keyword::kSemi:
    case Keyword::kAnti:
    case Keyword::kNatural:
      return true;
    default:
      return false;
  }
}

arrow::Status Grammar::ParseJoins(Relation* left) {
  int chain = 0;
  do {
    for (; AtJoin(); ++chain) {
      if (chain > kMaxOperatorChain) return TooComplex();
      ARROW_RETURN_NOT_OK(ParseJoin(left));
    }
    ARROW_RETURN_NOT_OK(ParsePivots(left));
  } while (AtJoin());
  return Status::OK();
}

arrow::Status Grammar::ParseJoin(Relation* left) {
  bool natural = Accept(Keyword::kNatural);
  Join::JoinType type = Join::JOIN_TYPE_INNER;
  if (Accept(Keyword::kInner)) {
    type = Join::JOIN_TYPE_INNER;
  } else if (Accept(Keyword::kCross)) {
    type = Join::JOIN_TYPE_CROSS;
  } else if (Accept(Keyword::kRight)) {
    Accept(Keyword::kOuter);
    type = Join::JOIN_TYPE_RIGHT_OUTER;
  } else if (Accept(Keyword::kFull)) {
    Accept(Keyword::kOuter);
    type = Join::JOIN_TYPE_FULL_OUTER;
  } else {
    bool is_left = Accept(Keyword::kLeft);
    if (Accept(Keyword::kSemi)) {
      type = Join::JOIN_TYPE_LEFT_SEMI;
    } else if (Accept(Keyword::kAnti)) {
      type = Join::JOIN_TYPE_LEFT_ANTI;
    } else if (is_left) {
      Accept(Keyword::kOuter);
      type = Join::JOIN_TYPE_LEFT_OUTER;
    }
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kJoin));
  bool lateral = At(Keyword::kLateral);
  Relation right;
  ARROW_RETURN_NOT_OK(lateral ? ParseLateral(&right) : ParseRelationPrimary(&right));
  if ((At(Keyword::kApprox) || At(Keyword::kExact)) && Peek(1).Is(Keyword::kNearest)) {
    return ParseNearestBy(type, left, &right);
  }

  Relation joined;
  Expression condition;
  std::vector<std::string> columns;
  if (natural) {
    SetInternalFunction(kNaturalJoin, &condition);
  } else if (Accept(Keyword::kOn)) {
    ARROW_RETURN_NOT_OK(ParseExpression(&condition));
  } else if (At(Keyword::kUsing)) {
    Take();
    ARROW_ASSIGN_OR_RAISE(columns, IdentifierList());
  }
  bool has_condition = condition.expr_type_case() != Expression::EXPR_TYPE_NOT_SET;
  if (lateral) {
    if (!columns.empty()) return Unsupported("LATERAL join with USING");
    auto* join = joined.mutable_lateral_join();
    join->mutable_left()->Swap(left);
    join->mutable_right()->Swap(&right);
    join->set_join_type(type);
    if (has_condition) join->mutable_join_condition()->Swap(&condition);
  } else {
    auto* join = joined.mutable_join();
    join->mutable_left()->Swap(left);
    join->mutable_right()->Swap(&right);
    join->set_join_type(type);
    if (has_condition) join->mutable_join_condition()->Swap(&condition);
    for (std::string& column : columns) join->add_using_columns(std::move(column));
  }
  left->Swap(&joined);
  return Status::OK();
}

// {APPROX | EXACT} NEAREST [n] BY {DISTANCE | SIMILARITY} expression
arrow::Status Grammar::ParseNearestBy(Join::JoinType type, Relation* left, Relation* right) {
  Relation joined;
  auto* join = joined.mutable_nearest_by_join();
  join->set_mode(ToLowerAscii(Take().text));
  Take();
  join->set_num_results(1);
  if (Peek().kind == TokenKind::kInteger) {
    std::string_view digits = Take().text;
    int32_t number = 0;
    auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    join->set_num_results(parsed.ec == std::errc() ? number : std::numeric_limits<int32_t>::max());
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kBy));
  if (!EqualsIgnoreCase(Peek().text, "DISTANCE") && !EqualsIgnoreCase(Peek().text, "SIMILARITY")) {
    return SyntaxErrorHere();
  }
  join->set_direction(ToLowerAscii(Take().text));
  ARROW_RETURN_NOT_OK(ParseExpression(join->mutable_ranking_expression()));
  std::string name = Join::JoinType_Name(type).substr(std::string_view("JOIN_TYPE_").size());
  std::replace(name.begin(), name.end(), '_', ' ');
  join->set_join_type(std::move(name));
  join->mutable_left()->Swap(left);
  join->mutable_right()->Swap(right);
  left->Swap(&joined);
  return Status::OK();
}

arrow::Status Grammar::ParseLateralViews(Relation* relation) {
  while (At(Keyword::kLateral, Keyword::kView)) {
    position_ += 2;
    bool outer = At(Keyword::kOuter) && Peek(1).IsIdentifier();
    if (outer) Take();
    Relation generated;
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
    Expression call;
    bool distinct = false;
    call.mutable_call_function();
    ARROW_RETURN_NOT_OK(ParseArguments(/*ignore_nulls_inside=*/false, &call, &distinct));
    auto* function = generated.mutable_unresolved_table_valued_function();
    function->set_function_name(name.size() == 1 ? name[0] : JoinParts(name));
    function->mutable_arguments()->Swap(call.mutable_call_function()->mutable_arguments());
    ARROW_ASSIGN_OR_RAISE(std::string table, Identifier());
    std::vector<std::string> columns;
    bool named = At(Keyword::kAs) ? Peek(1).IsIdentifier()
                                  : Peek().IsIdentifier() && !StartsClause(position_) && MayAliasTable(Peek().keyword);
    if (named) {
      Accept(Keyword::kAs);
      do {
        ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Identifier());
      } while (Accept(Symbol::kComma));
    }
    WrapInAlias(table, std::move(columns), &generated);
    Relation joined;
    auto* join = joined.mutable_lateral_join();
    join->mutable_left()->Swap(relation);
    join->mutable_right()->Swap(&generated);
    join->set_join_type(outer ? Join::JOIN_TYPE_LEFT_OUTER : Join::JOIN_TYPE_INNER);
    relation->Swap(&joined);
  }
  return Status::OK();
}

}  // namespace millrace::sql
