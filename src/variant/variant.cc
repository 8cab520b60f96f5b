#include "variant/variant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "variant/encoding.h"

namespace millrace::variant {

namespace {

/// Objects with fewer fields are searched one by one.
constexpr int64_t kBinarySearchFields = 32;

arrow::Status UnknownPrimitive(int id) {
  return UserError("UNKNOWN_PRIMITIVE_TYPE_IN_VARIANT", {{"id", std::to_string(id)}});
}

bool Holds(std::string_view bytes, size_t at, size_t count) { return at <= bytes.size() && count <= bytes.size() - at; }

/// `width` bytes, little-endian; a number beyond 2^31 is malformed.
arrow::Result<int64_t> Unsigned(std::string_view bytes, size_t at, size_t width) {
  if (!Holds(bytes, at, width)) return Malformed();
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  if (value > INT32_MAX) return Malformed();
  return int64_t{value};
}

/// The name with number `id` in the dictionary.
arrow::Result<std::string_view> DictionaryName(std::string_view metadata, int64_t id) {
  if (metadata.empty()) return Malformed();
  size_t width = (static_cast<uint8_t>(metadata[0]) >> 6) + size_t{1};
  ARROW_ASSIGN_OR_RAISE(int64_t count, Unsigned(metadata, 1, width));
  if (id >= count) return Malformed();
  size_t names = 1 + (static_cast<size_t>(count) + 2) * width;
  ARROW_ASSIGN_OR_RAISE(int64_t begin, Unsigned(metadata, 1 + (static_cast<size_t>(id) + 1) * width, width));
  ARROW_ASSIGN_OR_RAISE(int64_t end, Unsigned(metadata, 1 + (static_cast<size_t>(id) + 2) * width, width));
  if (begin > end || !Holds(metadata, names + static_cast<size_t>(begin), static_cast<size_t>(end - begin))) {
    return Malformed();
  }
  return metadata.substr(names + static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

}  // namespace

int NumDigits(const arrow::Decimal128& value) {
  arrow::Decimal128 rest = value;
  if (rest.IsNegative()) rest.Negate();
  if (rest.high_bits() != 0) return static_cast<int>(rest.ToIntegerString().size());
  int digits = 1;
  for (uint64_t bits = rest.low_bits(); bits >= 10; bits /= 10) ++digits;
  return digits;
}

arrow::Status Malformed() { return UserError("MALFORMED_VARIANT"); }

int VariantDecimal::precision() const { return std::max({NumDigits(unscaled), scale, 1}); }

int CompareNames(std::string_view a, std::string_view b) {
  size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    auto left = static_cast<uint8_t>(a[i]);
    auto right = static_cast<uint8_t>(b[i]);
    if (left == right) continue;
    // Characters beyond the basic plane are surrogates in UTF-16, which come before U+E000.
    bool beyond_left = left >= 0xF0;
    bool beyond_right = right >= 0xF0;
    if (beyond_left != beyond_right && std::min(left, right) >= 0xEE) return beyond_left ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

arrow::Result<Variant> Variant::Make(std::string_view value, std::string_view metadata) {
  if (metadata.empty() || (static_cast<uint8_t>(metadata[0]) & 0x0F) != kVersion) return Malformed();
  if (value.size() > kSizeMax || metadata.size() > kSizeMax) return UserError("VARIANT_CONSTRUCTOR_SIZE_LIMIT");
  if (value.empty()) return Malformed();
  return Variant(value, metadata);
}

arrow::Result<Kind> Variant::kind() const {
  switch (static_cast<BasicType>(basic_type())) {
    case BasicType::kShortString:
      return Kind::kString;
    case BasicType::kObject:
      return Kind::kObject;
    case BasicType::kArray:
      return Kind::kArray;
    case BasicType::kPrimitive:
      break;
  }
  switch (static_cast<Primitive>(type_info())) {
    case Primitive::kNull:
      return Kind::kNull;
    case Primitive::kTrue:
    case Primitive::kFalse:
      return Kind::kBoolean;
    case Primitive::kInt8:
    case Primitive::kInt16:
    case Primitive::kInt32:
    case Primitive::kInt64:
      return Kind::kLong;
    case Primitive::kDouble:
      return Kind::kDouble;
    case Primitive::kDecimal4:
    case Primitive::kDecimal8:
    case Primitive::kDecimal16:
      return Kind::kDecimal;
    case Primitive::kDate:
      return Kind::kDate;
    case Primitive::kTimestamp:
      return Kind::kTimestamp;
    case Primitive::kTimestampNtz:
      return Kind::kTimestampNtz;
    case Primitive::kTimestampNanos:
      return Kind::kTimestampNanos;
    case Primitive::kTimestampNtzNanos:
      return Kind::kTimestampNtzNanos;
    case Primitive::kFloat:
      return Kind::kFloat;
    case Primitive::kBinary:
      return Kind::kBinary;
    case Primitive::kString:
      return Kind::kString;
    case Primitive::kUuid:
      return Kind::kUuid;
  }
  return UnknownPrimitive(type_info());
}

bool Variant::boolean() const { return static_cast<Primitive>(type_info()) == Primitive::kTrue; }

arrow::Result<int64_t> Variant::Signed(size_t at, size_t width) const {
  if (!Holds(value_, at, width)) return Malformed();
  uint64_t bits = 0;
  for (size_t i = 0; i < width; ++i) bits |= uint64_t{static_cast<uint8_t>(value_[at + i])} << (8 * i);
  size_t unused = 64 - 8 * width;
  return static_cast<int64_t>(bits << unused) >> unused;
}

arrow::Result<int64_t> Variant::integer() const {
  switch (static_cast<Primitive>(type_info())) {
    case Primitive::kInt8:
      return Signed(1, 1);
    case Primitive::kInt16:
      return Signed(1, 2);
    case Primitive::kInt32:
    case Primitive::kDate:
      return Signed(1, 4);
    default:
      return Signed(1, 8);
  }
}

arrow::Result<double> Variant::floating() const {
  ARROW_ASSIGN_OR_RAISE(int64_t bits, Signed(1, 8));
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

arrow::Result<float> Variant::single() const {
  ARROW_ASSIGN_OR_RAISE(int64_t bits, Signed(1, 4));
  auto word = static_cast<uint32_t>(bits);
  float value;
  std::memcpy(&value, &word, sizeof(value));
  return value;
}

arrow::Result<VariantDecimal> Variant::decimal() const {
  if (value_.size() < 2) return Malformed();
  VariantDecimal decimal;
  decimal.scale = static_cast<uint8_t>(value_[1]);
  int digits_max = kDecimal16Digits;
  switch (static_cast<Primitive>(type_info())) {
    case Primitive::kDecimal4: {
      ARROW_ASSIGN_OR_RAISE(int64_t unscaled, Signed(2, 4));
      decimal.unscaled = arrow::Decimal128(unscaled);
      digits_max = kDecimal4Digits;
      break;
    }
    case Primitive::kDecimal8: {
      ARROW_ASSIGN_OR_RAISE(int64_t unscaled, Signed(2, 8));
      decimal.unscaled = arrow::Decimal128(unscaled);
      digits_max = kDecimal8Digits;
      break;
    }
    default: {
      ARROW_ASSIGN_OR_RAISE(int64_t low, Signed(2, 8));
      ARROW_ASSIGN_OR_RAISE(int64_t high, Signed(10, 8));
      decimal.unscaled = arrow::Decimal128(high, static_cast<uint64_t>(low));
    }
  }
  if (decimal.scale > digits_max || NumDigits(decimal.unscaled) > digits_max) return Malformed();
  while (decimal.scale > 0) {
    ARROW_ASSIGN_OR_RAISE(auto parts, decimal.unscaled.Divide(arrow::Decimal128(10)));
    if (parts.second != arrow::Decimal128(0)) break;
    decimal.unscaled = parts.first;
    --decimal.scale;
  }
  return decimal;
}

arrow::Result<std::string_view> Variant::bytes() const {
  size_t begin = 1;
  auto size = static_cast<size_t>(type_info());
  if (static_cast<BasicType>(basic_type()) != BasicType::kShortString) {
    ARROW_ASSIGN_OR_RAISE(int64_t length, Unsigned(value_, 1, 4));
    begin = 5;
    size = static_cast<size_t>(length);
  }
  if (!Holds(value_, begin, size)) return Malformed();
  return value_.substr(begin, size);
}

arrow::Result<std::string> Variant::uuid() const {
  if (!Holds(value_, 1, 16)) return Malformed();
  std::string text;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<uint8_t>(value_[1 + i]));
  }
  return text;
}

arrow::Result<Variant::Members> Variant::members() const {
  Members members(value_, metadata_);
  bool is_object = static_cast<BasicType>(basic_type()) == BasicType::kObject;
  int info = type_info();
  size_t size_width = ((info >> (is_object ? 4 : 2)) & 1) != 0 ? 4 : 1;
  ARROW_ASSIGN_OR_RAISE(members.size_, Unsigned(value_, 1, size_width));
  members.id_width_ = is_object ? static_cast<size_t>((info >> 2) & 3) + 1 : 0;
  members.offset_width_ = static_cast<size_t>(info & 3) + 1;
  members.ids_begin_ = 1 + size_width;
  auto count = static_cast<size_t>(members.size_);
  members.offsets_begin_ = members.ids_begin_ + count * members.id_width_;
  members.data_begin_ = members.offsets_begin_ + (count + 1) * members.offset_width_;
  if (members.data_begin_ > value_.size()) return Malformed();
  return members;
}

arrow::Result<std::string_view> Variant::Members::Name(int64_t index) const {
  size_t at = ids_begin_ + static_cast<size_t>(index) * id_width_;
  ARROW_ASSIGN_OR_RAISE(int64_t id, Unsigned(value_, at, id_width_));
  return DictionaryName(metadata_, id);
}

arrow::Result<Variant> Variant::Members::Value(int64_t index) const {
  size_t at = offsets_begin_ + static_cast<size_t>(index) * offset_width_;
  ARROW_ASSIGN_OR_RAISE(int64_t offset, Unsigned(value_, at, offset_width_));
  size_t begin = data_begin_ + static_cast<size_t>(offset);
  if (begin >= value_.size()) return Malformed();
  return Variant(value_.substr(begin), metadata_);
}

arrow::Result<size_t> Variant::Members::End() const {
  size_t at = offsets_begin_ + static_cast<size_t>(size_) * offset_width_;
  ARROW_ASSIGN_OR_RAISE(int64_t size, Unsigned(value_, at, offset_width_));
  return data_begin_ + static_cast<size_t>(size);
}

arrow::Result<std::optional<Variant>> Variant::Field(std::string_view name) const {
  ARROW_ASSIGN_OR_RAISE(Members fields, members());
  if (fields.size() < kBinarySearchFields) {
    for (int64_t i = 0; i < fields.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(std::string_view other, fields.Name(i));
      if (other != name) continue;
      ARROW_ASSIGN_OR_RAISE(Variant found, fields.Value(i));
      return found;
    }
    return std::nullopt;
  }
  int64_t low = 0;
  int64_t high = fields.size() - 1;
  while (low <= high) {
    int64_t middle = (low + high) / 2;
    ARROW_ASSIGN_OR_RAISE(std::string_view other, fields.Name(middle));
    int order = CompareNames(other, name);
    if (order == 0) {
      ARROW_ASSIGN_OR_RAISE(Variant found, fields.Value(middle));
      return found;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return std::nullopt;
}

arrow::Result<std::optional<Variant>> Variant::Element(int64_t index) const {
  ARROW_ASSIGN_OR_RAISE(Members elements, members());
  if (index < 0 || index >= elements.size()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(Variant found, elements.Value(index));
  return found;
}

arrow::Result<size_t> Variant::Size() const {
  switch (static_cast<BasicType>(basic_type())) {
    case BasicType::kShortString:
      return size_t{1} + static_cast<size_t>(type_info());
    case BasicType::kObject:
    case BasicType::kArray: {
      ARROW_ASSIGN_OR_RAISE(Members inside, members());
      return inside.End();
    }
    case BasicType::kPrimitive:
      break;
  }
  switch (static_cast<Primitive>(type_info())) {
    case Primitive::kNull:
    case Primitive::kTrue:
    case Primitive::kFalse:
      return size_t{1};
    case Primitive::kInt8:
      return size_t{2};
    case Primitive::kInt16:
      return size_t{3};
    case Primitive::kInt32:
    case Primitive::kDate:
    case Primitive::kFloat:
      return size_t{5};
    case Primitive::kInt64:
    case Primitive::kDouble:
    case Primitive::kTimestamp:
    case Primitive::kTimestampNtz:
    case Primitive::kTimestampNanos:
    case Primitive::kTimestampNtzNanos:
      return size_t{9};
    case Primitive::kDecimal4:
      return size_t{6};
    case Primitive::kDecimal8:
      return size_t{10};
    case Primitive::kDecimal16:
      return size_t{18};
    case Primitive::kUuid:
      return size_t{17};
    case Primitive::kBinary:
    case Primitive::kString: {
      ARROW_ASSIGN_OR_RAISE(int64_t length, Unsigned(value_, 1, 4));
      return size_t{5} + static_cast<size_t>(length);
    }
  }
  return UnknownPrimitive(type_info());
}

arrow::Result<std::string_view> Variant::value() const {
  ARROW_ASSIGN_OR_RAISE(size_t size, Size());
  if (size > value_.size()) return Malformed();
  return value_.substr(0, size);
}

namespace {

arrow::Status Check(const Variant& value, int depth) {
  if (depth > kDepthMax) return Malformed();
  ARROW_ASSIGN_OR_RAISE(Kind kind, value.kind());
  ARROW_ASSIGN_OR_RAISE(std::string_view bytes, value.value());
  (void)bytes;
  if (kind == Kind::kDecimal) return value.decimal().status();
  if (kind != Kind::kObject && kind != Kind::kArray) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(Variant::Members members, value.members());
  std::string_view last;
  for (int64_t i = 0; i < members.size(); ++i) {
    if (members.is_object()) {
      ARROW_ASSIGN_OR_RAISE(std::string_view name, members.Name(i));
      if (i > 0 && CompareNames(last, name) >= 0) return Malformed();
      last = name;
    }
    ARROW_ASSIGN_OR_RAISE(Variant member, members.Value(i));
    ARROW_RETURN_NOT_OK(Check(member, depth + 1));
  }
  return arrow::Status::OK();
}

}  // namespace

bool IsValid(std::string_view value, std::string_view metadata) {
  arrow::Result<Variant> whole = Variant::Make(value, metadata);
  if (!whole.ok() || !Check(*whole, 0).ok()) return false;
  arrow::Result<std::string_view> own = whole->value();
  return own.ok() && own->size() == value.size();
}

}  // namespace millrace::variant
