#include "format/csv/csv_infer_schema.h"

#include <map>

#include "base/ascii.h"
#include "format/json/json_infer_schema.h"
#include "types/number_text.h"

namespace millrace::format {

using types::DataTypePtr;
using types::TypeId;

namespace {

/// Digits of a whole number of any length; 0 when it is none. A fraction or exponent that makes it fractional counts as
/// none.
int WholeDigits(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  size_t zeros = text.find_first_not_of('0');
  return zeros == std::string_view::npos ? 1 : static_cast<int>(text.size() - zeros);
}

bool IsJavaDouble(std::string_view text) {
  std::string_view word = TrimAscii(text);
  if (word.starts_with('+') || word.starts_with('-')) word.remove_prefix(1);
  bool letter = !word.empty() && ((word[0] >= 'a' && word[0] <= 'z') || (word[0] >= 'A' && word[0] <= 'Z'));
  double value = 0;
  return (!letter || word == "NaN" || word == "Infinity") && types::ParseDouble(text, &value);
}

DataTypePtr Widen(const DataTypePtr& a, const DataTypePtr& b) {
  bool date = a->id() == TypeId::kDate || b->id() == TypeId::kDate;
  bool timestamp = a->id() == TypeId::kTimestamp || b->id() == TypeId::kTimestamp;
  if (date && timestamp) return types::String();
  return MergeInferredTypes(a, b);
}

}  // namespace

arrow::Result<CsvSchemaInference> CsvSchemaInference::Make(const CsvOptions& options, size_t num_columns) {
  TextValueOptions reading = ValuesOf(options);
  if (!reading.date_format && options.prefer_date) reading.date_format = "yyyy-MM-dd";
  reading.date_fallback = reading.timestamp_fallback = false;
  ARROW_ASSIGN_OR_RAISE(TextValueParser values, TextValueParser::Make(reading));
  return CsvSchemaInference(options, std::move(values), num_columns);
}

void CsvSchemaInference::Add(const Values& values) {
  for (size_t i = 0; i < std::min(values.size(), types_.size()); ++i) {
    if (!values[i] || values[i]->empty() || *values[i] == options_.null_value) continue;
    types_[i] = Widen(types_[i], TypeOf(types_[i], *values[i]));
  }
}

// What is known of the column already says where to begin: after a double nothing narrower is tried.
DataTypePtr CsvSchemaInference::TypeOf(const DataTypePtr& so_far, const std::string& text) const {
  TypeId from = so_far->id();
  if (from == TypeId::kString) return so_far;
  if (from == TypeId::kNull || from == TypeId::kInteger || from == TypeId::kLong || from == TypeId::kDecimal) {
    int64_t value = 0;
    if (from != TypeId::kDecimal && ParseInteger(text, &value)) {
      bool is_int = value == static_cast<int32_t>(value);
      return is_int && from != TypeId::kLong ? types::Integer() : types::Long();
    }
    int digits = WholeDigits(text);
    if (digits > 0 && digits <= types::kMaxDecimalPrecision) return types::Decimal(digits, 0);
  }
  if (from <= TypeId::kDecimal && from != TypeId::kBoolean) {
    if (IsJavaDouble(text) || text == options_.nan_value || text == options_.positive_infinity ||
        text == options_.negative_infinity) {
      return types::Double();
    }
  }
  return TypeOfNonNumber(from, text);
}

DataTypePtr CsvSchemaInference::TypeOfNonNumber(TypeId from, const std::string& text) const {
  int32_t days = 0;
  int64_t micros = 0;
  if (from != TypeId::kBoolean) {
    if (from != TypeId::kTimestamp && (options_.prefer_date || from == TypeId::kDate) && values_.Date(text, &days)) {
      return types::Date();
    }
    if (values_.TimestampNtz(text, &micros) || values_.Timestamp(text, &micros)) return types::Timestamp();
  }
  bool boolean = EqualsIgnoreCase(text, "true") || EqualsIgnoreCase(text, "false");
  return boolean ? types::Boolean() : types::String();
}

DataTypePtr CsvSchemaInference::Finish(const std::vector<std::string>& names) const {
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < names.size(); ++i) {
    DataTypePtr type = i < types_.size() && types_[i]->id() != TypeId::kNull ? types_[i] : types::String();
    fields.push_back({names[i], std::move(type)});
  }
  return types::Struct(std::move(fields));
}

std::vector<std::string> CsvSchemaInference::ColumnNames(const Values& first, const CsvOptions& options) {
  std::map<std::string, int> uses;
  for (const auto& name : first) {
    if (name) ++uses[ToLowerAscii(*name)];
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < first.size(); ++i) {
    std::string index = std::to_string(i);
    if (!options.header || !first[i] || first[i]->empty() || *first[i] == options.null_value) {
      names.push_back("_c" + index);
    } else {
      names.push_back(uses[ToLowerAscii(*first[i])] > 1 ? *first[i] + index : *first[i]);
    }
  }
  return names;
}

}  // namespace millrace::format
