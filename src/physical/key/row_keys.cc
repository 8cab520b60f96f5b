#include "physical/key/row_keys.h"

#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace millrace::physical {

namespace {

// Bytes of a value of a fixed-width type; 0 for the others.
uint32_t FixedWidth(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return 0;
    case arrow::Type::BOOL:
      return 1;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LIST:
    case arrow::Type::MAP:
    case arrow::Type::STRUCT:
      return 0;
    default:
      return static_cast<uint32_t>(type.byte_width());
  }
}

bool IsVariable(const arrow::DataType& type) { return FixedWidth(type) == 0 && type.id() != arrow::Type::NA; }

template <typename T>
T Normalized(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return std::numeric_limits<T>::quiet_NaN();
    return value == T{0} ? T{0} : value;
  } else {
    return value;
  }
}

// Writes the fixed-width value of row i to `out`.
void WriteFixed(const arrow::Array& array, int64_t i, uint32_t width, uint8_t* out) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      *out = static_cast<const arrow::BooleanArray&>(array).Value(i) ? 1 : 0;
      return;
    case arrow::Type::FLOAT: {
      float value = Normalized(static_cast<const arrow::FloatArray&>(array).Value(i));
      std::memcpy(out, &value, sizeof value);
      return;
    }
    case arrow::Type::DOUBLE: {
      double value = Normalized(static_cast<const arrow::DoubleArray&>(array).Value(i));
      std::memcpy(out, &value, sizeof value);
      return;
    }
    default: {
      const arrow::ArrayData& data = *array.data();
      std::memcpy(out, data.buffers[1]->data() + (data.offset + i) * width, width);
    }
  }
}

// Appends a self-delimiting form of row i, nested values included.
void AppendValue(const arrow::Array& array, int64_t i, std::string* out) {
  if (array.IsNull(i)) {
    out->push_back('\1');
    return;
  }
  out->push_back('\0');
  auto append_count = [out](uint32_t count) { out->append(reinterpret_cast<const char*>(&count), sizeof count); };
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      std::string_view value = static_cast<const arrow::BinaryArray&>(array).GetView(i);
      append_count(static_cast<uint32_t>(value.size()));
      out->append(value);
      return;
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      std::vector<std::string> entries;
      for (int64_t j = map.value_offset(i); j < map.value_offset(i + 1); ++j) {
        std::string entry;
        AppendValue(*map.keys(), j, &entry);
        AppendValue(*map.items(), j, &entry);
        entries.push_back(std::move(entry));
      }
      std::sort(entries.begin(), entries.end());
      append_count(static_cast<uint32_t>(entries.size()));
      for (const std::string& entry : entries) out->append(entry);
      return;
    }
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      append_count(static_cast<uint32_t>(list.value_length(i)));
      for (int64_t j = list.value_offset(i); j < list.value_offset(i + 1); ++j) AppendValue(*list.values(), j, out);
      return;
    }
    case arrow::Type::STRUCT: {
      const auto& value = static_cast<const arrow::StructArray&>(array);
      for (int f = 0; f < value.num_fields(); ++f) AppendValue(*value.field(f), i, out);
      return;
    }
    default: {
      uint32_t width = FixedWidth(*array.type());
      size_t at = out->size();
      out->resize(at + width);
      if (width > 0) WriteFixed(array, i, width, reinterpret_cast<uint8_t*>(out->data() + at));
    }
  }
}

// A column of byte strings: the column's own when it is one, else the encoded nested values.
struct VariableColumn {
  const uint8_t* data = nullptr;
  const int32_t* offsets = nullptr;
  std::string encoded;
  std::vector<int32_t> encoded_offsets;
};

arrow::Status ViewVariable(const arrow::Array& array, VariableColumn* column) {
  if (array.type_id() == arrow::Type::STRING || array.type_id() == arrow::Type::BINARY) {
    const arrow::ArrayData& data = *array.data();
    column->offsets = data.GetValues<int32_t>(1);
    column->data = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
    return arrow::Status::OK();
  }
  column->encoded_offsets.reserve(static_cast<size_t>(array.length()) + 1);
  column->encoded_offsets.push_back(0);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i)) AppendValue(array, i, &column->encoded);
    if (column->encoded.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
      return arrow::Status::CapacityError("nested keys of one batch exceed 2 GiB");
    }
    column->encoded_offsets.push_back(static_cast<int32_t>(column->encoded.size()));
  }
  column->data = reinterpret_cast<const uint8_t*>(column->encoded.data());
  column->offsets = column->encoded_offsets.data();
  return arrow::Status::OK();
}

// Copies a fixed-width column to `out + i * stride` (or the row offsets), T being its storage.
template <typename T, typename RowAt>
void CopyColumn(const arrow::Array& array, RowAt row_at, uint32_t position) {
  const T* values = array.data()->GetValues<T>(1);
  bool has_nulls = array.null_count() > 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (has_nulls && array.IsNull(i)) continue;
    T value = Normalized(values[i]);
    std::memcpy(row_at(i) + position, &value, sizeof(T));
  }
}

template <typename RowAt>
void CopyFixed(const arrow::Array& array, RowAt row_at, uint32_t position, uint32_t width) {
  if (array.type_id() == arrow::Type::FLOAT) return CopyColumn<float>(array, row_at, position);
  if (array.type_id() == arrow::Type::DOUBLE) return CopyColumn<double>(array, row_at, position);
  if (array.type_id() != arrow::Type::BOOL) {
    if (width == 1) return CopyColumn<uint8_t>(array, row_at, position);
    if (width == 2) return CopyColumn<uint16_t>(array, row_at, position);
    if (width == 4) return CopyColumn<uint32_t>(array, row_at, position);
    if (width == 8) return CopyColumn<uint64_t>(array, row_at, position);
  }
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i)) WriteFixed(array, i, width, row_at(i) + position);
  }
}

template <typename RowAt>
void SetNullBits(const arrow::Array& array, size_t column, RowAt row_at) {
  if (array.null_count() == 0) return;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) row_at(i)[column / 8] |= static_cast<uint8_t>(1u << (column % 8));
  }
}

template <typename ArrowType>
arrow::Result<std::shared_ptr<arrow::Array>> ReplaceNegativeZero(const std::shared_ptr<arrow::Array>& array,
                                                                 arrow::MemoryPool* pool) {
  using T = typename ArrowType::c_type;
  const T* values = array->data()->GetValues<T>(1);
  bool found = false;
  for (int64_t i = 0; i < array->length() && !found; ++i) found = values[i] == T{0} && std::signbit(values[i]);
  if (!found) return array;
  std::shared_ptr<arrow::ArrayData> data = array->data()->Copy();
  int64_t length = data->offset + data->length;  // the offset stays, for the validity's sake
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(length * static_cast<int64_t>(sizeof(T)), pool));
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  values -= data->offset;
  for (int64_t i = 0; i < length; ++i) out[i] = values[i] == T{0} ? T{0} : values[i];
  data->buffers[1] = std::move(buffer);
  return arrow::MakeArray(std::move(data));
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> WithoutNegativeZero(const std::shared_ptr<arrow::Array>& array,
                                                                 arrow::MemoryPool* pool) {
  if (array->type_id() == arrow::Type::DOUBLE) return ReplaceNegativeZero<arrow::DoubleType>(array, pool);
  if (array->type_id() == arrow::Type::FLOAT) return ReplaceNegativeZero<arrow::FloatType>(array, pool);
  return array;
}

arrow::Status RowKeys::Encode(const arrow::ArrayVector& columns, int64_t num_rows) {
  num_rows_ = num_rows;
  // Null bits, then the fixed-width values, then length and bytes of the others.
  uint32_t fixed_size = static_cast<uint32_t>((columns.size() + 7) / 8);
  fixed_ = true;
  for (const auto& column : columns) {
    fixed_size += FixedWidth(*column->type());
    if (IsVariable(*column->type())) fixed_ = false;
  }
  stride_ = (fixed_size + 7) / 8 * 8;

  std::vector<VariableColumn> variable(columns.size());
  if (fixed_) {
    bytes_.assign(static_cast<size_t>(num_rows) * stride_, 0);
  } else {
    offsets_.assign(static_cast<size_t>(num_rows) + 1, 0);
    std::vector<uint64_t> sizes(static_cast<size_t>(num_rows), fixed_size);
    for (size_t c = 0; c < columns.size(); ++c) {
      if (!IsVariable(*columns[c]->type())) continue;
      ARROW_RETURN_NOT_OK(ViewVariable(*columns[c], &variable[c]));
      bool has_nulls = columns[c]->null_count() > 0;
      for (int64_t i = 0; i < num_rows; ++i) {
        sizes[i] += 4;
        if (has_nulls && columns[c]->IsNull(i)) continue;
        sizes[i] += static_cast<uint64_t>(variable[c].offsets[i + 1] - variable[c].offsets[i]);
      }
    }
    uint64_t total = 0;
    for (int64_t i = 0; i < num_rows; ++i) {
      total += (sizes[i] + 7) / 8 * 8;
      if (total > std::numeric_limits<uint32_t>::max()) {
        return arrow::Status::CapacityError("keys of one batch exceed 4 GiB");
      }
      offsets_[i + 1] = static_cast<uint32_t>(total);
    }
    bytes_.assign(total, 0);
  }

  auto fill = [&](auto row_at) {
    uint32_t position = static_cast<uint32_t>((columns.size() + 7) / 8);
    for (size_t c = 0; c < columns.size(); ++c) {
      const arrow::Array& column = *columns[c];
      SetNullBits(column, c, row_at);
      uint32_t width = FixedWidth(*column.type());
      if (width == 0) continue;
      CopyFixed(column, row_at, position, width);
      position += width;
    }
  };
  if (fixed_) {
    fill([this](int64_t i) { return bytes_.data() + i * stride_; });
    return arrow::Status::OK();
  }
  fill([this](int64_t i) { return bytes_.data() + offsets_[i]; });
  std::vector<uint32_t> ends(static_cast<size_t>(num_rows), fixed_size);
  for (size_t c = 0; c < columns.size(); ++c) {
    if (!IsVariable(*columns[c]->type())) continue;
    const VariableColumn& values = variable[c];
    bool has_nulls = columns[c]->null_count() > 0;
    for (int64_t i = 0; i < num_rows; ++i) {
      uint8_t* out = bytes_.data() + offsets_[i] + ends[i];
      ends[i] += 4;
      if (has_nulls && columns[c]->IsNull(i)) continue;
      auto length = static_cast<uint32_t>(values.offsets[i + 1] - values.offsets[i]);
      std::memcpy(out, &length, 4);
      if (length > 0) std::memcpy(out + 4, values.data + values.offsets[i], length);
      ends[i] += length;
    }
  }
  return arrow::Status::OK();
}

}  // namespace millrace::physical
