#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"

namespace millrace::sql {

namespace {

struct BinaryOperator {
  int precedence;  // higher binds tighter; 0: no operator
  std::string_view function;
};

// `-` and so on between two values. Comparison is the loosest, and predicates (LIKE, IN …) take whole comparisons.
BinaryOperator OperatorOf(const Token& token) {
  switch (token.symbol) {
    case Symbol::kAsterisk:
      return {7, "*"};
    case Symbol::kSlash:
      return {7, "/"};
    case Symbol::kPercent:
      return {7, "%"};
    case Symbol::kPlus:
      return {6, "+"};
    case Symbol::kMinus:
      return {6, "-"};
    case Symbol::kConcat:
      return {6, "concat"};
    case Symbol::kShiftLeft:
      return {5, "<<"};
    case Symbol::kShiftRight:
      return {5, ">>"};
    case Symbol::kShiftRightUnsigned:
      return {5, ">>>"};
    case Symbol::kAmpersand:
      return {4, "&"};
    case Symbol::kHat:
      return {3, "^"};
    case Symbol::kPipe:
      return {2, "|"};
    case Symbol::kEqual:
      return {1, "=="};
    case Symbol::kNullSafeEqual:
      return {1, "<=>"};
    case Symbol::kNotEqual:
      return {1, "!="};
    case Symbol::kLess:
      return {1, "<"};
    case Symbol::kLessEqual:
      return {1, "<="};
    case Symbol::kGreater:
      return {1, ">"};
    case Symbol::kGreaterEqual:
      return {1, ">="};
    default:
      break;
  }
  return token.Is(Keyword::kDiv) ? BinaryOperator{7, "div"} : BinaryOperator{0, ""};
}

constexpr int kUnaryPrecedence = 8;

void Negate(Expression* expression) { WrapInFunction("not", expression); }

}  // namespace

void Grammar::MarkOrigin(size_t first, Expression* out) const {
  if (out->has_common() || out->has_literal() || position_ == 0 || position_ <= first) return;
  SetOrigin(first, out->mutable_common()->mutable_origin()->mutable_jvm_origin());
}

void Grammar::MarkOrigin(size_t first, Relation* out) const {
  SetOrigin(first, out->mutable_common()->mutable_origin()->mutable_jvm_origin());
}

void Grammar::SetOrigin(size_t first, spark::connect::JvmOrigin* origin) const {
  const Token& last = tokens_[position_ - 1];
  origin->set_start_index(static_cast<int32_t>(tokens_[first].offset));
  origin->set_stop_index(static_cast<int32_t>(last.offset + last.text.size()) - 1);
}

arrow::Status Grammar::ParseExpression(Expression* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  size_t first = position_;
  std::vector<Expression> operands(1);
  ARROW_RETURN_NOT_OK(ParseConjunction(&operands.back()));
  while (At(Keyword::kOr) && StartsOperand(position_ + 1)) {
    Take();
    ARROW_RETURN_NOT_OK(ParseConjunction(&operands.emplace_back()));
  }
  CombineBalanced("or", &operands, out);
  MarkOrigin(first, out);
  return Status::OK();
}

arrow::Status Grammar::ParseConjunction(Expression* out) {
  size_t first = position_;
  std::vector<Expression> operands(1);
  ARROW_RETURN_NOT_OK(ParseNegation(&operands.back()));
  while (At(Keyword::kAnd) && StartsOperand(position_ + 1)) {
    Take();
    ARROW_RETURN_NOT_OK(ParseNegation(&operands.emplace_back()));
  }
  CombineBalanced("and", &operands, out);
  MarkOrigin(first, out);
  return Status::OK();
}

arrow::Status Grammar::ParseNegation(Expression* out) {
  size_t first = position_;
  int negations = 0;
  while ((At(Keyword::kNot) || At(Symbol::kBang)) && StartsOperand(position_ + 1)) {
    Take();
    if (++negations > kMaxOperatorChain) return TooComplex();
  }
  if (At(Keyword::kExists) && Peek(1).Is(Symbol::kLeftParen)) {
    size_t inner = position_ + 2;
    while (tokens_[inner].Is(Symbol::kLeftParen)) ++inner;
    if (StartsQuery(inner)) {
      Take();
      Take();
      ARROW_RETURN_NOT_OK(ParseSubquery(spark::connect::SubqueryExpression::SUBQUERY_TYPE_EXISTS, out));
      ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
      for (; negations > 0; --negations) Negate(out);
      return Status::OK();
    }
  }
  size_t operand = position_;
  ARROW_RETURN_NOT_OK(ParseValue(1, out));
  ARROW_RETURN_NOT_OK(ParsePredicate(operand, out));
  MarkOrigin(operand, out);
  for (; negations > 0; --negations) Negate(out);
  MarkOrigin(first, out);
  return Status::OK();
}

arrow::Status Grammar::ParsePredicate(size_t first, Expression* operand) {
  size_t end = position_;
  bool negated = At(Keyword::kNot) || At(Symbol::kBang);
  const Token& word = Peek(negated ? 1 : 0);
  size_t after = position_ + (negated ? 2 : 1);
  // The words are names (an alias, most likely) unless what they need follows.
  switch (word.keyword) {
    case Keyword::kIn:
      if (!tokens_[std::min(after, tokens_.size() - 1)].Is(Symbol::kLeftParen)) return Status::OK();
      break;
    case Keyword::kIs: {
      if (negated) return Status::OK();
      Keyword next = Peek(Peek(1).Is(Keyword::kNot) || Peek(1).Is(Symbol::kBang) ? 2 : 1).keyword;
      if (next != Keyword::kNull && next != Keyword::kTrue && next != Keyword::kFalse && next != Keyword::kUnknown &&
          next != Keyword::kDistinct && !Peek(1).Is(Keyword::kNot)) {
        return Status::OK();
      }
      return ParseIs(operand);
    }
    case Keyword::kBetween:
    case Keyword::kLike:
    case Keyword::kIlike:
    case Keyword::kRlike:
    case Keyword::kRegexp:
      if (!StartsOperand(after)) return Status::OK();
      break;
    default:
      return Status::OK();
  }
  if (negated) Take();
  Keyword keyword = word.keyword;
  if (keyword == Keyword::kBetween) {
    ARROW_RETURN_NOT_OK(ParseBetween(operand));
  } else if (keyword == Keyword::kIn) {
    ARROW_RETURN_NOT_OK(ParseIn(IsRowConstructor(first, end), operand));
  } else if (keyword == Keyword::kRlike || keyword == Keyword::kRegexp) {
    Take();
    ARROW_RETURN_NOT_OK(ParseValue(1, WrapInFunction("rlike", operand)->add_arguments()));
  } else {
    const Token& quantifier = Peek(1);
    bool is_quantifier = quantifier.Is(Keyword::kAny) || quantifier.Is(Keyword::kSome) || quantifier.Is(Keyword::kAll);
    if (is_quantifier && Peek(2).Is(Symbol::kLeftParen)) {
      return ParseLikeQuantified(keyword == Keyword::kLike ? "like" : "ilike", negated, operand);
    }
    ARROW_RETURN_NOT_OK(ParseLike(operand));
  }
  if (negated) Negate(operand);
  return Status::OK();
}

arrow::Status Grammar::ParseBetween(Expression* operand) {
  Take();
  Function* between = WrapInFunction("between", operand);
  ARROW_RETURN_NOT_OK(ParseValue(1, between->add_arguments()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kAnd));
  return ParseValue(1, between->add_arguments());
}

bool Grammar::IsRowConstructor(size_t first, size_t end) const {
  while (tokens_[first].Is(Symbol::kLeftParen) && Closing(first) + 1 == end && CountArguments(first) == 1) {
    ++first;
    --end;
  }
  size_t open = first + (tokens_[first].Is(Keyword::kStruct) ? 1 : 0);
  return open < end && tokens_[open].Is(Symbol::kLeftParen) && Closing(open) + 1 == end;
}

arrow::Status Grammar::ParseIn(bool is_row, Expression* operand) {
  size_t first = position_;
  Take();
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  if (Accept(Symbol::kRightParen)) return ErrorAt(first, "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE");
  if (StartsQuery(position_)) {
    Expression value;
    value.Swap(operand);
    ARROW_RETURN_NOT_OK(ParseSubquery(spark::connect::SubqueryExpression::SUBQUERY_TYPE_IN, operand));
    auto* values = operand->mutable_subquery_expression()->mutable_in_subquery_values();
    // (a, b) IN (SELECT c, d …) compares column by column, and so does struct(a, b); the function named_struct is one
    // value.
    if (!is_row || !value.has_unresolved_function()) {
      values->Add()->Swap(&value);
      return Expect(Symbol::kRightParen);
    }
    bool named = value.unresolved_function().function_name() == "named_struct";
    auto* arguments = value.mutable_unresolved_function()->mutable_arguments();
    for (int i = named ? 1 : 0; i < arguments->size(); i += named ? 2 : 1) {
      Expression* argument = arguments->Mutable(i);
      values->Add()->Swap(argument->has_alias() ? argument->mutable_alias()->mutable_expr() : argument);
    }
  } else {
    Function* in = WrapInFunction("in", operand);
    do {
      ARROW_RETURN_NOT_OK(ParseExpression(in->add_arguments()));
    } while (Accept(Symbol::kComma));
  }
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseLike(Expression* operand) {
  size_t first = position_;
  std::string_view function = Take().Is(Keyword::kLike) ? "like" : "ilike";
  Function* like = WrapInFunction(function, operand);
  ARROW_RETURN_NOT_OK(ParseValue(1, like->add_arguments()));
  if (!At(Keyword::kEscape) || Peek(1).kind != TokenKind::kString) return Status::OK();
  Take();
  ARROW_ASSIGN_OR_RAISE(std::string escape, StringValue());
  auto continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  bool one_character = !escape.empty();
  for (size_t i = 1; i < escape.size(); ++i) one_character = one_character && continuation(escape[i]);
  if (!one_character) return ErrorAt(first, "INVALID_ESC", {{"invalidEscape", "'" + escape + "'"}});
  SetString(escape, like->add_arguments());
  return Status::OK();
}

arrow::Status Grammar::ParseLikeQuantified(std::string_view function, bool negated, Expression* operand) {
  Take();
  bool all = Take().Is(Keyword::kAll);
  Take();
  if (At(Symbol::kRightParen)) return SyntaxErrorHere();
  std::vector<Expression> matches;
  do {
    ARROW_RETURN_NOT_OK(ChargeCopy(*operand));
    Expression& match = matches.emplace_back(*operand);
    ARROW_RETURN_NOT_OK(ParseExpression(WrapInFunction(function, &match)->add_arguments()));
    if (negated) Negate(&match);
  } while (Accept(Symbol::kComma));
  operand->Clear();
  CombineBalanced(all ? "and" : "or", &matches, operand);
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseIs(Expression* operand) {
  Take();
  bool negated = Accept(Keyword::kNot) || Accept(Symbol::kBang);
  const Token& what = Peek();
  switch (what.keyword) {
    case Keyword::kNull:
    case Keyword::kUnknown:
      Take();
      WrapInFunction(negated ? "isnotnull" : "isnull", operand);
      return Status::OK();
    case Keyword::kTrue:
    case Keyword::kFalse:
      Take();
      SetBoolean(what.Is(Keyword::kTrue), WrapInFunction("<=>", operand)->add_arguments());
      break;
    case Keyword::kDistinct:
      Take();
      ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
      ARROW_RETURN_NOT_OK(ParseValue(1, WrapInFunction("<=>", operand)->add_arguments()));
      negated = !negated;
      break;
    default:
      return SyntaxErrorHere();
  }
  if (negated) Negate(operand);
  return Status::OK();
}

arrow::Status Grammar::ParseValue(int min_precedence, Expression* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  size_t first = position_;
  ARROW_RETURN_NOT_OK(ParseUnary(out));
  MarkOrigin(first, out);
  for (int chain = 0;; ++chain) {
    BinaryOperator binary = OperatorOf(Peek());
    if (binary.precedence == 0 || binary.precedence < min_precedence) return Status::OK();
    if (At(Keyword::kDiv) && !StartsOperand(position_ + 1)) return Status::OK();
    if (chain > kMaxOperatorChain) return TooComplex();
    Take();
    bool not_equal = binary.function == "!=";
    Function* function = WrapInFunction(not_equal ? "==" : binary.function, out);
    ARROW_RETURN_NOT_OK(ParseValue(binary.precedence + 1, function->add_arguments()));
    MarkOrigin(first, out);
    if (not_equal) {
      Negate(out);
      MarkOrigin(first, out);
    }
  }
}

arrow::Status Grammar::ParseUnary(Expression* out) {
  // The sign of a number belongs to the number: -9223372036854775808 is a BIGINT.
  if (At(Symbol::kMinus) && Peek(1).IsNumber()) return ParsePrimary(out);
  if (!At(Symbol::kMinus) && !At(Symbol::kPlus) && !At(Symbol::kTilde)) return ParsePrimary(out);
  std::string_view function = At(Symbol::kMinus) ? "-" : At(Symbol::kPlus) ? "+" : "~";
  Take();
  return ParseValue(kUnaryPrecedence, SetFunction(function, out)->add_arguments());
}

arrow::Status Grammar::ParseNamedExpression(Expression* out) {
  ARROW_RETURN_NOT_OK(ParseExpression(out));
  return ParseAlias(out);
}

arrow::Status Grammar::ParseAlias(Expression* expression) {
  std::vector<std::string> names;
  // AS at the very end is itself the alias, as in Spark.
  if (At(Keyword::kAs) && (Peek(1).IsIdentifier() || Peek(1).Is(Symbol::kLeftParen)))
    Take();
  else if (!At(Symbol::kLeftParen) && (!Peek().IsIdentifier() || StartsClause(position_)))
    return Status::OK();

  if (At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(names, IdentifierList());
  } else {
    ARROW_ASSIGN_OR_RAISE(names.emplace_back(), NameIdentifier());
  }
  Expression aliased;
  aliased.Swap(expression);
  Expression::Alias* alias = expression->mutable_alias();
  alias->mutable_expr()->Swap(&aliased);
  for (std::string& name : names) alias->add_name(std::move(name));
  return Status::OK();
}

arrow::Status Grammar::ParseSortItem(Expression::SortOrder* out) {
  ARROW_RETURN_NOT_OK(ParseExpression(out->mutable_child()));
  bool descending = At(Keyword::kDesc);
  if (descending || At(Keyword::kAsc)) Take();
  bool nulls_first = !descending;
  if (At(Keyword::kNulls) && (Peek(1).Is(Keyword::kFirst) || Peek(1).Is(Keyword::kLast))) {
    Take();
    nulls_first = Take().Is(Keyword::kFirst);
  }
  out->set_direction(descending ? Expression::SortOrder::SORT_DIRECTION_DESCENDING
                                : Expression::SortOrder::SORT_DIRECTION_ASCENDING);
  out->set_null_ordering(nulls_first ? Expression::SortOrder::SORT_NULLS_FIRST
                                     : Expression::SortOrder::SORT_NULLS_LAST);
  return Status::OK();
}

}  // namespace millrace::sql
