#include "delta/log/log_paths.h"

#include <charconv>
#include <cstdio>

#include "base/file_system.h"

namespace millrace::delta {

namespace {

constexpr size_t kVersionDigits = 20;

// Digits only; versions beyond int64 do not exist.
std::optional<int64_t> ParseDigits(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string Digits(int64_t value, int width) {
  char buffer[32];
  int length = std::snprintf(buffer, sizeof buffer, "%0*lld", width, static_cast<long long>(value));
  return std::string(buffer, static_cast<size_t>(length));
}

// A letter, then letters, digits, '+', '-', '.', up to a colon (RFC 3986).
bool HasScheme(std::string_view uri) {
  for (size_t i = 0; i < uri.size(); ++i) {
    char c = uri[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) continue;
    if (i == 0) return false;
    if (c == ':') return true;
    bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!other) return false;
  }
  return false;
}

// 8-4-4-4-12 hexadecimal digits.
bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

}  // namespace

std::string LogDirectory(std::string_view table_path) { return JoinPath(table_path, "_delta_log"); }

std::string PaddedVersion(TableVersion version) { return Digits(version.value, kVersionDigits); }
std::string CommitFileName(TableVersion version) { return PaddedVersion(version) + ".json"; }
std::string ChecksumFileName(TableVersion version) { return PaddedVersion(version) + ".crc"; }
std::string ClassicCheckpointFileName(TableVersion version) { return PaddedVersion(version) + ".checkpoint.parquet"; }
std::string MultiPartCheckpointFileName(TableVersion version, int part, int num_parts) {
  return PaddedVersion(version) + ".checkpoint." + Digits(part, 10) + "." + Digits(num_parts, 10) + ".parquet";
}
std::string V2CheckpointFileName(TableVersion version, std::string_view uuid, std::string_view extension) {
  return PaddedVersion(version) + ".checkpoint." + std::string(uuid) + "." + std::string(extension);
}
std::string CompactedFileName(TableVersion first, TableVersion last) {
  return PaddedVersion(first) + "." + PaddedVersion(last) + ".compacted.json";
}

std::optional<LogFileName> ParseLogFileName(std::string_view name) {
  if (name.size() <= kVersionDigits || name[kVersionDigits] != '.') return std::nullopt;
  std::optional<int64_t> version = ParseDigits(name.substr(0, kVersionDigits));
  if (!version) return std::nullopt;
  LogFileName parsed;
  parsed.version = parsed.last_version = TableVersion(*version);
  std::string_view rest = name.substr(kVersionDigits + 1);
  if (rest == "json") return parsed;
  if (rest == "crc") {
    parsed.kind = LogFileKind::kChecksum;
    return parsed;
  }
  if (rest == "checkpoint.parquet") {
    parsed.kind = LogFileKind::kClassicCheckpoint;
    return parsed;
  }
  if (rest.ends_with(".compacted.json")) {
    std::optional<int64_t> last = ParseDigits(rest.substr(0, rest.size() - 15));
    if (!last || rest.size() != kVersionDigits + 15) return std::nullopt;
    parsed.kind = LogFileKind::kCompacted;
    parsed.last_version = TableVersion(*last);
    return parsed;
  }
  if (!rest.starts_with("checkpoint.")) return std::nullopt;
  rest.remove_prefix(11);
  bool json = rest.ends_with(".json");
  if (!json && !rest.ends_with(".parquet")) return std::nullopt;
  rest.remove_suffix(json ? 5 : 8);
  if (IsUuid(rest)) {
    parsed.kind = LogFileKind::kV2Checkpoint;
    parsed.is_json = json;
    return parsed;
  }
  size_t dot = rest.find('.');
  if (json || dot == std::string_view::npos) return std::nullopt;
  std::optional<int64_t> part = ParseDigits(rest.substr(0, dot));
  std::optional<int64_t> num_parts = ParseDigits(rest.substr(dot + 1));
  if (!part || !num_parts || *part < 1 || *part > *num_parts || *num_parts > INT32_MAX) return std::nullopt;
  parsed.kind = LogFileKind::kMultiPartCheckpoint;
  parsed.part = static_cast<int>(*part);
  parsed.num_parts = static_cast<int>(*num_parts);
  return parsed;
}

std::string DataFilePath(std::string_view table_path, std::string_view path_in_log) {
  bool has_scheme = HasScheme(path_in_log);
  if (has_scheme && !path_in_log.starts_with("file:")) return std::string(path_in_log);
  // LocalPath undoes percent-encoding of what has the scheme only.
  std::string decoded = has_scheme ? LocalPath(path_in_log) : LocalPath("file:" + std::string(path_in_log));
  if (decoded.starts_with('/')) return decoded;
  return JoinPath(table_path, decoded);
}

std::string EncodeDataPath(std::string_view relative_path) {
  // FileUri encodes an absolute path behind "file://".
  return FileUri("/" + std::string(relative_path)).substr(8);
}

}  // namespace millrace::delta
