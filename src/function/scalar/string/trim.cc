#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// trim, ltrim, rtrim, btrim.

namespace millrace::function {

using types::TypeId;

namespace {

enum class Side : uint8_t { kBoth, kLeading, kTrailing };

bool OneOf(std::string_view character, std::string_view set) {
  for (size_t i = 0; i < set.size();) {
    auto width = static_cast<size_t>(Utf8Width(set[i]));
    if (set.substr(i, width) == character) return true;
    i += width;
  }
  return false;
}

std::string_view Trim(std::string_view text, std::string_view set, Side side) {
  while (side != Side::kTrailing && !text.empty()) {
    std::string_view first = text.substr(0, static_cast<size_t>(Utf8Width(text[0])));
    if (!OneOf(first, set)) break;
    text.remove_prefix(first.size());
  }
  while (side != Side::kLeading && !text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && IsContinuationByte(text[start])) --start;
    if (!OneOf(text.substr(start), set)) break;
    text = text.substr(0, start);
  }
  return text;
}

// Of binaries, single bytes.
std::string_view TrimBytes(std::string_view bytes, std::string_view set) {
  while (!bytes.empty() && set.find(bytes.front()) != std::string_view::npos) bytes.remove_prefix(1);
  while (!bytes.empty() && set.find(bytes.back()) != std::string_view::npos) bytes.remove_suffix(1);
  return bytes;
}

ExpressionPtr MakeTrim(const ExpressionPtr& text, const ExpressionPtr& set, Side side, CallInfo info) {
  ExpressionVector arguments{expression::ImplicitCast(text, types::String())};
  bool nullable = arguments[0]->nullable();
  if (set == nullptr) {
    info.kernel = BuiltKernel<arrow::StringBuilder, std::string_view>(
        arrow::utf8(), [side](const EvalContext&, std::string_view value, arrow::StringBuilder& builder) {
          return builder.Append(Trim(value, " ", side));
        });
  } else {
    arguments.push_back(expression::ImplicitCast(set, types::String()));
    nullable = nullable || arguments[1]->nullable();
    info.kernel = BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view>(
        arrow::utf8(), [side](const EvalContext&, std::string_view value, std::string_view characters,
                              arrow::StringBuilder& builder) { return builder.Append(Trim(value, characters, side)); });
  }
  return std::make_shared<Call>(std::make_shared<CallInfo>(std::move(info)), types::String(), nullable,
                                std::move(arguments));
}

arrow::Status CheckTexts(const BindInput& input) {
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    if (!expression::CanImplicitCast(input.arguments[i]->type(), types::String())) {
      return UnexpectedInputType(input, i, QuoteSqlType("STRING"));
    }
  }
  return arrow::Status::OK();
}

// The two-argument forms are given (characters, text) and shown in SQL's words.
arrow::Result<ExpressionPtr> BindTrim(const BindInput& input, Side side, const char* word) {
  ARROW_RETURN_NOT_OK(CheckTexts(input));
  CallInfo info;
  info.name = std::string(input.def.name);
  if (input.arguments.size() == 1) return MakeTrim(input.arguments[0], nullptr, side, std::move(info));
  info.style = CallStyle::kCustom;
  info.render = [word = std::string(word)](const std::vector<std::string>& texts) {
    return "TRIM(" + word + " " + texts[1] + " FROM " + texts[0] + ")";
  };
  return MakeTrim(input.arguments[1], input.arguments[0], side, std::move(info));
}

arrow::Result<ExpressionPtr> BindBothTrim(const BindInput& input) {
  bool binary = input.arguments[0]->type()->id() == TypeId::kBinary;
  if (binary && input.arguments.size() == 2 && input.arguments[1]->type()->id() == TypeId::kBinary) {
    return BindSimple(
        input, {types::Binary(), types::Binary()}, types::Binary(),
        BuiltKernel<arrow::BinaryBuilder, std::string_view, std::string_view>(
            arrow::binary(), [](const EvalContext&, std::string_view bytes, std::string_view set,
                                arrow::BinaryBuilder& builder) { return builder.Append(TrimBytes(bytes, set)); }));
  }
  ARROW_RETURN_NOT_OK(CheckTexts(input));
  CallInfo info;
  info.name = "btrim";
  return MakeTrim(input.arguments[0], input.arguments.size() == 2 ? input.arguments[1] : nullptr, Side::kBoth,
                  std::move(info));
}

}  // namespace

extern const FunctionDef kTrim{.name = "trim",
                               .family = "string",
                               .description = "The text without blanks, or the given characters, at both ends.",
                               .example = "trim('    SparkSQL   ')",
                               .example_result = "SparkSQL",
                               .min_arguments = 1,
                               .max_arguments = 2,
                               .bind = [](const BindInput& input) { return BindTrim(input, Side::kBoth, "BOTH"); }};

extern const FunctionDef kLtrim{
    .name = "ltrim",
    .family = "string",
    .description = "The text without blanks, or the given characters, at its start.",
    .example = "ltrim('    SparkSQL')",
    .example_result = "SparkSQL",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindTrim(input, Side::kLeading, "LEADING"); }};

extern const FunctionDef kRtrim{
    .name = "rtrim",
    .family = "string",
    .description = "The text without blanks, or the given characters, at its end.",
    .example = "rtrim('SparkSQL   ')",
    .example_result = "SparkSQL",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindTrim(input, Side::kTrailing, "TRAILING"); }};

extern const FunctionDef kBtrim{
    .name = "btrim",
    .family = "string",
    .description = "The text without the given characters (blanks by default) at both ends.",
    .example = "btrim('SSparkSQLS', 'SL')",
    .example_result = "parkSQ",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = BindBothTrim};

}  // namespace millrace::function
