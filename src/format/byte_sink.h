#pragma once

#include <arrow/buffer.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace millrace::format {

/// The growing bytes of a string column under construction. Appends are inlined; memory is Arrow's, so that the result
/// is handed over without a copy. A failed allocation throws std::bad_alloc.
class ByteSink {
 public:
  /// `expected`: bytes that will probably be appended. Growing copies what is there, so a good guess is worth a pass
  /// over all of it.
  explicit ByteSink(arrow::MemoryPool* pool, int64_t expected = 0) : pool_(pool), expected_(expected) {}

  int64_t size() const { return size_; }
  /// Room for `more` bytes and 8 bytes of slack; then Advance.
  char* Reserve(size_t more) {
    if (size_ + static_cast<int64_t>(more) + 8 > capacity_) [[unlikely]]
      Grow(more + 8);
    return data_ + size_;
  }
  void Advance(size_t size) { size_ += static_cast<int64_t>(size); }
  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
    Advance(bytes.size());
  }
  void Append(char c) {
    *Reserve(1) = c;
    ++size_;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Finish() {
    if (buffer_ == nullptr) Grow(8);
    ARROW_RETURN_NOT_OK(buffer_->Resize(size_, /*shrink_to_fit=*/false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer_));
  }

 private:
  void Grow(size_t more) {
    capacity_ = std::max<int64_t>({size_ + static_cast<int64_t>(more), capacity_ * 2, expected_, 4096});
    if (buffer_ == nullptr) {
      auto made = arrow::AllocateResizableBuffer(capacity_, pool_);
      if (!made.ok()) throw std::bad_alloc();
      buffer_ = *std::move(made);
    } else if (!buffer_->Resize(capacity_, false).ok()) {
      throw std::bad_alloc();
    }
    data_ = reinterpret_cast<char*>(buffer_->mutable_data());
  }

  arrow::MemoryPool* pool_;
  int64_t expected_;
  std::unique_ptr<arrow::ResizableBuffer> buffer_;
  char* data_ = nullptr;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
};

}  // namespace millrace::format
