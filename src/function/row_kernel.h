#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "expression/vector.h"
#include "function/bind.h"

/// Kernels from functions of one row: NULL in, NULL out, and no call through a pointer inside the loop.
/// `In` are the C types of the arguments' storage, in order: bool, int8_t … int64_t, float, double, std::string_view.

namespace millrace::function {

namespace row_kernel_internal {

template <typename Out, typename... In, size_t... I, typename Fn>
arrow::Result<arrow::Datum> RunFixed(const EvalContext& context, const std::shared_ptr<arrow::DataType>& type,
                                     const std::vector<arrow::Datum>& arguments, int64_t num_rows, const Fn& fn,
                                     std::index_sequence<I...>) {
  auto run = [&](const auto&... columns) {
    return expression::MapFixed<Out>(
        context, type, num_rows, [&](int64_t i, Out* out) { return fn(context, columns[i]..., out); }, columns...);
  };
  return run(expression::ColumnOf<In>(arguments[I])...);
}

template <typename Builder, typename... In, size_t... I, typename Fn>
arrow::Result<arrow::Datum> RunBuilt(const EvalContext& context, const std::shared_ptr<arrow::DataType>& type,
                                     const std::vector<arrow::Datum>& arguments, int64_t num_rows, const Fn& fn,
                                     std::index_sequence<I...>) {
  Builder builder(type, context.memory_pool);
  auto run = [&](const auto&... columns) {
    return expression::MapBuilt(
        builder, num_rows, [&](int64_t i) -> arrow::Status { return fn(context, columns[i]..., builder); }, columns...);
  };
  return run(expression::ColumnOf<In>(arguments[I])...);
}

}  // namespace row_kernel_internal

/// `fn(context, value..., Out* out) -> void | arrow::Status`. Out: a fixed-width C type of `type`'s storage.
template <typename Out, typename... In, typename Fn>
ScalarKernel FixedKernel(std::shared_ptr<arrow::DataType> type, Fn fn) {
  return [type = std::move(type), fn = std::move(fn)](const EvalContext& context,
                                                      const std::vector<arrow::Datum>& arguments,
                                                      int64_t num_rows) -> arrow::Result<arrow::Datum> {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) {
      return row_kernel_internal::RunFixed<Out, In...>(context, type, arguments, n, fn,
                                                       std::index_sequence_for<In...>());
    });
  };
}

/// `fn(context, value..., Builder&) -> arrow::Status` appends one value or null.
template <typename Builder, typename... In, typename Fn>
ScalarKernel BuiltKernel(std::shared_ptr<arrow::DataType> type, Fn fn) {
  return [type = std::move(type), fn = std::move(fn)](const EvalContext& context,
                                                      const std::vector<arrow::Datum>& arguments,
                                                      int64_t num_rows) -> arrow::Result<arrow::Datum> {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) {
      return row_kernel_internal::RunBuilt<Builder, In...>(context, type, arguments, n, fn,
                                                           std::index_sequence_for<In...>());
    });
  };
}

}  // namespace millrace::function
