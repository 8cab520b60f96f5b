#include "format/avro/avro_schema.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace millrace::format {

namespace {

constexpr std::array<std::string_view, 14> kKindNames = {"null",   "boolean", "int",    "long",  "float",
                                                         "double", "bytes",   "string", "fixed", "enum",
                                                         "record", "array",   "map",    "union"};
/// Deeper texts are no schemas anybody wrote.
constexpr int kMaxDepth = 500;

std::optional<AvroKind> PrimitiveFrom(std::string_view word) {
  for (AvroKind kind : {AvroKind::kNull, AvroKind::kBoolean, AvroKind::kInt, AvroKind::kLong, AvroKind::kFloat,
                        AvroKind::kDouble, AvroKind::kBytes, AvroKind::kString}) {
    if (AvroKindName(kind) == word) return kind;
  }
  return std::nullopt;
}

std::string TextOf(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value != nullptr && value->is_string() ? value->AsString() : std::string();
}

bool IsName(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

arrow::Status CheckName(std::string_view name) {
  if (name.empty()) return arrow::Status::Invalid("Empty name");
  if (!IsName(name)) return arrow::Status::Invalid("Illegal character in: ", name);
  return arrow::Status::OK();
}

/// `name` within `space`, unless it brings its own.
std::string FullName(std::string_view name, std::string_view space) {
  if (name.find('.') != std::string_view::npos || space.empty()) return std::string(name);
  return std::string(space) + "." + std::string(name);
}

std::string_view SpaceOf(std::string_view full_name) {
  size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : full_name.substr(0, dot);
}

/// The most decimal digits that fit into `size` bytes of two's complement.
int64_t DigitsOf(int64_t size) {
  return static_cast<int64_t>(std::floor(static_cast<double>(8 * size - 1) * std::log10(2.0)));
}

void ReadLogical(const JsonValue& object, AvroSchema* node) {
  std::string word = TextOf(object, "logicalType");
  if (node->kind == AvroKind::kInt && word == "date") node->logical = AvroLogical::kDate;
  if (node->kind == AvroKind::kLong) {
    if (word == "timestamp-millis") node->logical = AvroLogical::kTimestampMillis;
    if (word == "timestamp-micros") node->logical = AvroLogical::kTimestampMicros;
    if (word == "local-timestamp-millis") node->logical = AvroLogical::kLocalTimestampMillis;
    if (word == "time-micros") node->logical = AvroLogical::kTimeMicros;
    if (word == "local-timestamp-micros") node->logical = AvroLogical::kLocalTimestampMicros;
  }
  if (word == "decimal" && (node->kind == AvroKind::kBytes || node->kind == AvroKind::kFixed)) {
    const JsonValue* precision = object.Find("precision");
    const JsonValue* scale = object.Find("scale");
    int64_t digits = precision != nullptr ? precision->AsInt64() : 0;
    int64_t after_point = scale != nullptr ? scale->AsInt64() : 0;
    bool fits = node->kind == AvroKind::kBytes || digits <= DigitsOf(node->size);
    if (digits > 0 && fits && after_point >= 0 && after_point <= digits && digits <= 1'000'000) {
      node->logical = AvroLogical::kDecimal;
      node->precision = static_cast<int>(digits);
      node->scale = static_cast<int>(after_point);
    }
  }
}

}  // namespace

std::string_view AvroKindName(AvroKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string AvroSchema::Name() const {
  if (full_name.empty()) return std::string(AvroKindName(kind));
  return full_name.substr(full_name.rfind('.') + 1);
}

class AvroSchemaParser {
 public:
  arrow::Result<std::shared_ptr<const AvroDocument>> Parse(std::string_view json) {
    ARROW_ASSIGN_OR_RAISE(JsonValue text, ParseJson(json));
    document_ = std::make_shared<AvroDocument>();
    ARROW_ASSIGN_OR_RAISE(document_->root_, ParseNode(text, "", 0));
    document_->text_ = text.ToString();
    return std::shared_ptr<const AvroDocument>(std::move(document_));
  }

 private:
  AvroSchema* NewNode(AvroKind kind) {
    document_->nodes_.push_back(std::make_unique<AvroSchema>());
    document_->nodes_.back()->kind = kind;
    return document_->nodes_.back().get();
  }

  arrow::Result<const AvroSchema*> ParseNode(const JsonValue& json, const std::string& space, int depth) {
    if (depth > kMaxDepth) return arrow::Status::Invalid("the schema is nested too deeply");
    if (json.is_string()) {
      if (auto kind = PrimitiveFrom(json.AsString())) return NewNode(*kind);
      auto named = named_.find(FullName(json.AsString(), space));
      if (named == named_.end()) named = named_.find(json.AsString());
      if (named == named_.end()) {
        return arrow::Status::Invalid("Undefined schema: ", FullName(json.AsString(), space));
      }
      return named->second;
    }
    if (json.is_array()) return ParseUnion(json, space, depth);
    if (!json.is_object()) return arrow::Status::Invalid("Schema not yet supported: ", json.ToString());
    const JsonValue* type = json.Find("type");
    if (type == nullptr) return arrow::Status::Invalid("No type: ", json.ToString());
    if (!type->is_string()) return ParseNode(*type, space, depth + 1);
    const std::string& word = type->AsString();
    if (auto kind = PrimitiveFrom(word)) {
      AvroSchema* node = NewNode(*kind);
      node->catalyst_type = TextOf(json, "spark.sql.catalyst.type");
      ReadLogical(json, node);
      return node;
    }
    if (word == "record" || word == "error" || word == "enum" || word == "fixed") {
      return ParseNamed(json, word, space, depth);
    }
    if (word == "array" || word == "map") {
      const JsonValue* child = json.Find(word == "array" ? "items" : "values");
      if (child == nullptr) {
        return arrow::Status::Invalid(word == "array" ? "Array has no items type: " : "Map has no values type: ",
                                      json.ToString());
      }
      AvroSchema* node = NewNode(word == "array" ? AvroKind::kArray : AvroKind::kMap);
      ARROW_ASSIGN_OR_RAISE(const AvroSchema* of, ParseNode(*child, space, depth + 1));
      node->children.push_back(of);
      return node;
    }
    return ParseNode(*type, space, depth + 1);
  }

  arrow::Result<const AvroSchema*> ParseUnion(const JsonValue& json, const std::string& space, int depth) {
    AvroSchema* node = NewNode(AvroKind::kUnion);
    for (const JsonValue& element : json.elements()) {
      ARROW_ASSIGN_OR_RAISE(const AvroSchema* branch, ParseNode(element, space, depth + 1));
      if (branch->kind == AvroKind::kUnion) {
        return arrow::Status::Invalid("Nested union: ", json.ToString());
      }
      for (const AvroSchema* other : node->children) {
        if (other->kind == branch->kind && other->full_name == branch->full_name) {
          return arrow::Status::Invalid("Duplicate in union:",
                                        branch->full_name.empty() ? branch->Name() : branch->full_name);
        }
      }
      node->children.push_back(branch);
    }
    return node;
  }

  arrow::Result<const AvroSchema*> ParseNamed(const JsonValue& json, const std::string& word, const std::string& space,
                                              int depth) {
    std::string name = TextOf(json, "name");
    if (name.empty()) return arrow::Status::Invalid("No name in schema: ", json.ToString());
    const JsonValue* given_space = json.Find("namespace");
    std::string outer = given_space != nullptr && given_space->is_string() ? given_space->AsString() : space;
    std::string full_name = FullName(name, outer);
    ARROW_RETURN_NOT_OK(CheckName(std::string_view(full_name).substr(full_name.rfind('.') + 1)));
    if (named_.contains(full_name)) return arrow::Status::Invalid("Can't redefine: ", full_name);
    AvroSchema* node = NewNode(word == "enum"    ? AvroKind::kEnum
                               : word == "fixed" ? AvroKind::kFixed
                                                 : AvroKind::kRecord);
    node->full_name = full_name;
    std::string inner(SpaceOf(full_name));
    node->aliases = Aliases(json, inner);
    named_[full_name] = node;
    if (node->kind == AvroKind::kFixed) {
      const JsonValue* size = json.Find("size");
      if (size == nullptr || !size->is_number() || size->AsInt64() < 0) {
        return arrow::Status::Invalid("Invalid or no size: ", json.ToString());
      }
      node->size = size->AsInt64();
      ReadLogical(json, node);
      return node;
    }
    if (node->kind == AvroKind::kEnum) return ReadSymbols(json, node);
    const JsonValue* fields = json.Find("fields");
    if (fields == nullptr || !fields->is_array()) {
      return arrow::Status::Invalid("Record has no fields: ", json.ToString());
    }
    for (const JsonValue& field : fields->elements()) {
      AvroField made;
      made.name = TextOf(field, "name");
      ARROW_RETURN_NOT_OK(CheckName(made.name));
      for (const AvroField& other : node->fields) {
        if (other.name == made.name) {
          return arrow::Status::Invalid("Duplicate field ", made.name, " in record ", full_name);
        }
      }
      const JsonValue* type = field.Find("type");
      if (type == nullptr) return arrow::Status::Invalid("No field type: ", field.ToString());
      ARROW_ASSIGN_OR_RAISE(made.schema, ParseNode(*type, inner, depth + 1));
      made.aliases = Aliases(field, "");
      if (const JsonValue* value = field.Find("default")) made.default_value = *value;
      node->fields.push_back(std::move(made));
    }
    return node;
  }

  static arrow::Result<const AvroSchema*> ReadSymbols(const JsonValue& json, AvroSchema* node) {
    const JsonValue* symbols = json.Find("symbols");
    if (symbols == nullptr || !symbols->is_array()) {
      return arrow::Status::Invalid("Enum has no symbols: ", json.ToString());
    }
    for (const JsonValue& symbol : symbols->elements()) {
      ARROW_RETURN_NOT_OK(CheckName(symbol.AsString()));
      node->symbols.push_back(symbol.AsString());
    }
    if (std::string text = TextOf(json, "default"); !text.empty()) node->default_symbol = std::move(text);
    return node;
  }

  static std::vector<std::string> Aliases(const JsonValue& json, const std::string& space) {
    std::vector<std::string> names;
    if (const JsonValue* aliases = json.Find("aliases")) {
      for (const JsonValue& alias : aliases->elements()) names.push_back(FullName(alias.AsString(), space));
    }
    return names;
  }

  std::shared_ptr<AvroDocument> document_;
  std::map<std::string, const AvroSchema*, std::less<>> named_;
};

arrow::Result<std::shared_ptr<const AvroDocument>> AvroDocument::Parse(std::string_view json) {
  return AvroSchemaParser().Parse(json);
}

}  // namespace millrace::format
