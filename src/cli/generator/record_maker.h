#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

/// Records as text, one behind the other in one buffer. Reused from batch to batch.
class RecordTexts {
 public:
  struct Record {
    size_t key_start = 0;
    size_t value_start = 0;
    size_t end = 0;
    bool has_key = false;
  };

  void Clear() {
    bytes_.clear();
    records_.clear();
  }
  /// The buffer to which a record is appended: BeginRecord, its key, BeginValue, its value, EndRecord.
  std::string& bytes() { return bytes_; }
  void BeginRecord() { current_ = {bytes_.size(), bytes_.size(), 0, false}; }
  void BeginValue(bool has_key) {
    current_.value_start = bytes_.size();
    current_.has_key = has_key;
  }
  void EndRecord() {
    current_.end = bytes_.size();
    records_.push_back(current_);
  }

  size_t size() const { return records_.size(); }
  bool has_key(size_t i) const { return records_[i].has_key; }
  std::string_view key(size_t i) const {
    return std::string_view(bytes_).substr(records_[i].key_start, records_[i].value_start - records_[i].key_start);
  }
  std::string_view value(size_t i) const {
    return std::string_view(bytes_).substr(records_[i].value_start, records_[i].end - records_[i].value_start);
  }

 private:
  std::string bytes_;
  std::vector<Record> records_;
  Record current_;
};

struct MakerOptions {
  uint64_t seed = 1;
  /// Event time of the first records, ms since 1970 UTC.
  int64_t start_ms = 1'704'067'200'000;
  /// Visits going on at once.
  int64_t num_active = 100;
  /// Visits carry an event_id of their own ("click-0", "click-1", …) and a number as visit_id, as the reprocessor's do.
  bool event_ids = false;
};

/// Makes an endless series of records. The same options give the same series, however it is cut into batches.
/// Confined to one thread.
class RecordMaker {
 public:
  virtual ~RecordMaker() = default;
  /// Replaces `batch` by the next `count` records.
  virtual void Make(int64_t count, RecordTexts* batch) = 0;
};

/// One kind of data of the demos.
struct DataSet {
  std::string_view name;
  std::string_view description;
  /// Of the files written to a directory.
  std::string_view file_extension;
  std::unique_ptr<RecordMaker> (*make)(const MakerOptions&);
};
std::span<const DataSet> DataSets();

std::unique_ptr<RecordMaker> MakeVisits(const MakerOptions& options);
std::unique_ptr<RecordMaker> MakeDevices(const MakerOptions& options);
std::unique_ptr<RecordMaker> MakeAds(const MakerOptions& options);
std::unique_ptr<RecordMaker> MakeRides(const MakerOptions& options);

}  // namespace millrace::cli
