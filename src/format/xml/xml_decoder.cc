#include "format/xml/xml_decoder.h"

#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "format/column_writer.h"
#include "format/json/json_decoder.h"
#include "format/json/json_record.h"
#include "format/text_cell.h"
#include "format/text_value.h"
#include "format/xml/xml_reader.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::format {

using types::DataType;
using types::TypeId;

namespace {

/// How reading a value went. A value that cannot be read leaves the reader where Spark's parser would stand then, in
/// the middle of its element: what follows there is taken for the parent's, as in Spark.
enum class Outcome { kOk, kFailed };

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

/// A number as java.text.NumberFormat reads it: what begins the text, with commas between digits.
bool ParseLooseNumber(std::string_view text, double* value) {
  std::string plain;
  size_t i = 0;
  if (text.starts_with('-')) plain += text[i++];
  bool has_digits = false;
  bool has_point = false;
  for (; i < text.size(); ++i) {
    char c = text[i];
    if (c >= '0' && c <= '9') {
      has_digits = true;
    } else if (c == ',' && !has_point && has_digits) {
      continue;
    } else if (c == '.' && !has_point) {
      has_point = true;
    } else {
      break;
    }
    plain += c;
  }
  return has_digits && types::ParseDouble(plain, value);
}

template <typename T>
bool ParseJavaFloating(std::string_view text, T* value) {
  std::string_view word = Trimmed(text);
  if (word.starts_with('+') || word.starts_with('-')) word.remove_prefix(1);
  bool letter = !word.empty() && ((word[0] >= 'a' && word[0] <= 'z') || (word[0] >= 'A' && word[0] <= 'Z'));
  if (letter && word != "NaN" && word != "Infinity") return false;
  if constexpr (std::is_same_v<T, float>) {
    return types::ParseFloat(text, value);
  } else {
    return types::ParseDouble(text, value);
  }
}

class RecordReader {
 public:
  RecordReader(const XmlOptions& options, const TextValueParser& values, bool case_sensitive)
      : options_(options), values_(values), case_sensitive_(case_sensitive) {}

  /// False where nothing of the record can be used; `is_bad` where some of it cannot.
  bool Read(std::string_view record, const DataType& schema, JsonCell* row, bool* is_bad) {
    XmlReader reader(record);
    reader_ = &reader;
    XmlEvent root = reader.Next();
    *is_bad = true;
    if (!root.is(XmlEvent::Kind::kStart)) return false;
    Attributes attributes = NamedAttributes(root);
    bool partial = false;
    if (ReadObject(schema, &attributes, row, &partial) == Outcome::kFailed && !partial) return false;
    *is_bad = partial;
    return true;
  }

 private:
  using Kind = XmlEvent::Kind;
  using Attributes = std::vector<std::pair<std::string, std::optional<std::string>>>;

  std::string NameOf(const std::string& name) const {
    size_t colon = options_.ignore_namespace ? name.rfind(':') : std::string::npos;
    return colon == std::string::npos ? name : name.substr(colon + 1);
  }

  Attributes NamedAttributes(const XmlEvent& start) const {
    Attributes attributes;
    if (options_.exclude_attributes) return attributes;
    for (const auto& [name, value] : start.attributes) {
      std::string text(options_.ignore_surrounding_spaces ? Trimmed(value) : std::string_view(value));
      bool is_null = options_.null_value && text == *options_.null_value;
      attributes.emplace_back(options_.attribute_prefix + NameOf(name),
                              is_null ? std::nullopt : std::optional(std::move(text)));
    }
    return attributes;
  }

  int FieldOf(const DataType& schema, const std::string& name) const {
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      const std::string& field = schema.fields()[i].name;
      if (case_sensitive_ ? field == name : EqualsIgnoreCase(field, name)) return static_cast<int>(i);
    }
    return -1;
  }

  Outcome ReadAttributes(const Attributes& attributes, const DataType& schema, JsonCell* row) const {
    for (const auto& [name, value] : attributes) {
      int i = FieldOf(schema, name);
      if (i < 0) continue;
      JsonCell& cell = row->children[static_cast<size_t>(i)];
      cell = JsonCell{};
      if (value && !Convert(*value, *schema.fields()[static_cast<size_t>(i)].type, &cell)) return Outcome::kFailed;
    }
    return Outcome::kOk;
  }

  static void Clear(const DataType& schema, JsonCell* row) {
    *row = JsonCell{};
    row->valid = true;
    row->children.resize(schema.fields().size());
  }

  /// The children and the text of an element up to its end. `partial`: the row has what could be read of it.
  Outcome ReadObject(const DataType& schema, const Attributes* root_attributes, JsonCell* row, bool* partial) {
    Clear(schema, row);
    *partial = false;
    if (root_attributes != nullptr && ReadAttributes(*root_attributes, schema, row) == Outcome::kFailed) {
      return Outcome::kFailed;
    }
    bool has_bad = false;
    while (true) {
      XmlEvent event = reader_->Next();
      if (event.is(Kind::kError)) return Outcome::kFailed;
      if (event.is(Kind::kEnd) || event.is(Kind::kDocumentEnd)) break;
      if (event.is(Kind::kStart)) {
        has_bad = ReadChild(schema, event, row) == Outcome::kFailed || has_bad;
      } else if (!event.IsBlank()) {
        if (!AddValue(schema, event.text, row)) return Outcome::kFailed;
      }
    }
    *partial = has_bad;
    return has_bad ? Outcome::kFailed : Outcome::kOk;
  }

  /// Text beside children.
  bool AddValue(const DataType& schema, const std::string& text, JsonCell* row) const {
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      if (schema.fields()[i].name != options_.value_tag) continue;
      const DataType& type = *schema.fields()[i].type;
      JsonCell& cell = row->children[i];
      if (type.id() != TypeId::kArray) {
        cell = JsonCell{};
        return Convert(text, type, &cell);
      }
      JsonCell element;
      if (!Convert(text, *type.element(), &element)) return false;
      cell.valid = true;
      cell.children.push_back(std::move(element));
      return true;
    }
    return true;
  }

  Outcome ReadChild(const DataType& schema, const XmlEvent& start, JsonCell* row) {
    std::string name = NameOf(start.name);
    int index = FieldOf(schema, name);
    if (index < 0) return ReadUnknown(schema, row);
    const DataType& type = *schema.fields()[static_cast<size_t>(index)].type;
    JsonCell& cell = row->children[static_cast<size_t>(index)];
    JsonCell value;
    if (type.id() == TypeId::kArray) {
      const DataType& element = *type.element();
      Outcome outcome =
          element.id() == TypeId::kStruct ? ReadStruct(element, start, &value) : ReadField(element, XmlEvent{}, &value);
      if (outcome == Outcome::kFailed) return outcome;
      cell.valid = true;
      cell.children.push_back(std::move(value));
      return Outcome::kOk;
    }
    Outcome outcome = type.id() == TypeId::kStruct ? ReadStruct(type, start, &value) : ReadField(type, start, &value);
    if (outcome == Outcome::kOk) cell = std::move(value);
    return outcome;
  }

  /// An element without a field: skipped, or kept as text in the wildcard column.
  Outcome ReadUnknown(const DataType& schema, JsonCell* row) {
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      if (schema.fields()[i].name != options_.wildcard_column) continue;
      JsonCell value;
      if (ReadField(*types::String(), XmlEvent{}, &value) == Outcome::kFailed) return Outcome::kFailed;
      const DataType& type = *schema.fields()[i].type;
      JsonCell& cell = row->children[i];
      if (type.id() == TypeId::kString) {
        cell = std::move(value);
      } else if (type.id() == TypeId::kArray && type.element()->id() == TypeId::kString) {
        cell.valid = true;
        cell.children.push_back(std::move(value));
      } else {
        return Outcome::kFailed;
      }
      return Outcome::kOk;
    }
    for (int depth = 1; depth > 0;) {
      XmlEvent event = reader_->Next();
      if (event.is(Kind::kError) || event.is(Kind::kDocumentEnd)) return Outcome::kFailed;
      if (event.is(Kind::kStart)) ++depth;
      if (event.is(Kind::kEnd)) --depth;
    }
    return Outcome::kOk;
  }

  /// An element with its attributes.
  Outcome ReadStruct(const DataType& schema, const XmlEvent& start, JsonCell* row) {
    Attributes attributes = NamedAttributes(start);
    JsonCell of_attributes;
    Clear(schema, &of_attributes);
    if (ReadAttributes(attributes, schema, &of_attributes) == Outcome::kFailed) return Outcome::kFailed;
    if (ReadField(schema, XmlEvent{}, row) == Outcome::kFailed) return Outcome::kFailed;
    if (!row->valid) Clear(schema, row);
    for (const auto& [name, value] : attributes) {
      int i = FieldOf(schema, name);
      if (i >= 0) row->children[static_cast<size_t>(i)] = of_attributes.children[static_cast<size_t>(i)];
    }
    return Outcome::kOk;
  }

  /// The rest of an element whose start has been read. `start` has its attributes where they count (those of maps).
  Outcome ReadField(const DataType& type, const XmlEvent& start, JsonCell* cell) {
    const XmlEvent& next = reader_->Peek();
    switch (next.kind) {
      case Kind::kStart:
        return ReadNested(type, start, cell);
      case Kind::kEnd:
        reader_->Next();
        *cell = JsonCell{};
        cell->valid = type.id() == TypeId::kString && options_.null_value != "";
        return Outcome::kOk;
      case Kind::kText:
        break;
      default:
        return Outcome::kFailed;
    }
    if (type.id() == TypeId::kStruct || type.id() == TypeId::kString) return ReadNested(type, start, cell);
    if (type.id() == TypeId::kArray) {
      XmlEvent text = reader_->Next();
      return Convert(text.text, *type.element(), cell) ? SkipEnd() : Outcome::kFailed;
    }
    if (next.IsBlank()) {
      reader_->Next();
      return ReadField(type, start, cell);
    }
    if (!Convert(next.text, type, cell)) return Outcome::kFailed;
    reader_->Next();
    return SkipEnd();
  }

  Outcome ReadNested(const DataType& type, const XmlEvent& start, JsonCell* cell) {
    bool partial = false;
    switch (type.id()) {
      case TypeId::kStruct:
        return ReadObject(type, nullptr, cell, &partial);
      case TypeId::kMap:
        return type.key()->id() == TypeId::kString ? ReadMap(type, start, cell) : Outcome::kFailed;
      case TypeId::kArray:
        return ReadField(*type.element(), XmlEvent{}, cell);
      case TypeId::kString: {
        std::string text;
        if (ReadText(&text) == Outcome::kFailed) return Outcome::kFailed;
        return Convert(text, type, cell) ? Outcome::kOk : Outcome::kFailed;
      }
      default:
        return Outcome::kFailed;
    }
  }

  Outcome ReadMap(const DataType& type, const XmlEvent& start, JsonCell* cell) {
    *cell = JsonCell{};
    cell->valid = true;
    auto put = [cell](std::string key, JsonCell value) {
      for (size_t i = 0; i < cell->keys.size(); ++i) {
        if (cell->keys[i] != key) continue;
        cell->children[i] = std::move(value);
        return;
      }
      cell->keys.push_back(std::move(key));
      cell->children.push_back(std::move(value));
    };
    for (const auto& [name, text] : start.attributes) {
      JsonCell value;
      if (!Convert(text, *type.value(), &value)) return Outcome::kFailed;
      put(options_.attribute_prefix + name, std::move(value));
    }
    while (true) {
      XmlEvent event = reader_->Next();
      if (event.is(Kind::kError)) return Outcome::kFailed;
      if (event.is(Kind::kEnd) || event.is(Kind::kDocumentEnd)) return Outcome::kOk;
      JsonCell value;
      if (event.is(Kind::kStart)) {
        if (ReadField(*type.value(), XmlEvent{}, &value) == Outcome::kFailed) return Outcome::kFailed;
        put(NameOf(event.name), std::move(value));
      } else if (!event.IsBlank()) {
        if (!Convert(event.text, *type.value(), &value)) return Outcome::kFailed;
        put(options_.value_tag, std::move(value));
      }
    }
  }

  /// What is inside of an element, as text.
  Outcome ReadText(std::string* out) {
    for (int depth = 0;;) {
      XmlEvent event = reader_->Next();
      switch (event.kind) {
        case Kind::kStart:
          out->append("<").append(event.name);
          for (const auto& [name, value] : event.attributes) {
            out->append(" ").append(name).append("=\"").append(value).append("\"");
          }
          out->push_back('>');
          ++depth;
          break;
        case Kind::kEnd:
          out->append("</").append(event.name).push_back('>');
          --depth;
          break;
        case Kind::kText:
          out->append(event.text);
          break;
        default:
          return Outcome::kFailed;
      }
      if (depth == 0 && reader_->Peek().is(Kind::kEnd)) return SkipEnd();
    }
  }

  Outcome SkipEnd() {
    while (true) {
      XmlEvent event = reader_->Next();
      if (event.is(Kind::kEnd)) return Outcome::kOk;
      if (!event.is(Kind::kText) || !event.IsBlank()) return Outcome::kFailed;
    }
  }

  /// False when the text does not fit the type.
  bool Convert(std::string_view raw, const DataType& type, JsonCell* cell) const {
    std::string text(options_.ignore_surrounding_spaces ? Trimmed(raw) : raw);
    *cell = JsonCell{};
    if (options_.null_value && text == *options_.null_value) return true;
    cell->valid = true;
    // These lose a sign before they are read; that of the value is its opposite behind a minus.
    bool takes_sign = type.id() == TypeId::kLong || type.id() == TypeId::kDouble || type.id() == TypeId::kFloat ||
                      type.id() == TypeId::kInteger;
    bool negates = takes_sign && text.starts_with('-');
    if (takes_sign && (negates || text.starts_with('+'))) text.erase(0, 1);
    if (!ConvertPlain(text, type, cell)) return false;
    if (!negates) return true;
    cell->number = -cell->number;
    cell->integer = static_cast<int64_t>(0 - static_cast<uint64_t>(cell->integer));
    return true;
  }

  bool ConvertPlain(const std::string& text, const DataType& type, JsonCell* cell) const {
    switch (type.id()) {
      case TypeId::kFloat: {
        float value = 0;
        if (!ParseJavaFloating(text, &value)) return ParseLooseNumber(text, &cell->number);
        cell->number = value;
        return true;
      }
      case TypeId::kDouble:
        return ParseJavaFloating(text, &cell->number) || ParseLooseNumber(text, &cell->number);
      case TypeId::kBoolean:
        cell->integer = EqualsIgnoreCase(text, "true") || text == "1" ? 1 : 0;
        return cell->integer == 1 || EqualsIgnoreCase(text, "false") || text == "0";
      case TypeId::kNull:
        cell->text = text;
        return true;
      default:
        return ReadTextCell(text, type, values_, options_.number_symbols, cell);
    }
  }

  const XmlOptions& options_;
  const TextValueParser& values_;
  bool case_sensitive_;
  XmlReader* reader_ = nullptr;
};

}  // namespace

class XmlDecoder::Implementation {
 public:
  Implementation(XmlDecoderConfig config, TextValueParser values, arrow::MemoryPool* pool)
      : config_(std::move(config)),
        values_(std::move(values)),
        reader_(config_.options, values_, config_.case_sensitive),
        root_(config_.schema, pool) {
    const auto& fields = config_.schema->fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == config_.options.corrupt_record_column && corrupt_column_ < 0) {
        corrupt_column_ = static_cast<int>(i);
      }
    }
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const arrow::Array& column) {
    const auto& records = static_cast<const arrow::StringArray&>(column);
    root_.Truncate(0);
    JsonCell row;
    for (int64_t i = 0; i < records.length(); ++i) {
      if (records.IsNull(i)) {
        root_.AppendNull();
        continue;
      }
      bool is_bad = false;
      if (!reader_.Read(records.GetView(i), *config_.schema, &row, &is_bad)) {
        row = JsonCell{};
        row.valid = true;
        row.children.resize(config_.schema->fields().size());
      }
      if (is_bad) ARROW_RETURN_NOT_OK(Malformed(records.GetView(i), &row));
      AppendCell(row, &root_);
    }
    return root_.Finish();
  }

 private:
  arrow::Status Malformed(std::string_view record, JsonCell* row) const {
    if (config_.options.mode == ParseMode::kFailFast) {
      std::string text;
      AppendCellText(*row, *config_.schema, &text);
      return UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                       {{"badRecord", text}, {"failFastMode", "FAILFAST"}});
    }
    if (corrupt_column_ >= 0) {
      JsonCell& cell = row->children[static_cast<size_t>(corrupt_column_)];
      cell = JsonCell{};
      cell.valid = true;
      cell.text = record;
    }
    return arrow::Status::OK();
  }

  XmlDecoderConfig config_;
  TextValueParser values_;
  RecordReader reader_;
  ColumnWriter root_;
  int corrupt_column_ = -1;
};

XmlDecoder::XmlDecoder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
XmlDecoder::~XmlDecoder() = default;

arrow::Result<std::unique_ptr<XmlDecoder>> XmlDecoder::Make(XmlDecoderConfig config, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckCorruptRecordColumn(*config.schema, config.options.corrupt_record_column));
  if (config.schema->Holds(TypeId::kVariant)) return arrow::Status::NotImplemented("VARIANT of XML");
  TextValueOptions reading = ValuesOf(config.options);
  reading.date_fallback = reading.timestamp_fallback = reading.date_reads_day_numbers = false;
  ARROW_ASSIGN_OR_RAISE(TextValueParser values, TextValueParser::Make(reading));
  return std::unique_ptr<XmlDecoder>(
      new XmlDecoder(std::make_unique<Implementation>(std::move(config), std::move(values), pool)));
}

arrow::Result<std::shared_ptr<arrow::Array>> XmlDecoder::Decode(const arrow::Array& records) {
  return implementation_->Decode(records);
}

}  // namespace millrace::format
