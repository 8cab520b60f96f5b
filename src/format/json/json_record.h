#pragma once

#include <arrow/util/decimal.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/column_writer.h"
#include "format/json/json_options.h"
#include "format/json/json_tokenizer.h"
#include "format/text_value.h"
#include "format/variant/variant_json.h"
#include "types/data_type.h"

namespace millrace::format {

/// One converted JSON value: what a ColumnWriter takes, held apart because later text may still take it back.
struct JsonCell {
  bool valid = false;
  /// Integral types, booleans, dates, timestamps, ANSI intervals; months of a calendar interval.
  int64_t integer = 0;
  int64_t micros = 0;
  int32_t days = 0;
  double number = 0;
  arrow::Decimal128 decimal;
  std::string text;
  /// The dictionary of a variant, whose value is `text`.
  std::string metadata;
  /// Fields of a struct, elements of an array, values of a map.
  std::vector<JsonCell> children;
  std::vector<std::string> keys;
};

/// Appends `cell` as one row of its type.
void AppendCell(const JsonCell& cell, ColumnWriter* column);
/// The text Spark shows of a row in its messages: "[1,null]".
void AppendCellText(const JsonCell& cell, const types::DataType& type, std::string* out);

/// Why a record is malformed, as far as Spark's messages tell it.
enum class JsonFault : uint8_t { kNone, kOther, kArrayAsStruct, kStringAsNumber };

/// Reads single records with exactly Spark's rules for malformed ones: which fields stay, which become NULL.
/// Slow (values are held in trees); JsonDecoder takes it for what its fast path refuses.
///
/// Thread: confined.
/// Source: JacksonParser.scala; answers recorded in tests/sql/json.
class JsonRecordReader {
 public:
  struct Config {
    /// kStruct (without the corrupt-record column), kArray, kMap or kVariant.
    types::DataTypePtr schema;
    /// The file source: an array of objects at the root is as many rows.
    bool array_as_rows = false;
    /// The file source: a string column takes the very text of a nested value, not a re-written one.
    bool exact_strings = false;
  };
  struct Result {
    /// None: nothing but blanks, or malformed as a whole.
    std::vector<JsonCell> rows;
    JsonFault fault = JsonFault::kNone;
    /// kStringAsNumber: the field, its text and the wanted type.
    std::string fault_field;
    std::string fault_text;
    types::DataTypePtr fault_type;
    /// The text itself is wrong, not only its fit to the schema.
    bool syntax_error = false;
  };

  JsonRecordReader(Config config, const JsonOptions& options, const TextValueParser& values);

  void Read(std::string_view record, Result* result);

 private:
  enum class Outcome : uint8_t { kOk, kPartial, kFailed };
  using FieldIndex = std::unordered_map<std::string, int>;

  Outcome Convert(const types::DataType& type, JsonCell* cell);
  Outcome ConvertToken(const types::DataType& type, JsonCell* cell);
  Outcome ConvertNumber(const types::DataType& type, JsonCell* cell);
  Outcome ConvertText(const types::DataType& type, std::string_view text, JsonCell* cell);
  Outcome ConvertToString(JsonCell* cell);
  Outcome ConvertToVariant(JsonCell* cell);
  Outcome ConvertObject(const types::DataType& type, bool is_root, JsonCell* cell);
  Outcome ConvertMap(const types::DataType& type, JsonCell* cell);
  Outcome ConvertArray(const types::DataType& type, bool rows, JsonCell* cell);
  Outcome ConvertRoot();
  Outcome Fail(JsonFault fault = JsonFault::kOther);
  bool Step();
  int FindField(const types::DataType& type, const std::string& name);

  Config config_;
  const JsonOptions& options_;
  const TextValueParser& values_;
  std::unordered_map<const types::DataType*, FieldIndex> field_indexes_;
  VariantJsonReader variant_reader_;
  variant::VariantBuilder variant_builder_;
  JsonTokenizer* tokens_ = nullptr;
  Result* result_ = nullptr;
};

/// Copies the value the tokenizer stands at as compact JSON and leaves it at the value's last token. False on a syntax
/// error, or where no value starts.
bool CopyJsonValue(JsonTokenizer* tokens, std::string* out);

}  // namespace millrace::format
