#pragma once

#include <optional>
#include <string>

#include "base/json_value.h"

namespace millrace::delta {

/// Who did what, for people: any JSON object, kept as it is. Only inCommitTimestamp means something to readers.
struct CommitInfo {
  JsonValue fields = JsonValue::Object();

  std::optional<int64_t> Int64(std::string_view key) const {
    const JsonValue* value = fields.Find(key);
    return value != nullptr && value->is_number() ? std::optional<int64_t>(value->AsInt64()) : std::nullopt;
  }
  std::optional<std::string> Text(std::string_view key) const {
    const JsonValue* value = fields.Find(key);
    return value != nullptr && value->is_string() ? std::optional<std::string>(value->AsString()) : std::nullopt;
  }
  std::optional<int64_t> timestamp_ms() const { return Int64("timestamp"); }
  std::optional<int64_t> in_commit_timestamp_ms() const { return Int64("inCommitTimestamp"); }
  std::optional<std::string> operation() const { return Text("operation"); }
};

}  // namespace millrace::delta
