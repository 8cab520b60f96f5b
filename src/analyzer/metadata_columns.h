#pragma once

#include "expression/node.h"
#include "logical/plan.h"

namespace millrace::analyzer {

/// The columns that sources below `plan` have and do not show (`_metadata` of files), where only filters, projections
/// and aliases stand between. Their ids are new with each call.
/// Spec: Spark's Plan.metadataOutput.
expression::AttributeVector MetadataColumnsOf(const logical::PlanPtr& plan);

/// `plan` with `columns`, which MetadataColumnsOf made for it, behind its own.
logical::PlanPtr ShowMetadataColumns(const logical::PlanPtr& plan, const expression::AttributeVector& columns);

}  // namespace millrace::analyzer
