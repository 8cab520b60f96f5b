#include "expression/compare.h"

#include <arrow/array.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "types/arrow_type.h"

namespace millrace::expression {

using types::DataType;
using types::TypeId;

namespace {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

bool IsNull(const arrow::ArrayData& data, int64_t i) {
  if (data.type->id() == arrow::Type::NA) return true;
  return data.buffers[0] != nullptr && !arrow::bit_util::GetBit(data.buffers[0]->data(), i + data.offset);
}

template <typename T>
T Fixed(const arrow::ArrayData& data, int64_t i) {
  return data.GetValues<T>(1)[i];
}

bool Bit(const arrow::ArrayData& data, int64_t i) {
  return arrow::bit_util::GetBit(data.buffers[1]->data(), i + data.offset);
}

std::string_view Bytes(const arrow::ArrayData& data, int64_t i) {
  const auto* offsets = data.GetValues<int32_t>(1);
  if (data.buffers[2] == nullptr) return {};
  return {reinterpret_cast<const char*>(data.buffers[2]->data()) + offsets[i],
          static_cast<size_t>(offsets[i + 1] - offsets[i])};
}

template <typename T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

template <typename T>
int OrderFloating(T a, T b) {
  bool a_nan = std::isnan(a);
  bool b_nan = std::isnan(b);
  if (a_nan || b_nan) return a_nan == b_nan ? 0 : (a_nan ? 1 : -1);
  return Order(a, b);
}

int OrderOrNull(const DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b, int64_t j) {
  bool a_null = IsNull(a, i);
  bool b_null = IsNull(b, j);
  if (a_null || b_null) return a_null == b_null ? 0 : (a_null ? -1 : 1);
  return CompareValues(type, a, i, b, j);
}

struct Range {
  int32_t begin;
  int32_t end;
  int32_t size() const { return end - begin; }
};

Range ElementsOf(const arrow::ArrayData& data, int64_t i) {
  const auto* offsets = data.GetValues<int32_t>(1);
  return {offsets[i], offsets[i + 1]};
}

int OrderLists(const DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b, int64_t j) {
  Range left = ElementsOf(a, i);
  Range right = ElementsOf(b, j);
  int32_t common = std::min(left.size(), right.size());
  for (int32_t k = 0; k < common; ++k) {
    int order = OrderOrNull(*type.element(), *a.child_data[0], left.begin + k, *b.child_data[0], right.begin + k);
    if (order != 0) return order;
  }
  return Order(left.size(), right.size());
}

bool SameEntries(const DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b, int64_t j) {
  Range left = ElementsOf(a, i);
  Range right = ElementsOf(b, j);
  if (left.size() != right.size()) return false;
  for (int32_t k = 0; k < left.size(); ++k) {
    for (size_t side = 0; side < 2; ++side) {
      const arrow::ArrayData& a_entries = *a.child_data[0];
      const arrow::ArrayData& b_entries = *b.child_data[0];
      if (!SameOrBothNull(*type.fields()[side].type, *a_entries.child_data[side], left.begin + k + a_entries.offset,
                          *b_entries.child_data[side], right.begin + k + b_entries.offset)) {
        return false;
      }
    }
  }
  return true;
}

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}

uint64_t HashOrNull(const DataType& type, const arrow::ArrayData& a, int64_t i) {
  return IsNull(a, i) ? 0x5bd1e995 : HashValue(type, a, i);
}

template <typename T>
uint64_t HashFloating(T value) {
  if (std::isnan(value)) return 0x7ff8;
  double wide = value == 0 ? 0.0 : static_cast<double>(value);
  return Mix(1, std::bit_cast<uint64_t>(wide));
}

}  // namespace

int CompareValues(const DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b, int64_t j) {
  switch (type.id()) {
    case TypeId::kNull:
      return 0;
    case TypeId::kBoolean:
      return Order(Bit(a, i), Bit(b, j));
    case TypeId::kByte:
      return Order(Fixed<int8_t>(a, i), Fixed<int8_t>(b, j));
    case TypeId::kShort:
      return Order(Fixed<int16_t>(a, i), Fixed<int16_t>(b, j));
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return Order(Fixed<int32_t>(a, i), Fixed<int32_t>(b, j));
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return Order(Fixed<int64_t>(a, i), Fixed<int64_t>(b, j));
    case TypeId::kFloat:
      return OrderFloating(Fixed<float>(a, i), Fixed<float>(b, j));
    case TypeId::kDouble:
      return OrderFloating(Fixed<double>(a, i), Fixed<double>(b, j));
    case TypeId::kDecimal:
      return Order(Fixed<arrow::Decimal128>(a, i), Fixed<arrow::Decimal128>(b, j));
    case TypeId::kString:
    case TypeId::kBinary:
      return Bytes(a, i).compare(Bytes(b, j));
    case TypeId::kCalendarInterval: {
      auto left = Fixed<MonthDayNanos>(a, i);
      auto right = Fixed<MonthDayNanos>(b, j);
      if (left.months != right.months) return Order(left.months, right.months);
      if (left.days != right.days) return Order(left.days, right.days);
      return Order(left.nanoseconds, right.nanoseconds);
    }
    case TypeId::kVariant:  // in no order; the same bytes are the same value
      return std::max(std::abs(Bytes(*a.child_data[0], i + a.offset).compare(Bytes(*b.child_data[0], j + b.offset))),
                      std::abs(Bytes(*a.child_data[1], i + a.offset).compare(Bytes(*b.child_data[1], j + b.offset))));
    case TypeId::kArray:
      return OrderLists(type, a, i, b, j);
    case TypeId::kMap:
      return SameEntries(type, a, i, b, j) ? 0 : 1;
    case TypeId::kStruct:
      for (size_t k = 0; k < type.fields().size(); ++k) {
        int order = OrderOrNull(*type.fields()[k].type, *a.child_data[k], i + a.offset, *b.child_data[k], j + b.offset);
        if (order != 0) return order;
      }
      return 0;
  }
  return 0;
}

bool ValuesEqual(const DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b, int64_t j) {
  if (type.id() == TypeId::kString || type.id() == TypeId::kBinary) return Bytes(a, i) == Bytes(b, j);
  return CompareValues(type, a, i, b, j) == 0;
}

bool SameOrBothNull(const DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b, int64_t j) {
  bool a_null = IsNull(a, i);
  bool b_null = IsNull(b, j);
  if (a_null || b_null) return a_null == b_null;
  return ValuesEqual(type, a, i, b, j);
}

uint64_t HashValue(const DataType& type, const arrow::ArrayData& a, int64_t i) {
  switch (type.id()) {
    case TypeId::kNull:
      return 0;
    case TypeId::kBoolean:
      return Bit(a, i) ? 3 : 2;
    case TypeId::kByte:
      return Mix(1, static_cast<uint64_t>(Fixed<int8_t>(a, i)));
    case TypeId::kShort:
      return Mix(1, static_cast<uint64_t>(Fixed<int16_t>(a, i)));
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return Mix(1, static_cast<uint64_t>(Fixed<int32_t>(a, i)));
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return Mix(1, static_cast<uint64_t>(Fixed<int64_t>(a, i)));
    case TypeId::kFloat:
      return HashFloating(Fixed<float>(a, i));
    case TypeId::kDouble:
      return HashFloating(Fixed<double>(a, i));
    case TypeId::kDecimal: {
      auto value = Fixed<arrow::Decimal128>(a, i);
      return Mix(value.low_bits(), static_cast<uint64_t>(value.high_bits()));
    }
    case TypeId::kString:
    case TypeId::kBinary:
      return std::hash<std::string_view>()(Bytes(a, i));
    case TypeId::kCalendarInterval: {
      auto value = Fixed<MonthDayNanos>(a, i);
      uint64_t hash = Mix(static_cast<uint64_t>(value.months), static_cast<uint64_t>(value.days));
      return Mix(hash, static_cast<uint64_t>(value.nanoseconds));
    }
    case TypeId::kVariant:
      return std::hash<std::string_view>()(Bytes(*a.child_data[0], i + a.offset));
    case TypeId::kArray: {
      uint64_t hash = 7;
      Range range = ElementsOf(a, i);
      for (int32_t k = range.begin; k < range.end; ++k)
        hash = Mix(hash, HashOrNull(*type.element(), *a.child_data[0], k));
      return hash;
    }
    case TypeId::kMap:
      return static_cast<uint64_t>(ElementsOf(a, i).size());
    case TypeId::kStruct: {
      uint64_t hash = 11;
      for (size_t k = 0; k < type.fields().size(); ++k) {
        hash = Mix(hash, HashOrNull(*type.fields()[k].type, *a.child_data[k], i + a.offset));
      }
      return hash;
    }
  }
  return 0;
}

bool IsOrderable(const DataType& type) {
  if (type.id() == TypeId::kMap || type.id() == TypeId::kCalendarInterval || type.id() == TypeId::kVariant)
    return false;
  return std::all_of(type.fields().begin(), type.fields().end(),
                     [](const types::StructField& field) { return IsOrderable(*field.type); });
}

int RowComparator::Compare(const std::vector<std::shared_ptr<arrow::ArrayData>>& a, int64_t i,
                           const std::vector<std::shared_ptr<arrow::ArrayData>>& b, int64_t j) const {
  for (size_t k = 0; k < keys_.size(); ++k) {
    const Key& key = keys_[k];
    bool a_null = IsNull(*a[k], i);
    bool b_null = IsNull(*b[k], j);
    if (a_null && b_null) continue;
    if (a_null || b_null) return a_null == key.nulls_first ? -1 : 1;
    int order = CompareValues(*key.type, *a[k], i, *b[k], j);
    if (order != 0) return key.ascending ? order : -order;
  }
  return 0;
}

}  // namespace millrace::expression
