#pragma once

/// The C++ API of Millrace: Spark's DataFrame and Structured Streaming API in C++20, computed in this process.
///
/// Nothing throws: actions return arrow::Status or arrow::Result; a failure of the user's query carries Spark's error
/// condition (ErrorCondition).

#include <string>

#include "millrace/column.h"
#include "millrace/data_frame.h"
#include "millrace/functions.h"
#include "millrace/key_value_grouped_dataset.h"
#include "millrace/row.h"
#include "millrace/session.h"
#include "millrace/streaming.h"
#include "millrace/streaming_query_manager.h"
#include "millrace/window.h"

namespace millrace {

/// Spark's error condition of a failure ("DIVIDE_BY_ZERO"); empty when it has none.
std::string ErrorConditionOf(const arrow::Status& status);

}  // namespace millrace
