#include "format/csv/csv_decoder.h"

#include <limits>

#include "base/ascii.h"
#include "base/error.h"
#include "format/column_writer.h"
#include "format/csv/csv_tokenizer.h"
#include "format/json/json_decoder.h"
#include "format/json/json_record.h"
#include "format/text_cell.h"
#include "format/text_value.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace millrace::format {

using types::DataTypePtr;
using types::TypeId;

namespace {

/// Java's parseDouble and parseFloat know "NaN" and "Infinity" in this case only.
template <typename T>
bool ParseFloating(std::string_view text, T* value) {
  std::string_view word = TrimAscii(text);
  if (word.starts_with('+') || word.starts_with('-')) word.remove_prefix(1);
  bool letter = !word.empty() && ((word[0] >= 'a' && word[0] <= 'z') || (word[0] >= 'A' && word[0] <= 'Z'));
  if (letter && word != "NaN" && word != "Infinity") return false;
  if constexpr (std::is_same_v<T, float>) {
    return types::ParseFloat(text, value);
  } else {
    return types::ParseDouble(text, value);
  }
}

class FieldConverter {
 public:
  FieldConverter(const CsvOptions& options, const TextValueParser& values) : options_(options), values_(values) {}

  /// False when the text does not fit the type; the cell is then NULL.
  bool Convert(const std::optional<std::string>& text, const types::DataType& type, JsonCell* cell) const {
    cell->valid = text.has_value() && *text != options_.null_value;
    if (!cell->valid) return true;
    cell->valid = ConvertText(*text, type, cell);
    return cell->valid;
  }

 private:
  /// The words the options give to numbers that are none.
  bool NamedNumber(std::string_view text, double* value) const {
    if (text == options_.nan_value) {
      *value = std::numeric_limits<double>::quiet_NaN();
    } else if (text == options_.negative_infinity) {
      *value = -std::numeric_limits<double>::infinity();
    } else if (text == options_.positive_infinity) {
      *value = std::numeric_limits<double>::infinity();
    } else {
      return false;
    }
    return true;
  }

  bool ConvertText(const std::string& text, const types::DataType& type, JsonCell* cell) const {
    switch (type.id()) {
      case TypeId::kFloat: {
        float value = 0;
        if (NamedNumber(text, &cell->number)) return true;
        bool ok = ParseFloating(text, &value);
        cell->number = value;
        return ok;
      }
      case TypeId::kDouble:
        return NamedNumber(text, &cell->number) || ParseFloating(text, &cell->number);
      case TypeId::kBoolean:
        cell->integer = EqualsIgnoreCase(text, "true") ? 1 : 0;
        return cell->integer == 1 || EqualsIgnoreCase(text, "false");
      case TypeId::kBinary:
        cell->text = text;
        return true;
      case TypeId::kYearMonthInterval: {
        int32_t months = 0;
        bool ok = types::ParseYearMonthInterval(text, type.start_field(), type.end_field(), &months) ==
                  types::IntervalParse::kOk;
        cell->integer = months;
        return ok;
      }
      case TypeId::kDayTimeInterval:
        return types::ParseDayTimeInterval(text, type.start_field(), type.end_field(), &cell->integer) ==
               types::IntervalParse::kOk;
      case TypeId::kCalendarInterval: {
        types::CalendarIntervalValue value;
        if (!types::ParseCalendarInterval(text, &value)) return false;
        cell->integer = value.months;
        cell->days = value.days;
        cell->micros = value.micros;
        return true;
      }
      default:
        return ReadTextCell(text, type, values_, options_.number_symbols, cell);
    }
  }

  const CsvOptions& options_;
  const TextValueParser& values_;
};

}  // namespace

bool SupportsCsv(const types::DataType& type) {
  return !type.is_nested() && type.id() != TypeId::kNull && type.id() != TypeId::kVariant;
}

class CsvDecoder::Implementation {
 public:
  Implementation(CsvDecoderConfig config, TextValueParser values, arrow::MemoryPool* pool)
      : config_(std::move(config)),
        values_(std::move(values)),
        converter_(config_.options, values_),
        tokenizer_(config_.options),
        root_(config_.schema, pool) {
    const auto& wanted = config_.schema->fields();
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (corrupt_column_ < 0 && wanted[i].name == config_.options.corrupt_record_column) {
        corrupt_column_ = static_cast<int>(i);
      }
    }
    // Where each wanted column stands in the text.
    const DataTypePtr& text_schema = config_.text_schema == nullptr ? config_.schema : config_.text_schema;
    size_t num_wanted = wanted.size() - (corrupt_column_ >= 0 ? 1 : 0);
    for (const types::StructField& field : text_schema->fields()) {
      if (field.name != config_.options.corrupt_record_column || corrupt_column_ < 0) text_names_.push_back(field.name);
    }
    checks_length_ = num_wanted == text_names_.size();
    cells_.resize(wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      size_t place = 0;
      while (place < text_names_.size() && text_names_[place] != wanted[i].name) ++place;
      places_.push_back(config_.text_schema == nullptr ? PlaceWithoutCorrupt(i) : place);
    }
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const arrow::Array& column) {
    const auto& records = static_cast<const arrow::StringArray&>(column);
    root_.Truncate(0);
    for (int64_t i = 0; i < records.length(); ++i) {
      if (records.IsNull(i)) {
        if (!config_.as_source) root_.AppendNull();
        continue;
      }
      tokenizer_.Start(records.GetView(i), /*one_record=*/true);
      bool read = tokenizer_.Next();
      if (tokenizer_.failed()) return Unreadable(records.GetView(i));
      ARROW_RETURN_NOT_OK(AppendRecord(read, records.GetView(i)));
    }
    return root_.Finish();
  }

  void StartText(std::string_view text) { tokenizer_.Start(text, /*one_record=*/false); }
  void SkipRecord() { tokenizer_.Next(); }

  arrow::Result<std::shared_ptr<arrow::Array>> DecodeText(int64_t max_rows) {
    root_.Truncate(0);
    while (root_.length() < max_rows) {
      if (!tokenizer_.Next()) {
        if (tokenizer_.failed()) return Unreadable(tokenizer_.record());
        break;
      }
      ARROW_RETURN_NOT_OK(AppendRecord(true, tokenizer_.record()));
    }
    return root_.Finish();
  }

 private:
  /// Beyond what the parse mode forgives: too many columns, or quotes that must not be there.
  static arrow::Status Unreadable(std::string_view record) {
    return UserError("MALFORMED_CSV_RECORD", {{"badRecord", std::string(record)}});
  }

  size_t PlaceWithoutCorrupt(size_t i) const {
    return corrupt_column_ >= 0 && static_cast<size_t>(corrupt_column_) < i ? i - 1 : i;
  }

  arrow::Status AppendRecord(bool read, std::string_view record) {
    const auto& values = tokenizer_.values();
    bool bad = !read || (checks_length_ && values.size() != text_names_.size());
    for (size_t i = 0; i < cells_.size(); ++i) {
      JsonCell& cell = cells_[i];
      cell.valid = false;
      if (static_cast<int>(i) == corrupt_column_ || !read || places_[i] >= values.size()) continue;
      if (!converter_.Convert(values[places_[i]], *config_.schema->fields()[i].type, &cell)) bad = true;
    }
    if (bad && config_.options.mode == ParseMode::kDropMalformed && config_.as_source) return arrow::Status::OK();
    if (bad && corrupt_column_ >= 0 && !record.empty()) {
      JsonCell& cell = cells_[static_cast<size_t>(corrupt_column_)];
      cell.valid = true;
      cell.text = record;
    }
    if (bad && config_.options.mode == ParseMode::kFailFast) {
      std::string row = "[";
      for (size_t i = 0; i < cells_.size(); ++i) {
        if (i > 0) row += ",";
        AppendCellText(cells_[i], *config_.schema->fields()[i].type, &row);
      }
      return UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                       {{"badRecord", row + "]"}, {"failFastMode", "FAILFAST"}});
    }
    for (size_t i = 0; i < cells_.size(); ++i) AppendCell(cells_[i], &root_.child(i));
    root_.EndStruct();
    return arrow::Status::OK();
  }

  CsvDecoderConfig config_;
  TextValueParser values_;
  FieldConverter converter_;
  CsvTokenizer tokenizer_;
  ColumnWriter root_;
  int corrupt_column_ = -1;
  /// Columns of the text, without the corrupt-record column.
  std::vector<std::string> text_names_;
  std::vector<size_t> places_;
  bool checks_length_ = true;
  std::vector<JsonCell> cells_;
};

CsvDecoder::CsvDecoder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
CsvDecoder::~CsvDecoder() = default;

arrow::Result<std::unique_ptr<CsvDecoder>> CsvDecoder::Make(CsvDecoderConfig config, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckCorruptRecordColumn(*config.schema, config.options.corrupt_record_column));
  for (const types::StructField& field : config.schema->fields()) {
    if (!SupportsCsv(*field.type)) {
      return UserError("UNSUPPORTED_DATATYPE", {{"typeName", QuoteSqlType(field.type->Sql())}});
    }
  }
  TextValueOptions reading = ValuesOf(config.options);
  reading.date_fallback = config.options.date_fallback;
  reading.timestamp_fallback = config.options.timestamp_fallback;
  reading.date_reads_day_numbers = false;
  ARROW_ASSIGN_OR_RAISE(TextValueParser values, TextValueParser::Make(reading));
  return std::unique_ptr<CsvDecoder>(
      new CsvDecoder(std::make_unique<Implementation>(std::move(config), std::move(values), pool)));
}

arrow::Result<std::shared_ptr<arrow::Array>> CsvDecoder::Decode(const arrow::Array& records) {
  return implementation_->Decode(records);
}
void CsvDecoder::StartText(std::string_view text) { implementation_->StartText(text); }
arrow::Result<std::shared_ptr<arrow::Array>> CsvDecoder::DecodeText(int64_t max_rows) {
  return implementation_->DecodeText(max_rows);
}
void CsvDecoder::SkipRecord() { implementation_->SkipRecord(); }

}  // namespace millrace::format
