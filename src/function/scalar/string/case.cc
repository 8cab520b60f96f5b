#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// upper, lower, initcap.

namespace millrace::function {

namespace {

template <typename Append>
arrow::Result<ExpressionPtr> BindCase(const BindInput& input, Append append) {
  ScalarKernel kernel = BuiltKernel<arrow::StringBuilder, std::string_view>(
      arrow::utf8(), [append](const EvalContext&, std::string_view text, arrow::StringBuilder& builder) {
        thread_local std::string out;
        out.clear();
        append(text, &out);
        return builder.Append(out);
      });
  return BindSimple(input, {types::String()}, types::String(), std::move(kernel),
                    {.shown_name = std::string(input.name)});
}

// Words are what blanks separate.
void AppendTitle(std::string_view text, std::string* out) {
  std::string lower;
  AppendLower(text, &lower);
  bool at_start = true;
  for (size_t i = 0; i < lower.size();) {
    char32_t c = DecodeUtf8(lower, &i);
    AppendUtf8(at_start ? ToTitle(c) : c, out);
    at_start = c == U' ';
  }
}

}  // namespace

extern const FunctionDef kUpper{.name = "upper",
                                .aliases = "ucase",
                                .family = "string",
                                .description = "The text in capital letters.",
                                .example = "upper('SparkSql')",
                                .example_result = "SPARKSQL",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) { return BindCase(input, AppendUpper); }};

extern const FunctionDef kLower{.name = "lower",
                                .aliases = "lcase",
                                .family = "string",
                                .description = "The text in small letters.",
                                .example = "lower('SparkSql')",
                                .example_result = "sparksql",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) { return BindCase(input, AppendLower); }};

extern const FunctionDef kInitCap{.name = "initcap",
                                  .family = "string",
                                  .description = "The text with the first letter of each word capital, others small.",
                                  .example = "initcap('sPark sql')",
                                  .example_result = "Spark Sql",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = [](const BindInput& input) { return BindCase(input, AppendTitle); }};

}  // namespace millrace::function
