#include "millrace/group_state.h"

#include "base/error.h"
#include "types/interval_text.h"

namespace millrace::api {

namespace {

// Source: Spark, GroupStateImpl.parseDuration; a month counts 31 days.
arrow::Result<int64_t> ParseDuration(std::string_view text) {
  constexpr int64_t kDayMs = 86400000;
  types::CalendarIntervalValue interval;
  if (!types::ParseCalendarInterval(text, &interval)) {
    return arrow::Status::Invalid("Unable to parse '", text, "' as a duration");
  }
  int64_t ms = (int64_t{interval.months} * 31 + interval.days) * kDayMs + interval.micros / 1000;
  if (ms < 0) return arrow::Status::Invalid("Provided duration (", text, ") is negative");
  return ms;
}

}  // namespace

arrow::Status GroupStateBase::NotDefined() {
  return arrow::Status::KeyError("State is either not defined or has already been removed");
}

arrow::Result<int64_t> GroupStateBase::GetCurrentWatermarkMs() const {
  if (!has_watermark_) return UserError("_LEGACY_ERROR_TEMP_2204");
  return watermark_ms_;
}

arrow::Status GroupStateBase::SetTimeoutDuration(std::chrono::milliseconds duration) {
  if (timeout_ != GroupStateTimeout::kProcessingTimeTimeout) return UserError("_LEGACY_ERROR_TEMP_2203");
  if (duration.count() <= 0) return arrow::Status::Invalid("Timeout duration must be positive");
  timeout_ms_ = duration.count() + batch_time_ms_;
  return arrow::Status::OK();
}

arrow::Status GroupStateBase::SetTimeoutDuration(std::string_view duration) {
  ARROW_ASSIGN_OR_RAISE(int64_t ms, ParseDuration(duration));
  return SetTimeoutDuration(std::chrono::milliseconds(ms));
}

arrow::Status GroupStateBase::SetTimeoutTimestamp(int64_t timestamp_ms) {
  if (timeout_ != GroupStateTimeout::kEventTimeTimeout) return UserError("_LEGACY_ERROR_TEMP_2205");
  if (timestamp_ms <= 0) return arrow::Status::Invalid("Timeout timestamp must be positive");
  if (watermark_ms_ != -1 && timestamp_ms < watermark_ms_) {
    return arrow::Status::Invalid("Timeout timestamp (", timestamp_ms,
                                  ") cannot be earlier than the current watermark (", watermark_ms_, ")");
  }
  timeout_ms_ = timestamp_ms;
  return arrow::Status::OK();
}

arrow::Status GroupStateBase::SetTimeoutTimestamp(int64_t timestamp_ms, std::string_view additional_duration) {
  if (timeout_ != GroupStateTimeout::kEventTimeTimeout) return UserError("_LEGACY_ERROR_TEMP_2205");
  ARROW_ASSIGN_OR_RAISE(int64_t ms, ParseDuration(additional_duration));
  return SetTimeoutTimestamp(timestamp_ms + ms);
}

}  // namespace millrace::api
