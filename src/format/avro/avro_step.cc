#include "format/avro/avro_step.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "format/avro/avro_types.h"

namespace millrace::format {

using types::TypeId;

namespace {

using Op = AvroStep::Op;
using StepResult = arrow::Result<std::unique_ptr<AvroStep>>;

bool IsNumber(AvroKind kind) { return kind >= AvroKind::kInt && kind <= AvroKind::kDouble; }
bool IsText(AvroKind kind) { return kind == AvroKind::kString || kind == AvroKind::kBytes; }

bool HasName(const AvroSchema& reader, const AvroSchema& writer) {
  return reader.full_name == writer.full_name || reader.Name() == writer.Name() ||
         std::find(reader.aliases.begin(), reader.aliases.end(), writer.full_name) != reader.aliases.end();
}

/// Whether a value written as `writer` can be read as `reader`, children aside.
bool Fits(const AvroSchema& writer, const AvroSchema& reader) {
  if (IsNumber(writer.kind) && IsNumber(reader.kind)) return writer.kind <= reader.kind;
  if (IsText(writer.kind) && IsText(reader.kind)) return true;
  if (writer.kind != reader.kind) return false;
  if (writer.kind == AvroKind::kEnum) return HasName(reader, writer);
  if (writer.kind == AvroKind::kFixed) return HasName(reader, writer) && reader.size == writer.size;
  return true;
}

/// The reader's branch for a value of the writer: of the same type and name, else the first it can be promoted to.
int BranchFor(const AvroSchema& writer, const AvroSchema& reader) {
  for (size_t i = 0; i < reader.children.size(); ++i) {
    const AvroSchema& branch = *reader.children[i];
    if (branch.kind == writer.kind && (writer.full_name.empty() || branch.full_name == writer.full_name)) {
      return static_cast<int>(i);
    }
  }
  for (size_t i = 0; i < reader.children.size(); ++i) {
    if (Fits(writer, *reader.children[i])) return static_cast<int>(i);
  }
  return -1;
}

std::string Described(const AvroSchema& schema) {
  return schema.full_name.empty() ? std::string(AvroKindName(schema.kind)) : schema.full_name;
}

std::unique_ptr<AvroStep> ErrorStep(const AvroSchema& writer, std::string message) {
  auto step = std::make_unique<AvroStep>();
  step->writer = &writer;
  step->error = std::move(message);
  return step;
}

class Binder {
 public:
  explicit Binder(const AvroDecoderConfig& config) : config_(config) {}

  StepResult Bind(const AvroSchema& writer, const AvroSchema& reader, const types::DataTypePtr& type) {
    if (writer.kind == AvroKind::kUnion) return BindWriterUnion(writer, reader, type);
    if (reader.kind == AvroKind::kUnion) return BindReaderUnion(writer, reader, type);
    if (!Fits(writer, reader)) {
      return ErrorStep(writer, "Found " + Described(writer) + ", expecting " + Described(reader));
    }
    auto step = std::make_unique<AvroStep>();
    step->writer = &writer;
    switch (reader.kind) {
      case AvroKind::kNull:
        step->op = Op::kNull;
        return step;
      case AvroKind::kBoolean:
        if (type->id() != TypeId::kBoolean) break;
        step->op = Op::kBoolean;
        return step;
      case AvroKind::kInt:
      case AvroKind::kLong:
      case AvroKind::kFloat:
      case AvroKind::kDouble:
        return BindNumber(writer, reader, type, std::move(step));
      case AvroKind::kBytes:
      case AvroKind::kString:
      case AvroKind::kFixed:
        return BindBytes(writer, reader, type, std::move(step));
      case AvroKind::kEnum:
        if (type->id() != TypeId::kString) break;
        BindEnum(writer, reader, step.get());
        return step;
      case AvroKind::kRecord:
        if (type->id() != TypeId::kStruct) break;
        return BindRecord(writer, reader, type, std::move(step));
      case AvroKind::kArray:
      case AvroKind::kMap: {
        bool is_array = reader.kind == AvroKind::kArray;
        if (type->id() != (is_array ? TypeId::kArray : TypeId::kMap)) break;
        if (!is_array && type->key()->id() != TypeId::kString) break;
        step->op = is_array ? Op::kArray : Op::kMap;
        ARROW_ASSIGN_OR_RAISE(
            auto child, Bind(*writer.children[0], *reader.children[0], is_array ? type->element() : type->value()));
        step->children.push_back(std::move(child));
        return step;
      }
      case AvroKind::kUnion:
        break;
    }
    return Incompatible(reader, *type);
  }

 private:
  arrow::Status Incompatible(const AvroSchema& reader, const types::DataType& type) const {
    return arrow::Status::Invalid("Cannot convert Avro ", Path("field"), " to SQL ", Path("field"),
                                  " because schema is incompatible (avroType = ", Described(reader),
                                  ", sqlType = ", type.Sql(), ")");
  }

  std::string Path(const char* what) const {
    if (path_.empty()) return "top-level record";
    std::string text = std::string(what) + " '";
    for (size_t i = 0; i < path_.size(); ++i) text += (i > 0 ? "." : "") + path_[i];
    return text + "'";
  }

  StepResult BindWriterUnion(const AvroSchema& writer, const AvroSchema& reader, const types::DataTypePtr& type) {
    auto step = std::make_unique<AvroStep>();
    step->op = Op::kUnion;
    step->writer = &writer;
    for (const AvroSchema* branch : writer.children) {
      ARROW_ASSIGN_OR_RAISE(auto child, Bind(*branch, reader, type));
      step->children.push_back(std::move(child));
    }
    return step;
  }

  StepResult BindReaderUnion(const AvroSchema& writer, const AvroSchema& reader, const types::DataTypePtr& type) {
    int chosen = BranchFor(writer, reader);
    if (chosen < 0) return ErrorStep(writer, "Found " + Described(writer) + ", expecting union");
    const AvroSchema& branch = *reader.children[static_cast<size_t>(chosen)];
    if (branch.kind == AvroKind::kNull) return Bind(writer, branch, type);
    std::vector<const AvroSchema*> branches = NonNullBranches(reader);
    if (branches.size() == 1 || (IsNumberPair(branches) && type->id() != TypeId::kStruct)) {
      return Bind(writer, branch, type);
    }
    if (type->id() != TypeId::kStruct || type->fields().size() != branches.size()) return Incompatible(reader, *type);
    auto step = std::make_unique<AvroStep>();
    step->op = Op::kMember;
    step->writer = &writer;
    size_t member = static_cast<size_t>(std::find(branches.begin(), branches.end(), &branch) - branches.begin());
    ARROW_ASSIGN_OR_RAISE(auto child, Bind(writer, branch, type->fields()[member].type));
    step->columns.push_back(static_cast<int>(member));
    step->children.push_back(std::move(child));
    return step;
  }

  StepResult BindNumber(const AvroSchema& writer, const AvroSchema& reader, const types::DataTypePtr& type,
                        std::unique_ptr<AvroStep> step) {
    step->op = writer.kind == AvroKind::kFloat    ? Op::kFloat
               : writer.kind == AvroKind::kDouble ? Op::kDouble
                                                  : Op::kNumber;
    TypeId id = type->id();
    auto as = [&](AvroStore store) -> StepResult {
      step->store = store;
      return std::move(step);
    };
    if (reader.kind == AvroKind::kFloat || reader.kind == AvroKind::kDouble) {
      if (id == TypeId::kFloat && reader.kind == AvroKind::kFloat) return as(AvroStore::kFloat);
      if (id == TypeId::kDouble) return as(AvroStore::kDouble);
      return Incompatible(reader, *type);
    }
    bool is_int = reader.kind == AvroKind::kInt;
    bool millis = reader.logical == AvroLogical::kTimestampMillis ||
                  reader.logical == AvroLogical::kLocalTimestampMillis || reader.logical == AvroLogical::kNone;
    if (reader.catalyst_type.starts_with("interval") && type->is_datetime()) return IncompatibleRead(reader, *type);
    switch (id) {
      case TypeId::kInteger:
        if (is_int) return as(AvroStore::kInt32);
        break;
      case TypeId::kYearMonthInterval:
        if (is_int) return as(AvroStore::kInt32);
        break;
      case TypeId::kDate:
        return as(is_int ? AvroStore::kInt32 : AvroStore::kMillisToDays);
      case TypeId::kLong:
        return as(AvroStore::kInt64);
      case TypeId::kDayTimeInterval:
        if (!is_int) return as(AvroStore::kInt64);
        break;
      case TypeId::kDouble:
        if (is_int) return as(AvroStore::kDouble);
        break;
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz:
        if (!is_int) return as(millis ? AvroStore::kMillisToMicros : AvroStore::kInt64);
        break;
      default:
        break;
    }
    return Incompatible(reader, *type);
  }

  arrow::Status IncompatibleRead(const AvroSchema& reader, const types::DataType& type) const {
    return UserError("AVRO_INCOMPATIBLE_READ_TYPE",
                     {{"avroPath", Path("field")},
                      {"sqlPath", Path("field")},
                      {"avroType", reader.catalyst_type.empty() ? Described(reader) : reader.catalyst_type},
                      {"sqlType", QuoteSqlType(type.Sql())}});
  }

  StepResult BindBytes(const AvroSchema& writer, const AvroSchema& reader, const types::DataTypePtr& type,
                       std::unique_ptr<AvroStep> step) {
    step->op = writer.kind == AvroKind::kFixed ? Op::kFixed : Op::kBytes;
    bool is_string = reader.kind == AvroKind::kString;
    if (is_string && type->id() == TypeId::kString) return step;
    if (!is_string && type->id() == TypeId::kBinary) return step;
    if (!is_string && type->id() == TypeId::kDecimal && reader.logical == AvroLogical::kDecimal) {
      // Fewer digits on either side of the point would give wrong numbers.
      if (reader.precision - reader.scale > type->precision() - type->scale() || reader.scale > type->scale()) {
        return UserError("AVRO_INCOMPATIBLE_READ_TYPE", {{"avroPath", Path("field")},
                                                         {"sqlPath", Path("field")},
                                                         {"avroType", "decimal(" + std::to_string(reader.precision) +
                                                                          "," + std::to_string(reader.scale) + ")"},
                                                         {"sqlType", QuoteSqlType(type->Sql())}});
      }
      if (reader.scale != type->scale()) return Incompatible(reader, *type);
      step->decimal = true;
      return step;
    }
    return Incompatible(reader, *type);
  }

  static void BindEnum(const AvroSchema& writer, const AvroSchema& reader, AvroStep* step) {
    step->op = Op::kEnum;
    for (const std::string& symbol : writer.symbols) {
      bool known = std::find(reader.symbols.begin(), reader.symbols.end(), symbol) != reader.symbols.end();
      step->symbols.push_back(known ? symbol : reader.default_symbol);
    }
  }

  static const AvroField* FieldNamed(const AvroSchema& record, const AvroField& wanted) {
    for (const AvroField& field : record.fields) {
      if (field.name == wanted.name) return &field;
    }
    for (const AvroField& field : record.fields) {
      if (std::find(wanted.aliases.begin(), wanted.aliases.end(), field.name) != wanted.aliases.end()) return &field;
    }
    return nullptr;
  }

  /// The reader's field of each column, by name or by place; −1 for none.
  arrow::Result<std::vector<int>> FieldsOfColumns(const AvroSchema& reader, const types::DataType& type) {
    std::vector<int> fields(type.fields().size(), -1);
    for (size_t i = 0; i < fields.size(); ++i) {
      const types::StructField& column = type.fields()[i];
      if (config_.positional) {
        if (i < reader.fields.size()) fields[i] = static_cast<int>(i);
      } else {
        int exact = -1, matches = 0;
        for (size_t k = 0; k < reader.fields.size(); ++k) {
          const std::string& name = reader.fields[k].name;
          if (name == column.name) exact = static_cast<int>(k);
          if (config_.case_sensitive ? name == column.name : EqualsIgnoreCase(name, column.name)) {
            fields[i] = static_cast<int>(k);
            ++matches;
          }
        }
        if (matches > 1 && exact < 0) {
          return arrow::Status::Invalid("Searching for '", column.name, "' in Avro schema at ", Path("field"), " gave ",
                                        matches, " matches");
        }
        if (exact >= 0) fields[i] = exact;
      }
      if (fields[i] < 0 && !column.nullable) {
        path_.push_back(column.name);
        std::string path = Path("field");
        path_.pop_back();
        return arrow::Status::Invalid("Cannot find ", path, " in Avro schema");
      }
    }
    return fields;
  }

  StepResult BindRecord(const AvroSchema& writer, const AvroSchema& reader, const types::DataTypePtr& type,
                        std::unique_ptr<AvroStep> step) {
    step->op = Op::kRecord;
    step->children.resize(writer.fields.size());
    step->columns.assign(writer.fields.size(), -1);
    ARROW_ASSIGN_OR_RAISE(std::vector<int> fields, FieldsOfColumns(reader, *type));
    std::vector<int> column_of_field(reader.fields.size(), -1);
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i] >= 0) {
        column_of_field[static_cast<size_t>(fields[i])] = static_cast<int>(i);
      } else {
        step->defaults.push_back({static_cast<int>(i), nullptr, nullptr});
      }
    }
    for (size_t k = 0; k < reader.fields.size(); ++k) {
      const AvroField& field = reader.fields[k];
      int column = column_of_field[k];
      const AvroField* written = &writer == &reader ? &field : FieldNamed(writer, field);
      if (written == nullptr) {
        if (!field.default_value) {
          return ErrorStep(writer, "Found " + Described(writer) + ", expecting " + Described(reader) +
                                       ", missing required field " + field.name);
        }
        if (column >= 0) step->defaults.push_back({column, field.schema, &*field.default_value});
        continue;
      }
      if (column < 0) continue;  // what is not asked for is skipped by the writer's schema
      size_t place = static_cast<size_t>(written - writer.fields.data());
      path_.push_back(field.name);
      ARROW_ASSIGN_OR_RAISE(step->children[place],
                            Bind(*written->schema, *field.schema, type->fields()[static_cast<size_t>(column)].type));
      path_.pop_back();
      step->columns[place] = column;
    }
    return step;
  }

  const AvroDecoderConfig& config_;
  std::vector<std::string> path_;
};

/// The bytes that a JSON string stands for: one each of its characters.
std::string BytesOf(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0xC2 && c <= 0xC3 && i + 1 < text.size()) {
      bytes.push_back(static_cast<char>(((c & 3) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F)));
    } else {
      bytes.push_back(text[i]);
    }
  }
  return bytes;
}

}  // namespace

arrow::Result<std::unique_ptr<AvroStep>> BindAvro(const AvroDecoderConfig& config) {
  const AvroSchema& reader = config.reader->root();
  if (config.type->id() == TypeId::kStruct && config.type->fields().empty()) {
    // Nothing is asked for: whatever the bytes are, there is a row.
    auto nothing = std::make_unique<AvroStep>();
    nothing->op = Op::kRecord;
    return nothing;
  }
  if (config.type->id() == TypeId::kStruct && reader.kind != AvroKind::kRecord) {
    // Spark reads a struct at the root from nothing but a record.
    return ErrorStep(config.writer->root(), "Attempting to treat " + reader.Name() +
                                                " as a RECORD, but it was: " + ToUpperAscii(AvroKindName(reader.kind)));
  }
  return Binder(config).Bind(config.writer->root(), reader, config.type);
}

bool AvroDecimal(std::string_view bytes, int precision, arrow::Decimal128* value) {
  if (bytes.empty()) {
    *value = arrow::Decimal128(0);
    return true;
  }
  while (bytes.size() > 16 && (bytes[0] == 0 || bytes[0] == '\xFF') && ((bytes[1] ^ bytes[0]) & 0x80) == 0) {
    bytes.remove_prefix(1);
  }
  if (bytes.size() > 16) return false;
  auto made = arrow::Decimal128::FromBigEndian(reinterpret_cast<const uint8_t*>(bytes.data()),
                                               static_cast<int32_t>(bytes.size()));
  if (!made.ok() || !made->FitsInPrecision(precision)) return false;
  *value = *made;
  return true;
}

arrow::Status AppendAvroDefault(const AvroSchema& schema, const JsonValue& value, ColumnWriter* out) {
  auto wrong = [&] {
    return arrow::Status::Invalid("Invalid default for a field of type ", AvroKindName(schema.kind), ": ",
                                  value.ToString());
  };
  switch (schema.kind) {
    case AvroKind::kNull:
      out->AppendNull();
      return arrow::Status::OK();
    case AvroKind::kBoolean:
      if (value.kind() != JsonValue::Kind::kBool) return wrong();
      out->Append<uint8_t>(value.AsBool() ? 1 : 0);
      return arrow::Status::OK();
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kFloat:
    case AvroKind::kDouble:
      if (!value.is_number()) return wrong();
      switch (out->id()) {
        case TypeId::kInteger:
        case TypeId::kDate:
        case TypeId::kYearMonthInterval:
          out->Append<int32_t>(static_cast<int32_t>(value.AsInt64()));
          return arrow::Status::OK();
        case TypeId::kFloat:
          out->Append<float>(static_cast<float>(value.AsDouble()));
          return arrow::Status::OK();
        case TypeId::kDouble:
          out->Append<double>(value.AsDouble());
          return arrow::Status::OK();
        case TypeId::kTimestamp:
        case TypeId::kTimestampNtz: {
          bool micros =
              schema.logical == AvroLogical::kTimestampMicros || schema.logical == AvroLogical::kLocalTimestampMicros;
          int64_t number = value.AsInt64();
          if (!micros && __builtin_mul_overflow(number, int64_t{1000}, &number)) return wrong();
          out->Append(number);
          return arrow::Status::OK();
        }
        default:
          out->Append<int64_t>(value.AsInt64());
          return arrow::Status::OK();
      }
    case AvroKind::kString:
    case AvroKind::kEnum:
      if (!value.is_string()) return wrong();
      out->AppendBytes(value.AsString());
      return arrow::Status::OK();
    case AvroKind::kBytes:
    case AvroKind::kFixed: {
      if (!value.is_string()) return wrong();
      std::string bytes = BytesOf(value.AsString());
      if (out->id() != TypeId::kDecimal) {
        out->AppendBytes(bytes);
        return arrow::Status::OK();
      }
      arrow::Decimal128 decimal;
      if (!AvroDecimal(bytes, out->type()->precision(), &decimal)) return wrong();
      out->Append(decimal);
      return arrow::Status::OK();
    }
    case AvroKind::kArray:
      if (!value.is_array()) return wrong();
      for (const JsonValue& element : value.elements()) {
        ARROW_RETURN_NOT_OK(AppendAvroDefault(*schema.children[0], element, &out->child(0)));
      }
      out->EndList();
      return arrow::Status::OK();
    case AvroKind::kMap:
      if (!value.is_object()) return wrong();
      for (const auto& [key, element] : value.members()) {
        out->child(0).AppendBytes(key);
        ARROW_RETURN_NOT_OK(AppendAvroDefault(*schema.children[0], element, &out->child(1)));
      }
      out->EndList();
      return arrow::Status::OK();
    case AvroKind::kRecord:
      if (!value.is_object()) return wrong();
      for (ColumnWriter& child : out->children()) {
        size_t place = static_cast<size_t>(&child - out->children().data());
        const std::string& name = out->type()->fields()[place].name;
        const AvroField* field = nullptr;
        for (const AvroField& candidate : schema.fields) {
          if (candidate.name == name) field = &candidate;
        }
        const JsonValue* element = value.Find(name);
        if (element == nullptr && field != nullptr && field->default_value) element = &*field->default_value;
        if (field == nullptr || element == nullptr) return wrong();
        ARROW_RETURN_NOT_OK(AppendAvroDefault(*field->schema, *element, &child));
      }
      out->EndStruct();
      return arrow::Status::OK();
    case AvroKind::kUnion: {
      // A default is of the union's first branch; newer writers also use a later one.
      std::vector<const AvroSchema*> branches = NonNullBranches(schema);
      if (value.is_null() || branches.empty()) {
        out->AppendNull();
        return arrow::Status::OK();
      }
      if (branches.size() == 1 || out->id() != TypeId::kStruct) return AppendAvroDefault(*branches[0], value, out);
      for (size_t i = 0; i < out->children().size(); ++i) {
        if (i > 0) {
          out->child(i).AppendNull();
          continue;
        }
        ARROW_RETURN_NOT_OK(AppendAvroDefault(*branches[0], value, &out->child(0)));
      }
      out->EndStruct();
      return arrow::Status::OK();
    }
  }
  return wrong();
}

}  // namespace millrace::format
