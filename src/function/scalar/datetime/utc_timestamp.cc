#include "function/row_kernel.h"
#include "types/datetime_text.h"

/// Wall clock readings moved from one zone to another.

namespace millrace::function {

namespace {

using types::TimeZone;

// The zone of each row; runs of equal ids are looked up once.
class ZoneReader {
 public:
  arrow::Result<const TimeZone*> Get(std::string_view id) {
    if (zone_ == nullptr || id_ != id) {
      ARROW_ASSIGN_OR_RAISE(zone_, TimeZone::Load(id));
      id_ = id;
    }
    return zone_;
  }

 private:
  std::string id_;
  const TimeZone* zone_ = nullptr;
};

std::shared_ptr<arrow::DataType> ArrowTimestamp() { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }

template <bool kToUtc>
ScalarKernel ShiftKernel() {
  return [](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      ZoneReader zones;
      expression::FixedColumn<int64_t> instants(arguments[0]);
      expression::StringColumn ids(arguments[1]);
      return expression::MapFixed<int64_t>(
          context, ArrowTimestamp(), n,
          [&](int64_t i, int64_t* out) -> arrow::Status {
            ARROW_ASSIGN_OR_RAISE(const TimeZone* zone, zones.Get(ids[i]));
            *out = kToUtc ? zone->ToUtcMicros(instants[i]) : zone->ToLocalMicros(instants[i]);
            return arrow::Status::OK();
          },
          instants, ids);
    });
  };
}

template <bool kToUtc>
arrow::Result<ExpressionPtr> BindShift(const BindInput& input) {
  return BindSimple(input, {types::Timestamp(), types::String()}, types::Timestamp(), ShiftKernel<kToUtc>(),
                    {.can_fail = true});
}

arrow::Result<arrow::Datum> Convert(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                    int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
    ZoneReader sources, targets;
    expression::StringColumn from(arguments[0]), to(arguments[1]);
    expression::FixedColumn<int64_t> readings(arguments[2]);
    return expression::MapFixed<int64_t>(
        context, arrow::timestamp(arrow::TimeUnit::MICRO), n,
        [&](int64_t i, int64_t* out) -> arrow::Status {
          ARROW_ASSIGN_OR_RAISE(const TimeZone* source, sources.Get(from[i]));
          ARROW_ASSIGN_OR_RAISE(const TimeZone* target, targets.Get(to[i]));
          *out = target->ToLocalMicros(source->ToUtcMicros(readings[i]));
          return arrow::Status::OK();
        },
        from, to, readings);
  });
}

// The session's zone, where the caller names only the target.
ExpressionPtr CurrentTimezone() {
  auto info = std::make_shared<CallInfo>();
  info->name = "current_timezone";
  info->foldable = false;
  info->kernel = [](const EvalContext& context, const std::vector<arrow::Datum>&,
                    int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(std::make_shared<arrow::StringScalar>(context.time_zone->id()));
  };
  return std::make_shared<Call>(std::move(info), types::String(), false, ExpressionVector{});
}

}  // namespace

extern const FunctionDef kFromUtcTimestamp{.name = "from_utc_timestamp",
                                           .family = "datetime",
                                           .description = "A UTC reading as the clock of a zone shows it.",
                                           .example = "from_utc_timestamp('2016-08-31', 'Asia/Seoul')",
                                           .example_result = "2016-08-31 09:00:00",
                                           .min_arguments = 2,
                                           .max_arguments = 2,
                                           .bind = BindShift<false>};

extern const FunctionDef kToUtcTimestamp{.name = "to_utc_timestamp",
                                         .family = "datetime",
                                         .description = "The UTC reading when the clock of a zone shows the given one.",
                                         .example = "to_utc_timestamp('2016-08-31', 'Asia/Seoul')",
                                         .example_result = "2016-08-30 15:00:00",
                                         .min_arguments = 2,
                                         .max_arguments = 2,
                                         .bind = BindShift<true>};

extern const FunctionDef kConvertTimezone{
    .name = "convert_timezone",
    .family = "datetime",
    .description = "A wall clock reading of one zone (or the session's) as another zone shows it.",
    .example = "convert_timezone('Europe/Brussels', 'America/Los_Angeles', timestamp_ntz'2021-12-06 00:00:00')",
    .example_result = "2021-12-05 15:00:00",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      BindInput full = input;
      if (full.arguments.size() == 2) full.arguments.insert(full.arguments.begin(), CurrentTimezone());
      return BindSimple(full, {types::String(), types::String(), types::TimestampNtz()}, types::TimestampNtz(), Convert,
                        {.can_fail = true});
    }};

}  // namespace millrace::function
