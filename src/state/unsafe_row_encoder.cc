#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "state/unsafe_row.h"

namespace millrace::state {

using arrow::ArrayData;
using types::DataType;
using types::TypeId;

namespace {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;
constexpr int kLongDecimalDigits = 18;  // more digits do not fit the slot

bool IsNull(const ArrayData& data, int64_t i) {
  if (data.type->id() == arrow::Type::NA) return true;
  return data.buffers[0] != nullptr && !arrow::bit_util::GetBit(data.buffers[0]->data(), i + data.offset);
}

std::string_view Bytes(const ArrayData& data, int64_t i) {
  const auto* offsets = data.GetValues<int32_t>(1);
  const char* bytes = data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
  return {bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
}

// As java.math.BigInteger.toByteArray: big-endian, as few bytes as hold the sign.
std::string_view UnscaledBytes(const ArrayData& data, int64_t i, char* buffer) {
  const auto& value = data.GetValues<arrow::Decimal128>(1)[i];
  for (int k = 0; k < 8; ++k) {
    buffer[k] = static_cast<char>(static_cast<uint64_t>(value.high_bits()) >> (56 - 8 * k));
    buffer[8 + k] = static_cast<char>(value.low_bits() >> (56 - 8 * k));
  }
  size_t first = 0;
  char sign = value.high_bits() < 0 ? '\xff' : '\0';
  while (first < 15 && buffer[first] == sign && ((buffer[first + 1] ^ sign) & 0x80) == 0) ++first;
  return {buffer + first, 16 - first};
}

bool IsLongDecimal(const DataType& type) {
  return type.id() == TypeId::kDecimal && type.precision() > kLongDecimalDigits;
}

bool IsFixed(const DataType& type) {
  switch (type.id()) {
    case TypeId::kString:
    case TypeId::kBinary:
    case TypeId::kCalendarInterval:
    case TypeId::kVariant:
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kStruct:
      return false;
    default:
      return !IsLongDecimal(type);
  }
}

// Bytes that one element takes in an array's fixed part.
int64_t ElementWidth(const DataType& type) {
  switch (type.id()) {
    case TypeId::kBoolean:
    case TypeId::kByte:
      return 1;
    case TypeId::kShort:
      return 2;
    case TypeId::kInteger:
    case TypeId::kFloat:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return 4;
    default:
      return 8;
  }
}

int64_t ArrayHeaderBytes(int64_t num_elements) { return 8 + NullBitsBytes(num_elements); }

void Put64(char* slot, int64_t value) { std::memcpy(slot, &value, 8); }
void SetNullBit(char* bits, int64_t i) { bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << (i % 8)); }

/// Writes values that do not fit a slot; `normalize` as UnsafeRowEncoder::Floats.
class CellWriter {
 public:
  explicit CellWriter(bool normalize) : normalize_(normalize) {}

  /// Bytes in the variable part of a row.
  int64_t VariableBytes(const DataType& type, const ArrayData& data, int64_t i) const {
    if (IsFixed(type)) return 0;
    // Decimals and intervals always keep their 16 bytes, so that they can be updated in place.
    if (IsLongDecimal(type) || type.id() == TypeId::kCalendarInterval) return 16;
    return IsNull(data, i) ? 0 : RoundUpToWord(ValueBytes(type, data, i));
  }

  /// Writes column `ordinal` of the row at `row`; `*end` is where its variable part ends.
  void WriteColumn(const DataType& type, const ArrayData& data, int64_t i, char* row, int ordinal, int64_t slots_begin,
                   int64_t* end) const {
    char* slot = row + slots_begin + int64_t{8} * ordinal;
    if (IsNull(data, i)) {
      SetNullBit(row, ordinal);
      bool is_decimal = IsLongDecimal(type);
      if (!is_decimal && type.id() != TypeId::kCalendarInterval) return;
      Put64(slot, *end << 32 | (is_decimal ? 0 : 16));
      *end += 16;
      return;
    }
    if (IsFixed(type)) {
      WriteFixed(type, data, i, slot);
      return;
    }
    int64_t size = WriteValue(type, data, i, row + *end);
    Put64(slot, *end << 32 | size);
    *end += IsLongDecimal(type) ? 16 : RoundUpToWord(size);
  }

  void WriteFixed(const DataType& type, const ArrayData& data, int64_t i, char* slot) const {
    switch (type.id()) {
      case TypeId::kBoolean:
        *slot = arrow::bit_util::GetBit(data.buffers[1]->data(), i + data.offset) ? 1 : 0;
        return;
      case TypeId::kByte:
        std::memcpy(slot, data.GetValues<int8_t>(1) + i, 1);
        return;
      case TypeId::kShort:
        std::memcpy(slot, data.GetValues<int16_t>(1) + i, 2);
        return;
      case TypeId::kInteger:
      case TypeId::kDate:
      case TypeId::kYearMonthInterval:
        std::memcpy(slot, data.GetValues<int32_t>(1) + i, 4);
        return;
      case TypeId::kFloat: {
        float value = data.GetValues<float>(1)[i];
        if (normalize_) value = Normalized(value);
        std::memcpy(slot, &value, 4);
        return;
      }
      case TypeId::kDouble: {
        double value = data.GetValues<double>(1)[i];
        if (normalize_) value = Normalized(value);
        std::memcpy(slot, &value, 8);
        return;
      }
      case TypeId::kDecimal:
        Put64(slot, static_cast<int64_t>(data.GetValues<arrow::Decimal128>(1)[i].low_bits()));
        return;
      default:
        Put64(slot, data.GetValues<int64_t>(1)[i]);
    }
  }

 private:
  template <typename T>
  static T Normalized(T value) {
    if (value == 0) return 0;
    return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value;
  }

  // Size of a value that is not NULL, not rounded up.
  int64_t ValueBytes(const DataType& type, const ArrayData& data, int64_t i) const {
    switch (type.id()) {
      case TypeId::kString:
      case TypeId::kBinary:
        return static_cast<int64_t>(Bytes(data, i).size());
      case TypeId::kVariant:
        return 4 + static_cast<int64_t>(Bytes(*data.child_data[0], i + data.offset).size() +
                                        Bytes(*data.child_data[1], i + data.offset).size());
      case TypeId::kArray: {
        const auto* offsets = data.GetValues<int32_t>(1);
        return ArrayBytes(*type.element(), *data.child_data[0], offsets[i], offsets[i + 1]);
      }
      case TypeId::kMap: {
        const auto* offsets = data.GetValues<int32_t>(1);
        const ArrayData& entries = *data.child_data[0];
        int64_t begin = offsets[i] + entries.offset, end = offsets[i + 1] + entries.offset;
        return 8 + ArrayBytes(*type.key(), *entries.child_data[0], begin, end) +
               ArrayBytes(*type.value(), *entries.child_data[1], begin, end);
      }
      case TypeId::kStruct: {
        auto num_fields = static_cast<int64_t>(type.fields().size());
        int64_t size = NullBitsBytes(num_fields) + 8 * num_fields;
        for (size_t k = 0; k < type.fields().size(); ++k) {
          size += VariableBytes(*type.fields()[k].type, *data.child_data[k], i + data.offset);
        }
        return size;
      }
      default: {
        char buffer[16];
        return IsLongDecimal(type) ? static_cast<int64_t>(UnscaledBytes(data, i, buffer).size()) : 16;
      }
    }
  }

  int64_t ArrayBytes(const DataType& element, const ArrayData& data, int64_t begin, int64_t end) const {
    int64_t size = ArrayHeaderBytes(end - begin) + RoundUpToWord((end - begin) * ElementWidth(element));
    if (IsFixed(element)) return size;
    for (int64_t k = begin; k < end; ++k) {
      if (!IsNull(data, k)) size += RoundUpToWord(ValueBytes(element, data, k));
    }
    return size;
  }

  // Writes a value that is not NULL at `out`, whose bytes are zero; its size.
  int64_t WriteValue(const DataType& type, const ArrayData& data, int64_t i, char* out) const {
    switch (type.id()) {
      case TypeId::kString:
      case TypeId::kBinary: {
        std::string_view bytes = Bytes(data, i);
        if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
        return static_cast<int64_t>(bytes.size());
      }
      case TypeId::kCalendarInterval: {
        auto value = data.GetValues<MonthDayNanos>(1)[i];
        std::memcpy(out, &value.months, 4);
        std::memcpy(out + 4, &value.days, 4);
        Put64(out + 8, value.nanoseconds / 1000);
        return 16;
      }
      case TypeId::kVariant: {
        std::string_view value = Bytes(*data.child_data[0], i + data.offset);
        std::string_view metadata = Bytes(*data.child_data[1], i + data.offset);
        auto value_size = static_cast<int32_t>(value.size());
        std::memcpy(out, &value_size, 4);
        std::memcpy(out + 4, value.data(), value.size());
        std::memcpy(out + 4 + value.size(), metadata.data(), metadata.size());
        return 4 + static_cast<int64_t>(value.size() + metadata.size());
      }
      case TypeId::kArray: {
        const auto* offsets = data.GetValues<int32_t>(1);
        return WriteArray(*type.element(), *data.child_data[0], offsets[i], offsets[i + 1], out);
      }
      case TypeId::kMap: {
        const auto* offsets = data.GetValues<int32_t>(1);
        const ArrayData& entries = *data.child_data[0];
        int64_t begin = offsets[i] + entries.offset, end = offsets[i + 1] + entries.offset;
        int64_t key_bytes = WriteArray(*type.key(), *entries.child_data[0], begin, end, out + 8);
        Put64(out, key_bytes);
        return 8 + key_bytes + WriteArray(*type.value(), *entries.child_data[1], begin, end, out + 8 + key_bytes);
      }
      case TypeId::kStruct: {
        auto num_fields = static_cast<int64_t>(type.fields().size());
        int64_t end = NullBitsBytes(num_fields) + 8 * num_fields;
        for (size_t k = 0; k < type.fields().size(); ++k) {
          WriteColumn(*type.fields()[k].type, *data.child_data[k], i + data.offset, out, static_cast<int>(k),
                      NullBitsBytes(num_fields), &end);
        }
        return end;
      }
      default: {
        char buffer[16];
        std::string_view bytes = UnscaledBytes(data, i, buffer);
        if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
        return static_cast<int64_t>(bytes.size());
      }
    }
  }

  int64_t WriteArray(const DataType& element, const ArrayData& data, int64_t begin, int64_t end, char* out) const {
    int64_t count = end - begin, width = ElementWidth(element);
    Put64(out, count);
    char* slots = out + ArrayHeaderBytes(count);
    int64_t size = ArrayHeaderBytes(count) + RoundUpToWord(count * width);
    bool is_fixed = IsFixed(element);
    for (int64_t k = 0; k < count; ++k) {
      if (IsNull(data, begin + k)) {
        SetNullBit(out + 8, k);
      } else if (is_fixed) {
        WriteFixed(element, data, begin + k, slots + k * width);
      } else {
        int64_t value_size = WriteValue(element, data, begin + k, out + size);
        Put64(slots + k * 8, size << 32 | value_size);
        size += RoundUpToWord(value_size);
      }
    }
    return size;
  }

  bool normalize_;
};

}  // namespace

UnsafeRowEncoder::UnsafeRowEncoder(std::vector<types::DataTypePtr> types, Floats floats)
    : types_(std::move(types)), normalize_floats_(floats == Floats::kNormalized) {}

void UnsafeRowEncoder::Encode(std::span<const std::shared_ptr<ArrayData>> columns, int64_t num_rows,
                              UnsafeRows* rows) const {
  CellWriter writer(normalize_floats_);
  auto num_fields = static_cast<int64_t>(types_.size());
  int64_t slots_begin = NullBitsBytes(num_fields), fixed_bytes = slots_begin + 8 * num_fields;

  rows->Clear();
  std::vector<int64_t>& ends = rows->ends_;
  ends.assign(static_cast<size_t>(num_rows), fixed_bytes);
  for (size_t c = 0; c < types_.size(); ++c) {
    if (IsFixed(*types_[c])) continue;
    for (size_t i = 0; i < ends.size(); ++i) {
      ends[i] += writer.VariableBytes(*types_[c], *columns[c], static_cast<int64_t>(i));
    }
  }
  int64_t total = 0;
  for (int64_t& end : ends) end = total += end;
  std::vector<int64_t> sizes;
  std::swap(sizes, ends);  // Reserve must not copy what is not there
  rows->Reserve(total);
  std::swap(sizes, ends);
  char* bytes = rows->bytes_.get();
  if (total > 0) std::memset(bytes, 0, static_cast<size_t>(total));

  std::vector<int64_t> variable_ends(static_cast<size_t>(num_rows), fixed_bytes);
  for (size_t c = 0; c < types_.size(); ++c) {
    const DataType& type = *types_[c];
    const ArrayData& data = *columns[c];
    int64_t begin = 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      writer.WriteColumn(type, data, static_cast<int64_t>(i), bytes + begin, static_cast<int>(c), slots_begin,
                         &variable_ends[i]);
      begin = ends[i];
    }
  }
}

}  // namespace millrace::state
