#pragma once

#include "analyzer/analyzer.h"
#include "base/options.h"
#include "catalog/metastore.h"
#include "connector/source.h"

namespace millrace::analyzer {

/// Fresh columns of a schema.
expression::AttributeVector NewColumns(const types::DataType& schema);

/// The scan of what `request` names: asks the source for the schema.
/// Errors: UserError UNSUPPORTED_FEATURE.TABLE_OPERATION when the source cannot be read that way; the source's.
arrow::Result<logical::PlanPtr> ScanSource(const AnalyzerContext& context, const connector::SourceDef* def,
                                           std::shared_ptr<connector::SourceRequest> request, bool streaming);

/// Rows of a table or view of the catalog, under its full name. `options` come before the table's own.
arrow::Result<logical::PlanPtr> ScanTable(const AnalyzerContext& context, const catalog::Table& table,
                                          const Options& options, bool streaming);

}  // namespace millrace::analyzer
