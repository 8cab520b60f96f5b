#include "cli/generator/timestamp_text.h"

#include <chrono>

namespace millrace::cli {

namespace {

void PutTwoDigits(unsigned value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

std::optional<unsigned> Digits(std::string_view text, size_t start, size_t count) {
  unsigned value = 0;
  for (size_t i = start; i < start + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return value;
}

}  // namespace

void AppendDateTime(int64_t instant_ms, char separator, std::string* out) {
  using namespace std::chrono;
  const sys_time<milliseconds> instant{milliseconds(instant_ms)};
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const auto second = static_cast<unsigned>(duration_cast<seconds>(instant - day).count());
  const auto year_number = static_cast<unsigned>(static_cast<int>(date.year()));
  char text[19];
  PutTwoDigits(year_number / 100, text);
  PutTwoDigits(year_number % 100, text + 2);
  text[4] = text[7] = '-';
  PutTwoDigits(static_cast<unsigned>(date.month()), text + 5);
  PutTwoDigits(static_cast<unsigned>(date.day()), text + 8);
  text[10] = separator;
  PutTwoDigits(second / 3600, text + 11);
  PutTwoDigits(second / 60 % 60, text + 14);
  PutTwoDigits(second % 60, text + 17);
  text[13] = text[16] = ':';
  out->append(text, sizeof(text));
}

std::optional<int64_t> ParseDateTime(std::string_view text) {
  using namespace std::chrono;
  auto y = Digits(text, 0, 4), mo = Digits(text, 5, 2), d = Digits(text, 8, 2);
  auto h = Digits(text, 11, 2), mi = Digits(text, 14, 2), s = Digits(text, 17, 2);
  if (!y || !mo || !d || !h || !mi || !s) return std::nullopt;
  std::string_view zone = text.substr(19);  // there, as the seconds are
  if (!zone.empty() && zone != "Z" && zone != "+00:00" && zone != "+0000") return std::nullopt;
  year_month_day date{year(static_cast<int>(*y)), month(*mo), day(*d)};
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 59) return std::nullopt;
  auto instant = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s);
  return duration_cast<milliseconds>(instant.time_since_epoch()).count();
}

}  // namespace millrace::cli
