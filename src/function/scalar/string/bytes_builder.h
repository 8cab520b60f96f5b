#pragma once

#include <arrow/array/builder_binary.h>

#include <memory>
#include <utility>

namespace millrace::function {

/// Builds texts or binaries, as `type` says. Arrow's BinaryBuilder makes binaries whatever type it is given, and those
/// cannot stand beside texts (UNION ALL, ROLLUP).
class BytesBuilder final : public arrow::BinaryBuilder {
 public:
  BytesBuilder(std::shared_ptr<arrow::DataType> type, arrow::MemoryPool* pool)
      : arrow::BinaryBuilder(pool), type_(std::move(type)) {}
  std::shared_ptr<arrow::DataType> type() const override { return type_; }

 private:
  std::shared_ptr<arrow::DataType> type_;
};

}  // namespace millrace::function
