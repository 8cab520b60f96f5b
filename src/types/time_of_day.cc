#include <fmt/format.h>

#include "base/ascii.h"
#include "types/datetime_text.h"

namespace millrace::types {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// One or two digits at the front of `text`, which they are taken off.
bool TakeNumber(std::string_view* text, int64_t* value) {
  size_t size = 0;
  *value = 0;
  while (size < text->size() && IsDigit((*text)[size])) *value = *value * 10 + ((*text)[size++] - '0');
  text->remove_prefix(size);
  return size == 1 || size == 2;
}

bool TakeColon(std::string_view* text) {
  if (!text->starts_with(':')) return false;
  text->remove_prefix(1);
  return true;
}

// Of ".123…" at the front the nanoseconds of the first six digits.
bool TakeFraction(std::string_view* text, int64_t* nanos) {
  text->remove_prefix(1);
  int64_t unit = 100'000'000;
  *nanos = 0;
  for (int digits = 0; !text->empty() && IsDigit(text->front()); ++digits, unit /= 10) {
    if (digits < 6) *nanos += (text->front() - '0') * unit;
    text->remove_prefix(1);
  }
  return true;
}

}  // namespace

bool ParseTimeOfDay(std::string_view text, int64_t* nanos) {
  text = TrimAscii(text);
  bool am = text.size() > 2 && EqualsIgnoreCase(text.substr(text.size() - 2), "AM");
  bool pm = text.size() > 2 && EqualsIgnoreCase(text.substr(text.size() - 2), "PM");
  if (am || pm) text = TrimAscii(text.substr(0, text.size() - 2));
  if (text.starts_with('T')) text.remove_prefix(1);
  int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  if (!TakeNumber(&text, &hour) || !TakeColon(&text) || !TakeNumber(&text, &minute)) return false;
  if (TakeColon(&text)) {
    if (!TakeNumber(&text, &second)) return false;
    if (text.starts_with('.')) TakeFraction(&text, &fraction);
  }
  if (!text.empty() || minute > 59 || second > 59) return false;
  if (am || pm) {
    if (hour < 1 || hour > 12) return false;
    hour = hour % 12 + (pm ? 12 : 0);
  }
  if (hour > 23) return false;
  *nanos = ((hour * 60 + minute) * 60 + second) * 1'000'000'000 + fraction;
  return true;
}

void AppendTimeOfDay(int64_t nanos, std::string* out) {
  int64_t seconds = nanos / 1'000'000'000;
  fmt::format_to(std::back_inserter(*out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  int64_t fraction = nanos % 1'000'000'000;
  if (fraction == 0) return;
  std::string digits = fmt::format(".{:09}", fraction);
  out->append(digits, 0, digits.find_last_not_of('0') + 1);
}

int64_t TruncateTimeOfDay(int64_t nanos, int precision) {
  int64_t unit = 1'000'000'000;
  for (int i = 0; i < precision; ++i) unit /= 10;
  return nanos - nanos % unit;
}

}  // namespace millrace::types
