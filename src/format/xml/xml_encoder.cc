#include "format/xml/xml_encoder.h"

#include <arrow/array/builder_binary.h>

#include "format/value_text.h"
#include "format/xml/xml_reader.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::format {

using types::DataType;
using types::TypeId;

namespace {

/// Elements as text, each on a line of its own where there is an indent.
class ElementWriter {
 public:
  ElementWriter(const std::string& indent, bool validates) : indent_(indent), validates_(validates) {}

  arrow::Status Start(std::string_view name) {
    ARROW_RETURN_NOT_OK(CheckName(name));
    CloseTag();
    has_data_ = false;
    NewLine();
    out_.append("<").append(name);
    open_.push_back({std::string(name), /*has_children=*/false});
    if (open_.size() > 1) open_[open_.size() - 2].has_children = true;
    tag_is_open_ = true;
    return arrow::Status::OK();
  }

  arrow::Status Attribute(std::string_view name, std::string_view value) {
    if (!tag_is_open_) {
      return arrow::Status::Invalid("Trying to write an attribute when there is no open start element.");
    }
    ARROW_RETURN_NOT_OK(CheckName(name));
    out_.append(" ").append(name).append("=\"");
    Escape(value, /*is_attribute=*/true);
    out_.push_back('"');
    return arrow::Status::OK();
  }

  void Text(std::string_view text) {
    CloseTag();
    has_data_ = true;
    Escape(text, /*is_attribute=*/false);
  }

  void End() {
    Level level = std::move(open_.back());
    open_.pop_back();
    if (tag_is_open_) {
      tag_is_open_ = false;
      out_.append("/>");
    } else {
      if (level.has_children && !has_data_) NewLine();
      out_.append("</").append(level.name).push_back('>');
    }
    has_data_ = false;
  }

  std::string& out() { return out_; }

 private:
  struct Level {
    std::string name;
    bool has_children;
  };

  void CloseTag() {
    if (tag_is_open_) out_.push_back('>');
    tag_is_open_ = false;
  }

  void NewLine() {
    if (indent_.empty() || out_.empty()) return;
    out_.push_back('\n');
    for (size_t i = 0; i < open_.size(); ++i) out_.append(indent_);
  }

  arrow::Status CheckName(std::string_view name) const {
    if (!validates_ || IsXmlName(name)) return arrow::Status::OK();
    return arrow::Status::Invalid("Illegal name: \"", name, "\"");
  }

  void Escape(std::string_view text, bool is_attribute) {
    for (size_t i = 0; i < text.size(); ++i) {
      switch (text[i]) {
        case '&':
          out_.append("&amp;");
          break;
        case '<':
          out_.append("&lt;");
          break;
        case '>':
          // Only where it could end a CDATA section.
          if (!is_attribute && (i == 0 || text[i - 1] == ']')) {
            out_.append("&gt;");
          } else {
            out_.push_back('>');
          }
          break;
        case '"':
          out_.append(is_attribute ? "&quot;" : "\"");
          break;
        case '\r':
          out_.append("&#xd;");
          break;
        case '\n':
          out_.append(is_attribute ? "&#xa;" : "\n");
          break;
        case '\t':
          out_.append(is_attribute ? "&#x9;" : "\t");
          break;
        default:
          out_.push_back(text[i]);
      }
    }
  }

  const std::string& indent_;
  bool validates_;
  std::string out_;
  std::vector<Level> open_;
  bool tag_is_open_ = false;
  bool has_data_ = false;
};

}  // namespace

class XmlEncoder::Implementation {
 public:
  Implementation(types::DataTypePtr type, const XmlOptions& options, DateTimeWriter datetimes)
      : type_(std::move(type)), options_(options), datetimes_(std::move(datetimes)) {}

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& rows, arrow::MemoryPool* pool) {
    arrow::StringBuilder texts(pool);
    for (int64_t i = 0; i < rows.length(); ++i) {
      if (rows.IsNull(i)) {
        ARROW_RETURN_NOT_OK(texts.AppendNull());
        continue;
      }
      ElementWriter writer(options_.indent, options_.validate_name);
      writer_ = &writer;
      ARROW_RETURN_NOT_OK(WriteElement(options_.row_tag, *type_, rows, i));
      if (options_.indent.empty()) writer.out().push_back('\n');
      ARROW_RETURN_NOT_OK(texts.Append(writer.out()));
    }
    return texts.Finish();
  }

 private:
  template <typename T>
  static T Value(const arrow::Array& column, int64_t row) {
    return column.data()->GetValues<T>(1)[row];
  }

  bool IsAttribute(const std::string& name) const {
    return name.starts_with(options_.attribute_prefix) && name != options_.value_tag;
  }

  static bool IsNull(const arrow::Array& column, const DataType& type, int64_t row) {
    return type.id() == TypeId::kNull || column.IsNull(row);
  }

  arrow::Status WriteElement(const std::string& name, const DataType& type, const arrow::Array& column, int64_t row) {
    if (IsNull(column, type, row) && !options_.null_value) return arrow::Status::OK();
    if (name == options_.value_tag) return WriteContent(type, column, row);
    ARROW_RETURN_NOT_OK(writer_->Start(name));
    ARROW_RETURN_NOT_OK(WriteContent(type, column, row));
    writer_->End();
    return arrow::Status::OK();
  }

  /// A field: an attribute, an element, or as many as an array has.
  arrow::Status WriteChild(const std::string& name, const DataType& type, const arrow::Array& column, int64_t row) {
    bool is_null = IsNull(column, type, row);
    if (IsAttribute(name)) {
      std::string attribute = name.substr(options_.attribute_prefix.size());
      if (is_null)
        return options_.null_value ? writer_->Attribute(attribute, *options_.null_value) : arrow::Status::OK();
      std::string text;
      ARROW_RETURN_NOT_OK(AppendText(type, column, row, /*is_attribute=*/true, &text));
      return writer_->Attribute(attribute, text);
    }
    if (type.id() != TypeId::kArray || is_null) return WriteElement(name, type, column, row);
    const auto& list = static_cast<const arrow::ListArray&>(column);
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      ARROW_RETURN_NOT_OK(WriteElement(name, *type.element(), *list.values(), i));
    }
    return arrow::Status::OK();
  }

  arrow::Status WriteContent(const DataType& type, const arrow::Array& column, int64_t row) {
    if (IsNull(column, type, row)) {
      writer_->Text(*options_.null_value);
      return arrow::Status::OK();
    }
    switch (type.id()) {
      case TypeId::kStruct: {
        const auto& rows = static_cast<const arrow::StructArray&>(column);
        for (bool attributes : {true, false}) {
          for (int i = 0; i < rows.num_fields(); ++i) {
            const types::StructField& field = type.fields()[static_cast<size_t>(i)];
            if (IsAttribute(field.name) != attributes) continue;
            ARROW_RETURN_NOT_OK(WriteChild(field.name, *field.type, *rows.field(i), row));
          }
        }
        return arrow::Status::OK();
      }
      case TypeId::kMap: {
        const auto& map = static_cast<const arrow::MapArray&>(column);
        for (bool attributes : {true, false}) {
          for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
            std::string key;
            ARROW_RETURN_NOT_OK(AppendText(*type.key(), *map.keys(), i, /*is_attribute=*/true, &key));
            if (IsAttribute(key) != attributes) continue;
            ARROW_RETURN_NOT_OK(WriteChild(key, *type.value(), *map.items(), i));
          }
        }
        return arrow::Status::OK();
      }
      case TypeId::kArray: {
        const auto& list = static_cast<const arrow::ListArray&>(column);
        for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
          ARROW_RETURN_NOT_OK(WriteChild(options_.array_element_name, *type.element(), *list.values(), i));
        }
        return arrow::Status::OK();
      }
      default: {
        std::string text;
        ARROW_RETURN_NOT_OK(AppendText(type, column, row, /*is_attribute=*/false, &text));
        writer_->Text(text);
        return arrow::Status::OK();
      }
    }
  }

  /// Attributes take the values as Spark stores them: days and microseconds of dates and timestamps.
  arrow::Status AppendText(const DataType& type, const arrow::Array& column, int64_t row, bool is_attribute,
                           std::string* out) const {
    if (AppendPlainValue(column, row, type, out)) return arrow::Status::OK();
    switch (type.id()) {
      case TypeId::kDate:
        if (is_attribute) {
          out->append(std::to_string(Value<int32_t>(column, row)));
        } else {
          datetimes_.AppendDate(Value<int32_t>(column, row), out);
        }
        break;
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz:
        if (is_attribute) {
          out->append(std::to_string(Value<int64_t>(column, row)));
        } else if (type.id() == TypeId::kTimestamp) {
          datetimes_.AppendTimestamp(Value<int64_t>(column, row), out);
        } else {
          datetimes_.AppendTimestampNtz(Value<int64_t>(column, row), out);
        }
        break;
      case TypeId::kTime:
        if (is_attribute) {
          out->append(std::to_string(Value<int64_t>(column, row)));
        } else {
          types::AppendTimeOfDay(Value<int64_t>(column, row), out);
        }
        break;
      default:
        return arrow::Status::NotImplemented("to_xml of ", type.Sql());
    }
    return arrow::Status::OK();
  }

  types::DataTypePtr type_;
  XmlOptions options_;
  DateTimeWriter datetimes_;
  ElementWriter* writer_ = nullptr;
};

XmlEncoder::XmlEncoder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
XmlEncoder::~XmlEncoder() = default;

arrow::Result<std::unique_ptr<XmlEncoder>> XmlEncoder::Make(const types::DataTypePtr& type, const XmlOptions& options) {
  if (type->Holds(TypeId::kVariant)) return arrow::Status::NotImplemented("XML of ", type->Sql());
  if (options.attribute_prefix.empty()) {
    return arrow::Status::Invalid("requirement failed: 'attributePrefix' option should not be empty string.");
  }
  ARROW_ASSIGN_OR_RAISE(DateTimeWriter datetimes, DateTimeWriter::Make(options));
  return std::unique_ptr<XmlEncoder>(
      new XmlEncoder(std::make_unique<Implementation>(type, options, std::move(datetimes))));
}

arrow::Result<std::shared_ptr<arrow::Array>> XmlEncoder::Encode(const arrow::Array& rows, arrow::MemoryPool* pool) {
  return implementation_->Encode(rows, pool);
}

}  // namespace millrace::format
