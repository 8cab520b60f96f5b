#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "function/function_def.h"

/// The pieces bind functions are made of.

namespace millrace::function {

using expression::Call;
using expression::CallInfo;
using expression::CallStyle;
using expression::ScalarKernel;

struct CallOptions {
  /// Raises for some values.
  bool can_fail = false;
  /// NULL for some non-null arguments.
  bool may_null = false;
  /// Never NULL, whatever the arguments.
  bool never_null = false;
  bool deterministic = true;
  /// See CallInfo::foldable.
  bool foldable = true;
  CallStyle style = CallStyle::kFunction;
  /// Shown instead of def.name (an operator's symbol, or the alias the user wrote).
  std::string shown_name = {};
};

/// The ordinary function: each argument i is implicitly cast to `parameter_types[i]` (fewer arguments than
/// parameters: the rest is optional; more: the last type repeats), the result is `result`, nullable when an argument
/// is (or as `options` say).
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE as Spark words it.
arrow::Result<ExpressionPtr> BindSimple(const BindInput& input, const std::vector<DataTypePtr>& parameter_types,
                                        DataTypePtr result, ScalarKernel kernel, CallOptions options = {});

/// A Call over arguments that are coerced already.
ExpressionPtr MakeCall(const BindInput& input, ExpressionVector arguments, DataTypePtr result, bool nullable,
                       ScalarKernel kernel, CallOptions options = {});

/// DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE for argument `index`: `required` is a type's SQL name or a phrase as Spark
/// prints it ("\"STRING\"", "(\"NUMERIC\" or \"ANSI INTERVAL\")").
arrow::Status UnexpectedInputType(const BindInput& input, size_t index, std::string required);
/// WRONG_NUM_ARGS.WITHOUT_SUGGESTION; `expected` as Spark words it ("2", "[2, 3]", "> 0").
arrow::Status WrongNumArgs(std::string_view name, std::string expected, size_t actual);
/// DATATYPE_MISMATCH.NON_FOLDABLE_INPUT.
arrow::Status NonFoldableInput(const BindInput& input, size_t index, std::string_view parameter_name,
                               const DataTypePtr& type);
/// `name(arg, arg)` as messages show it.
std::string CallSql(const BindInput& input);

/// Value of a foldable string argument; NULL gives nullopt. Errors: NonFoldableInput.
arrow::Result<std::optional<std::string>> FoldableString(const BindInput& input, size_t index,
                                                         std::string_view parameter_name);

}  // namespace millrace::function
