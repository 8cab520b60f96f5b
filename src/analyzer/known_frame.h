#pragma once

#include <map>
#include <vector>

#include "analyzer/expression_resolver.h"

namespace millrace::analyzer {

/// What is left of a frame that was resolved before: what stands over it can be resolved, not run. A program of the
/// classic API is told of a wrong name where it stands, so it asks for each frame it makes; over this its plan need not
/// be resolved from its leaves each time.
struct KnownFrame {
  AttributeVector columns;
  bool is_streaming = false;
  /// Columns that it does not show but can (see OperatorInput::hidden).
  AttributeVector hidden;
  /// Those of the frames it is made of; empty when they are too many to keep.
  PlanColumns frames;
  /// Columns that are held, all in all.
  size_t num_columns() const;
};

/// As ResolveRelation; `known` gets what is left of the plan.
arrow::Result<PlanPtr> ResolveFrame(const spark::connect::Relation& relation, const AnalyzerContext& context,
                                    KnownFrame* known);

/// The id of the CachedRemoteRelation that stands for the frame of a plan id, whose rows are not asked for.
inline constexpr std::string_view kKnownFrame = "millrace.frame.";
/// Of one whose plan was resolved when a statement was given, as a driver resolves it: the views it reads may have been
/// replaced since.
inline constexpr std::string_view kStatement = "millrace.statement.";

}  // namespace millrace::analyzer
