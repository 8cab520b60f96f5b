#include "format/xml/xml_infer_schema.h"

#include <algorithm>

#include "base/ascii.h"
#include "format/json/json_infer_schema.h"
#include "format/text_value.h"
#include "format/xml/xml_reader.h"
#include "types/number_text.h"

namespace millrace::format {

using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Inference {
 public:
  Inference(std::string_view record, const XmlOptions& options, const TextValueParser& values, bool case_sensitive)
      : reader_(record), options_(options), values_(values), case_sensitive_(case_sensitive) {}

  DataTypePtr Infer() {
    XmlEvent root = reader_.Next();
    if (!root.is(Kind::kStart)) return nullptr;
    DataTypePtr type = OfObject(&root);
    return failed_ ? nullptr : type;
  }

 private:
  using Kind = XmlEvent::Kind;

  bool SameName(const std::string& a, const std::string& b) const {
    return case_sensitive_ ? a == b : EqualsIgnoreCase(a, b);
  }

  std::string NameOf(const std::string& name) const {
    size_t colon = options_.ignore_namespace ? name.rfind(':') : std::string::npos;
    return colon == std::string::npos ? name : name.substr(colon + 1);
  }

  static DataTypePtr Sorted(std::vector<StructField> fields) {
    std::stable_sort(fields.begin(), fields.end(),
                     [](const StructField& a, const StructField& b) { return a.name < b.name; });
    return types::Struct(std::move(fields));
  }

  /// A name that comes a second time makes an array.
  void Add(const std::string& name, const DataTypePtr& type, std::vector<StructField>* fields) const {
    for (StructField& field : *fields) {
      if (!SameName(field.name, name)) continue;
      DataTypePtr merged = Merge(field.type, type);
      field.type = field.type->id() == TypeId::kArray ? merged : types::Array(merged);
      return;
    }
    fields->push_back({name, type});
  }

  std::vector<StructField> AttributeFields(const XmlEvent& start) const {
    std::vector<StructField> fields;
    if (options_.exclude_attributes) return fields;
    for (const auto& [name, value] : start.attributes) {
      fields.push_back({options_.attribute_prefix + NameOf(name), OfValue(value)});
    }
    return fields;
  }

  DataTypePtr OfObject(const XmlEvent* root) {
    std::vector<StructField> fields;
    if (root != nullptr) {
      for (const StructField& field : AttributeFields(*root)) Add(field.name, field.type, &fields);
    }
    while (true) {
      XmlEvent event = reader_.Next();
      if (event.is(Kind::kError)) failed_ = true;
      if (!event.is(Kind::kStart) && !event.is(Kind::kText)) break;
      if (event.is(Kind::kStart)) {
        DataTypePtr type = OfField();
        std::vector<StructField> attributes = AttributeFields(event);
        if (!attributes.empty()) {
          std::vector<StructField> all;
          if (type->id() == TypeId::kStruct) {
            all = type->fields();
          } else if (type->id() != TypeId::kNull) {
            all.push_back({options_.value_tag, type});
          }
          all.insert(all.end(), attributes.begin(), attributes.end());
          type = Sorted(std::move(all));
        }
        Add(NameOf(event.name), type, &fields);
      } else if (!event.IsBlank()) {
        Add(options_.value_tag, OfValue(event.text), &fields);
      }
    }
    return Sorted(std::move(fields));
  }

  DataTypePtr OfField() {
    const XmlEvent& next = reader_.Peek();
    if (next.is(Kind::kEnd)) {
      reader_.Next();
      return types::Null();
    }
    bool begins_with_text = next.is(Kind::kText);
    DataTypePtr type = OfObject(nullptr);
    if (!begins_with_text) return type;
    if (type->fields().empty()) return types::Null();
    const StructField& first = type->fields()[0];
    bool is_value = type->fields().size() == 1 && !first.type->is_nested() && SameName(first.name, options_.value_tag);
    return is_value ? first.type : type;
  }

  DataTypePtr OfValue(std::string_view raw) const {
    std::string text(options_.ignore_surrounding_spaces ? TrimAscii(raw) : raw);
    if (!options_.infer_schema) return types::String();
    if (text.empty() || (options_.null_value && text == *options_.null_value)) return types::Null();
    std::string_view plain = text;
    if (plain[0] == '+' || plain[0] == '-') plain.remove_prefix(1);
    bool is_number = !plain.empty() && (IsDigit(plain[0]) || plain[0] == '.');
    int64_t integer = 0;
    if (is_number && IsDigit(plain[0]) && ParseInteger(plain, &integer)) return types::Long();
    bool has_suffix = is_number && std::string_view("dDfF").find(plain.back()) != std::string_view::npos;
    if (is_number && !has_suffix) {
      double number = 0;
      if (options_.prefers_decimal) {
        if (DataTypePtr decimal = OfDecimal(text)) return decimal;
      }
      if (types::ParseDouble(plain, &number)) return types::Double();
    }
    int32_t days = 0;
    int64_t micros = 0;
    if (values_.Date(text, &days)) return types::Date();
    if (values_.Timestamp(text, &micros)) return types::Timestamp();
    bool boolean = EqualsIgnoreCase(text, "true") || EqualsIgnoreCase(text, "false");
    return boolean ? types::Boolean() : types::String();
  }

  DataTypePtr OfDecimal(const std::string& text) const {
    std::string plain;
    if (!NormalizeDecimalText(text, options_.number_symbols, &plain) ||
        plain.find_first_of("eE") != std::string::npos) {
      return nullptr;
    }
    size_t point = plain.find('.');
    int scale = point == std::string::npos ? 0 : static_cast<int>(plain.size() - point - 1);
    std::string digits;
    for (char c : plain) {
      if (IsDigit(c) && !(digits.empty() && c == '0')) digits += c;
    }
    int precision = std::max({static_cast<int>(digits.size()), scale, 1});
    return precision > types::kMaxDecimalPrecision ? nullptr : types::Decimal(precision, scale);
  }

  DataTypePtr Merge(const DataTypePtr& a, const DataTypePtr& b) const {
    if (a->id() == TypeId::kNull) return b;
    if (b->id() == TypeId::kNull) return a;
    bool a_array = a->id() == TypeId::kArray;
    bool b_array = b->id() == TypeId::kArray;
    if (a_array || b_array) return types::Array(Merge(a_array ? a->element() : a, b_array ? b->element() : b));
    bool a_struct = a->id() == TypeId::kStruct;
    bool b_struct = b->id() == TypeId::kStruct;
    if (a_struct && b_struct) {
      std::vector<StructField> fields = a->fields();
      for (const StructField& field : b->fields()) {
        auto same = std::find_if(fields.begin(), fields.end(),
                                 [&](const StructField& other) { return SameName(other.name, field.name); });
        if (same == fields.end()) {
          fields.push_back(field);
        } else {
          same->type = Merge(same->type, field.type);
        }
      }
      return Sorted(std::move(fields));
    }
    if (a_struct || b_struct) {
      std::vector<StructField> fields = (a_struct ? a : b)->fields();
      for (StructField& field : fields) {
        if (field.name != options_.value_tag) continue;
        field.type = a_struct ? Merge(field.type, b) : Merge(a, field.type);
        return types::Struct(std::move(fields));
      }
      return types::String();
    }
    bool dates = (a->id() == TypeId::kDate && b->id() == TypeId::kTimestamp) ||
                 (a->id() == TypeId::kTimestamp && b->id() == TypeId::kDate);
    return dates ? types::Timestamp() : MergeInferredTypes(a, b);
  }

  XmlReader reader_;
  const XmlOptions& options_;
  const TextValueParser& values_;
  bool case_sensitive_;
  bool failed_ = false;
};

}  // namespace

arrow::Result<DataTypePtr> InferXmlType(std::string_view record, const XmlOptions& options, bool case_sensitive) {
  TextValueOptions reading = ValuesOf(options);
  if (!reading.date_format) reading.date_format = "yyyy-MM-dd";
  reading.date_fallback = reading.timestamp_fallback = reading.date_reads_day_numbers = false;
  ARROW_ASSIGN_OR_RAISE(TextValueParser values, TextValueParser::Make(reading));
  return Inference(record, options, values, case_sensitive).Infer();
}

DataTypePtr CanonicalXmlType(const DataTypePtr& type) {
  switch (type->id()) {
    case TypeId::kNull:
      return types::String();
    case TypeId::kArray: {
      DataTypePtr element = CanonicalXmlType(type->element());
      return element == nullptr ? nullptr : types::Array(element);
    }
    case TypeId::kStruct: {
      std::vector<StructField> fields;
      for (const StructField& field : type->fields()) {
        DataTypePtr kept = field.name.empty() ? nullptr : CanonicalXmlType(field.type);
        if (kept != nullptr) fields.push_back({field.name, kept});
      }
      return fields.empty() ? nullptr : types::Struct(std::move(fields));
    }
    default:
      return type;
  }
}

}  // namespace millrace::format
