#include "base/version_line.h"

#include <charconv>

#include "base/error.h"

namespace millrace {

arrow::Result<std::string_view> AfterVersionLine(std::string_view text, int max_version, const std::string& path,
                                                 int* version) {
  auto malformed = [&](std::string_view what) {
    return arrow::Status::Invalid("Malformed log file ", path, ": ", what);
  };
  if (text.empty()) return arrow::Status::Invalid("Failed to read log file file:", path, ". Incomplete log file");
  if (text[0] != 'v') return malformed("it does not begin with a version line");
  size_t end = text.find('\n');
  std::string_view digits = text.substr(1, end == std::string_view::npos ? end : end - 1);
  int found = 0;
  auto [parsed, error] = std::from_chars(digits.data(), digits.data() + digits.size(), found);
  if (error != std::errc() || parsed != digits.data() + digits.size() || found < 1) {
    return malformed("its version line is '" + std::string(text.substr(0, end)) + "'");
  }
  if (found > max_version) {
    arrow::Status newer =
        UserError("INVALID_LOG_VERSION.MAX_SUPPORTED_VERSION",
                  {{"maxSupportedVersion", std::to_string(max_version)}, {"version", std::to_string(found)}});
    return newer.WithMessage("Failed to read log file file:", path, ". ", newer.message());
  }
  *version = found;
  return end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
}

}  // namespace millrace
