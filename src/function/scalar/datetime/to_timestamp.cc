#include "base/error.h"
#include "expression/cast.h"
#include "expression/query_settings.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/local_time.h"
#include "function/scalar/datetime/pattern_source.h"
#include "types/arrow_type.h"

/// Text and other types to dates, timestamps and seconds since 1970.

namespace millrace::function {

namespace {

using expression::Cast;
using expression::CastMode;
using types::DateTimePattern;
using types::TypeId;

enum class Target : uint8_t { kDate, kTimestamp, kTimestampNtz, kSeconds };

DataTypePtr TypeOf(Target target) {
  switch (target) {
    case Target::kDate:
      return types::Date();
    case Target::kTimestamp:
      return types::Timestamp();
    case Target::kTimestampNtz:
      return types::TimestampNtz();
    case Target::kSeconds:
      return types::Long();
  }
  return types::Timestamp();
}

DateTimePattern::Purpose PurposeOf(Target target) {
  return target == Target::kDate ? DateTimePattern::Purpose::kParseDate : DateTimePattern::Purpose::kParseTimestamp;
}

arrow::Status CannotParse(std::string_view text, const types::PatternMismatch& mismatch, Target target) {
  return UserError(
      "CANNOT_PARSE_TIMESTAMP",
      {{"message", mismatch.Render(text)}, {"func", target == Target::kDate ? "`try_to_date`" : "`try_to_timestamp`"}});
}

template <typename Builder>
bool Parse(const DateTimePattern& pattern, std::string_view text, Target target, const EvalContext& context,
           types::PatternMismatch* mismatch, Builder* builder) {
  if constexpr (std::is_same_v<Builder, arrow::Date32Builder>) {
    int32_t days = 0;
    if (!pattern.ParseDate(text, &days, mismatch)) return false;
    builder->UnsafeAppend(days);
  } else {
    int64_t us = 0;
    if (!(target == Target::kTimestampNtz ? pattern.ParseTimestampNtz(text, true, &us, mismatch)
                                          : pattern.ParseTimestamp(text, *context.time_zone, &us, mismatch))) {
      return false;
    }
    builder->UnsafeAppend(target == Target::kSeconds ? us / types::kMicrosPerSecond : us);
  }
  return true;
}

// Kernel over (text, pattern).
template <typename Builder>
ScalarKernel ParseKernel(PatternSource patterns, Target target, bool raise) {
  return [patterns = std::move(patterns), target, raise, type = types::ToArrow(*TypeOf(target))](
             const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      PatternSource::Reader reader(patterns);
      Builder builder(type, context.memory_pool);
      expression::StringColumn texts(arguments[0]);
      expression::StringColumn pattern_texts(arguments[1]);
      return expression::MapBuilt(
          builder, n,
          [&](int64_t i) -> arrow::Status {
            ARROW_ASSIGN_OR_RAISE(const DateTimePattern* pattern, reader.Get(pattern_texts[i]));
            if (Parse(*pattern, texts[i], target, context, nullptr, &builder)) return arrow::Status::OK();
            if (!raise) return builder.AppendNull();
            types::PatternMismatch mismatch;
            Parse(*pattern, texts[i], target, context, &mismatch, &builder);
            return CannotParse(texts[i], mismatch, target);
          },
          texts, pattern_texts);
    });
  };
}

// Kernel over (date or timestamp, pattern): the pattern only decides about NULL.
ScalarKernel ConvertKernel(DataTypePtr from, Target target) {
  return [from = std::move(from), target](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                          int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      DataTypePtr to = target == Target::kSeconds ? types::Timestamp() : TypeOf(target);
      ARROW_ASSIGN_OR_RAISE(arrow::Datum converted,
                            expression::CastColumn(context, arguments[0], *from, *to, CastMode::kAnsi));
      expression::StringColumn pattern_texts(arguments[1]);
      if (target == Target::kSeconds) {
        expression::FixedColumn<int64_t> instants(converted);
        return expression::MapFixed<int64_t>(
            context, arrow::int64(), n, [&](int64_t i, int64_t* out) { *out = instants[i] / types::kMicrosPerSecond; },
            instants, pattern_texts);
      }
      if (!pattern_texts.may_have_nulls()) return converted;
      if (target == Target::kDate) {
        expression::FixedColumn<int32_t> values(converted);
        return expression::MapFixed<int32_t>(
            context, arrow::date32(), n, [&](int64_t i, int32_t* out) { *out = values[i]; }, values, pattern_texts);
      }
      expression::FixedColumn<int64_t> values(converted);
      return expression::MapFixed<int64_t>(
          context, types::ToArrow(*to), n, [&](int64_t i, int64_t* out) { *out = values[i]; }, values, pattern_texts);
    });
  };
}

struct Conversion {
  Target target;
  /// NULL instead of an error.
  bool is_try = false;
  /// Numbers are seconds since 1970 (without a pattern).
  bool numbers = false;
};

bool IsDateOrTimestamp(TypeId id) {
  return id == TypeId::kDate || id == TypeId::kTimestamp || id == TypeId::kTimestampNtz;
}

// One argument: a CAST under the function's name.
arrow::Result<ExpressionPtr> BindAsCast(const BindInput& input, const Conversion& conversion) {
  ExpressionPtr argument = input.arguments[0];
  TypeId id = argument->type()->id();
  bool as_it_is = id == TypeId::kString || id == TypeId::kNull || IsDateOrTimestamp(id) ||
                  (conversion.numbers && argument->type()->is_numeric());
  if (!as_it_is) {
    if (!expression::CanImplicitCast(argument->type(), types::String())) {
      return UnexpectedInputType(input, 0,
                                 conversion.target == Target::kDate
                                     ? "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\")"
                                     : "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"NUMERIC\")");
    }
    argument = expression::ImplicitCast(argument, types::String());
  }
  DataTypePtr from = argument->type(), to = TypeOf(conversion.target);
  CastMode mode = conversion.is_try ? CastMode::kTry : input.context.ansi ? CastMode::kAnsi : CastMode::kLegacy;
  auto kernel = [from, to, mode](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t) {
    return expression::CastColumn(context, arguments[0], *from, *to, mode);
  };
  bool nullable = std::make_shared<Cast>(argument, to, mode, true)->nullable();
  return MakeCall(input, {std::move(argument)}, to, nullable, kernel,
                  {.can_fail = expression::CastMayFail(*from, *to, mode), .shown_name = std::string(input.name)});
}

// A text (or a date or timestamp) and a pattern.
arrow::Result<ExpressionPtr> BindWithPattern(const BindInput& input, const Conversion& conversion) {
  ExpressionPtr value = input.arguments[0];
  if (!IsDateOrTimestamp(value->type()->id())) {
    if (!expression::CanImplicitCast(value->type(), types::String())) {
      return UnexpectedInputType(input, 0, "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\")");
    }
    value = expression::ImplicitCast(value, types::String());
  }
  if (!expression::CanImplicitCast(input.arguments[1]->type(), types::String())) {
    return UnexpectedInputType(input, 1, QuoteSqlType("STRING"));
  }
  ExpressionPtr pattern = expression::ImplicitCast(input.arguments[1], types::String());
  bool raise = input.context.ansi && !conversion.is_try;
  ScalarKernel kernel;
  if (value->type()->id() != TypeId::kString) {
    kernel = ConvertKernel(value->type(), conversion.target);
  } else {
    ARROW_ASSIGN_OR_RAISE(PatternSource patterns, PatternSource::Bind(input, 1, PurposeOf(conversion.target),
                                                                      conversion.target != Target::kTimestampNtz));
    switch (conversion.target) {
      case Target::kDate:
        kernel = ParseKernel<arrow::Date32Builder>(std::move(patterns), conversion.target, raise);
        break;
      case Target::kSeconds:
        kernel = ParseKernel<arrow::Int64Builder>(std::move(patterns), conversion.target, raise);
        break;
      default:
        kernel = ParseKernel<arrow::TimestampBuilder>(std::move(patterns), conversion.target, raise);
    }
  }
  bool nullable = !raise || value->nullable() || pattern->nullable();
  return MakeCall(input, {std::move(value), std::move(pattern)}, TypeOf(conversion.target), nullable, std::move(kernel),
                  {.can_fail = true, .shown_name = std::string(input.name)});
}

template <Target kTarget, bool kTry, bool kNumbers>
arrow::Result<ExpressionPtr> BindConversion(const BindInput& input) {
  Conversion conversion{.target = kTarget, .is_try = kTry, .numbers = kNumbers};
  if (kTarget == Target::kTimestamp && input.name == input.def.name &&
      expression::CurrentQuerySettings().timestamp_ntz) {
    conversion.target = Target::kTimestampNtz;
    conversion.numbers = false;
  }
  return input.arguments.size() == 1 ? BindAsCast(input, conversion) : BindWithPattern(input, conversion);
}

arrow::Result<ExpressionPtr> BindUnixTimestamp(const BindInput& input) {
  if (input.arguments.empty()) {
    auto now = [](const EvalContext& context, const std::vector<arrow::Datum>&,
                  int64_t) -> arrow::Result<arrow::Datum> {
      return arrow::Datum(
          std::make_shared<arrow::Int64Scalar>(types::FloorDiv(context.current_timestamp_us, types::kMicrosPerSecond)));
    };
    return MakeCall(input, {}, types::Long(), false, now, {.foldable = false});
  }
  BindInput full = input;
  if (full.arguments.size() == 1) {
    full.arguments.push_back(expression::Literal::String(std::string(DateTimePattern::kDefault)));
  }
  return BindWithPattern(full, {.target = Target::kSeconds});
}

}  // namespace

extern const FunctionDef kToDate{.name = "to_date",
                                 .family = "datetime",
                                 .description = "Date of a text, by an optional pattern.",
                                 .example = "to_date('2016-12-31', 'yyyy-MM-dd')",
                                 .example_result = "2016-12-31",
                                 .min_arguments = 1,
                                 .max_arguments = 2,
                                 .bind = BindConversion<Target::kDate, false, false>};

extern const FunctionDef kTryToDate{.name = "try_to_date",
                                    .family = "datetime",
                                    .description = "As to_date, but NULL where the text is no date.",
                                    .example = "try_to_date('foo', 'yyyy-MM-dd')",
                                    .example_result = "NULL",
                                    .min_arguments = 1,
                                    .max_arguments = 2,
                                    .bind = BindConversion<Target::kDate, true, false>};

extern const FunctionDef kToTimestamp{
    .name = "to_timestamp",
    .aliases = "to_timestamp_ltz",
    .family = "datetime",
    .description = "Timestamp of a text, by an optional pattern, or of seconds since 1970.",
    .example = "to_timestamp('2016-12-31', 'yyyy-MM-dd')",
    .example_result = "2016-12-31 00:00:00",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = BindConversion<Target::kTimestamp, false, true>};

extern const FunctionDef kToTimestampNtz{
    .name = "to_timestamp_ntz",
    .family = "datetime",
    .description = "Timestamp without time zone of a text, by an optional pattern.",
    .example = "to_timestamp_ntz('2016-12-31', 'yyyy-MM-dd')",
    .example_result = "2016-12-31 00:00:00",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = BindConversion<Target::kTimestampNtz, false, false>};

extern const FunctionDef kTryToTimestamp{.name = "try_to_timestamp",
                                         .family = "datetime",
                                         .description = "As to_timestamp, but NULL where the text is no timestamp.",
                                         .example = "try_to_timestamp('foo', 'yyyy-MM-dd')",
                                         .example_result = "NULL",
                                         .min_arguments = 1,
                                         .max_arguments = 2,
                                         .bind = BindConversion<Target::kTimestamp, true, true>};

extern const FunctionDef kUnixTimestamp{.name = "unix_timestamp",
                                        .family = "datetime",
                                        .description = "Seconds since 1970 UTC of a text or timestamp, or of now.",
                                        .example = "unix_timestamp('2016-04-08', 'yyyy-MM-dd')",
                                        .example_result = "1460073600",
                                        .min_arguments = 0,
                                        .max_arguments = 2,
                                        .bind = BindUnixTimestamp};

extern const FunctionDef kToUnixTimestamp{.name = "to_unix_timestamp",
                                          .family = "datetime",
                                          .description = "Seconds since 1970 UTC of a text or timestamp.",
                                          .example = "to_unix_timestamp('2016-04-08', 'yyyy-MM-dd')",
                                          .example_result = "1460073600",
                                          .min_arguments = 1,
                                          .max_arguments = 2,
                                          .bind = BindUnixTimestamp};

}  // namespace millrace::function
