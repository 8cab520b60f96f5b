#pragma once

#include <cstdint>
#include <string>

#include "streaming/streaming_query.h"

namespace millrace::session {

/// Events of streaming queries in the JSON that StreamingQueryListener reads.
/// Source: Spark, StreamingQueryListener.
std::string StartedEventJson(const streaming::StreamingQuery& query, int64_t timestamp_ms);
std::string ProgressEventJson(const JsonValue& progress);
std::string IdleEventJson(const streaming::StreamingQuery& query, int64_t timestamp_ms);
std::string TerminatedEventJson(const streaming::StreamingQuery& query, const arrow::Status& reason);

}  // namespace millrace::session
