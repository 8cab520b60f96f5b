#include <algorithm>

#include "base/error.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// ascii, chr, levenshtein, soundex, luhn_check, quote.

namespace millrace::function {

namespace {

int32_t Levenshtein(std::string_view a, std::string_view b) {
  std::u32string left;
  std::u32string right;
  for (size_t i = 0; i < a.size();) left += DecodeUtf8(a, &i);
  for (size_t i = 0; i < b.size();) right += DecodeUtf8(b, &i);
  std::vector<int32_t> row(right.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = static_cast<int32_t>(j);
  for (size_t i = 1; i <= left.size(); ++i) {
    int32_t diagonal = row[0];
    row[0] = static_cast<int32_t>(i);
    for (size_t j = 1; j < row.size(); ++j) {
      int32_t above = row[j];
      int32_t change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row.back();
}

// American Soundex; H and W do not separate equal codes. A text that does not start with a letter stays as it is.
std::string Soundex(std::string_view text) {
  constexpr std::string_view kCodes = "01230127022455012623017202";
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  auto upper = [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; };
  if (text.empty() || !letter(text[0])) return std::string(text);
  std::string out(1, upper(text[0]));
  char last = kCodes[static_cast<size_t>(out[0] - 'A')];
  for (size_t i = 1; i < text.size() && out.size() < 4; ++i) {
    if (!letter(text[i])) {
      last = '0';
      continue;
    }
    char code = kCodes[static_cast<size_t>(upper(text[i]) - 'A')];
    if (code == '7') continue;
    if (code != '0' && code != last) out += code;
    last = code;
  }
  out.resize(4, '0');
  return out;
}

bool LuhnCheck(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (size_t i = digits.size(); i-- > 0; doubled = !doubled) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    int digit = digits[i] - '0';
    if (doubled) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return !digits.empty() && sum % 10 == 0;
}

std::string Quote(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

extern const FunctionDef kAscii{.name = "ascii",
                                .family = "string",
                                .description = "Code of the first character; 0 for an empty text.",
                                .example = "ascii('222')",
                                .example_result = "50",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) {
                                  return BindSimple(
                                      input, {types::String()}, types::Integer(),
                                      FixedKernel<int32_t, std::string_view>(
                                          arrow::int32(), [](const EvalContext&, std::string_view text, int32_t* out) {
                                            size_t position = 0;
                                            *out = text.empty() ? 0 : static_cast<int32_t>(DecodeUtf8(text, &position));
                                          }));
                                }};

extern const FunctionDef kChr{.name = "chr",
                              .aliases = "char",
                              .family = "string",
                              .description = "The character of a code, modulo 256; empty for negative codes.",
                              .example = "chr(65)",
                              .example_result = "A",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = [](const BindInput& input) {
                                return BindSimple(
                                    input, {types::Long()}, types::String(),
                                    BuiltKernel<arrow::StringBuilder, int64_t>(
                                        arrow::utf8(),
                                        [](const EvalContext&, int64_t code, arrow::StringBuilder& builder) {
                                          std::string out;
                                          if (code >= 0) AppendUtf8(static_cast<char32_t>(code & 0xFF), &out);
                                          return builder.Append(out);
                                        }),
                                    {.shown_name = std::string(input.name)});
                              }};

extern const FunctionDef kLevenshtein{
    .name = "levenshtein",
    .family = "string",
    .description = "Number of edits from one text to the other; -1 when above the threshold.",
    .example = "levenshtein('kitten', 'sitting')",
    .example_result = "3",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      if (input.arguments.size() == 3) {
        return BindSimple(input, {types::String(), types::String(), types::Integer()}, types::Integer(),
                          FixedKernel<int32_t, std::string_view, std::string_view, int32_t>(
                              arrow::int32(), [](const EvalContext&, std::string_view a, std::string_view b,
                                                 int32_t threshold, int32_t* out) {
                                *out = Levenshtein(a, b);
                                if (*out > threshold) *out = -1;
                              }));
      }
      return BindSimple(input, {types::String(), types::String()}, types::Integer(),
                        FixedKernel<int32_t, std::string_view, std::string_view>(
                            arrow::int32(), [](const EvalContext&, std::string_view a, std::string_view b,
                                               int32_t* out) { *out = Levenshtein(a, b); }));
    }};

extern const FunctionDef kSoundex{.name = "soundex",
                                  .family = "string",
                                  .description = "Soundex code of a word.",
                                  .example = "soundex('Miller')",
                                  .example_result = "M460",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                    types::TypeId id = input.arguments[0]->type()->id();
                                    if (id != types::TypeId::kString && id != types::TypeId::kNull) {
                                      return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
                                    }
                                    return BindSimple(input, {types::String()}, types::String(),
                                                      BuiltKernel<arrow::StringBuilder, std::string_view>(
                                                          arrow::utf8(), [](const EvalContext&, std::string_view text,
                                                                            arrow::StringBuilder& builder) {
                                                            return builder.Append(Soundex(text));
                                                          }));
                                  }};

extern const FunctionDef kLuhnCheck{
    .name = "luhn_check",
    .family = "string",
    .description = "Whether a text of digits passes the Luhn check.",
    .example = "luhn_check('8112189876')",
    .example_result = "true",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::String()}, types::Boolean(),
          BuiltKernel<arrow::BooleanBuilder, std::string_view>(
              arrow::boolean(), [](const EvalContext&, std::string_view text,
                                   arrow::BooleanBuilder& builder) { return builder.Append(LuhnCheck(text)); }),
          {.may_null = true});
    }};

extern const FunctionDef kQuote{
    .name = "quote",
    .family = "string",
    .description = "The text in single quotes, those inside escaped.",
    .example = "quote('Spark')",
    .example_result = "'Spark'",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, std::string_view>(
                            arrow::utf8(), [](const EvalContext&, std::string_view text,
                                              arrow::StringBuilder& builder) { return builder.Append(Quote(text)); }),
                        {.may_null = true});
    }};

}  // namespace millrace::function
