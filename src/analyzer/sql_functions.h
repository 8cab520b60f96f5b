#pragma once

#include "analyzer/relation_resolver.h"
#include "catalog/sql_functions.h"

/// Calls of functions that CREATE FUNCTION … RETURN made: the body, with the arguments in place of the parameters.
/// Source: Spark, ResolveSQLFunctions.

namespace millrace::analyzer {

/// The function a call of `name` means: a temporary one, else one of the named or current database. Null for none.
catalog::SqlFunctionPtr FindSqlFunction(const AnalyzerContext& context, const std::vector<std::string>& name);

using CallArguments = google::protobuf::RepeatedPtrField<spark::connect::Expression>;

/// A call in FROM. Arguments may read what stands before it (LATERAL).
/// Errors: UserError NOT_A_TABLE_FUNCTION, WRONG_NUM_ARGS…, and the body's.
arrow::Result<PlanPtr> ResolveSqlTableFunction(RelationResolver& resolver, const catalog::SqlFunction& function,
                                               const CallArguments& arguments);

/// Resolves the body as CREATE FUNCTION does, and says what it returns: a type, or a struct of a table's columns.
/// Errors: the body's; CYCLIC_FUNCTION_REFERENCE; DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION where it is not of the
/// declared type; USER_DEFINED_FUNCTIONS.….
arrow::Result<types::DataTypePtr> CheckSqlFunction(const catalog::SqlFunction& function,
                                                   const AnalyzerContext& context);

}  // namespace millrace::analyzer
