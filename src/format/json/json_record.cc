#include "format/json/json_record.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "format/json/json_text.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace millrace::format {

using types::TypeId;
using Token = JsonTokenizer::Token;

namespace {

/// A JSON number as the nearest double; too large is infinity, as Java's parseDouble gives.
template <typename T>
T ToFloating(std::string_view text) {
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  (void)end;
  if (error == std::errc::result_out_of_range) {
    double wide = 0;
    types::ParseDouble(text, &wide);
    return static_cast<T>(wide);
  }
  return value;
}

/// The digits of a JSON integer as BigInteger.toString gives them.
std::string_view IntegerText(std::string_view text, std::string* buffer) {
  bool negative = text.starts_with('-');
  std::string_view digits = negative ? text.substr(1) : text;
  size_t zeros = digits.find_first_not_of('0');
  if (zeros == std::string_view::npos) return "0";
  if (zeros == 0) return text;
  *buffer = (negative ? "-" : "") + std::string(digits.substr(zeros));
  return *buffer;
}

double NonNumericValue(std::string_view word) {
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return word.starts_with('-') ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

void AppendNumber(JsonTokenizer* tokens, std::string_view text, std::string* out) {
  std::string buffer;
  if (tokens->is_non_numeric()) {
    AppendJsonDouble(NonNumericValue(text), out);
  } else if (tokens->token() == Token::kInteger) {
    out->append(IntegerText(text, &buffer));
  } else {
    AppendJsonDouble(ToFloating<double>(text), out);
  }
}

}  // namespace

bool CopyJsonValue(JsonTokenizer* tokens, std::string* out) {
  std::string open;  // the brackets that are still to be closed
  bool first = true;
  auto separate = [&] {
    if (!first) out->push_back(',');
    first = false;
  };
  while (true) {
    std::string_view text;
    switch (tokens->token()) {
      case Token::kStartObject:
      case Token::kStartArray: {
        separate();
        bool object = tokens->token() == Token::kStartObject;
        out->push_back(object ? '{' : '[');
        open.push_back(object ? '}' : ']');
        first = true;
        break;
      }
      case Token::kEndObject:
      case Token::kEndArray:
        if (open.empty()) return false;
        out->push_back(open.back());
        open.pop_back();
        first = false;
        break;
      case Token::kFieldName:
        separate();
        if (!tokens->Text(&text)) return false;
        AppendJsonText(text, false, out);
        out->push_back(':');
        first = true;
        break;
      case Token::kString:
        separate();
        if (!tokens->Text(&text)) return false;
        AppendJsonText(text, false, out);
        break;
      case Token::kInteger:
      case Token::kFloat:
        separate();
        if (!tokens->Text(&text)) return false;
        AppendNumber(tokens, text, out);
        break;
      case Token::kTrue:
        separate();
        out->append("true");
        break;
      case Token::kFalse:
        separate();
        out->append("false");
        break;
      case Token::kNull:
        separate();
        out->append("null");
        break;
      case Token::kNone:
        // The text ended early: the generator closes what it opened.
        while (!open.empty()) {
          out->push_back(open.back());
          open.pop_back();
        }
        return true;
    }
    if (open.empty()) return true;
    if (!tokens->Next()) return false;
  }
}

JsonRecordReader::JsonRecordReader(Config config, const JsonOptions& options, const TextValueParser& values)
    : config_(std::move(config)), options_(options), values_(values) {}

void JsonRecordReader::Read(std::string_view record, Result* result) {
  result->rows.clear();
  result->fault = JsonFault::kNone;
  result->syntax_error = false;
  std::string repaired;
  if (!IsValidUtf8(record)) {
    repaired = ReplaceInvalidUtf8(record);
    record = repaired;
  }
  if (config_.array_as_rows && record.starts_with("\xEF\xBB\xBF")) record.remove_prefix(3);
  JsonTokenizer tokens(record, options_);
  tokens_ = &tokens;
  result_ = result;
  if (!Step()) {
    Fail();
  } else if (tokens.token() != Token::kNone) {
    if (ConvertRoot() == Outcome::kFailed) {
      result->rows.clear();
      Fail();
    }
  }
  tokens_ = nullptr;
}

bool JsonRecordReader::Step() {
  if (tokens_->Next()) return true;
  result_->syntax_error = true;
  return false;
}

JsonRecordReader::Outcome JsonRecordReader::Fail(JsonFault fault) {
  if (result_->fault == JsonFault::kNone) result_->fault = fault;
  return Outcome::kFailed;
}

JsonRecordReader::Outcome JsonRecordReader::ConvertRoot() {
  const types::DataType& schema = *config_.schema;
  Token token = tokens_->token();
  JsonCell cell;
  Outcome outcome = Outcome::kFailed;
  if (schema.id() == TypeId::kVariant) {
    cell.valid = true;
    outcome = ConvertToVariant(&cell);
    if (outcome != Outcome::kFailed) result_->rows.push_back(std::move(cell));
    return outcome;
  }
  if (token == Token::kNull) return Fail();
  if (schema.id() == TypeId::kStruct) {
    if (token == Token::kStartArray) {
      if (!config_.array_as_rows) return Fail(JsonFault::kArrayAsStruct);
      outcome = ConvertArray(schema, /*rows=*/true, &cell);
      if (outcome != Outcome::kFailed) result_->rows = std::move(cell.children);
      return outcome;
    }
    if (token != Token::kStartObject) return Fail();
    outcome = ConvertObject(schema, /*is_root=*/true, &cell);
  } else if (schema.id() == TypeId::kMap) {
    if (token != Token::kStartObject) return Fail();
    outcome = ConvertMap(schema, &cell);
  } else {
    bool one_object = token == Token::kStartObject && schema.element()->id() == TypeId::kStruct;
    if (token == Token::kStartArray) {
      outcome = ConvertArray(schema, /*rows=*/false, &cell);
    } else if (one_object) {
      JsonCell element;
      outcome = ConvertObject(*schema.element(), /*is_root=*/false, &element);
      cell.valid = true;
      cell.children.push_back(std::move(element));
    } else {
      return Fail();
    }
  }
  if (outcome != Outcome::kFailed) result_->rows.push_back(std::move(cell));
  return outcome;
}

JsonRecordReader::Outcome JsonRecordReader::Convert(const types::DataType& type, JsonCell* cell) {
  if (tokens_->token() == Token::kFieldName && !Step()) return Fail();
  Token token = tokens_->token();
  bool no_value = token == Token::kNone || (token == Token::kNull && type.id() != TypeId::kVariant);
  if (no_value) {
    cell->valid = false;
    return Outcome::kOk;
  }
  cell->valid = true;
  return ConvertToken(type, cell);
}

JsonRecordReader::Outcome JsonRecordReader::ConvertToken(const types::DataType& type, JsonCell* cell) {
  Token token = tokens_->token();
  switch (type.id()) {
    case TypeId::kString:
      return ConvertToString(cell);
    case TypeId::kVariant:
      return ConvertToVariant(cell);
    case TypeId::kNull:
      cell->valid = false;
      return Outcome::kOk;
    case TypeId::kBoolean:
      if (token == Token::kTrue || token == Token::kFalse) {
        cell->integer = token == Token::kTrue ? 1 : 0;
        return Outcome::kOk;
      }
      break;
    case TypeId::kStruct:
      if (token == Token::kStartObject) return ConvertObject(type, false, cell);
      break;
    case TypeId::kArray:
      if (token == Token::kStartArray) return ConvertArray(type, false, cell);
      break;
    case TypeId::kMap:
      if (token == Token::kStartObject) return ConvertMap(type, cell);
      break;
    default:
      if (token == Token::kInteger || token == Token::kFloat) return ConvertNumber(type, cell);
      if (token == Token::kString) {
        std::string_view text;
        if (!tokens_->Text(&text)) {
          result_->syntax_error = true;
          return Fail();
        }
        return ConvertText(type, text, cell);
      }
  }
  // Spark reads the text for its message, which may itself fail and moves the parser.
  std::string_view text;
  if (token == Token::kString && !tokens_->Text(&text)) result_->syntax_error = true;
  return Fail();
}

JsonRecordReader::Outcome JsonRecordReader::ConvertNumber(const types::DataType& type, JsonCell* cell) {
  std::string_view text;
  tokens_->Text(&text);
  bool integer = tokens_->token() == Token::kInteger;
  auto in_range = [&](int64_t low, int64_t high) {
    return integer && ParseInteger(text, &cell->integer) && cell->integer >= low && cell->integer <= high;
  };
  bool ok = false;
  switch (type.id()) {
    case TypeId::kByte:
      ok = in_range(-128, 255);  // the upper half wraps around
      cell->integer = static_cast<int8_t>(cell->integer);
      break;
    case TypeId::kShort:
      ok = in_range(INT16_MIN, INT16_MAX);
      break;
    case TypeId::kInteger:
      ok = in_range(INT32_MIN, INT32_MAX);
      break;
    case TypeId::kLong:
      ok = in_range(INT64_MIN, INT64_MAX);
      break;
    case TypeId::kTimestamp:
      // Seconds; the product wraps around.
      ok = in_range(INT64_MIN, INT64_MAX);
      cell->integer = static_cast<int64_t>(static_cast<uint64_t>(cell->integer) * 1000000u);
      break;
    case TypeId::kFloat:
      ok = true;
      cell->number = tokens_->is_non_numeric() ? NonNumericValue(text)
                     : integer && text == "-0" ? 0.0
                                               : static_cast<double>(ToFloating<float>(text));
      break;
    case TypeId::kDouble:
      ok = true;
      cell->number = tokens_->is_non_numeric() ? NonNumericValue(text)
                     : integer && text == "-0" ? 0.0
                                               : ToFloating<double>(text);
      break;
    case TypeId::kDecimal:
      ok = !tokens_->is_non_numeric() &&
           types::ParseDecimal(text, type.precision(), type.scale(), &cell->decimal) == types::DecimalParse::kOk;
      break;
    default:
      break;
  }
  return ok ? Outcome::kOk : Fail();
}

JsonRecordReader::Outcome JsonRecordReader::ConvertText(const types::DataType& type, std::string_view text,
                                                        JsonCell* cell) {
  bool ok = false;
  bool empty = text.empty();
  switch (type.id()) {
    case TypeId::kFloat:
    case TypeId::kDouble:
      ok = options_.allow_non_numeric_numbers && (text == "NaN" || text == "+INF" || text == "+Infinity" ||
                                                  text == "Infinity" || text == "-INF" || text == "-Infinity");
      if (ok) {
        cell->number = NonNumericValue(text);
      } else if (!empty && result_->fault == JsonFault::kNone) {
        const std::string* name = tokens_->CurrentName();
        result_->fault_field = name == nullptr ? "null" : *name;
        result_->fault_text = text;
        result_->fault_type = types::SimpleType(type.id());
        return Fail(JsonFault::kStringAsNumber);
      }
      break;
    case TypeId::kBinary:
      ok = DecodeBase64(text, &cell->text);
      break;
    case TypeId::kDate: {
      int32_t days = 0;
      ok = !empty && values_.Date(text, &days);
      cell->integer = days;
      break;
    }
    case TypeId::kTimestamp:
      ok = !empty && values_.Timestamp(text, &cell->integer);
      break;
    case TypeId::kTimestampNtz:
      ok = !empty && values_.TimestampNtz(text, &cell->integer);
      break;
    case TypeId::kDecimal: {
      std::string plain;
      ok = !empty && NormalizeDecimalText(text, options_.number_symbols, &plain) &&
           types::ParseDecimal(plain, type.precision(), type.scale(), &cell->decimal) == types::DecimalParse::kOk;
      break;
    }
    case TypeId::kTime:
      ok = values_.TimeOfDay(text, &cell->integer);
      break;
    case TypeId::kYearMonthInterval: {
      int32_t months = 0;
      ok = types::ParseYearMonthInterval(text, type.start_field(), type.end_field(), &months) ==
           types::IntervalParse::kOk;
      cell->integer = months;
      break;
    }
    case TypeId::kDayTimeInterval:
      ok = types::ParseDayTimeInterval(text, type.start_field(), type.end_field(), &cell->integer) ==
           types::IntervalParse::kOk;
      break;
    case TypeId::kCalendarInterval: {
      types::CalendarIntervalValue value;
      cell->valid = types::ParseCalendarInterval(text, &value);  // not an interval: NULL, not malformed
      cell->integer = value.months;
      cell->days = value.days;
      cell->micros = value.micros;
      ok = true;
      break;
    }
    default:
      break;
  }
  return ok ? Outcome::kOk : Fail();
}

JsonRecordReader::Outcome JsonRecordReader::ConvertToString(JsonCell* cell) {
  std::string_view text;
  if (tokens_->token() == Token::kString) {
    if (!tokens_->Text(&text)) {
      result_->syntax_error = true;
      return Fail();
    }
    cell->text = text;
    return Outcome::kOk;
  }
  if (config_.exact_strings) {
    size_t start = tokens_->token_start();
    if (!tokens_->SkipChildren()) {
      result_->syntax_error = true;
      return Fail();
    }
    size_t end = tokens_->position();
    cell->text = tokens_->input().substr(start, end - start);
    return Outcome::kOk;
  }
  cell->text.clear();
  if (!CopyJsonValue(tokens_, &cell->text)) {
    result_->syntax_error = true;
    return Fail();
  }
  return Outcome::kOk;
}

JsonRecordReader::Outcome JsonRecordReader::ConvertToVariant(JsonCell* cell) {
  variant_builder_.Reset();
  std::string_view value, metadata;
  if (variant_reader_.ReadValue(tokens_, &variant_builder_) != VariantJson::kOk ||
      !variant_builder_.Finish(&value, &metadata)) {
    result_->syntax_error = true;
    return Fail();
  }
  cell->text = value;
  cell->metadata = metadata;
  return Outcome::kOk;
}

int JsonRecordReader::FindField(const types::DataType& type, const std::string& name) {
  auto [it, inserted] = field_indexes_.try_emplace(&type);
  if (inserted) {
    // Of several fields with one name the last is the one that is filled.
    for (size_t i = 0; i < type.fields().size(); ++i) it->second[type.fields()[i].name] = static_cast<int>(i);
  }
  auto found = it->second.find(name);
  return found == it->second.end() ? -1 : found->second;
}

JsonRecordReader::Outcome JsonRecordReader::ConvertObject(const types::DataType& type, bool is_root, JsonCell* cell) {
  cell->valid = true;
  cell->children.assign(type.fields().size(), JsonCell{});
  bool bad = false;
  while (true) {
    if (!Step()) return Fail();
    if (tokens_->token() == Token::kNone || tokens_->token() == Token::kEndObject) break;
    const std::string* name = tokens_->CurrentName();
    int index = name == nullptr ? -1 : FindField(type, *name);
    if (index < 0) {
      if (!tokens_->SkipChildren()) {
        result_->syntax_error = true;
        return Fail();
      }
      continue;
    }
    JsonCell value;
    Outcome outcome = Convert(*type.fields()[static_cast<size_t>(index)].type, &value);
    if (outcome == Outcome::kOk || (outcome == Outcome::kPartial && options_.partial_results)) {
      bad = bad || outcome == Outcome::kPartial;
      cell->children[static_cast<size_t>(index)] = std::move(value);
    } else if (is_root || options_.partial_results) {
      bad = true;
      if (!tokens_->SkipChildren()) {
        result_->syntax_error = true;
        return Fail();
      }
    } else {
      return outcome;
    }
  }
  return bad ? Outcome::kPartial : Outcome::kOk;
}

JsonRecordReader::Outcome JsonRecordReader::ConvertMap(const types::DataType& type, JsonCell* cell) {
  cell->valid = true;
  cell->children.clear();
  cell->keys.clear();
  bool partial = false;
  bool bad = false;
  while (true) {
    if (!Step()) return Fail();
    if (tokens_->token() == Token::kNone || tokens_->token() == Token::kEndObject) break;
    const std::string* name = tokens_->CurrentName();
    std::string key = name == nullptr ? std::string() : *name;
    JsonCell value;
    Outcome outcome = Convert(*type.value(), &value);
    if (outcome == Outcome::kOk || (outcome == Outcome::kPartial && options_.partial_results)) {
      partial = partial || outcome == Outcome::kPartial;
      cell->keys.push_back(std::move(key));
      cell->children.push_back(std::move(value));
    } else if (options_.partial_results) {
      bad = true;
      if (!tokens_->SkipChildren()) {
        result_->syntax_error = true;
        return Fail();
      }
    } else {
      return outcome;
    }
  }
  if (bad) return Outcome::kFailed;
  return partial ? Outcome::kPartial : Outcome::kOk;
}

JsonRecordReader::Outcome JsonRecordReader::ConvertArray(const types::DataType& type, bool rows, JsonCell* cell) {
  cell->valid = true;
  cell->children.clear();
  const types::DataType& element = rows ? type : *type.element();
  bool partial = false;
  while (true) {
    if (!Step()) return Fail();
    if (tokens_->token() == Token::kNone || tokens_->token() == Token::kEndArray) break;
    JsonCell value;
    Outcome outcome = Convert(element, &value);
    if (outcome == Outcome::kFailed || (outcome == Outcome::kPartial && !options_.partial_results)) return outcome;
    if (rows && !value.valid) return Fail();
    partial = partial || outcome == Outcome::kPartial;
    cell->children.push_back(std::move(value));
  }
  return partial ? Outcome::kPartial : Outcome::kOk;
}

void AppendCell(const JsonCell& cell, ColumnWriter* column) {
  if (!cell.valid) return column->AppendNull();
  switch (column->id()) {
    case TypeId::kNull:
      return column->AppendNull();
    case TypeId::kBoolean:
      return column->Append(static_cast<uint8_t>(cell.integer));
    case TypeId::kByte:
      return column->Append(static_cast<int8_t>(cell.integer));
    case TypeId::kShort:
      return column->Append(static_cast<int16_t>(cell.integer));
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return column->Append(static_cast<int32_t>(cell.integer));
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return column->Append(cell.integer);
    case TypeId::kFloat:
      return column->Append(static_cast<float>(cell.number));
    case TypeId::kDouble:
      return column->Append(cell.number);
    case TypeId::kDecimal:
      return column->Append(cell.decimal);
    case TypeId::kCalendarInterval:
      return column->Append(arrow::MonthDayNanoIntervalType::MonthDayNanos{static_cast<int32_t>(cell.integer),
                                                                           cell.days, cell.micros * 1000});
    case TypeId::kString:
    case TypeId::kBinary:
      return column->AppendBytes(cell.text);
    case TypeId::kVariant:
      column->child(0).AppendBytes(cell.text);
      column->child(1).AppendBytes(cell.metadata);
      return column->EndStruct();
    case TypeId::kStruct:
      for (size_t i = 0; i < cell.children.size(); ++i) AppendCell(cell.children[i], &column->child(i));
      return column->EndStruct();
    case TypeId::kArray:
      for (const JsonCell& element : cell.children) AppendCell(element, &column->child(0));
      return column->EndList();
    case TypeId::kMap:
      for (size_t i = 0; i < cell.children.size(); ++i) {
        column->child(0).AppendBytes(cell.keys[i]);
        AppendCell(cell.children[i], &column->child(1));
      }
      return column->EndList();
  }
}

void AppendCellText(const JsonCell& cell, const types::DataType& type, std::string* out) {
  if (!cell.valid) {
    out->append("null");
    return;
  }
  auto list = [&](auto&& append_one, size_t count) {
    out->push_back('[');
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) out->push_back(',');
      append_one(i);
    }
    out->push_back(']');
  };
  switch (type.id()) {
    case TypeId::kBoolean:
      out->append(cell.integer != 0 ? "true" : "false");
      return;
    case TypeId::kFloat:
      return types::AppendFloat(static_cast<float>(cell.number), out);
    case TypeId::kDouble:
      return types::AppendDouble(cell.number, out);
    case TypeId::kDecimal:
      return types::AppendDecimalPlain(cell.decimal, type.scale(), out);
    case TypeId::kString:
    case TypeId::kBinary:
      out->append(cell.text);
      return;
    case TypeId::kStruct:
      return list([&](size_t i) { AppendCellText(cell.children[i], *type.fields()[i].type, out); },
                  cell.children.size());
    case TypeId::kArray:
      return list([&](size_t i) { AppendCellText(cell.children[i], *type.element(), out); }, cell.children.size());
    case TypeId::kMap:
      out->append("keys: ");
      list([&](size_t i) { out->append(cell.keys[i]); }, cell.keys.size());
      out->append(", values: ");
      return list([&](size_t i) { AppendCellText(cell.children[i], *type.value(), out); }, cell.children.size());
    default:
      out->append(std::to_string(cell.integer));
  }
}

}  // namespace millrace::format
