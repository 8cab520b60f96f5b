#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "format/option_map.h"
#include "function/bind.h"
#include "types/data_type.h"

/// The arguments that from_json, to_json, from_csv … share.

namespace millrace::function {

/// The options argument at `index`, empty when it was not given: a constant map of strings.
/// Errors: UserError INVALID_OPTIONS.NON_MAP_FUNCTION, INVALID_OPTIONS.NON_STRING_TYPE.
arrow::Result<format::OptionMap> BindOptions(const BindInput& input, size_t index);

/// The schema argument at `index`: a constant string in DDL or Spark's schema JSON.
/// Errors: UserError INVALID_SCHEMA.NON_STRING_LITERAL, and what the parser says.
arrow::Result<DataTypePtr> BindSchema(const BindInput& input, size_t index);

/// The first argument as a string column. Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> BindText(const BindInput& input, size_t index);

/// What SQL shows of these calls: the first argument only. UnexpectedInputType words messages with the whole call, so
/// bind functions hand it this one.
BindInput WithFirstArgumentOnly(const BindInput& input);

/// Makes options part of the expression, so that calls which differ in them are not taken for the same.
ExpressionPtr OptionsLiteral(const format::OptionMap& options);

/// Shows `name(first argument)`.
std::function<std::string(const std::vector<std::string>&)> RenderFirstArgument(std::string name);

/// Decoders and encoders keep buffers and what they learnt of the data, so they are kept between batches: one for each
/// thread that evaluates at the same time. Thread-safe.
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

}  // namespace millrace::function
