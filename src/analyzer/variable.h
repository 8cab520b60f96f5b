#pragma once

#include "analyzer/analyzer.h"

namespace millrace::analyzer {

/// The session variable, or a field of it, that these name parts say; nullopt when there is none.
arrow::Result<std::optional<expression::ExpressionPtr>> ResolveVariable(const std::vector<std::string>& parts,
                                                                        const AnalyzerContext& context);

}  // namespace millrace::analyzer
