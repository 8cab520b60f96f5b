#pragma once

#include <limits>
#include <memory>
#include <optional>

#include "connector/delta/table_request.h"
#include "connector/kafka/topic_pattern.h"

namespace millrace::connector::delta_table {

/// What the options of a stream say. Source: Delta's DeltaOptions.
struct StreamOptions {
  static constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

  int64_t max_files = 1000;
  int64_t max_bytes = kNoLimit;
  bool ignore_deletes = false;
  /// Commits that change data are read as if they only added files.
  bool ignore_changes = false;
  bool skip_change_commits = false;
  bool fail_on_data_loss = true;
  bool read_change_feed = false;
  /// Null for none.
  std::shared_ptr<const kafka::TopicPattern> exclude;
  bool from_latest = false;
  std::optional<int64_t> starting_version;
  std::optional<int64_t> starting_timestamp_us;

  bool has_start() const { return from_latest || starting_version || starting_timestamp_us; }

  /// Errors: UserError DELTA_ILLEGAL_OPTION, DELTA_STARTING_VERSION_AND_TIMESTAMP_BOTH_SET,
  /// DELTA_REGEX_OPT_SYNTAX_ERROR.
  static arrow::Result<StreamOptions> Parse(const SourceRequest& request);
};

/// How much a micro-batch may still take. The first file, or the first commit taken whole, always fits.
/// Source: Delta's AdmissionLimits.
class AdmissionLimits {
 public:
  AdmissionLimits(int64_t max_files, int64_t max_bytes) : files_(max_files), bytes_(max_bytes) {}

  bool has_capacity() const { return files_ > 0 && bytes_ > 0; }
  /// A file, or a mark between two versions, which costs nothing.
  bool Admit(bool is_file, int64_t size_bytes) {
    commit_seen_ = true;
    if (!is_file) return true;
    bool admit = has_capacity();
    Take(1, size_bytes);
    return admit;
  }
  /// A commit as a whole.
  bool AdmitAll(int64_t num_files, int64_t size_bytes) {
    if (num_files == 0) return true;
    bool admit = !commit_seen_ || (files_ - num_files >= 0 && bytes_ - size_bytes >= 0);
    commit_seen_ = true;
    Take(num_files, size_bytes);
    return admit;
  }

 private:
  void Take(int64_t num_files, int64_t size_bytes) {
    files_ -= num_files;
    bytes_ -= size_bytes;
  }
  int64_t files_;
  int64_t bytes_;
  bool commit_seen_ = false;
};

}  // namespace millrace::connector::delta_table
