#pragma once

#include <arrow/result.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::session {

/// Session settings: Spark's keys with Spark's defaults, and a few of ours ("millrace.…"). Keys nobody knows are kept,
/// as Spark keeps them. Thread-safe.
class Conf {
 public:
  Conf() = default;
  Conf(const Conf& other);
  Conf& operator=(const Conf&) = delete;

  /// Errors: UserError CANNOT_MODIFY_CONFIG for static keys, INVALID_CONF_VALUE for values of the wrong kind.
  arrow::Status Set(const std::string& key, const std::string& value);
  /// As Set for what is fixed before the session starts: static keys too. What Reset comes back to.
  arrow::Status SetAtStart(const std::string& key, const std::string& value);
  void CopyFrom(const Conf& other);
  /// Errors: as Set's, for keys that may not be changed.
  arrow::Status Unset(const std::string& key);
  /// As Unset, back to what was set at the start.
  arrow::Status Reset(const std::string& key);
  void ResetAll();
  /// Whether Set may change it: static keys and those that are not Spark's may not.
  bool IsModifiable(std::string_view key) const;
  /// The value set, else the default; nullopt when there is neither.
  std::optional<std::string> Get(std::string_view key) const;
  /// Errors: UserError SQL_CONF_NOT_FOUND.
  arrow::Result<std::string> Require(const std::string& key) const;
  /// What a reference `${key}` in a text stands for: the value set, else nothing. Errors: INVALID_CONF_VALUE for a key
  /// of Spark's that is not set and whose value is no text. Source: Spark, SQLConf.getConfString.
  arrow::Result<std::string> Reference(const std::string& key) const;
  bool IsSet(std::string_view key) const;
  std::map<std::string, std::string> All() const;

  /// REQUIRES: the key has a default of that kind (checked when set).
  bool GetBool(std::string_view key) const;
  int64_t GetInt64(std::string_view key) const;
  /// Milliseconds of a time text ("10s", "500ms", "1 minute", bare number in the key's unit: ms).
  int64_t GetMillis(std::string_view key) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> initial_;
};

/// Milliseconds of "100ms", "10s", "5 minutes", "1h", or a bare number of milliseconds. Errors: Invalid.
arrow::Result<int64_t> ParseMillis(std::string_view text);

}  // namespace millrace::session
