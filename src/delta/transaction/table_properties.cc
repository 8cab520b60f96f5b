#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "delta/feature/table_feature.h"
#include "delta/transaction/table_metadata.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"

/// The properties tables may have.

namespace millrace::delta {

namespace {

enum class Form : uint8_t { kText, kBoolean, kInteger, kPositive, kNotNegative, kFromMinusOne, kInterval };

struct Property {
  std::string_view name;  ///< behind "delta."
  Form form = Form::kText;
};

constexpr std::array kProperties = {
    Property{"appendOnly", Form::kBoolean},
    Property{"autoOptimize", Form::kBoolean},
    Property{"autoOptimize.autoCompact"},
    Property{"autoOptimize.optimizeWrite", Form::kBoolean},
    Property{"castIcebergTimeType", Form::kBoolean},
    Property{"checkpoint.writeStatsAsJson", Form::kBoolean},
    Property{"checkpoint.writeStatsAsStruct", Form::kBoolean},
    Property{"checkpointInterval", Form::kPositive},
    Property{"checkpointPolicy"},
    Property{"checkpointRetentionDuration", Form::kInterval},
    Property{"columnMapping.mode"},
    Property{"compatibility.symlinkFormatManifest.enabled", Form::kBoolean},
    Property{"coordinatedCommits.commitCoordinator-preview"},
    Property{"coordinatedCommits.commitCoordinatorConf-preview"},
    Property{"coordinatedCommits.tableConf-preview"},
    Property{"dataSkippingNumIndexedCols", Form::kFromMinusOne},
    Property{"dataSkippingStatsColumns"},
    Property{"dataSkippingStringPrefixLength", Form::kNotNegative},
    Property{"deletedFileRetentionDuration", Form::kInterval},
    Property{"dropFeatureTruncateHistory.retentionDuration", Form::kInterval},
    Property{"enableChangeDataCapture", Form::kBoolean},
    Property{"enableChangeDataFeed", Form::kBoolean},
    Property{"enableDeletionVectors", Form::kBoolean},
    Property{"enableExpiredLogCleanup", Form::kBoolean},
    Property{"enableFullRetentionRollback", Form::kBoolean},
    Property{"enableIcebergCompatV1", Form::kBoolean},
    Property{"enableIcebergCompatV2", Form::kBoolean},
    Property{"enableIcebergCompatV3", Form::kBoolean},
    Property{"enableInCommitTimestamps", Form::kBoolean},
    Property{"enableMaterializePartitionColumnsFeature", Form::kBoolean},
    Property{"enableRowTracking", Form::kBoolean},
    Property{"enableTypeWidening", Form::kBoolean},
    Property{"enableVariantShredding", Form::kBoolean},
    Property{"ignoreProtocolDefaults", Form::kBoolean},
    Property{"inCommitTimestampEnablementTimestamp", Form::kInteger},
    Property{"inCommitTimestampEnablementVersion", Form::kInteger},
    Property{"isolationLevel"},
    Property{"logRetentionDuration", Form::kInterval},
    Property{"minReaderVersion"},
    Property{"minWriterVersion"},
    Property{"parquet.format.version"},
    Property{"randomizeFilePrefixes", Form::kBoolean},
    Property{"randomPrefixLength", Form::kPositive},
    Property{"requireCheckpointProtectionBeforeVersion", Form::kNotNegative},
    Property{"rowTrackingSuspended", Form::kBoolean},
    Property{"sampleRetentionDuration", Form::kInterval},
    Property{"setTransactionRetentionDuration", Form::kInterval},
    Property{"universalFormat.enabledFormats"},
    Property{"writePartitionColumnsToParquet", Form::kBoolean},
};

/// What only Delta itself writes.
constexpr std::array<std::string_view, 3> kNotOfUsers = {"columnMapping.maxColumnId",
                                                         "rowTracking.materializedRowIdColumnName",
                                                         "rowTracking.materializedRowCommitVersionColumnName"};

const Property* FindProperty(std::string_view name) {
  for (const Property& property : kProperties) {
    if (EqualsIgnoreCase(property.name, name)) return &property;
  }
  return nullptr;
}

arrow::Status Refuse(std::string_view name, std::string_view needs) {
  return arrow::Status::Invalid("requirement failed: delta.", name, " ", needs);
}

arrow::Status CheckInteger(std::string_view name, const std::string& value, int64_t least, std::string_view needs) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return arrow::Status::Invalid("delta.", name, " ", needs);
  }
  return number < least ? Refuse(name, needs) : arrow::Status::OK();
}

arrow::Status CheckVersion(std::string_view name, const std::string& value, int64_t most) {
  std::string needs = "needs to be one of 1";
  for (int64_t version = 2; version <= most; ++version) needs += ", " + std::to_string(version);
  needs += ".";
  ARROW_RETURN_NOT_OK(CheckInteger(name, value, 1, needs));
  return std::stoll(value) > most ? Refuse(name, needs) : arrow::Status::OK();
}

arrow::Status CheckInterval(std::string_view name, const std::string& value) {
  types::CalendarIntervalValue interval;
  if (!types::ParseCalendarInterval(value, &interval) || interval.months != 0) {
    return Refuse(
        name,
        "needs to be provided as a calendar interval such as '2 weeks'. Months and years are not accepted. You "
        "may specify '365 days' for a year instead.");
  }
  return arrow::Status::OK();
}

arrow::Status CheckValue(const Property& property, const std::string& value) {
  switch (property.form) {
    case Form::kBoolean:
      if (EqualsIgnoreCase(value, "true") || EqualsIgnoreCase(value, "false")) return arrow::Status::OK();
      return arrow::Status::Invalid("For input string: \"", value, "\"");
    case Form::kInteger:
      return CheckInteger(property.name, value, INT64_MIN, "");
    case Form::kPositive:
      return CheckInteger(property.name, value, 1, "needs to be a positive integer.");
    case Form::kNotNegative:
      return CheckInteger(property.name, value, 0, "needs to be greater or equal to zero.");
    case Form::kFromMinusOne:
      return CheckInteger(property.name, value, -1, "needs to be larger than or equal to -1.");
    case Form::kInterval:
      return CheckInterval(property.name, value);
    case Form::kText:
      break;
  }
  if (property.name == "minReaderVersion") return CheckVersion(property.name, value, kTableFeaturesReaderVersion);
  if (property.name == "minWriterVersion") return CheckVersion(property.name, value, kTableFeaturesWriterVersion);
  if (property.name == "columnMapping.mode") {
    for (std::string_view mode : {"none", "name", "id"}) {
      if (EqualsIgnoreCase(value, mode)) return arrow::Status::OK();
    }
    return arrow::Status::Invalid(
        "The column mapping mode `", value,
        "` is not supported for this Delta version. Please upgrade if you want to use this mode.");
  }
  if (property.name == "isolationLevel" && !EqualsIgnoreCase(value, "Serializable")) {
    return Refuse(property.name, "must be Serializable");
  }
  if (property.name == "checkpointPolicy" && value != "classic" && value != "v2") {
    return arrow::Status::Invalid("Invalid policy ", value);
  }
  return arrow::Status::OK();
}

// The log must tell of removed files as long as they are kept.
arrow::Status CheckRetention(const StringMap& properties) {
  auto interval_us = [&](const char* key, int64_t fallback) {
    auto it = properties.find(key);
    types::CalendarIntervalValue interval;
    if (it == properties.end() || !types::ParseCalendarInterval(it->second, &interval)) return fallback;
    return interval.days * types::kMicrosPerDay + interval.micros;
  };
  int64_t log = interval_us("delta.logRetentionDuration", 30 * types::kMicrosPerDay);
  int64_t files = interval_us("delta.deletedFileRetentionDuration", 7 * types::kMicrosPerDay);
  if (log >= files) return arrow::Status::OK();
  auto text = [](int64_t us) {
    int64_t days = us / types::kMicrosPerDay;
    return us % types::kMicrosPerDay == 0 ? std::to_string(days) + " days"
                                          : std::to_string(us / types::kMicrosPerSecond) + " seconds";
  };
  return arrow::Status::Invalid("requirement failed: The table property delta.logRetentionDuration(", text(log),
                                ") needs to be greater than or equal to delta.deletedFileRetentionDuration(",
                                text(files), ").");
}

}  // namespace

arrow::Result<StringMap> TableProperties(const Options& options) {
  StringMap properties;
  for (const auto& [lower, entry] : options.entries()) {
    if (!lower.starts_with("delta.")) continue;
    std::string_view name = std::string_view(entry.key).substr(6);
    if (lower.starts_with("delta.constraints.")) {
      properties[entry.key] = entry.value;
      continue;
    }
    if (lower.starts_with("delta.feature.")) {
      std::string_view feature = name.substr(8);
      const TableFeature* known = nullptr;
      for (const TableFeature& candidate : AllTableFeatures()) {
        if (EqualsIgnoreCase(candidate.name, feature)) known = &candidate;
      }
      if (known == nullptr) {
        return UserError("DELTA_UNSUPPORTED_FEATURES_IN_CONFIG",
                         {{"configs", "delta.feature." + std::string(feature)}});
      }
      properties["delta.feature." + std::string(known->name)] = entry.value;
      continue;
    }
    for (std::string_view internal : kNotOfUsers) {
      if (!EqualsIgnoreCase(internal, name)) continue;
      return UserError("DELTA_CANNOT_MODIFY_TABLE_PROPERTY", {{"prop", "delta." + std::string(internal)}});
    }
    const Property* property = FindProperty(name);
    if (property == nullptr) {
      return UserError(
          "DELTA_UNKNOWN_CONFIGURATION",
          {{"config", entry.key}, {"disableCheckConfig", "spark.databricks.delta.allowArbitraryProperties.enabled"}});
    }
    ARROW_RETURN_NOT_OK(CheckValue(*property, entry.value));
    properties["delta." + std::string(property->name)] = entry.value;
  }
  ARROW_RETURN_NOT_OK(CheckRetention(properties));
  return properties;
}

StringMap WithDefaults(StringMap properties, const std::function<std::optional<std::string>(std::string_view)>& conf) {
  for (const Property& property : kProperties) {
    std::string key = "delta." + std::string(property.name);
    if (properties.count(key) > 0) continue;
    auto value = conf("spark.databricks.delta.properties.defaults." + std::string(property.name));
    if (value) properties[key] = *value;
  }
  return properties;
}

bool BooleanProperty(const Metadata& metadata, std::string_view key, bool fallback) {
  auto text = metadata.Property(key);
  return text ? EqualsIgnoreCase(*text, "true") : fallback;
}

int64_t IntegerProperty(const Metadata& metadata, std::string_view key, int64_t fallback) {
  auto text = metadata.Property(key);
  int64_t value = fallback;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace millrace::delta
