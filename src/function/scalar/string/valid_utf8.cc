#include "base/error.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// is_valid_utf8, validate_utf8, make_valid_utf8.

namespace millrace::function {

namespace {

// Length of the well-formed character at `i`, or 0.
size_t WellFormed(std::string_view text, size_t i) {
  auto lead = static_cast<unsigned char>(text[i]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  auto width = static_cast<size_t>(Utf8Width(text[i]));
  if (i + width > text.size()) return 0;
  for (size_t k = 1; k < width; ++k) {
    if (!IsContinuationByte(text[i + k])) return 0;
  }
  auto second = static_cast<unsigned char>(text[i + 1]);
  bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
             (lead == 0xF4 && second > 0x8F);
  return bad ? 0 : width;
}

bool IsValid(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    size_t width = WellFormed(text, i);
    if (width == 0) return false;
    i += width;
  }
  return true;
}

// Each malformed byte becomes U+FFFD.
std::string MakeValid(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t width = WellFormed(text, i);
    if (width == 0) {
      AppendUtf8(0xFFFD, &out);
      ++i;
    } else {
      out.append(text.substr(i, width));
      i += width;
    }
  }
  return out;
}

std::string HexBytes(std::string_view text) {
  std::string out;
  for (char c : text) out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
  return out;
}

arrow::Result<ExpressionPtr> BindValidate(const BindInput& input, bool tried) {
  return BindSimple(input, {types::String()}, types::String(),
                    BuiltKernel<arrow::StringBuilder, std::string_view>(
                        arrow::utf8(),
                        [tried](const EvalContext&, std::string_view text, arrow::StringBuilder& builder) {
                          if (IsValid(text)) return builder.Append(text);
                          return tried ? builder.AppendNull()
                                       : UserError("INVALID_UTF8_STRING", {{"str", HexBytes(text)}});
                        }),
                    {.can_fail = !tried, .may_null = true});
}

}  // namespace

extern const FunctionDef kIsValidUtf8{
    .name = "is_valid_utf8",
    .family = "string",
    .description = "Whether the text is well-formed UTF-8.",
    .example = "is_valid_utf8('Spark')",
    .example_result = "true",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::String()}, types::Boolean(),
          BuiltKernel<arrow::BooleanBuilder, std::string_view>(
              arrow::boolean(), [](const EvalContext&, std::string_view text,
                                   arrow::BooleanBuilder& builder) { return builder.Append(IsValid(text)); }),
          {.may_null = true});
    }};

extern const FunctionDef kMakeValidUtf8{
    .name = "make_valid_utf8",
    .family = "string",
    .description = "The text with malformed bytes replaced by U+FFFD.",
    .example = "make_valid_utf8('Spark')",
    .example_result = "Spark",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::String()}, types::String(),
          BuiltKernel<arrow::StringBuilder, std::string_view>(
              arrow::utf8(), [](const EvalContext&, std::string_view text,
                                arrow::StringBuilder& builder) { return builder.Append(MakeValid(text)); }),
          {.may_null = true});
    }};

extern const FunctionDef kValidateUtf8{.name = "validate_utf8",
                                       .family = "string",
                                       .description = "The text, or an error when it is not well-formed UTF-8.",
                                       .example = "validate_utf8('Spark')",
                                       .example_result = "Spark",
                                       .min_arguments = 1,
                                       .max_arguments = 1,
                                       .bind = [](const BindInput& input) { return BindValidate(input, false); }};

extern const FunctionDef kTryValidateUtf8{.name = "try_validate_utf8",
                                          .family = "string",
                                          .description = "The text, or NULL when it is not well-formed UTF-8.",
                                          .example = "try_validate_utf8('Spark')",
                                          .example_result = "Spark",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = [](const BindInput& input) { return BindValidate(input, true); }};

}  // namespace millrace::function
