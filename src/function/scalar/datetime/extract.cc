#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/local_time.h"

/// EXTRACT(field FROM source) and its function form.

namespace millrace::function {

namespace {

using types::TypeId;

enum class Part : uint8_t {
  kYear,
  kYearOfWeek,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfWeek,
  kDayOfWeekIso,
  kDayOfYear,
  kHour,
  kMinute,
  kSecond,
};

struct PartName {
  /// Space-separated, upper case.
  std::string_view names;
  Part part;
  /// The function of a date or timestamp that computes it; empty: here.
  std::string_view function;
};

constexpr PartName kParts[] = {
    {"YEAR Y YEARS YR YRS", Part::kYear, "year"},
    {"YEAROFWEEK", Part::kYearOfWeek, ""},
    {"QUARTER QTR", Part::kQuarter, "quarter"},
    {"MONTH MON MONS MONTHS", Part::kMonth, "month"},
    {"WEEK W WEEKS", Part::kWeek, "weekofyear"},
    {"DAY D DAYS", Part::kDay, "dayofmonth"},
    {"DAYOFWEEK DOW", Part::kDayOfWeek, "dayofweek"},
    {"DAYOFWEEK_ISO DOW_ISO", Part::kDayOfWeekIso, ""},
    {"DOY", Part::kDayOfYear, "dayofyear"},
    {"HOUR H HOURS HR HRS", Part::kHour, "hour"},
    {"MINUTE M MIN MINS MINUTES", Part::kMinute, "minute"},
    {"SECOND S SEC SECONDS SECS", Part::kSecond, ""},
};

const PartName* FindPart(std::string_view name) {
  std::string wanted = " " + ToUpperAscii(name) + " ";
  for (const PartName& entry : kParts) {
    if ((" " + std::string(entry.names) + " ").find(wanted) != std::string::npos) return &entry;
  }
  return nullptr;
}

arrow::Status InvalidField(const BindInput& input, std::string_view field) {
  return UserError("INVALID_EXTRACT_FIELD",
                   {{"field", QuoteIdentifier(field)}, {"expr", QuoteSqlExpression(input.arguments[1]->Sql())}});
}

struct Extraction {
  DataTypePtr type;
  ScalarKernel kernel;
};

// Seconds with their fraction, as decimal(8, 6).
std::shared_ptr<arrow::DataType> SecondsType() { return arrow::decimal128(8, 6); }

template <typename Out>
Extraction FromDayTime(DataTypePtr type, std::shared_ptr<arrow::DataType> arrow_type, int64_t unit, int64_t modulus) {
  return {std::move(type),
          FixedKernel<Out, int64_t>(std::move(arrow_type), [unit, modulus](const EvalContext&, int64_t us, Out* out) {
            *out = static_cast<Out>(us / unit % modulus);
          })};
}

// Parts of day-time intervals; hours and smaller ones never exceed their bigger neighbour.
std::optional<Extraction> ExtractDayTime(Part part) {
  switch (part) {
    case Part::kDay:
      return FromDayTime<int32_t>(types::Integer(), arrow::int32(), types::kMicrosPerDay, INT64_MAX);
    case Part::kHour:
      return FromDayTime<int8_t>(types::Byte(), arrow::int8(), types::kMicrosPerHour, 24);
    case Part::kMinute:
      return FromDayTime<int8_t>(types::Byte(), arrow::int8(), types::kMicrosPerMinute, 60);
    case Part::kSecond:
      return FromDayTime<__int128>(types::Decimal(8, 6), SecondsType(), 1, types::kMicrosPerMinute);
    default:
      return std::nullopt;
  }
}

std::optional<Extraction> ExtractYearMonth(Part part) {
  if (part == Part::kYear) {
    return Extraction{types::Integer(),
                      FixedKernel<int32_t, int32_t>(arrow::int32(), [](const EvalContext&, int32_t months,
                                                                       int32_t* out) { *out = months / 12; })};
  }
  if (part != Part::kMonth) return std::nullopt;
  return Extraction{types::Byte(),
                    FixedKernel<int8_t, int32_t>(arrow::int8(), [](const EvalContext&, int32_t months, int8_t* out) {
                      *out = static_cast<int8_t>(months % 12);
                    })};
}

template <typename Out, typename Fn>
Extraction FromCalendar(DataTypePtr type, std::shared_ptr<arrow::DataType> arrow_type, Fn fn) {
  using Value = arrow::MonthDayNanoIntervalType::MonthDayNanos;
  auto kernel = [arrow_type, fn](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                 int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array,
                            expression::ToArray(arguments[0], n, context.memory_pool));
      expression::FixedColumn<Value> column{arrow::Datum(array)};
      return expression::MapFixed<Out>(
          context, arrow_type, n, [&](int64_t i, Out* out) { *out = static_cast<Out>(fn(column[i])); }, column);
    });
  };
  return {std::move(type), kernel};
}

std::optional<Extraction> ExtractCalendar(Part part) {
  using Value = arrow::MonthDayNanoIntervalType::MonthDayNanos;
  switch (part) {
    case Part::kYear:
      return FromCalendar<int32_t>(types::Integer(), arrow::int32(), [](const Value& v) { return v.months / 12; });
    case Part::kMonth:
      return FromCalendar<int8_t>(types::Byte(), arrow::int8(), [](const Value& v) { return v.months % 12; });
    case Part::kDay:
      return FromCalendar<int32_t>(types::Integer(), arrow::int32(), [](const Value& v) { return v.days; });
    case Part::kHour:
      return FromCalendar<int64_t>(types::Long(), arrow::int64(),
                                   [](const Value& v) { return v.nanoseconds / 1000 / types::kMicrosPerHour; });
    case Part::kMinute:
      return FromCalendar<int8_t>(types::Byte(), arrow::int8(),
                                  [](const Value& v) { return v.nanoseconds / 1000 / types::kMicrosPerMinute % 60; });
    case Part::kSecond:
      return FromCalendar<__int128>(types::Decimal(8, 6), SecondsType(),
                                    [](const Value& v) { return v.nanoseconds / 1000 % types::kMicrosPerMinute; });
    default:
      return std::nullopt;
  }
}

std::optional<Extraction> ExtractInterval(const types::DataType& type, Part part) {
  switch (type.id()) {
    case TypeId::kDayTimeInterval:
      return ExtractDayTime(part);
    case TypeId::kYearMonthInterval:
      return ExtractYearMonth(part);
    default:
      return ExtractCalendar(part);
  }
}

int32_t YearOfWeek(int32_t days) {
  return static_cast<int32_t>(types::CivilFromDays(int64_t{days} - (types::IsoDayOfWeek(days) - 4)).year);
}

std::shared_ptr<CallInfo> InfoOf(const BindInput& input, std::string field, ScalarKernel kernel) {
  auto info = std::make_shared<CallInfo>();
  info->name = input.name;
  info->kernel = std::move(kernel);
  info->style = CallStyle::kCustom;
  // date_part shows its arguments as a function, the others as the SQL form.
  info->render = [name = std::string(input.name), field = std::move(field)](const std::vector<std::string>& arguments) {
    return name == "date_part" ? "date_part(" + field + ", " + arguments[0] + ")"
                               : name + "(" + field + " FROM " + arguments[0] + ")";
  };
  return info;
}

arrow::Result<ExpressionPtr> BindExtract(const BindInput& input) {
  if (!input.arguments[0]->foldable()) {
    return UserError("NON_FOLDABLE_ARGUMENT", {{"funcName", QuoteIdentifier(input.name)},
                                               {"paramName", QuoteIdentifier("field")},
                                               {"paramType", QuoteSqlType("STRING")}});
  }
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> field, FoldableString(input, 0, "field"));
  if (!field) {
    return MakeCall(input, input.arguments, types::Double(), /*nullable=*/true,
                    [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
                      return arrow::Datum(arrow::MakeNullScalar(arrow::float64()));
                    },
                    {.shown_name = std::string(input.name)});
  }
  const PartName* entry = FindPart(*field);
  if (entry == nullptr) return InvalidField(input, *field);
  ExpressionPtr source = input.arguments[1];
  TypeId id = source->type()->id();
  if (source->type()->is_ansi_interval() || id == TypeId::kCalendarInterval) {
    std::optional<Extraction> extraction = ExtractInterval(*source->type(), entry->part);
    if (!extraction) return InvalidField(input, *field);
    bool nullable = source->nullable();
    return std::make_shared<Call>(InfoOf(input, *field, std::move(extraction->kernel)), extraction->type, nullable,
                                  ExpressionVector{std::move(source)});
  }
  bool of_day = entry->part == Part::kHour || entry->part == Part::kMinute || entry->part == Part::kSecond;
  if (id == TypeId::kTime && !of_day) return InvalidField(input, *field);
  BindInput of_source = input;
  of_source.arguments = {source};
  if (!entry->function.empty()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr bound, FindFunction(entry->function)->bind(of_source));
    const auto& call = static_cast<const Call&>(*bound);
    return std::make_shared<Call>(InfoOf(input, *field, call.info().kernel), call.type(), call.nullable(),
                                  call.children());
  }
  if (entry->part == Part::kSecond && id == TypeId::kTime) {
    auto seconds = [digits = source->type()->precision()](const EvalContext&, int64_t nanos, __int128* out) {
      *out = types::TruncateTimeOfDay(nanos, digits) / 1000 % types::kMicrosPerMinute;
    };
    return std::make_shared<Call>(InfoOf(input, *field, FixedKernel<__int128, int64_t>(SecondsType(), seconds)),
                                  types::Decimal(8, 6), /*nullable=*/true, ExpressionVector{std::move(source)});
  }
  if (entry->part == Part::kSecond) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr timestamp, CoerceToAnyTimestamp(of_source, 0));
    bool nullable = timestamp->nullable(), ntz = timestamp->type()->id() == TypeId::kTimestampNtz;
    auto kernel = LocalTimeKernel<__int128>(SecondsType(), ntz, [](int64_t local_us, __int128* out) {
      *out = types::FloorMod(local_us, types::kMicrosPerMinute);
    });
    return std::make_shared<Call>(InfoOf(input, *field, std::move(kernel)), types::Decimal(8, 6), nullable,
                                  ExpressionVector{std::move(timestamp)});
  }
  if (!expression::CanImplicitCast(source->type(), types::Date())) {
    return UnexpectedInputType(of_source, 0, QuoteSqlType("DATE"));
  }
  ExpressionPtr date = expression::ImplicitCast(source, types::Date());
  bool iso_day = entry->part == Part::kDayOfWeekIso, nullable = date->nullable();
  auto kernel =
      FixedKernel<int32_t, int32_t>(arrow::int32(), [iso_day](const EvalContext&, int32_t days, int32_t* out) {
        *out = iso_day ? types::IsoDayOfWeek(days) : YearOfWeek(days);
      });
  return std::make_shared<Call>(InfoOf(input, *field, std::move(kernel)), types::Integer(), nullable,
                                ExpressionVector{std::move(date)});
}

}  // namespace

extern const FunctionDef kExtract{.name = "extract",
                                  .aliases = "date_part datepart",
                                  .family = "datetime",
                                  .description = "A field of a date, timestamp or interval.",
                                  .example = "extract(YEAR FROM TIMESTAMP '2019-08-12 01:00:00.123456')",
                                  .example_result = "2019",
                                  .min_arguments = 2,
                                  .max_arguments = 2,
                                  .bind = BindExtract};

}  // namespace millrace::function
