#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "millrace/typed_value.h"

namespace millrace {

/// What a function's rows are to the result so far (Spark's OutputMode).
enum class OutputMode : uint8_t { kAppend, kUpdate, kComplete };

/// When a group that gets no rows is handed to its function again (Spark's GroupStateTimeout).
enum class GroupStateTimeout : uint8_t { kNoTimeout, kProcessingTimeTimeout, kEventTimeTimeout };

namespace api {
class GroupCalls;

/// GroupState without its value.
class GroupStateBase {
 public:
  /// The function is called because the group's timeout is due; there are no rows.
  bool HasTimedOut() const { return has_timed_out_; }
  int64_t GetCurrentProcessingTimeMs() const { return batch_time_ms_; }
  /// Errors: UserError _LEGACY_ERROR_TEMP_2204 when the rows have no watermark.
  arrow::Result<int64_t> GetCurrentWatermarkMs() const;

  /// From now, by processing time. Errors: UserError _LEGACY_ERROR_TEMP_2203 for another kind of timeout; Invalid.
  arrow::Status SetTimeoutDuration(std::chrono::milliseconds duration);
  /// "1 hour", "10 minutes".
  arrow::Status SetTimeoutDuration(std::string_view duration);
  /// When the watermark passes it. Errors: UserError _LEGACY_ERROR_TEMP_2205 for another kind of timeout; Invalid when
  /// the watermark has passed it.
  arrow::Status SetTimeoutTimestamp(int64_t timestamp_ms);
  arrow::Status SetTimeoutTimestamp(int64_t timestamp_ms, std::string_view additional_duration);

 protected:
  friend class GroupCalls;
  static arrow::Status NotDefined();

  GroupStateTimeout timeout_ = GroupStateTimeout::kNoTimeout;
  bool has_timed_out_ = false;
  bool has_watermark_ = false;
  int64_t batch_time_ms_ = 0;
  int64_t watermark_ms_ = -1;
  bool updated_ = false;
  bool removed_ = false;
  int64_t timeout_ms_ = -1;
};

}  // namespace api

/// The state of the group that a function is called with (Spark's GroupState). What is set is kept when the function
/// has returned well. A timeout has to be set anew in each call: without that there is none.
template <typename S>
class GroupState : public api::GroupStateBase {
 public:
  bool Exists() const { return value_.has_value(); }
  /// Errors: KeyError when there is none.
  arrow::Result<S> Get() const {
    if (!value_) return NotDefined();
    return *value_;
  }
  const std::optional<S>& GetOption() const { return value_; }
  void Update(S value) {
    value_ = std::move(value);
    updated_ = true;
    removed_ = false;
  }
  void Remove() {
    value_.reset();
    updated_ = false;
    removed_ = true;
  }

 private:
  friend class api::GroupCalls;
  std::optional<S> value_;
};

}  // namespace millrace
