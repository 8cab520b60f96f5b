#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "types/data_type.h"

namespace millrace::format {

/// One output column of a decoder, written value by value into the buffers that become the Arrow array.
///
/// What Arrow's builders lack and decoders need: Truncate (a record found malformed in its middle is taken back, at any
/// depth), and appends cheap enough to be inlined. Nested columns are trees: the caller appends to the children, then
/// closes the parent's row.
/// Rows are valid until proven null: the validity bitmap is all ones and only AppendNull touches it.
///
/// Memory: a failed allocation throws std::bad_alloc, as the standard containers do.
/// Thread: confined. Not copyable once written to.
class ColumnWriter {
 public:
  ColumnWriter(const types::DataTypePtr& type, arrow::MemoryPool* pool);
  ColumnWriter(ColumnWriter&&) = default;
  ColumnWriter& operator=(ColumnWriter&&) = default;

  types::TypeId id() const { return id_; }
  const types::DataTypePtr& type() const { return type_; }
  int64_t length() const { return length_; }
  /// kStruct: one a field. kArray: the element. kMap: key and value. kVariant: value and metadata.
  std::vector<ColumnWriter>& children() { return children_; }
  ColumnWriter& child(size_t i) { return children_[i]; }

  void Reserve(int64_t num_rows) {
    if (length_ + num_rows > capacity_) Grow(length_ + num_rows);
  }

  /// Fixed-width types. T is the Arrow storage: int8_t … int64_t, float, double, arrow::Decimal128, MonthDayNanos;
  /// uint8_t for kBoolean (0 or 1).
  template <typename T>
  void Append(T value) {
    if (length_ == capacity_) [[unlikely]]
      Grow(length_ + 1);
    std::memcpy(values_ + length_ * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    ++length_;
  }

  /// kString, kBinary.
  void AppendBytes(std::string_view bytes) {
    uint8_t* out = BeginBytes(static_cast<int64_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    EndBytes(static_cast<int64_t>(bytes.size()));
  }
  /// Room for a value of up to `max_size` bytes, and 16 bytes of slack that may be scribbled on; then EndBytes(size).
  uint8_t* BeginBytes(int64_t max_size) {
    if (length_ == capacity_) [[unlikely]]
      Grow(length_ + 1);
    if (bytes_size_ + max_size + 16 > bytes_capacity_) [[unlikely]]
      GrowBytes(max_size + 16);
    return bytes_ + bytes_size_;
  }
  void EndBytes(int64_t size) {
    if (bytes_size_ + size > INT32_MAX) [[unlikely]] {
      overflow_ = true;
      size = 0;
    }
    bytes_size_ += size;
    ++length_;
    offsets()[length_] = static_cast<int32_t>(bytes_size_);
  }

  /// Closes a row of kArray or kMap: its elements are what was appended to the children since the row before.
  void EndList() {
    if (length_ == capacity_) [[unlikely]]
      Grow(length_ + 1);
    int64_t end = children_[0].length_;
    if (end > INT32_MAX) [[unlikely]]
      overflow_ = true;
    ++length_;
    offsets()[length_] = static_cast<int32_t>(end);
  }
  /// Closes a row of kStruct or kVariant. REQUIRES: every child has one row more than before.
  void EndStruct() {
    if (length_ == capacity_) [[unlikely]]
      Grow(length_ + 1);
    ++length_;
  }

  void AppendNull();
  /// Forgets all rows from `num_rows` on, those of the children too.
  void Truncate(int64_t num_rows);

  /// The rows so far in Arrow's form of the type; the writer is empty again.
  /// Errors: CapacityError when a string column or a list would pass 2^31 bytes or elements.
  arrow::Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  int32_t* offsets() { return reinterpret_cast<int32_t*>(values_); }
  void Grow(int64_t num_rows);
  void GrowBytes(int64_t more);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishData();

  types::DataTypePtr type_;
  types::TypeId id_;
  /// Bytes a row of values_; 4 where values_ are offsets, 0 where there are none.
  int width_ = 0;
  bool has_offsets_ = false;
  bool overflow_ = false;
  int64_t length_ = 0;
  int64_t capacity_ = 0;
  int64_t null_count_ = 0;
  uint8_t* values_ = nullptr;
  uint8_t* validity_ = nullptr;
  uint8_t* bytes_ = nullptr;
  int64_t bytes_size_ = 0;
  int64_t bytes_capacity_ = 0;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::ResizableBuffer> values_buffer_;
  std::shared_ptr<arrow::ResizableBuffer> validity_buffer_;
  std::shared_ptr<arrow::ResizableBuffer> bytes_buffer_;
  std::vector<ColumnWriter> children_;
};

}  // namespace millrace::format
