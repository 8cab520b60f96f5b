#pragma once

#include "analyzer/analyzer.h"

namespace millrace::analyzer {

/// A table of WITH whose rows differ from one evaluation to the next (rand, uuid): computed once a query, when its rows
/// are first asked for, however often it is named. Other plans come back as they are, and so do streams and plans that
/// read columns from around them.
arrow::Result<logical::PlanPtr> SharedIfDrawn(const AnalyzerContext& context, logical::PlanPtr plan);

}  // namespace millrace::analyzer
