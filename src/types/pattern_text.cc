#include "types/pattern_text.h"

namespace millrace::types {

namespace {

using Field = DateTimePattern::Field;

constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kShortMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::string_view kShortDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::string_view kQuarters[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
constexpr std::string_view kShortQuarters[] = {"Q1", "Q2", "Q3", "Q4"};
constexpr std::string_view kEras[] = {"Before Christ", "Anno Domini"};
constexpr std::string_view kShortEras[] = {"BC", "AD"};
constexpr std::string_view kHalves[] = {"AM", "PM"};

}  // namespace

std::span<const std::string_view> FieldTexts(Field field, bool full) {
  switch (field) {
    case Field::kMonth:
      return full ? kMonths : kShortMonths;
    case Field::kDayOfWeek:
      return full ? std::span<const std::string_view>(kDays) : kShortDays;
    case Field::kQuarter:
      return full ? std::span<const std::string_view>(kQuarters) : kShortQuarters;
    case Field::kEra:
      return full ? std::span<const std::string_view>(kEras) : kShortEras;
    case Field::kAmPm:
      return kHalves;
    default:
      return {};
  }
}

int64_t FirstFieldText(Field field) { return field == Field::kEra || field == Field::kAmPm ? 0 : 1; }

std::string_view FieldText(Field field, int64_t value, bool full) {
  return FieldTexts(field, full)[static_cast<size_t>(value - FirstFieldText(field))];
}

}  // namespace millrace::types
