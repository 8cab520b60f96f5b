#include "base/options.h"

#include <charconv>

#include "base/number_format.h"

namespace millrace {

arrow::Result<bool> Options::GetBool(std::string_view key, bool fallback) const {
  std::optional<std::string> text = Get(key);
  if (!text) return fallback;
  if (EqualsIgnoreCase(*text, "true")) return true;
  if (EqualsIgnoreCase(*text, "false")) return false;
  return arrow::Status::Invalid("For input string: \"", *text, "\"");
}

arrow::Result<int64_t> Options::GetInt64(std::string_view key, int64_t fallback) const {
  std::optional<std::string> text = Get(key);
  if (!text) return fallback;
  std::string_view digits = TrimAscii(*text);
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    return NotANumber(*text);
  }
  return value;
}

}  // namespace millrace
