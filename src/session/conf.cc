#include "session/conf.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "base/error.h"
#include "session/unbuilt_settings.h"
#include "types/time_zone.h"

namespace millrace::session {

namespace {

enum class Kind : uint8_t { kText, kBool, kInteger, kDouble, kBytes, kMillis, kTime, kTimeZone };
using enum Kind;

struct KnownKey {
  std::string_view key;
  Kind kind;
  std::string_view default_value;
  bool is_static = false;
};

// Sorted by key. Defaults are Spark 4.2's.
constexpr KnownKey kKnown[] = {
    {"millrace.batch.rows", Kind::kInteger, "32768"},
    {"millrace.catalog.directory", Kind::kText, "metastore_millrace", true},
    {"millrace.durability", Kind::kText, "machine"},
    {"millrace.foreachBatch.heldBytes", Kind::kInteger, "268435456"},
    {"millrace.restart.evicts", Kind::kBool, "false"},
    {"millrace.stop.timeout", Kind::kMillis, "10s"},
    {"spark.app.name", Kind::kText, "millrace"},
    {"spark.connect.session.planCompression.defaultAlgorithm", Kind::kText, "ZSTD"},
    {"spark.connect.session.planCompression.threshold", Kind::kInteger, "10485760"},
    {"spark.default.parallelism", Kind::kInteger, ""},
    {"spark.master", Kind::kText, "local[*]", true},
    {"spark.python.sql.dataFrameDebugging.enabled", Kind::kBool, "true"},
    {"spark.sql.adaptive.enabled", Kind::kBool, "true"},
    {"spark.sql.ansi.enabled", Kind::kBool, "true"},
    {"spark.sql.caseSensitive", Kind::kBool, "false"},
    {"spark.sql.columnNameOfCorruptRecord", Kind::kText, "_corrupt_record"},
    {"spark.sql.connect.serverStacktrace.enabled", Kind::kBool, "false"},
    {"spark.sql.execution.arrow.maxRecordsPerBatch", Kind::kInteger, "10000"},
    {"spark.sql.execution.pyspark.binaryAsBytes", Kind::kBool, "true"},
    {"spark.sql.extensions", Kind::kText, "", true},
    {"spark.sql.files.maxPartitionBytes", Kind::kInteger, "134217728"},
    {"spark.sql.repl.eagerEval.enabled", Kind::kBool, "false"},
    {"spark.sql.session.timeZone", Kind::kTimeZone, ""},
    {"spark.sql.shuffle.partitions", Kind::kInteger, "200"},
    {"spark.sql.sources.default", Kind::kText, "parquet"},
    {"spark.sql.sources.partitionColumnTypeInference.enabled", Kind::kBool, "true"},
    {"spark.sql.sources.partitionOverwriteMode", Kind::kText, "STATIC"},
    {"spark.sql.streaming.aggregation.stateFormatVersion", Kind::kInteger, "2"},
    {"spark.sql.streaming.checkpoint.verifyMetadataExists.enabled", Kind::kBool, "true"},
    {"spark.sql.streaming.checkpointLocation", Kind::kText, ""},
    {"spark.sql.streaming.fileSink.log.compactInterval", Kind::kInteger, "10"},
    {"spark.sql.streaming.fileSource.log.cleanupDelay", Kind::kMillis, "10m"},
    {"spark.sql.streaming.fileSource.log.compactInterval", Kind::kInteger, "10"},
    {"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", Kind::kInteger, "2"},
    {"spark.sql.streaming.join.stateFormatVersion", Kind::kInteger, "2"},
    {"spark.sql.streaming.metricsEnabled", Kind::kBool, "false"},
    {"spark.sql.streaming.minBatchesToRetain", Kind::kInteger, "100"},
    {"spark.sql.streaming.multipleWatermarkPolicy", Kind::kText, "min"},
    {"spark.sql.streaming.noDataMicroBatches.enabled", Kind::kBool, "true"},
    {"spark.sql.streaming.noDataProgressEventInterval", Kind::kMillis, "10s"},
    {"spark.sql.streaming.numRecentProgressUpdates", Kind::kInteger, "100"},
    {"spark.sql.streaming.pollingDelay", Kind::kMillis, "10ms"},
    {"spark.sql.streaming.schemaInference", Kind::kBool, "false"},
    {"spark.sql.streaming.stateStore.compression.codec", Kind::kText, "lz4"},
    {"spark.sql.streaming.stateStore.encodingFormat", Kind::kText, "unsaferow"},
    {"spark.sql.streaming.stateStore.providerClass", Kind::kText,
     "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider"},
    {"spark.sql.streaming.stateStore.rocksdb.formatVersion", Kind::kInteger, "5"},
    {"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", Kind::kInteger, "2"},
    {"spark.sql.streaming.stateStore.rowChecksum.enabled", Kind::kBool, "false"},
    {"spark.sql.streaming.statefulOperator.useStrictDistribution", Kind::kBool, "true"},
    {"spark.sql.streaming.stopActiveRunOnRestart", Kind::kBool, "true"},
    {"spark.sql.streaming.stopTimeout", Kind::kMillis, "0"},
    {"spark.sql.streaming.verifyCheckpointDirectoryEmptyOnStart", Kind::kBool, "true"},
    {"spark.sql.timestampType", Kind::kText, "TIMESTAMP_LTZ"},
    {"spark.sql.warehouse.dir", Kind::kText, "spark-warehouse", true},
};

// What Spark knows beside these: answered and checked, and of no effect here.
constexpr KnownKey kSettings[] = {
#define SETTING(key, kind, default_value, is_static) {key, kind, default_value, is_static},
#define CORE_SETTING(key)
#include "session/known_settings.def"
#undef SETTING
#undef CORE_SETTING
};

constexpr std::string_view kCoreSettings[] = {
#define SETTING(key, kind, default_value, is_static)
#define CORE_SETTING(key) key,
#include "session/known_settings.def"
#undef SETTING
#undef CORE_SETTING
};

const KnownKey* FindKnown(std::string_view key) {
  for (const KnownKey& known : kKnown) {
    if (known.key == key) return &known;
  }
  auto it = std::lower_bound(std::begin(kSettings), std::end(kSettings), key,
                             [](const KnownKey& known, std::string_view name) { return known.key < name; });
  return it != std::end(kSettings) && it->key == key ? &*it : nullptr;
}

arrow::Status WrongKind(const std::string& key, const std::string& value, std::string_view wanted) {
  return UserError("INVALID_CONF_VALUE.TYPE_MISMATCH",
                   {{"confName", key}, {"confValue", value}, {"confType", std::string(wanted)}});
}

/// Values that are of the right kind and still refused, with the reason in Spark's words.
/// Source: Spark, SQLConf (checkValue).
struct Requirement {
  std::string_view key;
  /// Lower case, separated by blanks; empty: any positive number.
  std::string_view allowed;
  std::string_view text;
};

constexpr Requirement kRequirements[] = {
    {"spark.sql.shuffle.partitions", "", "The value of spark.sql.shuffle.partitions must be positive"},
    {"spark.sql.streaming.aggregation.stateFormatVersion", "1 2", "Valid versions are 1 and 2"},
    {"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "1 2", "Valid versions are 1 and 2"},
    {"spark.sql.streaming.join.stateFormatVersion", "1 2 3 4", "Valid versions are 1, 2, 3, and 4"},
    {"spark.sql.streaming.multipleWatermarkPolicy", "min max",
     "Invalid value for 'spark.sql.streaming.multipleWatermarkPolicy'. Valid values are 'min' and 'max'"},
    {"spark.sql.streaming.offsetLog.formatVersion", "1 2", "Valid versions are 1 and 2"},
    {"spark.sql.streaming.sessionWindow.stateFormatVersion", "1", "Valid version is 1"},
    {"spark.sql.streaming.stateStore.encodingFormat", "unsaferow avro", "Valid values are 'unsaferow' and 'avro'"},
    {"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "1 2", "Must be 1 or 2"},
};

arrow::Status CheckRequirement(const std::string& key, const std::string& value) {
  for (const Requirement& requirement : kRequirements) {
    if (requirement.key != key) continue;
    std::string lower = ToLowerAscii(value);
    bool holds =
        requirement.allowed.empty()
            ? std::strtoll(value.c_str(), nullptr, 10) > 0
            : lower.find(' ') == std::string::npos && !lower.empty() &&
                  fmt::format(" {} ", requirement.allowed).find(fmt::format(" {} ", lower)) != std::string::npos;
    if (holds) return arrow::Status::OK();
    return UserError("INVALID_CONF_VALUE.REQUIREMENT",
                     {{"confName", key}, {"confValue", value}, {"confRequirement", std::string(requirement.text)}});
  }
  return arrow::Status::OK();
}

arrow::Status CheckKind(const KnownKey& known, const std::string& key, const std::string& value) {
  switch (known.kind) {
    case Kind::kBool:
      if (EqualsIgnoreCase(value, "true") || EqualsIgnoreCase(value, "false")) return arrow::Status::OK();
      return WrongKind(key, value, "boolean");
    case Kind::kInteger: {
      int64_t number = 0;
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error == std::errc() && end == value.data() + value.size()) return arrow::Status::OK();
      return WrongKind(key, value, "int");
    }
    case Kind::kDouble: {
      char* end = nullptr;
      (void)std::strtod(value.c_str(), &end);
      if (!value.empty() && *end == '\0') return arrow::Status::OK();
      return WrongKind(key, value, "double");
    }
    case Kind::kMillis:
    case Kind::kTime:
      if (ParseMillis(value).ok()) return arrow::Status::OK();
      return WrongKind(key, value, "time");
    case Kind::kTimeZone:
      if (types::TimeZone::Load(value).ok()) return arrow::Status::OK();
      return UserError("INVALID_CONF_VALUE.TIME_ZONE", {{"confName", key}, {"confValue", value}});
    case Kind::kText:
    case Kind::kBytes:
      return arrow::Status::OK();
  }
  return arrow::Status::OK();
}

/// Keys that take another's value while they have none of their own. Source: Spark, SQLConf (fallbackConf).
constexpr std::pair<std::string_view, std::string_view> kFallbacks[] = {
    {"spark.sql.adaptive.advisoryPartitionSizeInBytes", "spark.sql.adaptive.shuffle.targetPostShuffleInputSize"},
    {"spark.sql.execution.arrow.pyspark.enabled", "spark.sql.execution.arrow.enabled"},
    {"spark.sql.execution.arrow.pyspark.fallback.enabled", "spark.sql.execution.arrow.fallback.enabled"},
};

// As Spark's local master numbers applications; one a process.
const std::string& ApplicationId() {
  static const std::string kId = fmt::format("local-{}", std::chrono::duration_cast<std::chrono::milliseconds>(
                                                             std::chrono::system_clock::now().time_since_epoch())
                                                             .count());
  return kId;
}

bool IsCoreSetting(std::string_view key) {
  return std::binary_search(std::begin(kCoreSettings), std::end(kCoreSettings), key);
}

/// Static settings and those of the process stay as they are while a session lives.
arrow::Status CheckModifiable(const std::string& key) {
  const KnownKey* known = FindKnown(key);
  const bool is_static = known != nullptr && known->is_static;
  if (!is_static && (known != nullptr || !IsCoreSetting(key))) return arrow::Status::OK();
  return UserError(is_static ? "CANNOT_MODIFY_STATIC_CONFIG" : "CANNOT_MODIFY_CONFIG",
                   {{"key", QuoteConf(key)}, {"docroot", "https://spark.apache.org/docs/latest"}});
}

}  // namespace

Conf::Conf(const Conf& other) {
  std::lock_guard lock(other.mutex_);
  values_ = other.values_;
  initial_ = other.initial_;
}

arrow::Status Conf::Set(const std::string& key, const std::string& value) {
  ARROW_RETURN_NOT_OK(CheckModifiable(key));
  if (const KnownKey* known = FindKnown(key)) {
    ARROW_RETURN_NOT_OK(CheckKind(*known, key, value));
    ARROW_RETURN_NOT_OK(CheckRequirement(key, value));
    if (AsksForUnbuilt(key, value, known->default_value)) {
      return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                       {{"methodName", "the setting " + key + " = " + value}, {"className", "Millrace"}});
    }
  }
  std::lock_guard lock(mutex_);
  values_[key] = value;
  return arrow::Status::OK();
}

void Conf::CopyFrom(const Conf& other) {
  Conf copy(other);
  std::lock_guard lock(mutex_);
  values_ = std::move(copy.values_);
  initial_ = std::move(copy.initial_);
}

bool Conf::IsModifiable(std::string_view key) const {
  const KnownKey* known = FindKnown(key);
  return known != nullptr && !known->is_static && key.starts_with("spark.sql.");
}

arrow::Status Conf::SetAtStart(const std::string& key, const std::string& value) {
  if (CheckModifiable(key).ok()) ARROW_RETURN_NOT_OK(Set(key, value));
  std::lock_guard lock(mutex_);
  values_[key] = value;
  initial_[key] = value;
  return arrow::Status::OK();
}

arrow::Status Conf::Unset(const std::string& key) {
  ARROW_RETURN_NOT_OK(CheckModifiable(key));
  std::lock_guard lock(mutex_);
  values_.erase(key);
  return arrow::Status::OK();
}

arrow::Status Conf::Reset(const std::string& key) {
  ARROW_RETURN_NOT_OK(Unset(key));
  std::lock_guard lock(mutex_);
  auto initial = initial_.find(key);
  if (initial != initial_.end()) values_.insert(*initial);
  return arrow::Status::OK();
}

void Conf::ResetAll() {
  std::lock_guard lock(mutex_);
  values_ = initial_;
}

std::optional<std::string> Conf::Get(std::string_view key) const {
  {
    std::lock_guard lock(mutex_);
    auto it = values_.find(key);
    if (it != values_.end()) return it->second;
    for (const auto& [asked, fallback] : kFallbacks) {
      auto other = asked == key ? values_.find(fallback) : values_.end();
      if (other != values_.end()) return other->second;
    }
  }
  if (key == "spark.sql.session.timeZone") return types::TimeZone::System()->id();
  if (key == "spark.app.id") return ApplicationId();
  const KnownKey* known = FindKnown(key);
  if (known == nullptr || known->default_value.empty()) return std::nullopt;
  return std::string(known->default_value);
}

arrow::Result<std::string> Conf::Require(const std::string& key) const {
  std::optional<std::string> value = Get(key);
  if (!value) return UserError("SQL_CONF_NOT_FOUND", {{"sqlConf", QuoteConf(key)}});
  return *value;
}

arrow::Result<std::string> Conf::Reference(const std::string& key) const {
  if (IsSet(key) || key == "spark.sql.session.timeZone") return Get(key).value_or("");
  const KnownKey* known = FindKnown(key);
  if (known == nullptr) return "";
  ARROW_RETURN_NOT_OK(CheckKind(*known, key, ""));
  return "";
}

bool Conf::IsSet(std::string_view key) const {
  std::lock_guard lock(mutex_);
  return values_.find(key) != values_.end();
}

std::map<std::string, std::string> Conf::All() const {
  std::lock_guard lock(mutex_);
  return {values_.begin(), values_.end()};
}

bool Conf::GetBool(std::string_view key) const { return EqualsIgnoreCase(Get(key).value_or("false"), "true"); }

int64_t Conf::GetInt64(std::string_view key) const {
  std::string value = Get(key).value_or("0");
  return std::strtoll(value.c_str(), nullptr, 10);
}

int64_t Conf::GetMillis(std::string_view key) const { return ParseMillis(Get(key).value_or("0")).ValueOr(0); }

arrow::Result<int64_t> ParseMillis(std::string_view text) {
  static constexpr struct {
    std::string_view unit;
    int64_t millis;
  } kUnits[] = {
      {"ms", 1},          {"millisecond", 1}, {"milliseconds", 1}, {"s", 1000},        {"sec", 1000},
      {"second", 1000},   {"seconds", 1000},  {"m", 60000},        {"min", 60000},     {"minute", 60000},
      {"minutes", 60000}, {"h", 3600000},     {"hour", 3600000},   {"hours", 3600000}, {"d", 86400000},
      {"day", 86400000},  {"days", 86400000},
  };
  std::string_view rest = TrimAscii(text);
  int64_t number = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc()) return arrow::Status::Invalid("Not a time: ", text);
  std::string unit = ToLowerAscii(TrimAscii(rest.substr(static_cast<size_t>(end - rest.data()))));
  if (unit.empty()) return number;
  for (const auto& known : kUnits) {
    if (known.unit == unit) return number * known.millis;
  }
  return arrow::Status::Invalid("Not a time: ", text);
}

}  // namespace millrace::session
