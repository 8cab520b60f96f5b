#pragma once

#include <string>

#include "analyzer/analyzer.h"
#include "expression/node.h"
#include "logical/plan.h"

namespace millrace::analyzer {

/// input_file_name() and its kin: what they tell is a column of the scans below (`_metadata`), carried up to where the
/// function stands. Source: Spark, InputFileBlockHolder.

/// Whether a row of `plan` may still stand in the file that it was read from: of a plan that ran before it is not
/// known, and a shuffle ends it, as does a persisted frame.
bool ReadsFiles(const logical::Plan& plan, const AnalyzerContext* context = nullptr);

/// MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION when `plan` brings files together.
arrow::Status CheckOneFileSource(const logical::Plan& plan, const std::string& function);

/// `plan` with `column`, the value of `function` for each row, behind its own; null where it cannot be told (a join may
/// end it or not).
arrow::Result<logical::PlanPtr> CarryFile(const logical::PlanPtr& plan, const std::string& function,
                                          const expression::AttributePtr& column, const AnalyzerContext& context);

/// `plan`, of a stream, with what its rows tell of their files behind its own columns, for the frames of foreachBatch;
/// `plan` itself where they tell nothing. CarryFile finds the columns again in such rows that are held.
arrow::Result<logical::PlanPtr> WithFilesOfRows(const logical::PlanPtr& plan, const AnalyzerContext& context);

}  // namespace millrace::analyzer
