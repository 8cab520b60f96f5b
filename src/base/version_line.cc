#include "base/version_line.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace millrace {

namespace {

/// What stands there may be anything, of any length.
constexpr size_t kLongestLineShown = 200;

}  // namespace

arrow::Result<std::string_view> AfterVersionLine(std::string_view text, int max_version, const std::string& path,
                                                 int* version) {
  if (text.empty()) return arrow::Status::Invalid("Failed to read log file file:", path, ". Incomplete log file");
  auto unread = [&](std::string_view condition, ErrorParameters parameters) {
    arrow::Status status = UserError(condition, std::move(parameters));
    return status.WithMessage("Failed to read log file file:", path, ". ", status.message());
  };
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  std::string_view digits = line.substr(std::min<size_t>(line.size(), 1));
  int found = 0;
  auto [parsed, error] = std::from_chars(digits.data(), digits.data() + digits.size(), found);
  if (!line.starts_with('v') || error != std::errc() || parsed != digits.data() + digits.size() || found < 1) {
    return unread("MALFORMED_LOG_FILE", {{"text", std::string(line.substr(0, kLongestLineShown))}});
  }
  if (found > max_version) {
    return unread("INVALID_LOG_VERSION.MAX_SUPPORTED_VERSION",
                  {{"maxSupportedVersion", std::to_string(max_version)}, {"version", std::to_string(found)}});
  }
  *version = found;
  return end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
}

}  // namespace millrace
