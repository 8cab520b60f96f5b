#pragma once

#include "expression/vector.h"
#include "function/bind.h"
#include "function/regex.h"

/// How the regexp functions come by their compiled pattern. Internal to scalar/regexp.

namespace millrace::function {

/// INVALID_PARAMETER_VALUE.PATTERN.
arrow::Status InvalidPattern(std::string_view function, std::string_view pattern);

/// A kernel of (text, pattern, more…): `fn(context, arguments)` makes `(regex, row, builder) -> Status`, which appends
/// one value for each row where no argument is NULL.
template <typename Builder, typename Fn>
ScalarKernel RegexKernel(std::string function, std::shared_ptr<arrow::DataType> type, Fn fn) {
  return [=](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
             int64_t num_rows) -> arrow::Result<arrow::Datum> {
    if (expression::AnyNullScalar(arguments)) return arrow::Datum(arrow::MakeNullScalar(type));
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      expression::StringColumn patterns(arguments[1]);
      std::shared_ptr<const Regex> regex;
      auto compile = [&](int64_t i) -> arrow::Status {
        auto compiled = Regex::Cached(patterns[i]);
        if (!compiled.ok()) return InvalidPattern(function, patterns[i]);
        regex = *compiled;
        return arrow::Status::OK();
      };
      bool constant = arguments[1].is_scalar();
      if (constant) ARROW_RETURN_NOT_OK(compile(0));
      std::unique_ptr<arrow::ArrayBuilder> builder;
      ARROW_RETURN_NOT_OK(arrow::MakeBuilder(context.memory_pool, type, &builder));
      ARROW_ASSIGN_OR_RAISE(auto validity, expression::CombinedValidity(arguments, rows, context.memory_pool));
      auto each = fn(context, arguments);
      for (int64_t i = 0; i < rows; ++i) {
        if (validity != nullptr && !arrow::bit_util::GetBit(validity->data(), i)) {
          ARROW_RETURN_NOT_OK(builder->AppendNull());
          continue;
        }
        if (!constant) ARROW_RETURN_NOT_OK(compile(i));
        ARROW_RETURN_NOT_OK(each(*regex, i, static_cast<Builder&>(*builder)));
      }
      ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
      return arrow::Datum(std::move(array));
    });
  };
}

}  // namespace millrace::function
