#include "variant/variant_builder.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "variant/encoding.h"

namespace millrace::variant {

namespace {

constexpr uint32_t kByteMax = 0xFF;
constexpr size_t kFirstSlots = 32;

size_t WidthOf(uint64_t value) { return value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : value <= 0xFFFFFF ? 3 : 4; }

void AppendLittle(uint64_t bits, size_t width, std::string* out) {
  char bytes[8];
  for (size_t i = 0; i < width; ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
  out->append(bytes, width);
}

char HeaderByte(BasicType type, int info) { return static_cast<char>(info << 2 | static_cast<int>(type)); }

}  // namespace

void VariantBuilder::Reset() {
  value_.clear();
  names_.clear();
  name_ends_.clear();
  std::fill(slots_.begin(), slots_.end(), -1);
}

void VariantBuilder::AppendHeader(int primitive) { value_ += HeaderByte(BasicType::kPrimitive, primitive); }
void VariantBuilder::AppendNumber(uint64_t bits, size_t width) { AppendLittle(bits, width, &value_); }

void VariantBuilder::AppendNull() { AppendHeader(static_cast<int>(Primitive::kNull)); }

void VariantBuilder::AppendBoolean(bool value) {
  AppendHeader(static_cast<int>(value ? Primitive::kTrue : Primitive::kFalse));
}

void VariantBuilder::AppendLong(int64_t value) {
  Primitive type = Primitive::kInt64;
  size_t width = 8;
  if (value == static_cast<int8_t>(value)) {
    type = Primitive::kInt8;
    width = 1;
  } else if (value == static_cast<int16_t>(value)) {
    type = Primitive::kInt16;
    width = 2;
  } else if (value == static_cast<int32_t>(value)) {
    type = Primitive::kInt32;
    width = 4;
  }
  AppendHeader(static_cast<int>(type));
  AppendNumber(static_cast<uint64_t>(value), width);
}

void VariantBuilder::AppendDouble(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  AppendHeader(static_cast<int>(Primitive::kDouble));
  AppendNumber(bits, 8);
}

void VariantBuilder::AppendFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  AppendHeader(static_cast<int>(Primitive::kFloat));
  AppendNumber(bits, 4);
}

void VariantBuilder::AppendDecimal(const arrow::Decimal128& unscaled, int scale) {
  int digits = std::max(NumDigits(unscaled), scale);
  if (digits <= kDecimal4Digits) {
    AppendHeader(static_cast<int>(Primitive::kDecimal4));
    value_ += static_cast<char>(scale);
    AppendNumber(unscaled.low_bits(), 4);
  } else if (digits <= kDecimal8Digits) {
    AppendHeader(static_cast<int>(Primitive::kDecimal8));
    value_ += static_cast<char>(scale);
    AppendNumber(unscaled.low_bits(), 8);
  } else {
    AppendHeader(static_cast<int>(Primitive::kDecimal16));
    value_ += static_cast<char>(scale);
    AppendNumber(unscaled.low_bits(), 8);
    AppendNumber(static_cast<uint64_t>(unscaled.high_bits()), 8);
  }
}

void VariantBuilder::AppendDate(int32_t days) {
  AppendHeader(static_cast<int>(Primitive::kDate));
  AppendNumber(static_cast<uint32_t>(days), 4);
}

void VariantBuilder::AppendTimestamp(int64_t utc_us) {
  AppendHeader(static_cast<int>(Primitive::kTimestamp));
  AppendNumber(static_cast<uint64_t>(utc_us), 8);
}

void VariantBuilder::AppendTimestampNtz(int64_t local_us) {
  AppendHeader(static_cast<int>(Primitive::kTimestampNtz));
  AppendNumber(static_cast<uint64_t>(local_us), 8);
}

void VariantBuilder::AppendString(std::string_view text) {
  if (text.size() <= static_cast<size_t>(kShortStringMax)) {
    value_ += HeaderByte(BasicType::kShortString, static_cast<int>(text.size()));
  } else {
    AppendHeader(static_cast<int>(Primitive::kString));
    AppendNumber(text.size(), 4);
  }
  value_ += text;
}

void VariantBuilder::AppendBinary(std::string_view bytes) {
  AppendHeader(static_cast<int>(Primitive::kBinary));
  AppendNumber(bytes.size(), 4);
  value_ += bytes;
}

arrow::Status VariantBuilder::AppendVariant(const Variant& value, int depth) {
  if (depth > kDepthMax) return Malformed();
  ARROW_ASSIGN_OR_RAISE(Kind kind, value.kind());
  if (kind != Kind::kObject && kind != Kind::kArray) {
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, value.value());
    value_ += bytes;
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(Variant::Members members, value.members());
  size_t start = position();
  if (kind == Kind::kArray) {
    std::vector<uint32_t> offsets;
    for (int64_t i = 0; i < members.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(Variant element, members.Value(i));
      offsets.push_back(static_cast<uint32_t>(position() - start));
      ARROW_RETURN_NOT_OK(AppendVariant(element, depth + 1));
    }
    FinishArray(start, offsets);
    return arrow::Status::OK();
  }
  std::vector<Field> fields;
  for (int64_t i = 0; i < members.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(std::string_view name, members.Name(i));
    ARROW_ASSIGN_OR_RAISE(Variant member, members.Value(i));
    fields.push_back({NameId(name), static_cast<uint32_t>(position() - start)});
    ARROW_RETURN_NOT_OK(AppendVariant(member, depth + 1));
  }
  return FinishObject(start, &fields);
}

std::string_view VariantBuilder::Name(int32_t id) const {
  size_t begin = id == 0 ? 0 : name_ends_[static_cast<size_t>(id) - 1];
  return std::string_view(names_).substr(begin, name_ends_[static_cast<size_t>(id)] - begin);
}

int32_t VariantBuilder::NameId(std::string_view name) {
  if ((name_ends_.size() + 1) * 2 > slots_.size()) {
    slots_.assign(std::max(kFirstSlots, slots_.size() * 2), -1);
    for (size_t id = 0; id < name_ends_.size(); ++id) {
      size_t at = std::hash<std::string_view>()(Name(static_cast<int32_t>(id))) & (slots_.size() - 1);
      while (slots_[at] >= 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<int32_t>(id);
    }
  }
  size_t at = std::hash<std::string_view>()(name) & (slots_.size() - 1);
  while (slots_[at] >= 0) {
    if (Name(slots_[at]) == name) return slots_[at];
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = static_cast<int32_t>(name_ends_.size());
  names_ += name;
  name_ends_.push_back(static_cast<uint32_t>(names_.size()));
  return slots_[at];
}

// Of members with one name, only the one written last stays, and its bytes move together with the others'.
void VariantBuilder::KeepLast(size_t start, std::vector<Field>* fields) {
  auto by_offset = [](const Field& a, const Field& b) { return a.offset < b.offset; };
  std::sort(fields->begin(), fields->end(), by_offset);
  std::vector<Field> kept;
  std::string bytes;
  for (size_t i = 0; i < fields->size(); ++i) {
    const Field& field = (*fields)[i];
    bool again = std::any_of(fields->begin() + static_cast<std::ptrdiff_t>(i) + 1, fields->end(),
                             [&](const Field& later) { return later.name_id == field.name_id; });
    if (again) continue;
    size_t begin = start + field.offset;
    size_t end = i + 1 < fields->size() ? start + (*fields)[i + 1].offset : value_.size();
    kept.push_back({field.name_id, static_cast<uint32_t>(bytes.size())});
    bytes.append(value_, begin, end - begin);
  }
  value_.replace(start, std::string::npos, bytes);
  *fields = std::move(kept);
}

void VariantBuilder::InsertHeader(size_t start, std::string_view header) { value_.insert(start, header); }

arrow::Status VariantBuilder::FinishObject(size_t start, std::vector<Field>* fields) {
  auto by_name = [this](const Field& a, const Field& b) { return CompareNames(Name(a.name_id), Name(b.name_id)) < 0; };
  std::sort(fields->begin(), fields->end(), by_name);
  auto same = std::adjacent_find(fields->begin(), fields->end(),
                                 [](const Field& a, const Field& b) { return a.name_id == b.name_id; });
  if (same != fields->end()) {
    if (!keep_last_) return UserError("VARIANT_DUPLICATE_KEY", {{"key", std::string(Name(same->name_id))}});
    KeepLast(start, fields);
    std::sort(fields->begin(), fields->end(), by_name);
  }
  int32_t id_max = 0;
  for (const Field& field : *fields) id_max = std::max(id_max, field.name_id);
  size_t data_size = position() - start;
  bool large = fields->size() > kByteMax;
  size_t id_width = WidthOf(static_cast<uint64_t>(id_max));
  size_t offset_width = WidthOf(data_size);
  header_.clear();
  int info = (large ? 1 : 0) << 4 | static_cast<int>(id_width - 1) << 2 | static_cast<int>(offset_width - 1);
  header_ += HeaderByte(BasicType::kObject, info);
  AppendLittle(fields->size(), large ? 4 : 1, &header_);
  for (const Field& field : *fields) AppendLittle(static_cast<uint64_t>(field.name_id), id_width, &header_);
  for (const Field& field : *fields) AppendLittle(field.offset, offset_width, &header_);
  AppendLittle(data_size, offset_width, &header_);
  InsertHeader(start, header_);
  return arrow::Status::OK();
}

void VariantBuilder::FinishArray(size_t start, const std::vector<uint32_t>& offsets) {
  size_t data_size = position() - start;
  bool large = offsets.size() > kByteMax;
  size_t offset_width = WidthOf(data_size);
  header_.clear();
  header_ += HeaderByte(BasicType::kArray, (large ? 1 : 0) << 2 | static_cast<int>(offset_width - 1));
  AppendLittle(offsets.size(), large ? 4 : 1, &header_);
  for (uint32_t offset : offsets) AppendLittle(offset, offset_width, &header_);
  AppendLittle(data_size, offset_width, &header_);
  InsertHeader(start, header_);
}

bool VariantBuilder::Finish(std::string_view* value, std::string_view* metadata) {
  size_t count = name_ends_.size();
  size_t largest = std::max(names_.size(), count);
  if (value_.size() > kSizeMax || largest > kSizeMax) return false;
  size_t width = WidthOf(largest);
  metadata_.clear();
  metadata_ += static_cast<char>(kVersion | (width - 1) << 6);
  AppendLittle(count, width, &metadata_);
  AppendLittle(0, width, &metadata_);
  for (uint32_t end : name_ends_) AppendLittle(end, width, &metadata_);
  metadata_ += names_;
  *value = value_;
  *metadata = metadata_;
  return metadata_.size() <= kSizeMax;
}

}  // namespace millrace::variant
