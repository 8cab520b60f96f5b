#include "format/json/json_decoder.h"

#include <algorithm>

#include "base/error.h"
#include "format/column_writer.h"
#include "format/json/json_fast_reader.h"
#include "format/json/json_record.h"
#include "format/json/json_structure.h"

namespace millrace::format {

using types::DataTypePtr;
using types::TypeId;

namespace {

constexpr size_t kWindowMin = 4 * 1024;
constexpr size_t kWindowMax = 128 * 1024;

bool HasDefaultLimits(const JsonOptions& options) {
  JsonOptions defaults;
  return options.nesting_depth_max == defaults.nesting_depth_max &&
         options.number_length_max == defaults.number_length_max &&
         options.string_length_max == defaults.string_length_max;
}

/// Duplicate field names, legal in Spark, are left to the exact reader; so are VOID, whose values Spark does not skip,
/// and VARIANT, which takes what its own reader takes.
bool FitsFastPath(const types::DataType& type) {
  if (type.id() == TypeId::kNull || type.id() == TypeId::kVariant || type.id() == TypeId::kTime) return false;
  if (type.id() == TypeId::kStruct) {
    for (size_t i = 0; i < type.fields().size(); ++i) {
      for (size_t k = 0; k < i; ++k) {
        if (type.fields()[i].name == type.fields()[k].name) return false;
      }
      if (!FitsFastPath(*type.fields()[i].type)) return false;
    }
  } else if (type.id() == TypeId::kArray) {
    return FitsFastPath(*type.element());
  } else if (type.id() == TypeId::kMap) {
    return FitsFastPath(*type.value());
  }
  return true;
}

/// The fields of `to` from a value of `from`.
JsonCell Project(JsonCell cell, const types::DataType& from, const types::DataType& to) {
  if (from.id() != TypeId::kStruct || !cell.valid) return cell;
  JsonCell projected;
  projected.valid = true;
  for (const types::StructField& field : to.fields()) {
    int index = from.FieldIndex(field.name, /*case_sensitive=*/true);
    const DataTypePtr& type = from.fields()[static_cast<size_t>(index)].type;
    projected.children.push_back(Project(std::move(cell.children[static_cast<size_t>(index)]), *type, *field.type));
  }
  return projected;
}

}  // namespace

arrow::Status CheckCorruptRecordColumn(const types::DataType& schema, const std::string& name) {
  for (const types::StructField& field : schema.fields()) {
    if (field.name == name && (field.type->id() != TypeId::kString || !field.nullable)) {
      return UserError("INVALID_CORRUPT_RECORD_TYPE",
                       {{"columnName", QuoteIdentifier(name)}, {"actualType", QuoteSqlType(field.type->Sql())}});
    }
  }
  return arrow::Status::OK();
}

class JsonDecoder::Implementation {
 public:
  Implementation(JsonDecoderConfig config, TextValueParser values, arrow::MemoryPool* pool)
      : config_(std::move(config)), values_(std::move(values)), root_(config_.schema, pool), pool_(pool) {
    is_struct_ = config_.schema->id() == TypeId::kStruct;
    value_schema_ = config_.schema;
    if (is_struct_) {
      std::vector<types::StructField> fields;
      for (size_t i = 0; i < config_.schema->fields().size(); ++i) {
        const types::StructField& field = config_.schema->fields()[i];
        if (field.name == config_.options.corrupt_record_column && corrupt_column_ < 0) {
          corrupt_column_ = static_cast<int>(i);
        } else {
          fields.push_back(field);
          columns_.push_back(static_cast<int>(i));
        }
      }
      if (corrupt_column_ >= 0) value_schema_ = types::Struct(std::move(fields));
    }
    judged_schema_ = value_schema_;
    if (config_.full_schema != nullptr && !config_.full_schema->Equals(*config_.schema)) {
      std::vector<types::StructField> fields;
      for (const types::StructField& field : config_.full_schema->fields()) {
        if (field.name != config_.options.corrupt_record_column) fields.push_back(field);
      }
      judged_schema_ = types::Struct(std::move(fields));
    }
    exact_ = std::make_unique<JsonRecordReader>(
        JsonRecordReader::Config{judged_schema_, config_.as_source, config_.as_source}, config_.options, values_);
    if (HasDefaultLimits(config_.options) && FitsFastPath(*value_schema_)) {
      fast_ = std::make_unique<JsonFastReader>(*value_schema_, &root_, columns_, config_.as_source, values_);
    }
  }

  arrow::Result<DecodedJson> Decode(const arrow::Array& records) {
    text_ = records.data()->buffers[2] == nullptr ? nullptr : records.data()->buffers[2]->data();
    text_size_ = records.data()->buffers[2] == nullptr ? 0 : static_cast<size_t>(records.data()->buffers[2]->size());
    offsets_ = records.data()->GetValues<int32_t>(1);
    num_records_ = records.length();
    ColumnWriter record_of_row(types::Integer(), pool_);
    record_of_row_ = config_.as_source ? &record_of_row : nullptr;
    root_.Truncate(0);
    root_.Reserve(num_records_);
    window_end_ = single_until_ = 0;
    for (int64_t i = 0; i < num_records_; ++i) {
      if (records.IsNull(i)) {
        if (record_of_row_ == nullptr) root_.AppendNull();
        continue;
      }
      if (fast_ == nullptr || !ReadFast(i)) ARROW_RETURN_NOT_OK(ReadExactly(i));
    }
    DecodedJson decoded;
    ARROW_ASSIGN_OR_RAISE(decoded.values, root_.Finish());
    if (record_of_row_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(decoded.record_of_row, record_of_row.Finish());
    }
    return decoded;
  }

  int64_t num_slow_records() const { return num_slow_records_; }

 private:
  /// Indexes records from `first` on, as many as fit a window. False when the first record alone cannot be indexed.
  bool OpenWindow(int64_t first) {
    int64_t last = first + 1;
    auto begin = static_cast<size_t>(offsets_[first]);
    while (last < num_records_ && static_cast<size_t>(offsets_[last + 1]) - begin <= window_size_) ++last;
    if (first < single_until_) last = first + 1;
    bool indexed = Index(first, last);
    if (!indexed && last > first + 1) {
      // One of them is bad; which one, only indexing them one by one tells.
      window_size_ = std::max(window_size_ / 2, kWindowMin);
      single_until_ = last;
      indexed = Index(first, first + 1);
    } else if (indexed && first >= single_until_) {
      window_size_ = std::min(window_size_ * 2, kWindowMax);
    }
    return indexed;
  }

  bool Index(int64_t first, int64_t last) {
    auto begin = static_cast<size_t>(offsets_[first]);
    auto end = static_cast<size_t>(offsets_[last]);
    window_first_ = first;
    window_end_ = first + 1;
    if (!structure_.Index(text_ + begin, end - begin)) return false;
    window_end_ = last;
    window_base_ = begin;
    position_ = structure_.positions();
    fast_->SetText(text_ + begin, text_size_ - begin);
    return true;
  }

  /// True when record `i` was read.
  bool ReadFast(int64_t i) {
    if (offsets_[i] == offsets_[i + 1]) return false;
    while (true) {
      bool fresh = i >= window_end_;
      if (fresh && !OpenWindow(i)) return false;
      auto begin = static_cast<uint32_t>(static_cast<size_t>(offsets_[i]) - window_base_);
      auto end = static_cast<uint32_t>(static_cast<size_t>(offsets_[i + 1]) - window_base_);
      while (*position_ < begin) ++position_;
      if (StartsRecord(begin, end)) {
        const int64_t num_rows = root_.length();
        const uint32_t* after = fast_->ReadRecord(position_, end);
        // What follows the value is not looked at by Spark, but here it may be the next record's text.
        if (after != nullptr && *after >= end) {
          position_ = after;
          CloseRow(i);
          return true;
        }
        root_.Truncate(num_rows);
        return false;
      }
      if (i == window_first_) return false;
      window_end_ = i;  // a record before this one ended inside of a string: index anew from here
    }
  }

  /// Whether nothing but blanks stands between `begin` and the first position, which opens an object or array.
  bool StartsRecord(uint32_t begin, uint32_t end) const {
    uint32_t start = *position_;
    if (start >= end) return false;
    const uint8_t* text = text_ + window_base_;
    if (text[start] != '{' && text[start] != '[') return false;
    for (uint32_t k = begin; k < start; ++k) {
      if (text[k] != ' ' && text[k] != '\n' && text[k] != '\r' && text[k] != '\t') return false;
    }
    return true;
  }

  void CloseRow(int64_t record) {
    if (is_struct_) {
      if (corrupt_column_ >= 0) root_.child(static_cast<size_t>(corrupt_column_)).AppendNull();
      root_.EndStruct();
    }
    if (record_of_row_ != nullptr) record_of_row_->Append(static_cast<int32_t>(record));
  }

  arrow::Status ReadExactly(int64_t i) {
    ++num_slow_records_;
    std::string_view record(reinterpret_cast<const char*>(text_) + offsets_[i],
                            static_cast<size_t>(offsets_[i + 1] - offsets_[i]));
    exact_->Read(record, &result_);
    if (judged_schema_ != value_schema_) {
      for (JsonCell& row : result_.rows) row = Project(std::move(row), *judged_schema_, *value_schema_);
    }
    bool bad = result_.fault != JsonFault::kNone;
    if (!bad) {
      if (result_.rows.empty() && record_of_row_ == nullptr) root_.AppendNull();
      for (const JsonCell& row : result_.rows) AppendRow(i, &row, std::nullopt);
      return arrow::Status::OK();
    }
    if (config_.options.mode == ParseMode::kFailFast) return FailFast(record);
    if (config_.options.mode == ParseMode::kDropMalformed && record_of_row_ != nullptr) return arrow::Status::OK();
    if (result_.rows.empty()) {
      AppendRow(i, nullptr, record);
    } else {
      for (const JsonCell& row : result_.rows) {
        AppendRow(i, &row, record);
        if (record_of_row_ == nullptr) break;
      }
    }
    return arrow::Status::OK();
  }

  /// `row` null: a row of NULLs. `corrupt`: what the corrupt-record column holds.
  void AppendRow(int64_t record, const JsonCell* row, std::optional<std::string_view> corrupt) {
    if (!is_struct_) {
      if (row == nullptr) {
        root_.AppendNull();
      } else {
        AppendCell(*row, &root_);
      }
    } else {
      for (size_t k = 0; k < columns_.size(); ++k) {
        ColumnWriter& column = root_.child(static_cast<size_t>(columns_[k]));
        if (row == nullptr) {
          column.AppendNull();
        } else {
          AppendCell(row->children[k], &column);
        }
      }
      if (corrupt_column_ >= 0) {
        ColumnWriter& column = root_.child(static_cast<size_t>(corrupt_column_));
        if (corrupt) {
          column.AppendBytes(*corrupt);
        } else {
          column.AppendNull();
        }
      }
      root_.EndStruct();
    }
    if (record_of_row_ != nullptr) record_of_row_->Append(static_cast<int32_t>(record));
  }

  arrow::Status FailFast(std::string_view record) const {
    if (result_.fault == JsonFault::kArrayAsStruct) {
      return UserError("MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS",
                       {{"badRecord", std::string(record)}, {"failFastMode", "FAILFAST"}});
    }
    if (result_.fault == JsonFault::kStringAsNumber) {
      return UserError("MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_STRING_AS_DATATYPE",
                       {{"badRecord", std::string(record)},
                        {"failFastMode", "FAILFAST"},
                        {"fieldName", QuoteIdentifier(result_.fault_field)},
                        {"fieldValue", "'" + result_.fault_text + "'"},
                        {"inputType", "StringType"},
                        {"targetType", result_.fault_type->id() == TypeId::kFloat ? "FloatType" : "DoubleType"}});
    }
    // Spark shows the row it would have given.
    std::string row = "[";
    if (!is_struct_) {
      if (result_.rows.empty()) {
        row += "null";
      } else {
        AppendCellText(result_.rows[0], *config_.schema, &row);
      }
    } else {
      for (size_t i = 0; i < config_.schema->fields().size(); ++i) {
        if (i > 0) row += ",";
        auto found = std::find(columns_.begin(), columns_.end(), static_cast<int>(i));
        if (found == columns_.end()) {
          row += record;
        } else if (result_.rows.empty()) {
          row += "null";
        } else {
          AppendCellText(result_.rows[0].children[static_cast<size_t>(found - columns_.begin())],
                         *config_.schema->fields()[i].type, &row);
        }
      }
    }
    return UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                     {{"badRecord", row + "]"}, {"failFastMode", "FAILFAST"}});
  }

  JsonDecoderConfig config_;
  TextValueParser values_;
  ColumnWriter root_;
  arrow::MemoryPool* pool_;
  bool is_struct_ = false;
  int corrupt_column_ = -1;
  /// The schema without the corrupt-record column, and where its fields stand in the schema.
  DataTypePtr value_schema_;
  /// What the exact reader reads; value_schema_ is a part of it.
  DataTypePtr judged_schema_;
  std::vector<int> columns_;
  std::unique_ptr<JsonRecordReader> exact_;
  std::unique_ptr<JsonFastReader> fast_;
  JsonRecordReader::Result result_;
  int64_t num_slow_records_ = 0;

  // The column being decoded.
  const uint8_t* text_ = nullptr;
  size_t text_size_ = 0;
  const int32_t* offsets_ = nullptr;
  int64_t num_records_ = 0;
  ColumnWriter* record_of_row_ = nullptr;

  // The records [window_first_, window_end_) are indexed; positions count from byte window_base_.
  JsonStructure structure_;
  const uint32_t* position_ = nullptr;
  int64_t window_first_ = 0;
  int64_t window_end_ = 0;
  size_t window_base_ = 0;
  size_t window_size_ = kWindowMax / 2;
  /// Records before this one are indexed singly: a window over them failed.
  int64_t single_until_ = 0;
};

JsonDecoder::JsonDecoder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
JsonDecoder::~JsonDecoder() = default;

arrow::Result<std::unique_ptr<JsonDecoder>> JsonDecoder::Make(JsonDecoderConfig config, arrow::MemoryPool* pool) {
  if (config.schema->id() == TypeId::kStruct) {
    ARROW_RETURN_NOT_OK(CheckCorruptRecordColumn(*config.schema, config.options.corrupt_record_column));
  }
  TextValueOptions reading = ValuesOf(config.options);
  reading.date_fallback = config.options.date_fallback;
  reading.timestamp_fallback = config.options.timestamp_fallback;
  ARROW_ASSIGN_OR_RAISE(TextValueParser values, TextValueParser::Make(reading));
  return std::unique_ptr<JsonDecoder>(
      new JsonDecoder(std::make_unique<Implementation>(std::move(config), std::move(values), pool)));
}

arrow::Result<DecodedJson> JsonDecoder::Decode(const arrow::Array& records) { return implementation_->Decode(records); }

int64_t JsonDecoder::num_slow_records() const { return implementation_->num_slow_records(); }

}  // namespace millrace::format
