#pragma once

#include <arrow/result.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expression/aggregate.h"
#include "expression/call.h"
#include "expression/generator.h"
#include "expression/node.h"

namespace millrace::function {

using expression::EvalContext;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using types::DataTypePtr;

struct FunctionDef;

/// A call as the analyzer hands it over: arguments are resolved and typed, nothing is coerced yet.
struct BindInput {
  const FunctionDef& def;
  /// As the user wrote it, lower case ("char_length" for an alias of length).
  std::string_view name;
  ExpressionVector arguments;
  /// For arguments that must be known while binding (formats, schemas, paths): EvaluateFoldable.
  const EvalContext& context;
  /// Aggregates only.
  bool distinct = false;
  ExpressionPtr filter = nullptr;
  bool ignore_nulls = false;
};

/// Checks and coerces the arguments and makes the bound expression: a Call, Cast, CaseWhen, HigherOrderCall,
/// AggregateCall or GeneratorCall. Errors: UserError WRONG_NUM_ARGS…, DATATYPE_MISMATCH.….
using BindFunction = arrow::Result<ExpressionPtr> (*)(const BindInput&);

/// For functions that take lambdas: types (and nullability) of the parameters of the lambda at `argument_index`, from
/// the types of the plain arguments (lambdas are null in `arguments`). `num_parameters`: how many the user wrote.
using LambdaParametersFunction = arrow::Result<std::vector<types::StructField>> (*)(const ExpressionVector& arguments,
                                                                                    int argument_index,
                                                                                    int num_parameters);

enum class FunctionKind : uint8_t { kScalar, kAggregate, kGenerator };

/// Everything known of one SQL function: what the resolver, SHOW FUNCTIONS, the docs and the tests read.
/// One constexpr-like record in one file, one line in registry.def.
struct FunctionDef {
  std::string_view name;
  /// Space-separated other names.
  std::string_view aliases = "";
  FunctionKind kind = FunctionKind::kScalar;
  /// Folder of tests/sql/function and heading in the docs: string, math, datetime, …
  std::string_view family;
  /// One sentence.
  std::string_view description;
  /// A call, and the value it prints: checked by a test.
  std::string_view example;
  std::string_view example_result;
  int min_arguments = 0;
  /// -1: any number.
  int max_arguments = 0;
  BindFunction bind = nullptr;
  LambdaParametersFunction lambda_parameters = nullptr;
};

/// The function called `name` (any case, aliases included), or nullptr.
const FunctionDef* FindFunction(std::string_view name);
/// All functions in registry order.
std::span<const FunctionDef* const> AllFunctions();
/// Whether a call of `name` aggregates (what the SQL parser asks).
bool IsAggregateFunction(std::string_view name);

/// Checks the number of arguments, then binds. Errors: UserError UNRESOLVED_ROUTINE, WRONG_NUM_ARGS.WITHOUT_SUGGESTION,
/// and bind's.
arrow::Result<ExpressionPtr> BindCall(std::string_view name, ExpressionVector arguments, const EvalContext& context,
                                      bool distinct = false, ExpressionPtr filter = nullptr, bool ignore_nulls = false);

}  // namespace millrace::function
