#pragma once

#include "analyzer/relation_resolver.h"
#include "expression/native_function.h"

namespace spark::connect {
class CommonInlineUserDefinedFunction;
class GroupMap;
}  // namespace spark::connect

namespace millrace::analyzer {

/// The function of this process that a message refers to; null when the message refers to none.
expression::NativeFunctionPtr NativeFunctionOf(const spark::connect::CommonInlineUserDefinedFunction& message);

/// mapGroupsWithState, flatMapGroupsWithState and transformWithState of a C++ program.
/// Errors: UserError for columns that are not there (UNRESOLVED_COLUMN.…) or are of another type
/// (CANNOT_UP_CAST_DATATYPE, UNSUPPORTED_DESERIALIZER.FIELD_NUMBER_MISMATCH).
arrow::Result<PlanPtr> ResolveNativeGroupMap(RelationResolver& resolver, const spark::connect::GroupMap& message,
                                             expression::NativeFunctionPtr function);

/// Whether no value of `from` is lost in `to`. Source: Spark, UpCastRule.canUpCast.
bool CanUpCast(const types::DataType& from, const types::DataType& to);

}  // namespace millrace::analyzer
