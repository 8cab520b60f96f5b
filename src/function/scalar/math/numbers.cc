#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"

/// signum, factorial, width_bucket, greatest, least, isnan, nanvl, bin, conv.

namespace millrace::function {

using arrow::Datum;
using expression::Cast;
using expression::CastMode;
using types::TypeId;

namespace {

double Signum(double x) { return std::isnan(x) || x == 0 ? x : (x > 0 ? 1.0 : -1.0); }

// An interval as the number of its smallest units.
ExpressionPtr AsNumber(const ExpressionPtr& value) {
  if (!value->type()->is_ansi_interval()) return value;
  bool months = value->type()->id() == TypeId::kYearMonthInterval;
  DataTypePtr unit = months ? types::YearMonthInterval(types::IntervalField::kMonth, types::IntervalField::kMonth)
                            : types::DayTimeInterval(types::DayTimeField::kSecond, types::DayTimeField::kSecond);
  ExpressionPtr same = expression::ImplicitCast(value, unit);
  DataTypePtr number = months ? types::Long() : types::Decimal(24, 6);
  return std::make_shared<Cast>(same, number, CastMode::kAnsi, false);
}

arrow::Result<ExpressionPtr> BindSignum(const BindInput& input) {
  BindInput numbers{input.def, input.name, {AsNumber(input.arguments[0])}, input.context};
  return BindSimple(numbers, {types::Double()}, types::Double(),
                    FixedKernel<double, double>(arrow::float64(),
                                                [](const EvalContext&, double x, double* out) { *out = Signum(x); }),
                    {.may_null = true, .shown_name = input.name == "signum" ? "SIGNUM" : std::string(input.name)});
}

arrow::Status AppendFactorial(const EvalContext&, int32_t n, arrow::Int64Builder& builder) {
  if (n < 0 || n > 20) return builder.AppendNull();
  int64_t product = 1;
  for (int32_t k = 2; k <= n; ++k) product *= k;
  return builder.Append(product);
}

arrow::Status AppendBucket(const EvalContext&, double value, double low, double high, int64_t buckets,
                           arrow::Int64Builder& builder) {
  bool bad = buckets <= 0 || buckets == std::numeric_limits<int64_t>::max() || std::isnan(value) || low == high ||
             !std::isfinite(low) || !std::isfinite(high);
  if (bad) return builder.AppendNull();
  double lower = std::min(low, high);
  double upper = std::max(low, high);
  auto inside = [&](double distance) {
    return static_cast<int64_t>(static_cast<double>(buckets) * distance / (upper - lower)) + 1;
  };
  if (low < high) {
    if (value < lower) return builder.Append(0);
    return builder.Append(value >= upper ? buckets + 1 : inside(value - lower));
  }
  if (value > upper) return builder.Append(0);
  return builder.Append(value <= lower ? buckets + 1 : inside(upper - value));
}

arrow::Result<Datum> Extreme(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                             const types::DataType& type, int sign) {
  arrow::ArrayVector columns;
  for (const Datum& argument : arguments) {
    ARROW_ASSIGN_OR_RAISE(auto column,
                          expression::ToArray(argument, argument.is_scalar() ? 1 : num_rows, context.memory_pool));
    columns.push_back(arrow::MakeArray(expression::WithType(column->data(), types::ToArrow(type))));
  }
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(context.memory_pool, types::ToArrow(type), &builder));
  for (int64_t i = 0; i < num_rows; ++i) {
    int best = -1;
    auto row = [&](size_t k) { return arguments[k].is_scalar() ? 0 : i; };
    for (size_t k = 0; k < columns.size(); ++k) {
      if (columns[k]->IsNull(row(k))) continue;
      auto b = static_cast<size_t>(best);
      if (best < 0 ||
          sign * expression::CompareValues(type, *columns[k]->data(), row(k), *columns[b]->data(), row(b)) > 0) {
        best = static_cast<int>(k);
      }
    }
    if (best < 0) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
    } else {
      auto b = static_cast<size_t>(best);
      ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*columns[b]->data(), row(b), 1));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
  return Datum(std::move(array));
}

// Strings do not meet numbers here.
arrow::Result<ExpressionPtr> BindExtreme(const BindInput& input, int sign) {
  if (input.arguments.size() < 2) return WrongNumArgs(input.name, "> 1", input.arguments.size());
  bool string = false;
  bool other = false;
  std::string list;
  for (const ExpressionPtr& argument : input.arguments) {
    TypeId id = argument->type()->id();
    string = string || id == TypeId::kString;
    other = other || (id != TypeId::kString && id != TypeId::kNull);
    list += (list.empty() ? "" : ", ") + QuoteSqlType(argument->type()->Sql());
  }
  if (string && other) {
    return UserError("DATATYPE_MISMATCH.DATA_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                           {"functionName", QuoteIdentifier(input.def.name)},
                                                           {"dataType", "[" + list + "]"}});
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments,
                        expression::CoerceToCommonType(std::string(input.def.name), input.arguments, CallSql(input)));
  DataTypePtr type = arguments[0]->type();
  if (!expression::IsOrderable(*type)) {
    return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                 {"functionName", QuoteIdentifier(input.def.name)},
                                                                 {"dataType", QuoteSqlType(type->Sql())}});
  }
  bool nullable = true;
  for (const ExpressionPtr& argument : arguments) nullable = nullable && argument->nullable();
  return MakeCall(input, std::move(arguments), type, nullable,
                  [type, sign](const EvalContext& context, const std::vector<Datum>& values, int64_t num_rows) {
                    return expression::OneRowIfScalars(
                        values, num_rows, [&](int64_t rows) { return Extreme(context, values, rows, *type, sign); });
                  });
}

template <typename T>
arrow::Result<Datum> IsNan(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    expression::FixedColumn<T> column(arguments[0]);
    arrow::BooleanBuilder builder(context.memory_pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(rows));
    for (int64_t i = 0; i < rows; ++i) builder.UnsafeAppend(!column.IsNull(i) && std::isnan(column[i]));
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return Datum(std::move(array));
  });
}

arrow::Result<ExpressionPtr> BindIsNan(const BindInput& input) {
  bool is_float = input.arguments[0]->type()->id() == TypeId::kFloat;
  return BindSimple(input, {is_float ? types::Float() : types::Double()}, types::Boolean(),
                    is_float ? IsNan<float> : IsNan<double>, {.never_null = true});
}

// The second value only counts where the first is NaN.
arrow::Result<Datum> NanVl(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    expression::FixedColumn<double> first(arguments[0]);
    expression::FixedColumn<double> second(arguments[1]);
    arrow::DoubleBuilder builder(context.memory_pool);
    for (int64_t i = 0; i < rows; ++i) {
      bool nan = !first.IsNull(i) && std::isnan(first[i]);
      const auto& chosen = nan ? second : first;
      ARROW_RETURN_NOT_OK(chosen.IsNull(i) ? builder.AppendNull() : builder.Append(chosen[i]));
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return Datum(std::move(array));
  });
}

arrow::Result<ExpressionPtr> BindNanVl(const BindInput& input) {
  const ExpressionVector& a = input.arguments;
  bool floats = a[0]->type()->id() == TypeId::kFloat && a[1]->type()->id() == TypeId::kFloat;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value,
                        BindSimple(input, {types::Double(), types::Double()}, types::Double(), NanVl));
  if (floats) value = std::make_shared<Cast>(value, types::Float(), CastMode::kAnsi, false);
  if (!a[1]->can_fail() || value->kind() != expression::ExpressionKind::kCall) return value;
  // The second is looked at where the first is NaN only.
  const ExpressionVector& numbers = value->children();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr nan, BindCall("isnan", {numbers[0]}, input.context));
  auto shown = std::make_shared<expression::ShownCall>(expression::ShownCall{"nanvl", a});
  return std::make_shared<expression::CaseWhen>(ExpressionVector{nan, numbers[1], numbers[0]}, true, std::move(shown));
}

std::string Binary(int64_t value) {
  auto bits = static_cast<uint64_t>(value);
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + (bits & 1)));
    bits >>= 1;
  } while (bits != 0);
  return out;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

// Unsigned 64-bit arithmetic, negative numbers as their complement unless the target base is negative.
arrow::Status AppendConverted(const EvalContext& context, std::string_view text, int32_t from, int32_t to,
                              arrow::StringBuilder& builder) {
  int32_t radix = std::abs(to);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (from < 2 || from > 36 || radix < 2 || radix > 36 || text.empty()) return builder.AppendNull();
  bool negative = text[0] == '-';
  if (negative) text.remove_prefix(1);
  uint64_t value = 0;
  bool overflow = false;
  for (char c : text) {
    int digit = DigitOf(c);
    if (digit >= from) break;
    overflow = overflow || value > (std::numeric_limits<uint64_t>::max() - static_cast<uint64_t>(digit)) /
                                       static_cast<uint64_t>(from);
    value = value * static_cast<uint64_t>(from) + static_cast<uint64_t>(digit);
  }
  if (overflow) {
    if (context.ansi) return ArithmeticOverflow("Overflow in function conv()", "");
    value = std::numeric_limits<uint64_t>::max();
  }
  if (negative && to > 0) value = static_cast<int64_t>(value) < 0 ? std::numeric_limits<uint64_t>::max() : 0 - value;
  bool minus = negative && to < 0;
  if (to < 0 && static_cast<int64_t>(value) < 0) {
    value = 0 - value;
    minus = true;
  }
  std::string out;
  do {
    auto digit = static_cast<char>(value % static_cast<uint64_t>(radix));
    out.insert(out.begin(), static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10));
    value /= static_cast<uint64_t>(radix);
  } while (value != 0);
  return builder.Append(minus ? "-" + out : out);
}

}  // namespace

extern const FunctionDef kSignum{
    .name = "signum",
    .aliases = "sign",
    .family = "math",
    .description = "-1.0, 0.0 or 1.0, as the number or interval is negative, zero or positive.",
    .example = "signum(40)",
    .example_result = "1.0",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = BindSignum};

extern const FunctionDef kFactorial{
    .name = "factorial",
    .family = "math",
    .description = "Factorial of 0 … 20, else NULL.",
    .example = "factorial(5)",
    .example_result = "120",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Integer()}, types::Long(),
                        BuiltKernel<arrow::Int64Builder, int32_t>(arrow::int64(), AppendFactorial), {.may_null = true});
    }};

extern const FunctionDef kWidthBucket{
    .name = "width_bucket",
    .family = "math",
    .description = "Number of the bucket of equal width that holds a value.",
    .example = "width_bucket(5.3, 0.2, 10.6, 5)",
    .example_result = "3",
    .min_arguments = 4,
    .max_arguments = 4,
    .bind = [](const BindInput& input) {
      const ExpressionVector& a = input.arguments;
      BindInput numbers{input.def, input.name, {AsNumber(a[0]), AsNumber(a[1]), AsNumber(a[2]), a[3]}, input.context};
      return BindSimple(numbers, {types::Double(), types::Double(), types::Double(), types::Long()}, types::Long(),
                        BuiltKernel<arrow::Int64Builder, double, double, double, int64_t>(arrow::int64(), AppendBucket),
                        {.may_null = true});
    }};

extern const FunctionDef kGreatest{.name = "greatest",
                                   .family = "math",
                                   .description = "The greatest of the values that are not NULL.",
                                   .example = "greatest(10, 9, 2, 4, 3)",
                                   .example_result = "10",
                                   .min_arguments = 0,
                                   .max_arguments = -1,
                                   .bind = [](const BindInput& input) { return BindExtreme(input, 1); }};

extern const FunctionDef kLeast{.name = "least",
                                .family = "math",
                                .description = "The least of the values that are not NULL.",
                                .example = "least(10, 9, 2, 4, 3)",
                                .example_result = "2",
                                .min_arguments = 0,
                                .max_arguments = -1,
                                .bind = [](const BindInput& input) { return BindExtreme(input, -1); }};

extern const FunctionDef kIsNan{.name = "isnan",
                                .family = "predicate",
                                .description = "Whether the number is NaN; false for NULL.",
                                .example = "isnan(cast('NaN' as double))",
                                .example_result = "true",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = BindIsNan};

extern const FunctionDef kNanVl{.name = "nanvl",
                                .family = "conditional",
                                .description = "The first number, or the second where the first is NaN.",
                                .example = "nanvl(cast('NaN' as double), 123)",
                                .example_result = "123.0",
                                .min_arguments = 2,
                                .max_arguments = 2,
                                .bind = BindNanVl};

extern const FunctionDef kBin{
    .name = "bin",
    .family = "math",
    .description = "The binary digits of a whole number.",
    .example = "bin(13)",
    .example_result = "1101",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Long()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, int64_t>(
                            arrow::utf8(), [](const EvalContext&, int64_t value, arrow::StringBuilder& builder) {
                              return builder.Append(Binary(value));
                            }));
    }};

extern const FunctionDef kConv{
    .name = "conv",
    .family = "math",
    .description = "A number's digits in another base.",
    .example = "conv('100', 2, 10)",
    .example_result = "4",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::String(), types::Integer(), types::Integer()}, types::String(),
          BuiltKernel<arrow::StringBuilder, std::string_view, int32_t, int32_t>(arrow::utf8(), AppendConverted),
          {.can_fail = true, .may_null = true});
    }};

}  // namespace millrace::function
