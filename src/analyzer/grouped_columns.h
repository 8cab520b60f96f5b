#pragma once

#include <string>

#include "analyzer/relation_resolver.h"
#include "logical/node/groups_with_state.h"

/// What functions over groups have in common, whoever runs them.

namespace millrace::analyzer {

/// Columns of a struct type, with ids of their own.
AttributeVector ToOutput(const types::DataType& schema);

/// Grouping expressions become columns: those that are none yet are computed below `plan`. The values are all of its
/// columns.
arrow::Result<logical::GroupedColumns> ResolveGrouping(
    RelationResolver& resolver, const google::protobuf::RepeatedPtrField<spark::connect::Expression>& messages,
    PlanPtr* plan);

/// The output's event time, the column called `name`, gets the delay of the watermark below.
/// Errors: UserError CANNOT_ASSIGN_EVENT_TIME_COLUMN_WITHOUT_WATERMARK, UNRESOLVED_COLUMN.
arrow::Status MarkEventTime(const std::string& name, const logical::Plan& child, AttributeVector* output);

/// "append", "update", "complete". Errors: UserError STREAMING_OUTPUT_MODE.INVALID.
arrow::Result<std::string> ParseOutputMode(const std::string& text);
/// The same for *GroupsWithState: whether it is update. Errors: Invalid for complete.
arrow::Result<bool> ParseUpdates(const std::string& text);
arrow::Result<logical::GroupStateTimeout> ParseTimeout(const std::string& text);

}  // namespace millrace::analyzer
