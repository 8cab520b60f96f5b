#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::sql {

/// The keywords of Spark SQL.
enum class Keyword : uint16_t {
  kNotKeyword,
#define KEYWORD(name, text, may_alias_table) k##name,
#include "sql/keywords.def"
#undef KEYWORD
};

/// The keyword spelled `word` in any case, or kNotKeyword.
Keyword FindKeyword(std::string_view word);
/// "SELECT"; empty for kNotKeyword.
std::string_view KeywordText(Keyword keyword);
/// False for the few words that continue a FROM clause (JOIN, ON, LEFT …) and so cannot be a bare table alias.
bool MayAliasTable(Keyword keyword);

enum class TokenKind : uint8_t {
  kEnd,
  kIdentifier,        ///< bare word that is no keyword
  kKeyword,           ///< bare word that is one; still an identifier where the grammar leaves room
  kQuotedIdentifier,  ///< `in back-ticks`, or "in double quotes" where they are names
  kString,            ///< '…', "…", r'…' or r"…"
  kInteger,           ///< 12
  kDecimal,           ///< 1.5
  kExponent,          ///< 1e5
  kBigint,            ///< 12L
  kSmallint,          ///< 12S
  kTinyint,           ///< 12Y
  kFloat,             ///< 1F
  kDouble,            ///< 1D
  kBigDecimal,        ///< 1BD
  kSymbol,            ///< operator or punctuation
  kUnrecognized,      ///< a character that starts no token
};

/// Operators and punctuation. Spellings that mean the same (= and ==, <> and !=) share a value.
enum class Symbol : uint8_t {
  kNone,
  kSemicolon,
  kLeftParen,
  kRightParen,
  kComma,
  kDot,
  kLeftBracket,
  kRightBracket,
  kBang,
  kEqual,
  kNullSafeEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kShiftLeft,
  kShiftRight,
  kShiftRightUnsigned,
  kPlus,
  kMinus,
  kAsterisk,
  kSlash,
  kPercent,
  kTilde,
  kAmpersand,
  kPipe,
  kConcat,
  kPipeOperator,  ///< |>
  kHat,
  kColon,
  kDoubleColon,
  kArrow,     ///< ->
  kFatArrow,  ///< =>
  kHintStart,
  kHintEnd,
  kQuestion,
};

/// A piece of the statement; `text` is a view of the caller's buffer.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNotKeyword;
  Symbol symbol = Symbol::kNone;
  /// How many parentheses are open before this token.
  int32_t paren_depth = 0;
  size_t offset = 0;
  std::string_view text;

  bool Is(Symbol s) const { return symbol == s; }
  bool Is(Keyword k) const { return keyword == k; }
  bool IsNumber() const { return kind >= TokenKind::kInteger && kind <= TokenKind::kBigDecimal; }
  /// A word that can stand for a name.
  bool IsIdentifier() const {
    return kind == TokenKind::kIdentifier || kind == TokenKind::kKeyword || kind == TokenKind::kQuotedIdentifier;
  }
};

}  // namespace millrace::sql
