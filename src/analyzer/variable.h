#pragma once

#include "analyzer/analyzer.h"

namespace millrace::analyzer {

/// The session variable, or a field of it, that these name parts say; nullopt when there is none.
arrow::Result<std::optional<expression::ExpressionPtr>> ResolveVariable(const std::vector<std::string>& parts,
                                                                        const AnalyzerContext& context);

/// The text that the variable of this name holds; nullopt where there is no such variable, or no text in it.
std::optional<std::string> VariableText(const catalog::Catalog& catalog, const std::vector<std::string>& parts);

}  // namespace millrace::analyzer
