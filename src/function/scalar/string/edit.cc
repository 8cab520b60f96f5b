#include <algorithm>
#include <map>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/bytes_builder.h"
#include "function/scalar/string/reverse.h"
#include "function/scalar/string/utf8.h"

/// Texts made of texts: replace, translate, overlay, repeat, reverse, space, split_part, elt.

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

void Replace(std::string_view text, std::string_view from, std::string_view to, std::string* out) {
  if (from.empty()) {
    *out += text;
    return;
  }
  size_t start = 0;
  for (size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, start)) {
    out->append(text.substr(start, found - start));
    *out += to;
    start = found + from.size();
  }
  out->append(text.substr(start));
}

void Translate(std::string_view text, std::string_view from, std::string_view to, std::string* out) {
  std::map<char32_t, std::string> changes;
  size_t to_position = 0;
  for (size_t i = 0; i < from.size();) {
    char32_t c = DecodeUtf8(from, &i);
    std::string replacement;
    if (to_position < to.size()) AppendUtf8(DecodeUtf8(to, &to_position), &replacement);
    changes.emplace(c, std::move(replacement));  // the first mention counts
  }
  for (size_t i = 0; i < text.size();) {
    size_t begin = i;
    auto it = changes.find(DecodeUtf8(text, &i));
    *out += it == changes.end() ? text.substr(begin, i - begin) : std::string_view(it->second);
  }
}

// The text before `position`, the replacement, and the text behind the part that is replaced.
void Overlay(std::string_view text, std::string_view with, int32_t position, int32_t length, bool binary,
             std::string* out) {
  int64_t size = binary ? static_cast<int64_t>(text.size()) : Utf8Length(text);
  int64_t replaced = length;
  if (length < 0) replaced = binary ? static_cast<int64_t>(with.size()) : Utf8Length(with);
  auto slice = [&](int64_t begin, int64_t end) {
    begin = std::clamp<int64_t>(begin, 0, size);
    end = std::clamp<int64_t>(end, begin, size);
    if (binary) return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    return Utf8Slice(text, begin, end - begin);
  };
  *out += slice(0, int64_t{position} - 1);
  *out += with;
  int64_t rest = position + replaced;
  // A position of the rest that is not positive counts from the end, as in substring.
  *out += rest > 0 ? slice(rest - 1, size) : rest == 0 ? slice(0, size) : slice(size + rest, size);
}

arrow::Result<ExpressionPtr> BindOverlay(const BindInput& input) {
  bool binary = input.arguments[0]->type()->id() == TypeId::kBinary;
  ExpressionVector arguments = input.arguments;
  if (arguments.size() == 3) arguments.push_back(expression::Literal::Integer(-1));
  DataTypePtr type = binary ? types::Binary() : types::String();
  BindInput full{input.def, input.name, std::move(arguments), input.context};
  if (!binary && !expression::CanImplicitCast(full.arguments[0]->type(), types::String())) {
    return UnexpectedInputType(full, 0, R"(("STRING" or "BINARY"))");
  }
  return BindSimple(full, {type, type, types::Integer(), types::Integer()}, type,
                    BuiltKernel<BytesBuilder, std::string_view, std::string_view, int32_t, int32_t>(
                        binary ? arrow::binary() : arrow::utf8(),
                        [binary](const EvalContext&, std::string_view text, std::string_view with, int32_t position,
                                 int32_t length, BytesBuilder& builder) {
                          thread_local std::string out;
                          out.clear();
                          Overlay(text, with, position, length, binary, &out);
                          return builder.Append(out);
                        }));
}

void Reverse(std::string_view text, std::string* out) {
  size_t end = text.size();
  while (end > 0) {
    size_t start = end - 1;
    while (start > 0 && IsContinuationByte(text[start])) --start;
    out->append(text.substr(start, end - start));
    end = start;
  }
}

arrow::Result<std::string_view> SplitPart(std::string_view text, std::string_view delimiter, int32_t part) {
  if (part == 0) return UserError("INVALID_INDEX_OF_ZERO");
  std::vector<std::string_view> parts;
  size_t start = 0;
  while (!delimiter.empty()) {
    size_t found = text.find(delimiter, start);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(start, found - start));
    start = found + delimiter.size();
  }
  parts.push_back(text.substr(start));
  auto count = static_cast<int64_t>(parts.size());
  int64_t index = part > 0 ? int64_t{part} - 1 : count + part;
  return index < 0 || index >= count ? std::string_view() : parts[static_cast<size_t>(index)];
}

arrow::Result<ExpressionPtr> BindElt(const BindInput& input) {
  if (input.arguments.size() < 2) return WrongNumArgs("elt", "> 1", input.arguments.size());
  bool binary = true;
  for (size_t i = 1; i < input.arguments.size(); ++i) {
    binary = binary && input.arguments[i]->type()->id() == TypeId::kBinary;
  }
  DataTypePtr type = binary ? types::Binary() : types::String();
  ScalarKernel kernel = [binary](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
      expression::FixedColumn<int32_t> index(arguments[0]);
      std::deque<expression::StringColumn> values;
      for (size_t k = 1; k < arguments.size(); ++k) values.emplace_back(arguments[k]);
      BytesBuilder builder(binary ? arrow::binary() : arrow::utf8(), context.memory_pool);
      auto append = [&](int64_t i) -> arrow::Status {
        auto count = static_cast<int32_t>(values.size());
        if (index[i] < 1 || index[i] > count) {
          if (!context.ansi) return builder.AppendNull();
          return UserError("INVALID_ARRAY_INDEX", {{"indexValue", std::to_string(index[i])},
                                                   {"arraySize", std::to_string(count)},
                                                   {"ansiConfig", QuoteConf("spark.sql.ansi.enabled")}});
        }
        const auto& column = values[static_cast<size_t>(index[i]) - 1];
        return column.IsNull(i) ? builder.AppendNull() : builder.Append(column[i]);
      };
      return expression::MapBuilt(builder, rows, append, index);
    });
  };
  return BindSimple(input, {types::Integer(), type}, type, std::move(kernel), {.can_fail = true, .may_null = true});
}

}  // namespace

extern const FunctionDef kReplace{
    .name = "replace",
    .family = "string",
    .description = "The text with every occurrence of the second text replaced by the third.",
    .example = "replace('ABCabc', 'abc', 'DEF')",
    .example_result = "ABCDEF",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      ExpressionVector arguments = input.arguments;
      if (arguments.size() == 2) arguments.push_back(expression::Literal::String(""));
      BindInput full{input.def, input.name, std::move(arguments), input.context};
      return BindSimple(full, {types::String()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view, std::string_view>(
                            arrow::utf8(), [](const EvalContext&, std::string_view text, std::string_view from,
                                              std::string_view to, arrow::StringBuilder& builder) {
                              thread_local std::string out;
                              out.clear();
                              Replace(text, from, to, &out);
                              return builder.Append(out);
                            }));
    }};

extern const FunctionDef kTranslate{
    .name = "translate",
    .family = "string",
    .description = "The text with characters of the second text replaced by those of the third.",
    .example = "translate('AaBbCc', 'abc', '123')",
    .example_result = "A1B2C3",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view, std::string_view>(
                            arrow::utf8(), [](const EvalContext&, std::string_view text, std::string_view from,
                                              std::string_view to, arrow::StringBuilder& builder) {
                              thread_local std::string out;
                              out.clear();
                              Translate(text, from, to, &out);
                              return builder.Append(out);
                            }));
    }};

extern const FunctionDef kOverlay{.name = "overlay",
                                  .family = "string",
                                  .description = "The text with a part replaced, from a position on.",
                                  .example = "overlay('Spark SQL', '_', 6)",
                                  .example_result = "Spark_SQL",
                                  .min_arguments = 3,
                                  .max_arguments = 4,
                                  .bind = BindOverlay};

extern const FunctionDef kRepeat{.name = "repeat",
                                 .family = "string",
                                 .description = "The text so many times over.",
                                 .example = "repeat('123', 2)",
                                 .example_result = "123123",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = [](const BindInput& input) {
                                   return BindSimple(
                                       input, {types::String(), types::Integer()}, types::String(),
                                       BuiltKernel<arrow::StringBuilder, std::string_view, int32_t>(
                                           arrow::utf8(), [](const EvalContext&, std::string_view text, int32_t times,
                                                             arrow::StringBuilder& builder) {
                                             thread_local std::string out;
                                             out.clear();
                                             for (int32_t k = 0; k < times; ++k) out += text;
                                             return builder.Append(out);
                                           }));
                                 }};

extern const FunctionDef kSpace{
    .name = "space",
    .family = "string",
    .description = "So many blanks.",
    .example = "concat(space(2), '1')",
    .example_result = "  1",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Integer()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, int32_t>(
                            arrow::utf8(), [](const EvalContext&, int32_t count, arrow::StringBuilder& builder) {
                              return builder.Append(std::string(static_cast<size_t>(std::max(count, 0)), ' '));
                            }));
    }};

extern const FunctionDef kSplitPart{
    .name = "split_part",
    .family = "string",
    .description = "A part of a text split at a delimiter, counted from 1, or from the end when negative.",
    .example = "split_part('11.12.13', '.', 3)",
    .example_result = "13",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String(), types::String(), types::Integer()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view, int32_t>(
                            arrow::utf8(),
                            [](const EvalContext&, std::string_view text, std::string_view delimiter, int32_t part,
                               arrow::StringBuilder& builder) -> arrow::Status {
                              ARROW_ASSIGN_OR_RAISE(std::string_view found, SplitPart(text, delimiter, part));
                              return builder.Append(found);
                            }),
                        {.can_fail = true, .may_null = true});
    }};

extern const FunctionDef kElt{.name = "elt",
                              .family = "string",
                              .description = "The n-th of the values behind the first argument n.",
                              .example = "elt(1, 'scala', 'java')",
                              .example_result = "scala",
                              .min_arguments = 0,
                              .max_arguments = -1,
                              .bind = BindElt};

arrow::Result<ExpressionPtr> BindReverseText(const BindInput& input) {
  return BindSimple(input, {types::String()}, types::String(),
                    BuiltKernel<arrow::StringBuilder, std::string_view>(
                        arrow::utf8(), [](const EvalContext&, std::string_view text, arrow::StringBuilder& builder) {
                          thread_local std::string out;
                          out.clear();
                          Reverse(text, &out);
                          return builder.Append(out);
                        }));
}

}  // namespace millrace::function
