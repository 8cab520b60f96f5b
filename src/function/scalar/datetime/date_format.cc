#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/pattern_source.h"
#include "types/datetime_text.h"

namespace millrace::function {

namespace {

using types::DateTimePattern;

// Instants, as so many seconds or µs, to text by the pattern in the second argument.
template <int64_t kScale>
ScalarKernel FormatKernel(PatternSource patterns) {
  return [patterns = std::move(patterns)](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                          int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      PatternSource::Reader reader(patterns);
      arrow::StringBuilder builder(context.memory_pool);
      expression::FixedColumn<int64_t> instants(arguments[0]);
      expression::StringColumn texts(arguments[1]);
      const DateTimePattern* checked = nullptr;
      std::string text;
      return expression::MapBuilt(
          builder, n,
          [&](int64_t i) -> arrow::Status {
            ARROW_ASSIGN_OR_RAISE(const DateTimePattern* pattern, reader.Get(texts[i]));
            if (pattern != checked) {
              ARROW_RETURN_NOT_OK(pattern->CheckZone(*context.time_zone));
              checked = pattern;
            }
            text.clear();
            auto us = static_cast<int64_t>(static_cast<uint64_t>(instants[i]) * static_cast<uint64_t>(kScale));
            pattern->Format(us, *context.time_zone, &text);
            return builder.Append(text);
          },
          instants, texts);
    });
  };
}

arrow::Result<ExpressionPtr> BindDateFormat(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(PatternSource patterns, PatternSource::Bind(input, 1, DateTimePattern::Purpose::kFormat));
  return BindSimple(input, {types::Timestamp(), types::String()}, types::String(), FormatKernel<1>(std::move(patterns)),
                    {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindFromUnixTime(const BindInput& input) {
  BindInput full = input;
  if (full.arguments.size() == 1) {
    full.arguments.push_back(expression::Literal::String(std::string(DateTimePattern::kDefault)));
  }
  ARROW_ASSIGN_OR_RAISE(PatternSource patterns, PatternSource::Bind(full, 1, DateTimePattern::Purpose::kFormat));
  return BindSimple(full, {types::Long(), types::String()}, types::String(),
                    FormatKernel<types::kMicrosPerSecond>(std::move(patterns)), {.can_fail = true, .may_null = true});
}

}  // namespace

extern const FunctionDef kDateFormat{.name = "date_format",
                                     .family = "datetime",
                                     .description = "Text of a timestamp by a date-time pattern.",
                                     .example = "date_format('2016-04-08', 'y')",
                                     .example_result = "2016",
                                     .min_arguments = 2,
                                     .max_arguments = 2,
                                     .bind = BindDateFormat};

extern const FunctionDef kFromUnixTime{.name = "from_unixtime",
                                       .family = "datetime",
                                       .description = "Text of so many seconds since 1970 UTC.",
                                       .example = "from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')",
                                       .example_result = "1970-01-01 00:00:00",
                                       .min_arguments = 1,
                                       .max_arguments = 2,
                                       .bind = BindFromUnixTime};

}  // namespace millrace::function
