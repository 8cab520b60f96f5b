#include "connector/delta/table_request.h"

#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "connector/delta/data_file_scan.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_error.h"
#include "delta/schema/column_mapping.h"
#include "types/datetime_text.h"

namespace millrace::connector::delta_table {

namespace {

constexpr size_t kTimestampDigits = 17;  // yyyyMMddHHmmssSSS

bool AllDigits(std::string_view text) {
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

std::optional<int64_t> ParseWhole(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What stands behind the last '@' of a path, when it is a point in time.
struct PathSuffix {
  std::string path;
  std::optional<int64_t> version;
  std::string timestamp_digits;
};
std::optional<PathSuffix> ParseSuffix(const std::string& path) {
  size_t at = path.rfind('@');
  if (at == std::string::npos) return std::nullopt;
  std::string_view suffix = std::string_view(path).substr(at + 1);
  if (suffix.size() == kTimestampDigits && AllDigits(suffix)) {
    return PathSuffix{path.substr(0, at), std::nullopt, std::string(suffix)};
  }
  if (suffix.size() > 1 && (suffix[0] == 'v' || suffix[0] == 'V') && AllDigits(suffix.substr(1))) {
    if (auto version = ParseWhole(suffix.substr(1))) return PathSuffix{path.substr(0, at), version, ""};
  }
  return std::nullopt;
}

arrow::Result<int64_t> ParseTimestampDigits(const std::string& digits, const types::TimeZone& zone) {
  std::string text = digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2) + " " +
                     digits.substr(8, 2) + ":" + digits.substr(10, 2) + ":" + digits.substr(12, 2) + "." +
                     digits.substr(14, 3);
  int64_t micros = 0;
  if (!types::ParseTimestamp(text, zone, &micros)) {
    return UserError("DELTA_INVALID_TIMESTAMP_FORMAT", {{"timestamp", digits}, {"format", "yyyyMMddHHmmssSSS"}});
  }
  return micros;
}

bool IsTypeReadCompatible(const types::DataType& existing, const types::DataType& read, bool forbid_tightening,
                          bool allow_missing_columns) {
  using types::TypeId;
  auto nullable_fits = [&](bool existing_nullable, bool read_nullable) {
    return forbid_tightening ? read_nullable || !existing_nullable : existing_nullable || !read_nullable;
  };
  if (existing.id() == TypeId::kNull) return true;
  if (existing.id() != read.id()) return false;
  switch (existing.id()) {
    case TypeId::kStruct:
      return IsReadCompatible(existing, read, forbid_tightening, allow_missing_columns);
    case TypeId::kArray:
      return nullable_fits(existing.contains_null(), read.contains_null()) &&
             IsTypeReadCompatible(*existing.element(), *read.element(), forbid_tightening, allow_missing_columns);
    case TypeId::kMap:
      return nullable_fits(existing.value_contains_null(), read.value_contains_null()) &&
             IsTypeReadCompatible(*existing.key(), *read.key(), forbid_tightening, allow_missing_columns) &&
             IsTypeReadCompatible(*existing.value(), *read.value(), forbid_tightening, allow_missing_columns);
    default:
      return existing.Equals(read);
  }
}

}  // namespace

arrow::Result<int64_t> ParseTimestampOption(const std::string& text, const types::TimeZone& zone) {
  int64_t micros = 0;
  if (!types::ParseTimestamp(text, zone, &micros)) {
    return UserError("DELTA_TIMESTAMP_INVALID", {{"expr", QuoteStringLiteral(text)}});
  }
  return micros;
}

arrow::Result<TableRequest> ParseTableRequest(const SourceRequest& request) {
  const ConnectorContext& context = *request.context;
  if (request.paths.empty()) {
    return arrow::Status::Invalid("'path' is not specified");
  }
  if (request.paths.size() > 1) {
    return arrow::Status::Invalid("The Delta source takes one path, not ", request.paths.size());
  }
  TableRequest parsed;
  auto version = request.options.Get("versionAsOf");
  auto timestamp = request.options.Get("timestampAsOf");
  if (version && timestamp) return UserError("DELTA_ONEOF_IN_TIMETRAVEL");
  if (version) {
    parsed.version_as_of = ParseWhole(*version);
    if (!parsed.version_as_of) {
      return UserError("DELTA_TIME_TRAVEL_INVALID_BEGIN_VALUE", {{"timeTravelKey", "versionAsOf"}});
    }
  }
  if (timestamp) {
    ARROW_ASSIGN_OR_RAISE(parsed.timestamp_as_of_us, ParseTimestampOption(*timestamp, *context.time_zone));
  }
  std::string path = AbsolutePath(LocalPath(request.paths[0]));
  auto open = [&](const std::string& table_path) {
    if (context.delta_tables != nullptr) return context.delta_tables->Open(table_path);
    return std::make_shared<delta::Table>(context.file_system, AbsolutePath(LocalPath(table_path)));
  };
  std::optional<PathSuffix> suffix = ParseSuffix(path);
  if (suffix) {
    // A directory may be called so.
    ARROW_ASSIGN_OR_RAISE(auto there, context.file_system->Stat(path));
    if (there) suffix.reset();
  }
  parsed.table = open(suffix ? suffix->path : path);
  if (!suffix) return parsed;
  if (parsed.is_time_travel()) return UserError("DELTA_UNSUPPORTED_TIME_TRAVEL_MULTIPLE_FORMATS");
  parsed.version_as_of = suffix->version;
  if (!suffix->version) {
    ARROW_ASSIGN_OR_RAISE(parsed.timestamp_as_of_us,
                          ParseTimestampDigits(suffix->timestamp_digits, *context.time_zone));
  }
  return parsed;
}

arrow::Status CheckRetention(const delta::Snapshot& state, const delta::Snapshot& newest,
                             const ConnectorContext& context) {
  auto enforced = context.conf("spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration")
                      .value_or("true");
  if (EqualsIgnoreCase(enforced, "false")) return arrow::Status::OK();
  return delta::CheckWithinRetention(state, newest, context.clock->NowMillis());
}

arrow::Result<delta::SnapshotPtr> OpenSnapshot(const TableRequest& table, const ConnectorContext& context) {
  auto newest = table.table->Update();
  if (IsErrorCondition(newest.status(), "DELTA_TABLE_NOT_FOUND")) {
    ARROW_ASSIGN_OR_RAISE(auto there, context.file_system->Stat(table.table->path()));
    if (!there) return UserError("PATH_NOT_FOUND", {{"path", table.table->path()}});
  }
  // Later commits may be unreadable without harm to an older version; as in Spark, what they say is not passed over.
  if (table.version_as_of && (newest.ok() || delta::IsUnreadableFile(newest.status()))) {
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr state, table.table->SnapshotAt(delta::TableVersion(*table.version_as_of)));
    if (newest.ok()) ARROW_RETURN_NOT_OK(CheckRetention(*state, **newest, context));
    return state;
  }
  ARROW_RETURN_NOT_OK(newest);
  if (!table.timestamp_as_of_us) return newest;
  // Commits are told apart by milliseconds.
  ARROW_ASSIGN_OR_RAISE(delta::CommitTime commit,
                        delta::CommitAtTime(*table.table, **newest, types::FloorDiv(*table.timestamp_as_of_us, 1000),
                                            {}, *context.time_zone));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr state, table.table->SnapshotAt(commit.version));
  ARROW_RETURN_NOT_OK(CheckRetention(*state, **newest, context));
  return state;
}

arrow::Result<bool> IsChangeFeed(const Options& options) {
  ARROW_ASSIGN_OR_RAISE(bool feed, options.GetBool("readChangeFeed", false));
  ARROW_ASSIGN_OR_RAISE(bool data, options.GetBool("readChangeData", false));
  return feed || data;
}

types::DataTypePtr ReadSchema(const delta::Snapshot& snapshot) {
  return delta::WithoutInternalMetadata(snapshot.schema());
}

types::DataTypePtr ChangeFeedSchema(const types::DataTypePtr& schema) {
  std::vector<types::StructField> fields = schema->fields();
  fields.push_back({std::string(kChangeType), types::String(), true, ""});
  fields.push_back({std::string(kCommitVersion), types::Long(), true, ""});
  fields.push_back({std::string(kCommitTimestamp), types::Timestamp(), true, ""});
  return types::Struct(std::move(fields));
}

bool IsReadCompatible(const types::DataType& existing, const types::DataType& read, bool forbid_tightening,
                      bool allow_missing_columns) {
  for (const types::StructField& field : existing.fields()) {
    if (!allow_missing_columns && read.FieldIndex(field.name, /*case_sensitive=*/false) < 0) return false;
  }
  for (const types::StructField& field : read.fields()) {
    int index = existing.FieldIndex(field.name, /*case_sensitive=*/false);
    if (index < 0) continue;
    const types::StructField& there = existing.fields()[static_cast<size_t>(index)];
    if (there.name != field.name) return false;
    bool nullable_fits = forbid_tightening ? field.nullable || !there.nullable : there.nullable || !field.nullable;
    if (!nullable_fits) return false;
    if (!IsTypeReadCompatible(*there.type, *field.type, forbid_tightening, allow_missing_columns)) return false;
  }
  return true;
}

}  // namespace millrace::connector::delta_table
