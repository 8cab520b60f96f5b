#pragma once

#include "connector/sink.h"
#include "logical/plan.h"

namespace millrace::streaming {

/// Refuses streaming plans that Spark refuses, and those that need operators with state, which are not built, by name.
/// Source: Spark, UnsupportedOperationChecker.
arrow::Status CheckSupported(const logical::Plan& plan, connector::OutputMode output_mode);

}  // namespace millrace::streaming
