#pragma once

#include "expression/node.h"
#include "logical/plan.h"

namespace millrace::analyzer {

/// The columns that sources below `plan` have and do not show (`_metadata` of files), where only filters, projections
/// and aliases stand between. Their ids are new with each call.
/// Spec: Spark's Plan.metadataOutput.
expression::AttributeVector MetadataColumnsOf(const logical::PlanPtr& plan);

/// Whether a row of `plan` may still stand in the file that it was read from: of a plan that ran before it is not
/// known, and a shuffle ends it. Source: Spark, InputFileBlockHolder.
bool ReadsFiles(const logical::Plan& plan);

/// `plan` with `columns`, which MetadataColumnsOf made for it, behind its own.
logical::PlanPtr ShowMetadataColumns(const logical::PlanPtr& plan, const expression::AttributeVector& columns);

}  // namespace millrace::analyzer
