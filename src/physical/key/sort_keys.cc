#include "physical/key/sort_keys.h"

#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace millrace::physical {

namespace {

using Bytes = std::vector<uint8_t>;

template <typename Unsigned>
void AppendBigEndian(Unsigned value, Bytes* out) {
  for (int shift = static_cast<int>(sizeof(Unsigned)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<uint8_t>(value >> shift));
  }
}

template <typename Signed>
void AppendSigned(Signed value, Bytes* out) {
  using Unsigned = std::make_unsigned_t<Signed>;
  AppendBigEndian(static_cast<Unsigned>(static_cast<Unsigned>(value) ^ (Unsigned{1} << (sizeof(Signed) * 8 - 1))), out);
}

template <typename Float, typename Bits>
void AppendFloat(Float value, Bytes* out) {
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
  if (value == Float{0}) value = Float{0};
  Bits bits;
  std::memcpy(&bits, &value, sizeof bits);
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  AppendBigEndian(static_cast<Bits>((bits & kSign) != 0 ? ~bits : bits | kSign), out);
}

// Appends bytes with an end mark below every continuation: 0 becomes 0 255, the end is 0 0.
void AppendText(std::string_view text, Bytes* out) {
  for (char c : text) {
    out->push_back(static_cast<uint8_t>(c));
    if (c == '\0') out->push_back(0xFF);
  }
  out->push_back(0);
  out->push_back(0);
}

template <typename T>
T ValueAt(const arrow::Array& array, int64_t i) {
  return array.data()->GetValues<T>(1)[i];
}

arrow::Status AppendOrdered(const arrow::Array& array, int64_t i, Bytes* out);

// A nested value: NULL is smallest.
arrow::Status AppendNested(const arrow::Array& array, int64_t i, Bytes* out) {
  out->push_back(array.IsNull(i) ? 0 : 1);
  return array.IsNull(i) ? arrow::Status::OK() : AppendOrdered(array, i, out);
}

arrow::Status AppendOrdered(const arrow::Array& array, int64_t i, Bytes* out) {
  switch (array.type_id()) {
    case arrow::Type::NA:
      return arrow::Status::OK();
    case arrow::Type::BOOL:
      out->push_back(static_cast<const arrow::BooleanArray&>(array).Value(i) ? 1 : 0);
      return arrow::Status::OK();
    case arrow::Type::INT8:
      AppendSigned(ValueAt<int8_t>(array, i), out);
      return arrow::Status::OK();
    case arrow::Type::INT16:
      AppendSigned(ValueAt<int16_t>(array, i), out);
      return arrow::Status::OK();
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS:
      AppendSigned(ValueAt<int32_t>(array, i), out);
      return arrow::Status::OK();
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
    case arrow::Type::TIME64:
      AppendSigned(ValueAt<int64_t>(array, i), out);
      return arrow::Status::OK();
    case arrow::Type::FLOAT:
      AppendFloat<float, uint32_t>(ValueAt<float>(array, i), out);
      return arrow::Status::OK();
    case arrow::Type::DOUBLE:
      AppendFloat<double, uint64_t>(ValueAt<double>(array, i), out);
      return arrow::Status::OK();
    case arrow::Type::DECIMAL128: {
      const auto* value = static_cast<const arrow::Decimal128Array&>(array).GetValue(i);
      int64_t high;
      uint64_t low;
      std::memcpy(&low, value, 8);
      std::memcpy(&high, value + 8, 8);
      AppendSigned(high, out);
      AppendBigEndian(low, out);
      return arrow::Status::OK();
    }
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      AppendText(static_cast<const arrow::BinaryArray&>(array).GetView(i), out);
      return arrow::Status::OK();
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      for (int64_t j = list.value_offset(i); j < list.value_offset(i + 1); ++j) {
        out->push_back(1);
        ARROW_RETURN_NOT_OK(AppendNested(*list.values(), j, out));
      }
      out->push_back(0);
      return arrow::Status::OK();
    }
    case arrow::Type::STRUCT: {
      const auto& value = static_cast<const arrow::StructArray&>(array);
      for (const auto& field : value.fields()) ARROW_RETURN_NOT_OK(AppendNested(*field, i, out));
      return arrow::Status::OK();
    }
    default:
      return arrow::Status::NotImplemented("values of type ", array.type()->ToString(), " have no order");
  }
}

}  // namespace

arrow::Status SortKeys::Encode(const arrow::ArrayVector& columns, const std::vector<KeyOrder>& orders,
                               int64_t num_rows) {
  bytes_.clear();
  offsets_.assign(1, 0);
  offsets_.reserve(static_cast<size_t>(num_rows) + 1);
  prefixes_.clear();
  prefixes_.reserve(static_cast<size_t>(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    size_t begin = bytes_.size();
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c]->IsNull(i)) {
        bytes_.push_back(orders[c].nulls_first ? 0 : 1);
        continue;
      }
      bytes_.push_back(orders[c].nulls_first ? 1 : 0);
      size_t value = bytes_.size();
      ARROW_RETURN_NOT_OK(AppendOrdered(*columns[c], i, &bytes_));
      if (orders[c].ascending) continue;
      for (size_t b = value; b < bytes_.size(); ++b) bytes_[b] = static_cast<uint8_t>(~bytes_[b]);
    }
    uint64_t prefix = 0;
    for (size_t b = 0; b < 8; ++b) prefix = prefix << 8 | (begin + b < bytes_.size() ? bytes_[begin + b] : 0u);
    prefixes_.push_back(prefix);
    offsets_.push_back(bytes_.size());
  }
  return arrow::Status::OK();
}

std::vector<int32_t> SortKeys::SortedRows(int64_t limit) const {
  std::vector<int32_t> rows(prefixes_.size());
  std::iota(rows.begin(), rows.end(), 0);
  auto before = [this](int32_t a, int32_t b) {
    if (prefixes_[a] != prefixes_[b]) return prefixes_[a] < prefixes_[b];
    int order = Compare(a, *this, b);
    return order != 0 ? order < 0 : a < b;
  };
  if (limit < static_cast<int64_t>(rows.size())) {
    std::partial_sort(rows.begin(), rows.begin() + limit, rows.end(), before);
    rows.resize(static_cast<size_t>(limit));
  } else {
    std::sort(rows.begin(), rows.end(), before);
  }
  return rows;
}

}  // namespace millrace::physical
