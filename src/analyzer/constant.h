#pragma once

#include <string_view>

#include "analyzer/analyzer.h"

namespace millrace::analyzer {

/// An expression over no columns, given as SQL (a column's DEFAULT). Errors: as expressions raise.
arrow::Result<expression::ExpressionPtr> ResolveConstant(std::string_view sql, const AnalyzerContext& context);

}  // namespace millrace::analyzer
