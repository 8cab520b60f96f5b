#include "format/csv/csv_encoder.h"

#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>

#include "format/byte_sink.h"
#include "format/value_text.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace millrace::format {

using types::TypeId;

class CsvEncoder::Implementation {
 public:
  Implementation(types::DataTypePtr type, const CsvOptions& options, DateTimeWriter datetimes)
      : type_(std::move(type)), options_(options), datetimes_(std::move(datetimes)) {}

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& column, arrow::MemoryPool* pool) {
    const auto& rows = static_cast<const arrow::StructArray&>(column);
    int64_t num_rows = rows.length();
    const auto& fields = rows.fields();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                          arrow::AllocateBuffer((num_rows + 1) * static_cast<int64_t>(sizeof(int32_t)), pool));
    auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    ends[0] = 0;
    ByteSink sink(pool);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, arrow::AllocateEmptyBitmap(num_rows, pool));
    int64_t num_nulls = 0;
    std::string record;
    for (int64_t i = 0; i < num_rows; ++i) {
      record.clear();
      if (!rows.IsNull(i)) {
        for (size_t k = 0; k < fields.size(); ++k) {
          if (k > 0) record += options_.delimiter;
          if (fields[k]->IsNull(i)) {
            AppendField(options_.null_value, /*is_null=*/true, k == 0, &record);
          } else {
            value_.clear();
            AppendValue(*fields[k], i, *type_->fields()[k].type, &value_);
            AppendField(value_, /*is_null=*/false, k == 0, &record);
          }
        }
        sink.Append(record);
      }
      if (record.empty()) {
        ++num_nulls;  // a record without any text is NULL too
      } else {
        arrow::bit_util::SetBit(validity->mutable_data(), i);
      }
      if (sink.size() > INT32_MAX) {
        return arrow::Status::CapacityError("to_csv: a column of texts passes 2^31 bytes; use smaller batches");
      }
      ends[i + 1] = static_cast<int32_t>(sink.size());
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, sink.Finish());
    return arrow::MakeArray(arrow::ArrayData::Make(
        arrow::utf8(), num_rows, {std::move(validity), std::move(offsets), std::move(bytes)}, num_nulls));
  }

  std::string Header() const {
    std::string record;
    for (size_t i = 0; i < type_->fields().size(); ++i) {
      if (i > 0) record += options_.delimiter;
      AppendField(type_->fields()[i].name, /*is_null=*/false, i == 0, &record);
    }
    return record;
  }

 private:
  template <typename T>
  static T Value(const arrow::Array& column, int64_t row) {
    return column.data()->GetValues<T>(1)[row];
  }

  void AppendValue(const arrow::Array& column, int64_t row, const types::DataType& type, std::string* out) const {
    if (column.IsNull(row)) return;
    if (AppendPlainValue(column, row, type, out)) return;
    switch (type.id()) {
      case TypeId::kBinary:
        return AppendBytes(static_cast<const arrow::BinaryArray&>(column).GetView(row), out);
      case TypeId::kDate:
        return datetimes_.AppendDate(Value<int32_t>(column, row), out);
      case TypeId::kTimestamp:
        return AppendTimestamp(Value<int64_t>(column, row), out);
      case TypeId::kTimestampNtz:
        return datetimes_.AppendTimestampNtz(Value<int64_t>(column, row), out);
      case TypeId::kYearMonthInterval:
        return types::AppendYearMonthInterval(Value<int32_t>(column, row), type.start_field(), type.end_field(), out);
      case TypeId::kDayTimeInterval:
        return types::AppendDayTimeInterval(Value<int64_t>(column, row), type.start_field(), type.end_field(), out);
      case TypeId::kCalendarInterval: {
        auto value = Value<arrow::MonthDayNanoIntervalType::MonthDayNanos>(column, row);
        return types::AppendCalendarInterval({value.months, value.days, value.nanoseconds / 1000}, out);
      }
      case TypeId::kTime:
        return datetimes_.AppendTimeOfDay(Value<int64_t>(column, row), out);
      case TypeId::kNull:
        return;
      default:
        AppendNested(column, row, type, out);
    }
  }

  void AppendTimestamp(int64_t utc_us, std::string* out) const {
    char text[DateTimeWriter::kShortTextMax];
    size_t size = datetimes_.WriteTimestamp(utc_us, text);
    if (size > 0) {
      out->append(text, size);
    } else {
      datetimes_.AppendTimestamp(utc_us, out);
    }
  }

  /// "[61 62]"
  static void AppendBytes(std::string_view bytes, std::string* out) {
    constexpr char kHex[] = "0123456789ABCDEF";
    out->push_back('[');
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i > 0) out->push_back(' ');
      auto byte = static_cast<unsigned char>(bytes[i]);
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    }
    out->push_back(']');
  }

  /// One of several values of a nested one; a null leaves nothing, not even the blank before it.
  void AppendElement(const arrow::Array& column, int64_t row, const types::DataType& type, bool first,
                     std::string* out) const {
    if (!first) out->push_back(',');
    if (column.IsNull(row)) return;
    if (!first) out->push_back(' ');
    AppendValue(column, row, type, out);
  }

  /// [1, 2], {k -> v}, {1, x}.
  void AppendNested(const arrow::Array& column, int64_t row, const types::DataType& type, std::string* out) const {
    if (type.id() == TypeId::kStruct) {
      const auto& rows = static_cast<const arrow::StructArray&>(column);
      out->push_back('{');
      for (int i = 0; i < rows.num_fields(); ++i) {
        AppendElement(*rows.field(i), row, *type.fields()[static_cast<size_t>(i)].type, i == 0, out);
      }
      out->push_back('}');
      return;
    }
    const auto& list = static_cast<const arrow::ListArray&>(column);
    bool is_map = type.id() == TypeId::kMap;
    out->push_back(is_map ? '{' : '[');
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      bool first = i == list.value_offset(row);
      if (is_map) {
        const auto& map = static_cast<const arrow::MapArray&>(column);
        AppendElement(*map.keys(), i, *type.key(), first, out);
        out->append(" ->");
        if (!map.items()->IsNull(i)) out->push_back(' ');
        AppendValue(*map.items(), i, *type.value(), out);
      } else {
        AppendElement(*list.values(), i, *type.element(), first, out);
      }
    }
    out->push_back(is_map ? '}' : ']');
  }

  void AppendField(std::string_view value, bool is_null, bool is_first, std::string* out) const {
    if (!is_null) {
      auto space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
      if (options_.ignore_leading_space_in_write) {
        while (!value.empty() && space(value.front())) value.remove_prefix(1);
      }
      if (options_.ignore_trailing_space_in_write) {
        while (!value.empty() && space(value.back())) value.remove_suffix(1);
      }
      if (value.empty()) {
        out->append(options_.empty_value_in_write);
        return;
      }
    }
    bool quoted = options_.quote_all;
    bool has_quote = options_.quote != '\0' && value.find(options_.quote) != std::string_view::npos;
    if (has_quote && options_.escape_quotes) quoted = true;
    if (!quoted) {
      quoted = value.find(options_.delimiter) != std::string_view::npos ||
               value.find_first_of("\r\n") != std::string_view::npos;
      char comment = options_.comment == '\0' ? '#' : options_.comment;
      if (is_first && !value.empty() && value[0] == comment) quoted = true;
    }
    if (!quoted) {
      out->append(value);
      return;
    }
    out->push_back(options_.quote);
    for (char c : value) {
      if (c == options_.quote) {
        out->push_back(options_.escape);
      } else if (c == options_.escape && options_.escape_escape != '\0' && options_.escape != options_.quote) {
        out->push_back(options_.escape_escape);
      }
      out->push_back(c);
    }
    out->push_back(options_.quote);
  }

  types::DataTypePtr type_;
  CsvOptions options_;
  DateTimeWriter datetimes_;
  std::string value_;
};

CsvEncoder::CsvEncoder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
CsvEncoder::~CsvEncoder() = default;

arrow::Result<std::unique_ptr<CsvEncoder>> CsvEncoder::Make(const types::DataTypePtr& type, const CsvOptions& options) {
  if (type->Holds(TypeId::kVariant)) return arrow::Status::NotImplemented("CSV of ", type->Sql());
  ARROW_ASSIGN_OR_RAISE(DateTimeWriter datetimes, DateTimeWriter::Make(options));
  return std::unique_ptr<CsvEncoder>(
      new CsvEncoder(std::make_unique<Implementation>(type, options, std::move(datetimes))));
}

arrow::Result<std::shared_ptr<arrow::Array>> CsvEncoder::Encode(const arrow::Array& rows, arrow::MemoryPool* pool) {
  return implementation_->Encode(rows, pool);
}

std::string CsvEncoder::Header() const { return implementation_->Header(); }

}  // namespace millrace::format
