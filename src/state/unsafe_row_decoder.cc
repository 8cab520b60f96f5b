#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <cstring>
#include <limits>

#include "state/unsafe_row.h"
#include "types/arrow_type.h"

namespace millrace::state {

using arrow::ArrayData;
using arrow::Result;
using arrow::Status;
using types::DataType;
using types::DataTypePtr;
using types::TypeId;

namespace {

/// One value to decode: where it lies, and the row or array its offset counts from.
struct Cell {
  const char* slot = nullptr;  ///< nullptr: NULL
  std::string_view base;
};

using Column = std::shared_ptr<ArrayData>;

Status Malformed(const char* what) { return Status::Invalid("not an UnsafeRow of the expected schema: ", what); }

int64_t Load64(const char* bytes) {
  int64_t value;
  std::memcpy(&value, bytes, 8);
  return value;
}

// Validity bitmap of the cells; nullptr when none is NULL.
Result<std::shared_ptr<arrow::Buffer>> Validity(std::span<const Cell> cells, int64_t* null_count) {
  *null_count = 0;
  for (const Cell& cell : cells) *null_count += cell.slot == nullptr ? 1 : 0;
  if (*null_count == 0) return std::shared_ptr<arrow::Buffer>();
  ARROW_ASSIGN_OR_RAISE(auto bits, arrow::AllocateEmptyBitmap(static_cast<int64_t>(cells.size())));
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].slot != nullptr) arrow::bit_util::SetBit(bits->mutable_data(), static_cast<int64_t>(i));
  }
  return bits;
}

// The bytes that a slot of offset and size points to; empty with nullptr for NULL.
Status Variable(const Cell& cell, std::string_view* bytes) {
  if (cell.slot == nullptr) {
    *bytes = {};
    return Status::OK();
  }
  auto slot = static_cast<uint64_t>(Load64(cell.slot));
  uint64_t offset = slot >> 32, size = slot & 0xffffffffU;
  if (offset > cell.base.size() || size > cell.base.size() - offset) return Malformed("a value beyond its row");
  *bytes = cell.base.substr(offset, size);
  return Status::OK();
}

template <typename T, typename Load>
Result<Column> DecodeFixed(const DataType& type, std::span<const Cell> cells, Load load) {
  auto count = static_cast<int64_t>(cells.size());
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(count * static_cast<int64_t>(sizeof(T))));
  T* out = reinterpret_cast<T*>(values->mutable_data());
  for (size_t i = 0; i < cells.size(); ++i) out[i] = cells[i].slot == nullptr ? T{} : load(cells[i].slot);
  return ArrayData::Make(types::ToArrow(type), count, {std::move(validity), std::move(values)}, null_count);
}

template <typename T>
T LoadAs(const char* slot) {
  T value;
  std::memcpy(&value, slot, sizeof(T));
  return value;
}

Result<Column> DecodeBooleans(const DataType& type, std::span<const Cell> cells) {
  auto count = static_cast<int64_t>(cells.size());
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, arrow::AllocateEmptyBitmap(count));
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].slot != nullptr && *cells[i].slot != 0) {
      arrow::bit_util::SetBit(values->mutable_data(), static_cast<int64_t>(i));
    }
  }
  return ArrayData::Make(types::ToArrow(type), count, {std::move(validity), std::move(values)}, null_count);
}

Result<std::vector<std::string_view>> Variables(std::span<const Cell> cells) {
  std::vector<std::string_view> bytes(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) ARROW_RETURN_NOT_OK(Variable(cells[i], &bytes[i]));
  return bytes;
}

Result<Column> BytesColumn(const std::shared_ptr<arrow::DataType>& type, std::span<const std::string_view> bytes,
                           std::shared_ptr<arrow::Buffer> validity, int64_t null_count) {
  auto count = static_cast<int64_t>(bytes.size());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, arrow::AllocateBuffer((count + 1) * 4));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  int64_t total = 0;
  ends[0] = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    total += static_cast<int64_t>(bytes[i].size());
    if (total > std::numeric_limits<int32_t>::max()) return Status::CapacityError("more than 2 GiB in one column");
    ends[i + 1] = static_cast<int32_t>(total);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, arrow::AllocateBuffer(total));
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!bytes[i].empty()) std::memcpy(values->mutable_data() + ends[i], bytes[i].data(), bytes[i].size());
  }
  return ArrayData::Make(type, count, {std::move(validity), std::move(offsets), std::move(values)}, null_count);
}

Result<Column> DecodeBytes(const DataType& type, std::span<const Cell> cells) {
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(auto bytes, Variables(cells));
  return BytesColumn(types::ToArrow(type), bytes, std::move(validity), null_count);
}

// The length of the value, the value, the metadata.
Result<Column> DecodeVariants(const DataType& type, std::span<const Cell> cells) {
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string_view> values, Variables(cells));
  std::vector<std::string_view> metadata(values.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].slot == nullptr) continue;
    if (values[i].size() < 4) return Malformed("a variant without its size");
    auto size = LoadAs<uint32_t>(values[i].data());
    values[i].remove_prefix(4);
    if (size > values[i].size()) return Malformed("a variant longer than its bytes");
    metadata[i] = values[i].substr(size);
    values[i] = values[i].substr(0, size);
  }
  ARROW_ASSIGN_OR_RAISE(auto value_column, BytesColumn(arrow::binary(), values, nullptr, 0));
  ARROW_ASSIGN_OR_RAISE(auto metadata_column, BytesColumn(arrow::binary(), metadata, nullptr, 0));
  return ArrayData::Make(types::ToArrow(type), static_cast<int64_t>(cells.size()), {std::move(validity)},
                         {std::move(value_column), std::move(metadata_column)}, null_count);
}

Result<Column> DecodeLongDecimals(const DataType& type, std::span<const Cell> cells) {
  ARROW_ASSIGN_OR_RAISE(auto bytes, Variables(cells));
  std::vector<arrow::Decimal128> values(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].slot == nullptr) continue;
    if (bytes[i].empty() || bytes[i].size() > 16) return Malformed("a decimal of no or more than 16 bytes");
    ARROW_ASSIGN_OR_RAISE(values[i], arrow::Decimal128::FromBigEndian(reinterpret_cast<const uint8_t*>(bytes[i].data()),
                                                                      static_cast<int32_t>(bytes[i].size())));
  }
  size_t i = 0;
  ARROW_ASSIGN_OR_RAISE(auto column,
                        DecodeFixed<arrow::Decimal128>(type, cells, [](const char*) { return arrow::Decimal128(); }));
  auto* out = reinterpret_cast<arrow::Decimal128*>(column->buffers[1]->mutable_data());
  for (; i < values.size(); ++i) out[i] = values[i];
  return column;
}

Result<Column> DecodeIntervals(const DataType& type, std::span<const Cell> cells) {
  using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;
  ARROW_ASSIGN_OR_RAISE(auto bytes, Variables(cells));
  ARROW_ASSIGN_OR_RAISE(auto column,
                        DecodeFixed<MonthDayNanos>(type, cells, [](const char*) { return MonthDayNanos{}; }));
  auto* out = reinterpret_cast<MonthDayNanos*>(column->buffers[1]->mutable_data());
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].slot == nullptr) continue;
    if (bytes[i].size() != 16) return Malformed("an interval that is not 16 bytes");
    out[i].months = LoadAs<int32_t>(bytes[i].data());
    out[i].days = LoadAs<int32_t>(bytes[i].data() + 4);
    if (__builtin_mul_overflow(Load64(bytes[i].data() + 8), int64_t{1000}, &out[i].nanoseconds)) {
      return Malformed("an interval beyond 292 years");
    }
  }
  return column;
}

Result<Column> DecodeCells(const DataType& type, std::span<const Cell> cells);

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

// Adds the elements of the array in `bytes` to `cells`.
Status AppendElements(const DataType& element, std::string_view bytes, std::vector<Cell>* cells, int64_t* count) {
  if (bytes.size() < 8) return Malformed("an array without its count");
  *count = Load64(bytes.data());
  auto size = static_cast<int64_t>(bytes.size());
  // First a bound that cannot overflow: every element has at least its null bit.
  if (*count < 0 || *count / 8 > size) return Malformed("an array longer than its bytes");
  int64_t slots = 8 + NullBitsBytes(*count), width = ElementWidth(element);
  if (slots + *count * width > size) return Malformed("an array longer than its bytes");
  for (int64_t k = 0; k < *count; ++k) {
    bool is_null = (static_cast<uint8_t>(bytes[static_cast<size_t>(8 + k / 8)]) >> (k % 8) & 1) != 0;
    cells->push_back({is_null ? nullptr : bytes.data() + slots + k * width, bytes});
  }
  return Status::OK();
}

struct Lists {
  std::shared_ptr<arrow::Buffer> validity;
  std::shared_ptr<arrow::Buffer> offsets;
  int64_t null_count = 0;
};

Status CheckOffset(size_t total) {
  if (total > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Status::CapacityError("more than 2^31 elements in one column");
  }
  return Status::OK();
}

Result<Column> DecodeArrays(const DataType& type, std::span<const Cell> cells) {
  auto count = static_cast<int64_t>(cells.size());
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(auto bytes, Variables(cells));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, arrow::AllocateBuffer((count + 1) * 4));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  ends[0] = 0;
  std::vector<Cell> elements;
  for (size_t i = 0; i < cells.size(); ++i) {
    int64_t added;
    if (cells[i].slot != nullptr) ARROW_RETURN_NOT_OK(AppendElements(*type.element(), bytes[i], &elements, &added));
    ARROW_RETURN_NOT_OK(CheckOffset(elements.size()));
    ends[i + 1] = static_cast<int32_t>(elements.size());
  }
  ARROW_ASSIGN_OR_RAISE(auto child, DecodeCells(*type.element(), elements));
  return ArrayData::Make(types::ToArrow(type), count, {std::move(validity), std::move(offsets)}, {std::move(child)},
                         null_count);
}

Result<Column> DecodeMaps(const DataType& type, std::span<const Cell> cells) {
  auto count = static_cast<int64_t>(cells.size());
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(auto bytes, Variables(cells));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, arrow::AllocateBuffer((count + 1) * 4));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  ends[0] = 0;
  std::vector<Cell> keys, values;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].slot != nullptr) {
      if (bytes[i].size() < 8) return Malformed("a map without its size");
      auto key_bytes = static_cast<uint64_t>(Load64(bytes[i].data()));
      std::string_view rest = bytes[i].substr(8);
      if (key_bytes > rest.size()) return Malformed("a map's keys beyond its bytes");
      int64_t num_keys, num_values;
      ARROW_RETURN_NOT_OK(AppendElements(*type.key(), rest.substr(0, key_bytes), &keys, &num_keys));
      ARROW_RETURN_NOT_OK(AppendElements(*type.value(), rest.substr(key_bytes), &values, &num_values));
      if (num_keys != num_values) return Malformed("a map with unlike numbers of keys and values");
    }
    ARROW_RETURN_NOT_OK(CheckOffset(keys.size()));
    ends[i + 1] = static_cast<int32_t>(keys.size());
  }
  for (const Cell& key : keys) {
    if (key.slot == nullptr) return Malformed("a map with a NULL key");
  }
  ARROW_ASSIGN_OR_RAISE(auto key_column, DecodeCells(*type.key(), keys));
  ARROW_ASSIGN_OR_RAISE(auto value_column, DecodeCells(*type.value(), values));
  auto arrow_type = types::ToArrow(type);
  auto entries = ArrayData::Make(arrow_type->field(0)->type(), static_cast<int64_t>(keys.size()), {nullptr},
                                 {std::move(key_column), std::move(value_column)}, 0);
  return ArrayData::Make(std::move(arrow_type), count, {std::move(validity), std::move(offsets)}, {std::move(entries)},
                         null_count);
}

// The cells of column `ordinal` of rows; a row with data() == nullptr is all NULL.
Status ColumnCells(std::span<const std::string_view> rows, size_t num_fields, size_t ordinal,
                   std::vector<Cell>* cells) {
  cells->resize(rows.size());
  int64_t slots = NullBitsBytes(static_cast<int64_t>(num_fields));
  size_t fixed_bytes = static_cast<size_t>(slots) + 8 * num_fields;
  for (size_t i = 0; i < rows.size(); ++i) {
    const char* bytes = rows[i].data();
    if (bytes == nullptr) {
      (*cells)[i] = Cell();
      continue;
    }
    if (rows[i].size() < fixed_bytes) return Malformed("a row shorter than its columns");
    bool is_null = (static_cast<uint8_t>(bytes[ordinal / 8]) >> (ordinal % 8) & 1) != 0;
    (*cells)[i] = {is_null ? nullptr : bytes + slots + 8 * ordinal, rows[i]};
  }
  return Status::OK();
}

Result<Column> DecodeStructs(const DataType& type, std::span<const Cell> cells) {
  int64_t null_count;
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(cells, &null_count));
  ARROW_ASSIGN_OR_RAISE(auto rows, Variables(cells));
  std::vector<Column> children;
  std::vector<Cell> child_cells;
  for (size_t k = 0; k < type.fields().size(); ++k) {
    ARROW_RETURN_NOT_OK(ColumnCells(rows, type.fields().size(), k, &child_cells));
    ARROW_ASSIGN_OR_RAISE(auto child, DecodeCells(*type.fields()[k].type, child_cells));
    children.push_back(std::move(child));
  }
  return ArrayData::Make(types::ToArrow(type), static_cast<int64_t>(cells.size()), {std::move(validity)},
                         std::move(children), null_count);
}

Result<Column> DecodeCells(const DataType& type, std::span<const Cell> cells) {
  auto count = static_cast<int64_t>(cells.size());
  switch (type.id()) {
    case TypeId::kNull:
      return ArrayData::Make(arrow::null(), count, {nullptr}, count);
    case TypeId::kBoolean:
      return DecodeBooleans(type, cells);
    case TypeId::kByte:
      return DecodeFixed<int8_t>(type, cells, LoadAs<int8_t>);
    case TypeId::kShort:
      return DecodeFixed<int16_t>(type, cells, LoadAs<int16_t>);
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
    case TypeId::kFloat:
      return DecodeFixed<int32_t>(type, cells, LoadAs<int32_t>);
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
    case TypeId::kDouble:
      return DecodeFixed<int64_t>(type, cells, LoadAs<int64_t>);
    case TypeId::kDecimal:
      if (type.precision() > 18) return DecodeLongDecimals(type, cells);
      return DecodeFixed<arrow::Decimal128>(type, cells,
                                            [](const char* slot) { return arrow::Decimal128(Load64(slot)); });
    case TypeId::kString:
    case TypeId::kBinary:
      return DecodeBytes(type, cells);
    case TypeId::kCalendarInterval:
      return DecodeIntervals(type, cells);
    case TypeId::kVariant:
      return DecodeVariants(type, cells);
    case TypeId::kArray:
      return DecodeArrays(type, cells);
    case TypeId::kMap:
      return DecodeMaps(type, cells);
    case TypeId::kStruct:
      return DecodeStructs(type, cells);
  }
  return Malformed("a type that has no row form");
}

}  // namespace

Result<Column> UnsafeRowDecoder::DecodeColumn(std::span<const std::string_view> rows, int ordinal) const {
  std::vector<Cell> cells;
  ARROW_RETURN_NOT_OK(ColumnCells(rows, types_.size(), static_cast<size_t>(ordinal), &cells));
  return DecodeCells(*types_[static_cast<size_t>(ordinal)], cells);
}

Result<std::vector<Column>> UnsafeRowDecoder::Decode(std::span<const std::string_view> rows) const {
  std::vector<Column> columns;
  for (size_t c = 0; c < types_.size(); ++c) {
    ARROW_ASSIGN_OR_RAISE(auto column, DecodeColumn(rows, static_cast<int>(c)));
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::vector<Column>> UnsafeRowDecoder::Decode(const UnsafeRows& rows) const {
  std::vector<std::string_view> views(static_cast<size_t>(rows.num_rows()));
  for (size_t i = 0; i < views.size(); ++i) views[i] = rows.row(static_cast<int64_t>(i));
  return Decode(views);
}

}  // namespace millrace::state
