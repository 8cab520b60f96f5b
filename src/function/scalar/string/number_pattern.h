#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::function {

/// A number format of to_number and to_char: 0 and 9 (digits), `.` or D, `,` or G, $, S, MI, PR.
/// Immutable once parsed, thread-safe.
/// Source: Spark SQL reference, "Number Pattern"; the walk of ToNumberParser.
class NumberPattern {
 public:
  /// Errors: UserError INVALID_FORMAT.… for a pattern that cannot be.
  static arrow::Result<NumberPattern> Parse(std::string_view text);

  int precision() const { return precision_; }
  int scale() const { return scale_; }
  const std::string& text() const { return text_; }

  /// The decimal text ("-12.50", `scale` places) that `input` stands for; nullopt when it is not of this pattern.
  std::optional<std::string> ToNumber(std::string_view input) const;
  /// A plain decimal text ("-12.5") in this pattern; nullopt never (too large numbers become `##`).
  std::string Format(std::string_view number) const;

 private:
  enum class Kind : uint8_t { kDigits, kPoint, kComma, kDollar, kSign, kMinus, kOpenAngle, kCloseAngle, kOther };
  struct Token {
    Kind kind;
    int count = 0;       // kDigits
    bool exact = false;  // kDigits: exactly as many
    char other = 0;
    bool operator==(const Token&) const = default;
  };
  /// Digits and the separators between them, or one other token.
  struct Part {
    bool is_digits = false;
    Token token{};
    std::vector<Token> tokens;
  };

  arrow::Status Check() const;
  std::vector<const Token*> DigitsOf(const Part& part) const;

  std::string text_;
  std::vector<Part> parts_;
  int precision_ = 0;
  int scale_ = 0;
};

}  // namespace millrace::function
