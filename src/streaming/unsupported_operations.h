#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "connector/sink.h"
#include "logical/plan.h"

namespace millrace::streaming {

/// Refuses streaming plans that Spark refuses, with its conditions and messages. `plan` is as analysed, not optimised.
/// `conf`: session settings.
/// Source: Spark, UnsupportedOperationChecker.checkForStreaming.
arrow::Status CheckSupported(const logical::Plan& plan, connector::OutputMode output_mode,
                             const std::function<std::optional<std::string>(std::string_view)>& conf);

/// Of what CheckSupported refuses, what cannot run without it either. Errors: Invalid: Spark's, told when the first
/// micro-batch is planned; NotImplemented: what is not built.
arrow::Status CheckPossible(const logical::Plan& plan, connector::OutputMode output_mode);

}  // namespace millrace::streaming
