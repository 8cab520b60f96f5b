#pragma once

namespace millrace::expression {

/// Settings of the session that change what single functions and operators mean. They are read while calls are bound,
/// never while rows are computed.
struct QuerySettings {
  /// spark.sql.ansi.enabled, for implicit casts.
  bool ansi = true;
  /// spark.sql.decimalOperations.allowPrecisionLoss.
  bool decimal_precision_loss = true;
  /// spark.sql.mapKeyDedupPolicy = LAST_WIN.
  bool map_keys_last_win = false;
  /// spark.sql.legacy.timeParserPolicy = LEGACY.
  bool legacy_time_parser = false;
  /// spark.sql.timeType.enabled: without it, the type TIME is refused by name (its literals and functions are not).
  bool time_type = false;
  /// spark.sql.timestampType = TIMESTAMP_NTZ: what TIMESTAMP, and functions that are not of one kind, mean.
  bool timestamp_ntz = false;
  /// spark.sql.ansi.doubleQuotedIdentifiers, with ANSI on.
  bool double_quoted_identifiers = false;
  /// spark.sql.legacy.negativeIndexInArrayInsert.
  bool negative_index_in_array_insert = false;
};

/// What calls that this thread binds now are to follow; Spark's defaults outside of every scope.
const QuerySettings& CurrentQuerySettings();

/// Settings for everything that is bound on this thread until the scope ends. Scopes nest.
class QuerySettingsScope {
 public:
  explicit QuerySettingsScope(const QuerySettings& settings);
  ~QuerySettingsScope();
  QuerySettingsScope(const QuerySettingsScope&) = delete;
  QuerySettingsScope& operator=(const QuerySettingsScope&) = delete;

 private:
  QuerySettings settings_;
  const QuerySettings* outer_;
};

}  // namespace millrace::expression
