#include "sql/lexer.h"

#include <optional>
#include <string>

#include "base/error.h"

namespace millrace::sql {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Bytes of letters beyond ASCII. Spark takes Unicode letters into a word and then refuses the word; so do we.
bool IsWordByte(char c) { return IsDigit(c) || IsAsciiLetter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool IsUriByte(char c) { return IsWordByte(c) || std::string_view("/-.?=&#%").find(c) != std::string_view::npos; }

struct SymbolSpelling {
  std::string_view text;
  Symbol symbol;
};

// Longer spellings first.
constexpr SymbolSpelling kSymbols[] = {
    {">>>", Symbol::kShiftRightUnsigned},
    {"<=>", Symbol::kNullSafeEqual},
    {"/*+", Symbol::kHintStart},
    {"*/", Symbol::kHintEnd},
    {"==", Symbol::kEqual},
    {"<>", Symbol::kNotEqual},
    {"!=", Symbol::kNotEqual},
    {"<=", Symbol::kLessEqual},
    {"!>", Symbol::kLessEqual},
    {">=", Symbol::kGreaterEqual},
    {"!<", Symbol::kGreaterEqual},
    {"<<", Symbol::kShiftLeft},
    {">>", Symbol::kShiftRight},
    {"||", Symbol::kConcat},
    {"|>", Symbol::kPipeOperator},
    {"::", Symbol::kDoubleColon},
    {"->", Symbol::kArrow},
    {"=>", Symbol::kFatArrow},
    {";", Symbol::kSemicolon},
    {"(", Symbol::kLeftParen},
    {")", Symbol::kRightParen},
    {",", Symbol::kComma},
    {".", Symbol::kDot},
    {"[", Symbol::kLeftBracket},
    {"]", Symbol::kRightBracket},
    {"!", Symbol::kBang},
    {"=", Symbol::kEqual},
    {"<", Symbol::kLess},
    {">", Symbol::kGreater},
    {"+", Symbol::kPlus},
    {"-", Symbol::kMinus},
    {"*", Symbol::kAsterisk},
    {"/", Symbol::kSlash},
    {"%", Symbol::kPercent},
    {"~", Symbol::kTilde},
    {"&", Symbol::kAmpersand},
    {"|", Symbol::kPipe},
    {"^", Symbol::kHat},
    {":", Symbol::kColon},
    {"?", Symbol::kQuestion},
};

// White space beyond ASCII that Spark skips: no-break space, ogham space, U+2000…200A, line separator,
// narrow no-break space, mathematical space, ideographic space.
size_t WideSpaceLength(std::string_view text) {
  if (text.starts_with("\xC2\xA0")) return 2;
  if (text.starts_with("\xE1\x9A\x80") || text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xAF") ||
      text.starts_with("\xE2\x81\x9F") || text.starts_with("\xE3\x80\x80")) {
    return 3;
  }
  if (text.size() >= 3 && text.starts_with("\xE2\x80")) {
    auto last = static_cast<unsigned char>(text[2]);
    if (last >= 0x80 && last <= 0x8A) return 3;
  }
  return 0;
}

class Lexer {
 public:
  Lexer(std::string_view text, bool double_quoted_identifiers)
      : text_(text), double_quoted_identifiers_(double_quoted_identifiers) {}

  arrow::Result<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    tokens.reserve(text_.size() / 4 + 2);
    int32_t depth = 0;
    while (true) {
      ARROW_RETURN_NOT_OK(SkipSpaceAndComments());
      Token token = Next();
      token.paren_depth = depth;
      if (token.Is(Symbol::kLeftParen)) ++depth;
      // The closing parenthesis has the depth of the opening one.
      if (token.Is(Symbol::kRightParen) && depth > 0) token.paren_depth = --depth;
      tokens.push_back(token);
      if (token.kind == TokenKind::kEnd) return tokens;
    }
  }

 private:
  char At(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::string_view Rest() const { return text_.substr(position_); }

  arrow::Status SkipSpaceAndComments() {
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (c == ' ' || (c >= '\t' && c <= '\r')) {
        ++position_;
      } else if (size_t wide = WideSpaceLength(Rest()); wide > 0) {
        position_ += wide;
      } else if (c == '-' && At(position_ + 1) == '-') {
        SkipLineComment();
      } else if (c == '/' && At(position_ + 1) == '*' && At(position_ + 2) != '+') {
        ARROW_RETURN_NOT_OK(SkipBracketedComment());
      } else {
        break;
      }
    }
    return arrow::Status::OK();
  }

  void SkipLineComment() {
    while (position_ < text_.size() && text_[position_] != '\n' && text_[position_] != '\r') {
      // A backslash before the line's end continues the comment.
      if (text_[position_] == '\\' && At(position_ + 1) == '\n') ++position_;
      ++position_;
    }
  }

  arrow::Status SkipBracketedComment() {
    int open = 0;
    while (position_ < text_.size()) {
      if (Rest().starts_with("/*") && At(position_ + 2) != '+') {
        ++open;
        position_ += 2;
      } else if (Rest().starts_with("*/")) {
        position_ += 2;
        if (--open == 0) return arrow::Status::OK();
      } else {
        ++position_;
      }
    }
    arrow::Status error = UserError("UNCLOSED_BRACKETED_COMMENT");
    return arrow::Status(error.code(), error.message() + "\n== SQL ==\n" + std::string(text_), error.detail());
  }

  Token Take(TokenKind kind, size_t length) {
    Token token;
    token.kind = kind;
    token.offset = position_;
    token.text = text_.substr(position_, length);
    position_ += length;
    return token;
  }

  Token Next() {
    if (position_ >= text_.size()) return Take(TokenKind::kEnd, 0);
    char c = text_[position_];
    if (IsDigit(c) || (c == '.' && IsDigit(At(position_ + 1)))) {
      if (std::optional<Token> number = Number()) return *number;
    }
    if ((c == 'r' || c == 'R') && (At(position_ + 1) == '\'' || At(position_ + 1) == '"')) {
      size_t close = text_.find(At(position_ + 1), position_ + 2);
      if (close != std::string_view::npos) return Take(TokenKind::kString, close + 1 - position_);
    }
    if (c == '`' || (c == '"' && double_quoted_identifiers_)) return QuotedIdentifier(c);
    if (c == '\'' || c == '"') return String(c);
    if (IsWordByte(c)) return Word();
    for (const SymbolSpelling& spelling : kSymbols) {
      if (!Rest().starts_with(spelling.text)) continue;
      Token token = Take(TokenKind::kSymbol, spelling.text.size());
      token.symbol = spelling.symbol;
      return token;
    }
    return Take(TokenKind::kUnrecognized, 1);
  }

  size_t Digits(size_t i) const {
    while (IsDigit(At(i))) ++i;
    return i;
  }

  // Past an exponent that starts at `i`, or `i` when none does.
  size_t Exponent(size_t i) const {
    if (At(i) != 'e' && At(i) != 'E') return i;
    size_t digits = i + 1;
    if (At(digits) == '+' || At(digits) == '-') ++digits;
    return IsDigit(At(digits)) ? Digits(digits) : i;
  }

  // A number with a point is one only where no letter, digit or underscore follows: "1.a" is 1 . a
  bool EndsDecimal(size_t i) const { return !(IsDigit(At(i)) || IsAsciiLetter(At(i)) || At(i) == '_'); }

  std::optional<Token> Number() {
    size_t start = position_;
    size_t integer_end = Digits(start);
    size_t word_end = start;
    while (IsWordByte(At(word_end))) ++word_end;

    struct Match {
      TokenKind kind;
      size_t end;
    };
    Match best{TokenKind::kIdentifier, word_end};
    // On equal length the number wins over the word.
    auto offer = [&](TokenKind kind, size_t end) {
      if (end > start && (end > best.end || (end == best.end && best.kind == TokenKind::kIdentifier)))
        best = {kind, end};
    };
    auto offer_suffixes = [&](size_t mantissa_end, bool has_point) {
      size_t end = Exponent(mantissa_end);
      auto allowed = [&](size_t i) { return !has_point || EndsDecimal(i); };
      char suffix = ToUpper(At(end));
      if (suffix == 'F' && allowed(end + 1)) offer(TokenKind::kFloat, end + 1);
      if (suffix == 'D' && allowed(end + 1)) offer(TokenKind::kDouble, end + 1);
      if (suffix == 'B' && ToUpper(At(end + 1)) == 'D' && allowed(end + 2)) offer(TokenKind::kBigDecimal, end + 2);
      if (end > mantissa_end && allowed(end)) offer(TokenKind::kExponent, end);
      if (has_point && allowed(mantissa_end)) offer(TokenKind::kDecimal, mantissa_end);
    };
    if (integer_end > start) {
      offer(TokenKind::kInteger, integer_end);
      char suffix = ToUpper(At(integer_end));
      if (suffix == 'L') offer(TokenKind::kBigint, integer_end + 1);
      if (suffix == 'S') offer(TokenKind::kSmallint, integer_end + 1);
      if (suffix == 'Y') offer(TokenKind::kTinyint, integer_end + 1);
      offer_suffixes(integer_end, false);
    }
    if (At(integer_end) == '.') offer_suffixes(Digits(integer_end + 1), true);
    if (best.end == start) return std::nullopt;
    return Take(best.kind, best.end - start);
  }

  static char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

  Token String(char quote) {
    size_t i = position_ + 1;
    while (i < text_.size()) {
      if (text_[i] == '\\' && i + 1 < text_.size()) {
        i += 2;
      } else if (text_[i] == quote) {
        if (At(i + 1) != quote) return Take(TokenKind::kString, i + 1 - position_);
        i += 2;  // a doubled quote stands for one
      } else {
        ++i;
      }
    }
    return Take(TokenKind::kUnrecognized, 1);
  }

  Token QuotedIdentifier(char quote) {
    size_t i = position_ + 1;
    while (i < text_.size()) {
      if (text_[i] != quote) {
        ++i;
      } else if (At(i + 1) == quote) {
        i += 2;
      } else {
        return Take(TokenKind::kQuotedIdentifier, i + 1 - position_);
      }
    }
    return Take(TokenKind::kUnrecognized, 1);
  }

  Token Word() {
    size_t end = position_;
    bool letters_only = true;
    while (IsWordByte(At(end))) {
      letters_only = letters_only && !IsDigit(At(end)) && At(end) != '_';
      ++end;
    }
    if (letters_only && text_.substr(end).starts_with("://") && IsUriByte(At(end + 3))) {
      end += 3;
      while (IsUriByte(At(end))) ++end;
      return Take(TokenKind::kIdentifier, end - position_);
    }
    Token token = Take(TokenKind::kIdentifier, end - position_);
    token.keyword = FindKeyword(token.text);
    if (token.keyword != Keyword::kNotKeyword) token.kind = TokenKind::kKeyword;
    return token;
  }

  std::string_view text_;
  bool double_quoted_identifiers_;
  size_t position_ = 0;
};

}  // namespace

arrow::Result<std::vector<Token>> Tokenize(std::string_view text, bool double_quoted_identifiers) {
  return Lexer(text, double_quoted_identifiers).Run();
}

}  // namespace millrace::sql
