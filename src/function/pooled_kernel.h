#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "expression/vector.h"
#include "function/bind.h"

/// Kernels of decoders and encoders (from_json, to_csv …), which keep buffers and what they learnt of the data from
/// batch to batch.

namespace millrace::function {

/// One instance for each thread that evaluates at the same time. Thread-safe.
template <typename T>
class Pool {
 public:
  using MakeFunction = std::function<arrow::Result<std::unique_ptr<T>>(arrow::MemoryPool*)>;
  explicit Pool(MakeFunction make) : make_(std::move(make)) {}

  /// Runs `use(T&)` with an instance nobody else has.
  template <typename Use>
  auto With(arrow::MemoryPool* memory, Use&& use) -> decltype(use(std::declval<T&>())) {
    std::unique_ptr<T> instance;
    {
      std::lock_guard lock(mutex_);
      if (!free_.empty() && memory == memory_) {
        instance = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (instance == nullptr) {
      ARROW_ASSIGN_OR_RAISE(instance, make_(memory));
    }
    auto result = use(*instance);
    std::lock_guard lock(mutex_);
    if (memory_ == nullptr) memory_ = memory;
    if (memory == memory_) free_.push_back(std::move(instance));
    return result;
  }

 private:
  MakeFunction make_;
  std::mutex mutex_;
  arrow::MemoryPool* memory_ = nullptr;
  std::vector<std::unique_ptr<T>> free_;
};

/// Takes the first argument, as a column, through an instance of `T` that `make` makes:
/// `use(T&, const arrow::Array&, arrow::MemoryPool*)` gives a Result of the column that comes out.
template <typename T, typename Use>
ScalarKernel PooledKernel(typename Pool<T>::MakeFunction make, Use use) {
  auto pool = std::make_shared<Pool<T>>(std::move(make));
  return [pool = std::move(pool), use = std::move(use)](const EvalContext& context,
                                                        const std::vector<arrow::Datum>& arguments,
                                                        int64_t num_rows) -> arrow::Result<arrow::Datum> {
    return expression::OneRowIfScalars({arguments[0]}, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto column, expression::ToArray(arguments[0], rows, context.memory_pool));
      return pool->With(context.memory_pool, [&](T& instance) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(auto values, use(instance, *column, context.memory_pool));
        return arrow::Datum(std::move(values));
      });
    });
  };
}

/// The kernel of an encoder: `T::Encode(values, memory)`.
template <typename T>
ScalarKernel EncodingKernel(typename Pool<T>::MakeFunction make) {
  return PooledKernel<T>(std::move(make), [](T& encoder, const arrow::Array& values, arrow::MemoryPool* memory) {
    return encoder.Encode(values, memory);
  });
}

}  // namespace millrace::function
