#include "format/json/json_infer_schema.h"

#include <algorithm>

#include "base/error.h"
#include "format/json/json_tokenizer.h"

namespace millrace::format {

using types::DataTypePtr;
using types::TypeId;
using Token = JsonTokenizer::Token;

namespace {

/// Precision and scale of a plain decimal text, as java.math.BigDecimal has them.
void PrecisionAndScale(std::string_view text, int* precision, int* scale) {
  int digits = 0, fraction = 0;
  bool significant = false, after_point = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    char c = text[i];
    if (c == '.') {
      after_point = true;
    } else if (c >= '0' && c <= '9') {
      significant = significant || c != '0';
      if (significant) ++digits;
      if (after_point) ++fraction;
    }
  }
  int64_t exponent = 0;
  if (i < text.size()) ParseInteger(text.substr(i + 1), &exponent);
  *precision = std::max(digits, 1);
  int64_t exact_scale = fraction - exponent;
  if (exact_scale < 0) {
    *precision = static_cast<int>(std::min<int64_t>(*precision - exact_scale, 1000));
    exact_scale = 0;
  }
  *scale = static_cast<int>(std::min<int64_t>(exact_scale, 1000));
}

DataTypePtr DecimalOrDouble(std::string_view text) {
  int precision = 0, scale = 0;
  PrecisionAndScale(text, &precision, &scale);
  precision = std::max(precision, scale);
  return precision <= types::kMaxDecimalPrecision ? types::Decimal(precision, scale) : types::Double();
}

class RecordTyper {
 public:
  RecordTyper(const JsonOptions& options, const TextValueParser& values, JsonTokenizer* tokens)
      : options_(options), values_(values), tokens_(tokens) {}

  /// The type of the value the tokenizer stands at; nullptr on a syntax error.
  DataTypePtr Type() {
    if (tokens_->token() == Token::kFieldName && !tokens_->Next()) return nullptr;
    std::string_view text;
    switch (tokens_->token()) {
      case Token::kNone:
      case Token::kNull:
        return types::Null();
      case Token::kString:
        return tokens_->Text(&text) ? OfString(text) : nullptr;
      case Token::kInteger:
      case Token::kFloat:
        tokens_->Text(&text);
        return OfNumber(text);
      case Token::kTrue:
      case Token::kFalse:
        return options_.primitives_as_string ? types::String() : types::Boolean();
      case Token::kStartObject:
        return OfObject();
      case Token::kStartArray:
        return OfArray();
      default:
        return nullptr;
    }
  }

 private:
  DataTypePtr OfString(std::string_view text) {
    if (text.empty()) return types::Null();
    std::string plain;
    if (options_.prefers_decimal && NormalizeDecimalText(text, options_.number_symbols, &plain)) {
      int precision = 0, scale = 0;
      PrecisionAndScale(plain, &precision, &scale);
      if (precision <= types::kMaxDecimalPrecision && scale <= precision) return types::Decimal(precision, scale);
    }
    int64_t micros = 0;
    if (options_.infer_timestamp && (values_.TimestampNtz(text, &micros) || values_.Timestamp(text, &micros))) {
      return types::Timestamp();
    }
    return types::String();
  }

  DataTypePtr OfNumber(std::string_view text) {
    if (options_.primitives_as_string) return types::String();
    if (tokens_->token() == Token::kInteger) {
      int64_t value = 0;
      return ParseInteger(text, &value) ? types::Long() : DecimalOrDouble(text);
    }
    if (!options_.prefers_decimal) return types::Double();
    return tokens_->is_non_numeric() ? nullptr : DecimalOrDouble(text);
  }

  DataTypePtr OfObject() {
    std::vector<types::StructField> fields;
    while (true) {
      if (!tokens_->Next()) return nullptr;
      if (tokens_->token() == Token::kEndObject || tokens_->token() == Token::kNone) break;
      const std::string* name = tokens_->CurrentName();
      types::StructField field;
      if (name != nullptr) field.name = *name;
      field.type = Type();
      if (field.type == nullptr) return nullptr;
      fields.push_back(std::move(field));
    }
    std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return types::Struct(std::move(fields));
  }

  DataTypePtr OfArray() {
    DataTypePtr element = types::Null();
    while (true) {
      if (!tokens_->Next()) return nullptr;
      if (tokens_->token() == Token::kEndArray || tokens_->token() == Token::kNone) break;
      DataTypePtr type = Type();
      if (type == nullptr) return nullptr;
      element = MergeInferredTypes(element, type);
    }
    return types::Array(std::move(element));
  }

  const JsonOptions& options_;
  const TextValueParser& values_;
  JsonTokenizer* tokens_;
};

DataTypePtr MergeStructs(const types::DataType& a, const types::DataType& b,
                         const DataTypePtr& mixed = types::String()) {
  std::vector<types::StructField> fields;
  size_t i = 0, k = 0;
  const auto& left = a.fields();
  const auto& right = b.fields();
  while (i < left.size() && k < right.size()) {
    int order = left[i].name.compare(right[k].name);
    if (order == 0) {
      fields.push_back({left[i].name, MergeInferredTypes(left[i].type, right[k].type, mixed)});
      ++i;
      ++k;
    } else if (order < 0) {
      fields.push_back(left[i++]);
    } else {
      fields.push_back(right[k++]);
    }
  }
  fields.insert(fields.end(), left.begin() + static_cast<ptrdiff_t>(i), left.end());
  fields.insert(fields.end(), right.begin() + static_cast<ptrdiff_t>(k), right.end());
  return types::Struct(std::move(fields));
}

}  // namespace

DataTypePtr MergeInferredTypes(const DataTypePtr& a, const DataTypePtr& b, const DataTypePtr& mixed) {
  if (a->Equals(*b)) return a;
  if (a->id() == TypeId::kNull) return b;
  if (b->id() == TypeId::kNull) return a;
  if (a->is_numeric() && b->is_numeric()) {
    bool decimal = a->id() == TypeId::kDecimal || b->id() == TypeId::kDecimal;
    if (!decimal) return a->id() < b->id() ? b : a;
    if (a->id() == TypeId::kDouble || b->id() == TypeId::kDouble) return types::Double();
    if (a->id() == TypeId::kFloat || b->id() == TypeId::kFloat) return mixed;
    DataTypePtr left = a->is_integral() ? types::DecimalForIntegral(a->id()) : a;
    DataTypePtr right = b->is_integral() ? types::DecimalForIntegral(b->id()) : b;
    int scale = std::max(left->scale(), right->scale());
    int whole = std::max(left->precision() - left->scale(), right->precision() - right->scale());
    return whole + scale > types::kMaxDecimalPrecision ? types::Double() : types::Decimal(whole + scale, scale);
  }
  if (a->is_datetime() && b->is_datetime()) {
    bool zoned = a->id() == TypeId::kTimestamp || b->id() == TypeId::kTimestamp;
    return zoned ? types::Timestamp() : types::TimestampNtz();
  }
  if (a->id() == TypeId::kStruct && b->id() == TypeId::kStruct) return MergeStructs(*a, *b, mixed);
  if (a->id() == TypeId::kArray && b->id() == TypeId::kArray) {
    return types::Array(MergeInferredTypes(a->element(), b->element(), mixed),
                        a->contains_null() || b->contains_null());
  }
  return mixed;
}

arrow::Result<JsonSchemaInference> JsonSchemaInference::Make(const JsonOptions& options) {
  TextValueOptions reading = ValuesOf(options);
  reading.date_fallback = reading.timestamp_fallback = false;
  ARROW_ASSIGN_OR_RAISE(TextValueParser values, TextValueParser::Make(reading));
  return JsonSchemaInference(options, std::move(values));
}

DataTypePtr JsonSchemaInference::TypeOf(std::string_view record) const {
  std::string repaired;
  if (!IsValidUtf8(record)) {
    repaired = ReplaceInvalidUtf8(record);
    record = repaired;
  }
  JsonTokenizer tokens(record, options_);
  if (!tokens.Next()) return nullptr;
  return RecordTyper(options_, values_, &tokens).Type();
}

arrow::Status JsonSchemaInference::Add(std::string_view record) {
  DataTypePtr type = TypeOf(record);
  if (type == nullptr) {
    if (options_.mode == ParseMode::kFailFast) {
      return UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                       {{"badRecord", std::string(record)}, {"failFastMode", "FAILFAST"}});
    }
    if (options_.mode == ParseMode::kDropMalformed) return arrow::Status::OK();
    type = types::Struct({{options_.corrupt_record_column, types::String()}});
  }
  return MergeRoot(std::move(type));
}

arrow::Status JsonSchemaInference::Merge(const JsonSchemaInference& other) {
  return other.root_ == nullptr ? arrow::Status::OK() : MergeRoot(other.root_);
}

// Arrays at the root stand for their elements; a root that is neither object nor null is a corrupt record.
arrow::Status JsonSchemaInference::MergeRoot(DataTypePtr type) {
  while (type->id() == TypeId::kArray) type = type->element();
  if (root_ == nullptr) root_ = types::Struct({});
  if (type->id() == TypeId::kNull) return arrow::Status::OK();
  if (type->id() == TypeId::kStruct) {
    root_ = MergeStructs(*root_, *type);
    return arrow::Status::OK();
  }
  if (options_.mode == ParseMode::kFailFast) {
    return UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                     {{"badRecord", type->CatalogString()}, {"failFastMode", "FAILFAST"}});
  }
  if (options_.mode == ParseMode::kPermissive) {
    root_ = MergeStructs(*root_, *types::Struct({{options_.corrupt_record_column, types::String()}}));
  }
  return arrow::Status::OK();
}

DataTypePtr JsonSchemaInference::Finish() const {
  DataTypePtr type = root_ == nullptr ? nullptr : Canonical(root_);
  return type == nullptr ? types::Struct({}) : type;
}

DataTypePtr JsonSchemaInference::Canonical(const DataTypePtr& type) const {
  switch (type->id()) {
    case TypeId::kArray: {
      DataTypePtr element = Canonical(type->element());
      return element == nullptr ? nullptr : types::Array(std::move(element), type->contains_null());
    }
    case TypeId::kStruct: {
      std::vector<types::StructField> fields;
      for (const types::StructField& field : type->fields()) {
        DataTypePtr kept = field.name.empty() ? nullptr : Canonical(field.type);
        if (kept != nullptr) fields.push_back({field.name, std::move(kept), field.nullable, field.metadata_json});
      }
      return fields.empty() ? nullptr : types::Struct(std::move(fields));
    }
    case TypeId::kNull:
      return options_.drop_field_if_all_null ? nullptr : types::String();
    default:
      return type;
  }
}

}  // namespace millrace::format
