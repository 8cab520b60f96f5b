#include "delta/history/commit_times.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/log/log_segment.h"
#include "types/datetime_text.h"
#include "types/time_zone.h"

namespace millrace::delta {

namespace {

constexpr int64_t kNoInCommitTimestamps = INT64_MAX;

/// The first version with an in-commit timestamp.
int64_t InCommitTimestampsSince(const Snapshot& newest) {
  if (!newest.in_commit_timestamps()) return kNoInCommitTimestamps;
  auto text = newest.metadata().Property("delta.inCommitTimestampEnablementVersion");
  int64_t version = 0;
  if (text) (void)std::from_chars(text->data(), text->data() + text->size(), version);
  return version;
}

// As java.sql.Timestamp prints it: a fraction of at least one digit.
std::string JavaTimestamp(int64_t timestamp_ms, const types::TimeZone& zone) {
  std::string text;
  types::AppendTimestamp(timestamp_ms * 1000, zone, &text);
  return timestamp_ms % 1000 == 0 ? text + ".0" : text;
}

std::string SparkTimestamp(int64_t timestamp_ms, const types::TimeZone& zone) {
  // Spark's formatter of this message shows whole seconds.
  std::string text;
  types::AppendTimestamp(types::FloorDiv(timestamp_ms, 1000) * 1000000, zone, &text);
  return text;
}

arrow::Result<int64_t> InCommitTimestamp(const Table& table, TableVersion version) {
  ARROW_ASSIGN_OR_RAISE(auto commit, table.ReadCommit(version, kKinds<CommitInfo>));
  auto timestamp = commit ? commit->in_commit_timestamp_ms() : std::nullopt;
  if (timestamp) return *timestamp;
  return UserError("DELTA_MISSING_COMMIT_TIMESTAMP",
                   {{"featureName", "inCommitTimestamp"}, {"version", version.ToString()}});
}

}  // namespace

arrow::Result<std::vector<CommitTime>> CommitTimes(const Table& table, const Snapshot& newest, TableVersion first,
                                                   TableVersion last) {
  int64_t since = InCommitTimestampsSince(newest);
  std::vector<CommitTime> times;
  // Some commits before the first are looked at too: their times may push the later ones on.
  constexpr int64_t kBefore = 100;
  int64_t previous_ms = INT64_MIN;
  for (int64_t v = std::max<int64_t>(0, first.value - kBefore); v <= last.value; ++v) {
    TableVersion version(v);
    if (v >= since) {
      if (v < first.value) continue;
      ARROW_ASSIGN_OR_RAISE(auto info, table.file_system()->Stat(JoinPath(table.log_path(), CommitFileName(version))));
      if (!info) continue;
      ARROW_ASSIGN_OR_RAISE(int64_t timestamp_ms, InCommitTimestamp(table, version));
      times.push_back({version, timestamp_ms});
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto info, table.file_system()->Stat(JoinPath(table.log_path(), CommitFileName(version))));
    if (!info) continue;
    int64_t timestamp_ms = info->modified_ms;
    if (previous_ms != INT64_MIN && timestamp_ms <= previous_ms) timestamp_ms = previous_ms + 1;
    previous_ms = timestamp_ms;
    if (v >= first.value) times.push_back({version, timestamp_ms});
  }
  return times;
}

arrow::Result<CommitTime> CommitAtTime(const Table& table, const Snapshot& newest, int64_t timestamp_ms,
                                       const CommitSearch& search, const types::TimeZone& zone) {
  ARROW_ASSIGN_OR_RAISE(LogListing listing, LogListing::Read(*table.file_system(), table.log_path()));
  std::optional<TableVersion> earliest =
      search.must_be_recreatable ? listing.oldest_recreatable() : listing.oldest_commit();
  if (earliest && !listing.commits().empty() && *earliest < listing.commits().front()) {
    earliest = listing.commits().front();
  }
  if (!earliest) return UserError("DELTA_NO_COMMITS_FOUND", {{"logPath", table.log_path()}});
  int64_t since = InCommitTimestampsSince(newest);
  std::optional<CommitTime> found;
  if (since <= newest.version().value) {
    // In-commit timestamps rise: the last one not after the time is found by halving.
    int64_t low = std::max(since, earliest->value);
    ARROW_ASSIGN_OR_RAISE(int64_t low_ms, InCommitTimestamp(table, TableVersion(low)));
    if (low_ms <= timestamp_ms || low == earliest->value) {
      int64_t high = newest.version().value;
      int64_t best_ms = low_ms;
      while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        ARROW_ASSIGN_OR_RAISE(int64_t middle_ms, InCommitTimestamp(table, TableVersion(middle)));
        if (middle_ms <= timestamp_ms) {
          low = middle;
          best_ms = middle_ms;
        } else {
          high = middle - 1;
        }
      }
      found = CommitTime{TableVersion(low), best_ms};
    }
  }
  if (!found) {
    TableVersion last(std::min(newest.version().value, since == kNoInCommitTimestamps ? INT64_MAX : since - 1));
    ARROW_ASSIGN_OR_RAISE(std::vector<CommitTime> times, CommitTimes(table, newest, *earliest, last));
    if (times.empty()) return UserError("DELTA_NO_COMMITS_FOUND", {{"logPath", table.log_path()}});
    auto after = std::upper_bound(times.begin(), times.end(), timestamp_ms,
                                  [](int64_t ms, const CommitTime& time) { return ms < time.timestamp_ms; });
    found = after == times.begin() ? times.front() : *(after - 1);
  }
  if (found->timestamp_ms > timestamp_ms && !search.can_return_earliest) {
    return UserError("DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION",
                     {{"userTimestamp", JavaTimestamp(timestamp_ms, zone)},
                      {"commitTs", JavaTimestamp(found->timestamp_ms, zone)},
                      {"timestampString", SparkTimestamp(found->timestamp_ms, zone)}});
  }
  if (found->version == newest.version() && !search.can_return_last && found->timestamp_ms < timestamp_ms) {
    return UserError("DELTA_TIMESTAMP_GREATER_THAN_COMMIT",
                     {{"providedTimestamp", JavaTimestamp(timestamp_ms, zone)},
                      {"lastCommitTimestamp", JavaTimestamp(found->timestamp_ms, zone)},
                      {"maximumTimestamp", SparkTimestamp(found->timestamp_ms, zone)}});
  }
  return *found;
}

arrow::Result<TableVersion> CheckVersionExists(const Table& table, const Snapshot& newest, int64_t version,
                                               bool must_be_recreatable, bool allow_beyond_newest) {
  ARROW_ASSIGN_OR_RAISE(LogListing listing, LogListing::Read(*table.file_system(), table.log_path()));
  std::optional<TableVersion> earliest = must_be_recreatable ? listing.oldest_recreatable() : listing.oldest_commit();
  int64_t oldest = earliest ? earliest->value : 0;
  if (version < oldest || (version > newest.version().value && !allow_beyond_newest)) {
    return UserError("DELTA_VERSION_NOT_FOUND", {{"userVersion", std::to_string(version)},
                                                 {"earliest", std::to_string(oldest)},
                                                 {"latest", newest.version().ToString()}});
  }
  return TableVersion(version);
}

arrow::Status CheckWithinRetention(const Snapshot& state, const Snapshot& newest, int64_t now_ms) {
  if (state.version() == newest.version()) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(state.timestamp_status());
  constexpr int64_t kHourMs = 3600 * 1000;
  int64_t kept_ms = IntervalProperty(newest.metadata(), "delta.deletedFileRetentionDuration", 7 * 24 * kHourMs);
  if (state.timestamp_ms() >= now_ms - kept_ms) return arrow::Status::OK();
  return UserError("DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION",
                   {{"deletedFileRetention", std::to_string(kept_ms / kHourMs)}});
}

}  // namespace millrace::delta
