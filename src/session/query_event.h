#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "streaming/streaming_query.h"

namespace millrace::session {

/// Events of streaming queries in the JSON that StreamingQueryListener reads.
/// Source: Spark, StreamingQueryListener.
std::string StartedEventJson(const streaming::StreamingQuery& query, int64_t timestamp_ms);
std::string ProgressEventJson(const JsonValue& progress);
std::string IdleEventJson(const streaming::StreamingQuery& query, int64_t timestamp_ms);
/// What a foreachBatch function in the job's own process raised, if that is `cause`: Spark shows it in the cause's
/// place.
std::optional<std::string> RaisedInDriver(const arrow::Status& cause);
/// `exception_class`: Java's name for the failure's cause, which stands before its message; empty for none.
std::string TerminatedEventJson(const streaming::StreamingQuery& query, const arrow::Status& reason,
                                const std::string& exception_class);

}  // namespace millrace::session
