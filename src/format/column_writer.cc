#include "format/column_writer.h"

#include <arrow/util/bit_util.h>

#include <new>

#include "types/arrow_type.h"

namespace millrace::format {

namespace {

using types::TypeId;

int WidthOf(TypeId id) {
  switch (id) {
    case TypeId::kBoolean:
    case TypeId::kByte:
      return 1;
    case TypeId::kShort:
      return 2;
    case TypeId::kInteger:
    case TypeId::kFloat:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
    case TypeId::kString:
    case TypeId::kBinary:
    case TypeId::kArray:
    case TypeId::kMap:
      return 4;
    case TypeId::kLong:
    case TypeId::kDouble:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return 8;
    case TypeId::kDecimal:
    case TypeId::kCalendarInterval:
      return 16;
    default:
      return 0;
  }
}

void Resize(std::shared_ptr<arrow::ResizableBuffer>* buffer, int64_t size, arrow::MemoryPool* pool) {
  if (*buffer == nullptr) {
    auto made = arrow::AllocateResizableBuffer(size, pool);
    if (!made.ok()) throw std::bad_alloc();
    *buffer = std::move(*made);
  } else if (!(*buffer)->Resize(size, /*shrink_to_fit=*/false).ok()) {
    throw std::bad_alloc();
  }
}

}  // namespace

ColumnWriter::ColumnWriter(const types::DataTypePtr& type, arrow::MemoryPool* pool)
    : type_(type), id_(type->id()), width_(WidthOf(type->id())), pool_(pool) {
  has_offsets_ = id_ == TypeId::kString || id_ == TypeId::kBinary || id_ == TypeId::kArray || id_ == TypeId::kMap;
  if (id_ == TypeId::kStruct) {
    for (const types::StructField& field : type->fields()) children_.emplace_back(field.type, pool);
  } else if (id_ == TypeId::kArray) {
    children_.emplace_back(type->element(), pool);
  } else if (id_ == TypeId::kMap) {
    children_.emplace_back(type->key(), pool);
    children_.emplace_back(type->value(), pool);
  } else if (id_ == TypeId::kVariant) {
    children_.emplace_back(types::Binary(), pool);
    children_.emplace_back(types::Binary(), pool);
  }
}

void ColumnWriter::Grow(int64_t num_rows) {
  int64_t capacity = std::max<int64_t>({num_rows, capacity_ * 2, 64});
  capacity = arrow::bit_util::RoundUp(capacity, 64);
  if (width_ > 0) {
    Resize(&values_buffer_, (capacity + (has_offsets_ ? 1 : 0)) * width_, pool_);
    values_ = values_buffer_->mutable_data();
    if (has_offsets_ && capacity_ == 0) offsets()[0] = 0;
  }
  if (id_ != TypeId::kNull) {
    Resize(&validity_buffer_, capacity / 8, pool_);
    validity_ = validity_buffer_->mutable_data();
    std::memset(validity_ + capacity_ / 8, 0xFF, static_cast<size_t>((capacity - capacity_) / 8));
  }
  capacity_ = capacity;
}

void ColumnWriter::GrowBytes(int64_t more) {
  bytes_capacity_ = std::max<int64_t>({bytes_size_ + more, bytes_capacity_ * 2, 1024});
  Resize(&bytes_buffer_, bytes_capacity_, pool_);
  bytes_ = bytes_buffer_->mutable_data();
}

void ColumnWriter::AppendNull() {
  if (length_ == capacity_) Grow(length_ + 1);
  if (validity_ != nullptr) arrow::bit_util::ClearBit(validity_, length_);
  ++null_count_;
  if (has_offsets_) {
    offsets()[length_ + 1] = offsets()[length_];
  } else if (width_ > 0) {
    std::memset(values_ + length_ * width_, 0, static_cast<size_t>(width_));
  } else if (id_ == TypeId::kStruct) {
    for (ColumnWriter& child : children_) child.AppendNull();
  } else if (id_ == TypeId::kVariant) {
    for (ColumnWriter& child : children_) child.AppendBytes({});
  }
  ++length_;
}

void ColumnWriter::Truncate(int64_t num_rows) {
  if (id_ == TypeId::kStruct || id_ == TypeId::kVariant) {
    // A row being built has children ahead of the parent.
    for (ColumnWriter& child : children_) child.Truncate(num_rows);
  } else if (id_ == TypeId::kArray || id_ == TypeId::kMap) {
    int64_t end = num_rows == 0 ? 0 : offsets()[num_rows];
    for (ColumnWriter& child : children_) child.Truncate(end);
  }
  if (num_rows >= length_) return;
  if (validity_ != nullptr) {
    for (int64_t i = num_rows; i < length_; ++i) {
      if (!arrow::bit_util::GetBit(validity_, i)) {
        arrow::bit_util::SetBit(validity_, i);
        --null_count_;
      }
    }
  } else {
    null_count_ = num_rows;
  }
  length_ = num_rows;
  if (id_ == TypeId::kString || id_ == TypeId::kBinary) bytes_size_ = offsets()[num_rows];
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ColumnWriter::FinishData() {
  if (overflow_) {
    return arrow::Status::CapacityError("a column of ", type_->CatalogString(),
                                        " passes 2^31 bytes or elements; use smaller batches");
  }
  if (capacity_ == 0) Grow(1);  // Arrow wants one offset and non-null buffers even for no rows
  auto data = std::make_shared<arrow::ArrayData>(types::ToArrow(*type_), length_, null_count_);
  if (id_ == TypeId::kNull) {
    data->buffers = {nullptr};
    data->null_count = length_;
  } else {
    data->buffers = {null_count_ > 0 ? validity_buffer_ : nullptr};
    if (id_ == TypeId::kBoolean) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits, arrow::AllocateEmptyBitmap(length_, pool_));
      uint8_t* out = bits->mutable_data();
      for (int64_t i = 0; i < length_; ++i) out[i >> 3] |= static_cast<uint8_t>(values_[i] << (i & 7));
      data->buffers.push_back(std::move(bits));
    } else if (width_ > 0) {
      ARROW_RETURN_NOT_OK(values_buffer_->Resize((length_ + (has_offsets_ ? 1 : 0)) * width_, false));
      data->buffers.push_back(values_buffer_);
    }
    if (id_ == TypeId::kString || id_ == TypeId::kBinary) {
      if (bytes_buffer_ == nullptr) GrowBytes(0);
      ARROW_RETURN_NOT_OK(bytes_buffer_->Resize(bytes_size_, false));
      data->buffers.push_back(bytes_buffer_);
    }
  }
  if (id_ == TypeId::kMap) {
    auto entries = std::make_shared<arrow::ArrayData>(static_cast<const arrow::MapType&>(*data->type).value_type(),
                                                      children_[0].length_, 0);
    entries->buffers = {nullptr};
    for (ColumnWriter& child : children_) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ArrayData> column, child.FinishData());
      entries->child_data.push_back(std::move(column));
    }
    data->child_data.push_back(std::move(entries));
  } else {
    for (ColumnWriter& child : children_) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ArrayData> column, child.FinishData());
      data->child_data.push_back(std::move(column));
    }
  }
  values_buffer_ = validity_buffer_ = bytes_buffer_ = nullptr;
  values_ = validity_ = bytes_ = nullptr;
  length_ = capacity_ = null_count_ = bytes_size_ = bytes_capacity_ = 0;
  return data;
}

arrow::Result<std::shared_ptr<arrow::Array>> ColumnWriter::Finish() {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ArrayData> data, FinishData());
  return arrow::MakeArray(data);
}

}  // namespace millrace::format
