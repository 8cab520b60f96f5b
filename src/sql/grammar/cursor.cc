#include <arrow/util/utf8.h>

#include <algorithm>

#include "base/ascii.h"
#include "sql/grammar/grammar.h"
#include "sql/lexer.h"
#include "sql/parse_error.h"
#include "sql/plan_conventions.h"
#include "sql/string_literal.h"
#include "sql/variable_substitution.h"

namespace millrace::sql {

arrow::Result<Grammar> Grammar::Make(std::string_view text, const ParserOptions& options) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> replaced, SubstituteVariables(text, options.setting));
  if (!replaced) return MakeOver(text, options);
  auto owned = std::make_shared<const std::string>(*std::move(replaced));
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, MakeOver(*owned, options));
  grammar.owned_text_ = std::move(owned);
  return grammar;
}

arrow::Result<Grammar> Grammar::MakeOver(std::string_view text, const ParserOptions& options) {
  // Plan messages hold UTF-8 only; nor could the error show the text.
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(text)) {
    return UserError("PARSE_SYNTAX_ERROR", {{"error", "text that is not UTF-8"}, {"hint", ""}});
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, Tokenize(text, options.double_quoted_identifiers));
  // Spark calls only a text without any character empty, and one of comments alone a syntax error.
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return PositionedError(text, 0, "PARSE_EMPTY_STATEMENT");
  }
  return Grammar(text, std::move(tokens), options);
}

Grammar::Grammar(std::string_view text, std::vector<Token> tokens, const ParserOptions& options)
    : text_(text), tokens_(std::move(tokens)), options_(&options), next_plan_id_(kFirstSubqueryPlanId) {
  closing_.assign(tokens_.size(), tokens_.size() - 1);
  std::vector<size_t> open;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].Is(Symbol::kLeftParen)) open.push_back(i);
    if (tokens_[i].Is(Symbol::kRightParen) && !open.empty()) {
      closing_[open.back()] = i;
      open.pop_back();
    }
    if (tokens_[i].Is(Keyword::kEnd)) last_end_keyword_ = i;
  }
}

const Token& Grammar::Peek(size_t ahead) const { return tokens_[std::min(position_ + ahead, tokens_.size() - 1)]; }

const Token& Grammar::Take() {
  const Token& token = tokens_[position_];
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool Grammar::Accept(Symbol symbol) {
  if (!At(symbol)) return false;
  Take();
  return true;
}

bool Grammar::Accept(Keyword keyword) {
  if (!At(keyword)) return false;
  Take();
  return true;
}

bool Grammar::Accept(Keyword first, Keyword second) {
  if (!At(first, second)) return false;
  Take();
  Take();
  return true;
}

arrow::Status Grammar::Expect(Symbol symbol) { return Accept(symbol) ? Status::OK() : SyntaxErrorHere(); }
arrow::Status Grammar::Expect(Keyword keyword) { return Accept(keyword) ? Status::OK() : SyntaxErrorHere(); }

arrow::Status Grammar::ExpectEnd() {
  const Token& token = Peek();
  if (token.kind == TokenKind::kEnd) return Status::OK();
  // Spark says so when leaving out this one token would make the text right.
  bool last = Peek(1).kind == TokenKind::kEnd && !token.text.starts_with('"');
  return SyntaxError(text_, token, last ? ": extra input '" + std::string(token.text) + "'" : "");
}

arrow::Status Grammar::SyntaxErrorHere() const { return SyntaxError(text_, Peek()); }

arrow::Status Grammar::ErrorAt(size_t first_token, std::string_view condition, ErrorParameters parameters) const {
  // The fragment ends with the token before the current one.
  const Token& first = tokens_[first_token];
  const Token& last = tokens_[std::max(first_token, position_ == 0 ? 0 : position_ - 1)];
  return FragmentError(text_, first.offset, last.offset + last.text.size(), condition, std::move(parameters));
}

arrow::Status Grammar::Unsupported(std::string_view construct) const {
  return FragmentError(text_, Peek().offset, Peek().offset + Peek().text.size(),
                       "INVALID_SQL_SYNTAX.UNSUPPORTED_SQL_STATEMENT", {{"sqlText", std::string(construct)}});
}

arrow::Status Grammar::TooComplex() const {
  return PositionedError(text_, Peek().offset, "FAILED_TO_PARSE_TOO_COMPLEX");
}

arrow::Status Grammar::ChargeCopy(const Expression& expression) {
  constexpr size_t kMaxCopiedBytes = 2 << 20;
  copied_bytes_ += expression.ByteSizeLong();
  return copied_bytes_ > kMaxCopiedBytes ? TooComplex() : Status::OK();
}

size_t Grammar::FindInCall(size_t open, Keyword keyword) const {
  int32_t inside = tokens_[open].paren_depth + 1;
  for (size_t i = open + 1; i < Closing(open); ++i) {
    if (tokens_[i].Is(keyword) && tokens_[i].paren_depth == inside) return i;
  }
  return 0;
}

size_t Grammar::CountArguments(size_t open) const {
  if (Closing(open) == open + 1) return 0;
  int32_t inside = tokens_[open].paren_depth + 1;
  return 1 +
         static_cast<size_t>(std::count_if(
             tokens_.begin() + static_cast<ptrdiff_t>(open), tokens_.begin() + static_cast<ptrdiff_t>(Closing(open)),
             [&](const Token& token) { return token.Is(Symbol::kComma) && token.paren_depth == inside; }));
}

bool Grammar::StartsOperand(size_t i) const {
  const Token& token = tokens_[std::min(i, tokens_.size() - 1)];
  switch (token.symbol) {
    case Symbol::kNone:
      return token.kind != TokenKind::kEnd && token.kind != TokenKind::kUnrecognized;
    case Symbol::kLeftParen:
    case Symbol::kMinus:
    case Symbol::kPlus:
    case Symbol::kTilde:
    case Symbol::kBang:
    case Symbol::kAsterisk:
    case Symbol::kQuestion:
    case Symbol::kColon:
      return true;
    default:
      return false;
  }
}

bool Grammar::StartsQuery(size_t i) const {
  const Token& token = tokens_[i];
  const Token& next = tokens_[std::min(i + 1, tokens_.size() - 1)];
  switch (token.keyword) {
    case Keyword::kSelect:
      return StartsOperand(i + 1) || next.Is(Symbol::kHintStart);
    case Keyword::kWith:
      return next.IsIdentifier();
    case Keyword::kTable:
      return next.IsIdentifier();
    case Keyword::kFrom:
      return next.IsIdentifier() || next.Is(Symbol::kLeftParen);
    case Keyword::kValues:
      return StartsOperand(i + 1) && !next.Is(Symbol::kMinus) && !next.Is(Symbol::kPlus);
    default:
      break;
  }
  if (!token.Is(Symbol::kLeftParen)) return false;
  size_t inner = i;
  while (tokens_[inner].Is(Symbol::kLeftParen)) ++inner;
  if (!StartsQuery(inner)) return false;
  // A query in parentheses is an operand by itself, unless the query goes on behind them.
  auto after = [&](size_t open) -> const Token& { return tokens_[std::min(Closing(open) + 1, tokens_.size() - 1)]; };
  auto continues = [](const Token& follower) {
    return follower.Is(Keyword::kUnion) || follower.Is(Keyword::kIntersect) || follower.Is(Keyword::kExcept) ||
           follower.Is(Keyword::kMinus) || follower.Is(Keyword::kOrder) || follower.Is(Keyword::kSort) ||
           follower.Is(Keyword::kLimit) || follower.Is(Keyword::kOffset);
  };
  for (size_t open = inner - 1; open > i; --open) {
    if (!continues(after(open)) && !after(open).Is(Symbol::kRightParen)) return false;
  }
  return continues(after(i));
}

bool Grammar::StartsClause(size_t i) const {
  const Token& next = tokens_[std::min(i + 1, tokens_.size() - 1)];
  switch (tokens_[i].keyword) {
    case Keyword::kFrom:
    case Keyword::kWhere:
    case Keyword::kHaving:
    case Keyword::kQualify:
    case Keyword::kLimit:
    case Keyword::kOffset:
    case Keyword::kWindow:
      return StartsOperand(i + 1);
    case Keyword::kGroup:
    case Keyword::kOrder:
    case Keyword::kSort:
    case Keyword::kCluster:
    case Keyword::kDistribute:
      return next.Is(Keyword::kBy);
    case Keyword::kLateral:
      return next.Is(Keyword::kView);
    case Keyword::kUnion:
    case Keyword::kIntersect:
    case Keyword::kExcept:
    case Keyword::kMinus:
      return next.IsIdentifier() || next.Is(Symbol::kLeftParen);
    case Keyword::kPivot:
      return next.Is(Symbol::kLeftParen);
    case Keyword::kUnpivot:
      return next.Is(Symbol::kLeftParen) || next.Is(Keyword::kInclude) || next.Is(Keyword::kExclude);
    case Keyword::kTablesample:
      return next.Is(Symbol::kLeftParen) || next.Is(Keyword::kBernoulli) || next.Is(Keyword::kSystem);
    case Keyword::kWatermark:
      return StartsOperand(i + 1);
    case Keyword::kSelect:
      return StartsOperand(i + 1) || next.Is(Symbol::kHintStart);
    case Keyword::kInsert:
      return next.Is(Keyword::kInto) || next.Is(Keyword::kOverwrite);
    default:
      return false;
  }
}

arrow::Result<std::string> Grammar::Identifier() {
  const Token& token = Peek();
  if (!token.IsIdentifier()) return SyntaxErrorHere();
  if (AtIdentifierClause(position_)) {
    size_t first = position_;
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, IdentifierClause());
    if (parts.size() == 1) return parts[0];
    return ErrorAt(first, "IDENTIFIER_TOO_MANY_NAME_PARTS", {{"identifier", QuoteNameParts(parts)}, {"limit", "1"}});
  }
  Take();
  if (token.kind == TokenKind::kQuotedIdentifier) return UnquoteIdentifier(token.text);
  bool plain = std::all_of(token.text.begin(), token.text.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != ':' && c != '/'; });
  if (!plain) {
    return PositionedError(text_, token.offset, "INVALID_IDENTIFIER", {{"ident", std::string(token.text)}});
  }
  return std::string(token.text);
}

arrow::Result<std::string> Grammar::NameIdentifier() {
  size_t first = position_;
  ARROW_ASSIGN_OR_RAISE(std::string name, Identifier());
  if (!At(Symbol::kMinus) || !Peek(1).IsIdentifier()) return name;
  size_t dash = Peek().offset;
  while (At(Symbol::kMinus) && Peek(1).IsIdentifier()) {
    Take();
    Take();
  }
  const Token& last = tokens_[position_ - 1];
  size_t start = tokens_[first].offset;
  std::string whole(text_.substr(start, last.offset + last.text.size() - start));
  return PositionedError(text_, dash, "INVALID_IDENTIFIER", {{"ident", std::move(whole)}});
}

// IDENTIFIER( with a string, a parameter or a variable, perhaps put together with ||, in it.
bool Grammar::AtIdentifierClause(size_t i) const {
  const Token& inside = tokens_[std::min(i + 2, tokens_.size() - 1)];
  return tokens_[i].Is(Keyword::kIdentifier) && tokens_[std::min(i + 1, tokens_.size() - 1)].Is(Symbol::kLeftParen) &&
         (inside.kind == TokenKind::kString || inside.IsNumber() || inside.Is(Keyword::kNull) ||
          inside.Is(Symbol::kColon) || inside.Is(Symbol::kQuestion) ||
          (options_->variable_text && inside.IsIdentifier()));
}

// The text of a string expression known here: literals and session variables, put together.
std::optional<std::string> Grammar::ConstantText(const Expression& expression) const {
  if (expression.has_literal() && expression.literal().has_string()) return expression.literal().string();
  if (expression.has_unresolved_attribute() && options_->variable_text) {
    auto parts = ParseMultipartIdentifier(expression.unresolved_attribute().unparsed_identifier());
    return parts.ok() ? options_->variable_text(*parts) : std::nullopt;
  }
  if (!expression.has_unresolved_function()) return std::nullopt;
  const auto& function = expression.unresolved_function();
  std::string name = ToLowerAscii(function.function_name());
  if (name != "concat" && name != "||" && name != "lower" && name != "upper") return std::nullopt;
  std::string text;
  for (const Expression& argument : function.arguments()) {
    std::optional<std::string> part = ConstantText(argument);
    if (!part) return std::nullopt;
    text += *part;
  }
  return name == "lower" ? ToLowerAscii(text) : name == "upper" ? ToUpperAscii(text) : text;
}

arrow::Result<std::vector<std::string>> Grammar::IdentifierClause() {
  size_t first = position_;
  Take();
  Take();
  Expression expression;
  ARROW_RETURN_NOT_OK(ParseExpression(&expression));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  std::optional<std::string> text = ConstantText(expression);
  if (text) return ParseMultipartIdentifier(*text);
  std::optional<ConstantValue> value;
  if (options_->constant) {
    ARROW_ASSIGN_OR_RAISE(value, options_->constant(expression));
  }
  std::string shown = TextBetween(first + 2, position_ - 1);
  if (!value) return ErrorAt(first, "NOT_A_CONSTANT_STRING.NOT_CONSTANT", {{"name", "IDENTIFIER"}, {"expr", shown}});
  if (!value->is_string) {
    return ErrorAt(first, "NOT_A_CONSTANT_STRING.WRONG_TYPE",
                   {{"name", "IDENTIFIER"}, {"expr", shown}, {"dataType", value->catalog_type}});
  }
  if (!value->text) return ErrorAt(first, "NOT_A_CONSTANT_STRING.NULL", {{"name", "IDENTIFIER"}, {"expr", shown}});
  return ParseMultipartIdentifier(*value->text);
}

arrow::Result<std::vector<std::string>> Grammar::MultipartIdentifier() {
  std::vector<std::string> parts;
  if (AtIdentifierClause(position_)) {
    ARROW_ASSIGN_OR_RAISE(parts, IdentifierClause());
    if (!Accept(Symbol::kDot)) return parts;
  }
  do {
    ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), NameIdentifier());
  } while (Accept(Symbol::kDot));
  return parts;
}

arrow::Result<std::vector<std::string>> Grammar::IdentifierList() {
  std::vector<std::string> names;
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    ARROW_ASSIGN_OR_RAISE(names.emplace_back(), NameIdentifier());
  } while (Accept(Symbol::kComma));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  return names;
}

arrow::Result<std::string> Grammar::StringValue() {
  if (Peek().kind != TokenKind::kString) return SyntaxErrorHere();
  std::string value;
  while (Peek().kind == TokenKind::kString) value += UnquoteString(Take().text);
  return value;
}

}  // namespace millrace::sql
