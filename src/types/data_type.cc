#include "types/data_type.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "types/collation.h"
#include "types/column_metadata.h"

namespace millrace::types {

bool StructField::operator==(const StructField& other) const {
  return name == other.name && nullable == other.nullable && type->Equals(*other.type);
}

int DataType::FieldIndex(std::string_view name, bool case_sensitive) const {
  int found = -1;
  for (size_t i = 0; i < children_.size(); ++i) {
    bool same = case_sensitive ? children_[i].name == name : EqualsIgnoreCase(children_[i].name, name);
    if (!same) continue;
    if (found >= 0) return -2;
    found = static_cast<int>(i);
  }
  return found;
}

bool DataType::Holds(TypeId id) const {
  return id_ == id || std::any_of(children_.begin(), children_.end(),
                                  [id](const StructField& child) { return child.type->Holds(id); });
}

namespace {

// Of types of which one at least has a user class: what they are stored as does not matter.
bool SameUserClass(const DataType& a, const DataType& b) {
  return a.user_class() != nullptr && b.user_class() != nullptr && *a.user_class() == *b.user_class();
}

}  // namespace

bool DataType::Equals(const DataType& other) const {
  if (this == &other) return true;
  if (user_class_ != nullptr || other.user_class_ != nullptr) return SameUserClass(*this, other);
  return id_ == other.id_ && precision_ == other.precision_ && scale_ == other.scale_ && children_ == other.children_;
}

bool DataType::EqualsIgnoreNullability(const DataType& other) const {
  if (this == &other) return true;
  if (user_class_ != nullptr || other.user_class_ != nullptr) return SameUserClass(*this, other);
  if (id_ != other.id_ || precision_ != other.precision_ || scale_ != other.scale_) return false;
  if (children_.size() != other.children_.size()) return false;
  for (size_t i = 0; i < children_.size(); ++i) {
    if (children_[i].name != other.children_[i].name) return false;
    if (!children_[i].type->EqualsIgnoreNullability(*other.children_[i].type)) return false;
  }
  return true;
}

namespace {

constexpr const char* kYearMonthFields[] = {"year", "month"};
constexpr const char* kDayTimeFields[] = {"day", "hour", "minute", "second"};

std::string IntervalName(const DataType& type) {
  const char* const* names = type.id() == TypeId::kYearMonthInterval ? kYearMonthFields : kDayTimeFields;
  std::string text = std::string("interval ") + names[type.start_field()];
  if (type.start_field() != type.end_field()) text += std::string(" to ") + names[type.end_field()];
  return text;
}

struct TypeNames {
  const char* catalog;
  const char* json;
};

// Indexed by TypeId, up to kVariant.
constexpr TypeNames kNames[] = {
    {"void", "void"},
    {"boolean", "boolean"},
    {"tinyint", "byte"},
    {"smallint", "short"},
    {"int", "integer"},
    {"bigint", "long"},
    {"float", "float"},
    {"double", "double"},
    {"decimal", "decimal"},
    {"string", "string"},
    {"binary", "binary"},
    {"date", "date"},
    {"timestamp", "timestamp"},
    {"timestamp_ntz", "timestamp_ntz"},
    {"interval year to month", "interval year to month"},
    {"interval day to second", "interval day to second"},
    {"interval", "interval"},
    {"time", "time"},
    {"variant", "variant"},
};

std::string TimeName(const DataType& type) { return "time(" + std::to_string(type.precision()) + ")"; }

// "examplepoint" of org.apache.spark.sql.test.ExamplePointUDT; all classes of Python alone share Spark's word.
std::string UserClassName(const UserClass& user) {
  if (user.jvm_class.empty()) return "pythonuserdefined";
  std::string_view name = user.jvm_class;
  name.remove_prefix(std::min(name.find_last_of(".$") + 1, name.size()));
  for (std::string_view suffix : {"Type", "UDT"}) {
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  }
  return ToLowerAscii(name);
}

std::string DecimalName(const DataType& type) {
  return "decimal(" + std::to_string(type.precision()) + "," + std::to_string(type.scale()) + ")";
}

void AppendJson(const DataType& type, std::string* out);

void AppendUserClassJson(const DataType& type, std::string* out) {
  *out += R"({"type":"udt")";
  auto member = [out](std::string_view name, const std::string& value) {
    *out += ",\"" + std::string(name) + "\":";
    AppendJsonString(value, out);
  };
  const UserClass& user = *type.user_class();
  if (!user.jvm_class.empty()) member("class", user.jvm_class);
  if (!user.python_class.empty()) member("pyClass", user.python_class);
  if (user.jvm_class.empty()) member("serializedClass", user.serialized_python_class);
  *out += R"(,"sqlType":)";
  AppendJson(DataType(type.id(), type.precision(), type.scale(), type.fields()), out);
  *out += '}';
}

// The collations of a field's texts stand beside its own metadata; the type itself is only "string".
void AppendFieldMetadata(const StructField& field, std::string* out) {
  std::string collations = HoldsCollation(*field.type) ? CollationMetadata(field) : std::string();
  if (collations.empty()) {
    *out += field.metadata_json.empty() ? "{}" : field.metadata_json;
    return;
  }
  std::string own = field.metadata_json.size() > 2 ? "," + field.metadata_json.substr(1) : "}";
  *out += R"({"__COLLATIONS":{)" + collations + "}" + own;
}

void AppendJson(const DataType& type, std::string* out) {
  if (type.user_class() != nullptr) return AppendUserClassJson(type, out);
  switch (type.id()) {
    case TypeId::kArray:
      *out += R"({"type":"array","elementType":)";
      AppendJson(*type.element(), out);
      *out += type.contains_null() ? R"(,"containsNull":true})" : R"(,"containsNull":false})";
      return;
    case TypeId::kMap:
      *out += R"({"type":"map","keyType":)";
      AppendJson(*type.key(), out);
      *out += R"(,"valueType":)";
      AppendJson(*type.value(), out);
      *out += type.value_contains_null() ? R"(,"valueContainsNull":true})" : R"(,"valueContainsNull":false})";
      return;
    case TypeId::kStruct: {
      *out += R"({"type":"struct","fields":[)";
      bool first = true;
      for (const StructField& field : type.fields()) {
        if (!first) *out += ',';
        first = false;
        *out += R"({"name":)";
        AppendJsonString(field.name, out);
        *out += R"(,"type":)";
        AppendJson(*field.type, out);
        *out += field.nullable ? R"(,"nullable":true,"metadata":)" : R"(,"nullable":false,"metadata":)";
        AppendFieldMetadata(field, out);
        *out += '}';
      }
      *out += "]}";
      return;
    }
    case TypeId::kString:
      AppendJsonString("string", out);
      return;
    default:
      AppendJsonString(type.TypeName(), out);
  }
}

void AppendTree(const DataType& type, const std::string& prefix, std::string* out);

void AppendTreeLine(const std::string& prefix, std::string_view name, const DataType& type, std::string_view null_word,
                    bool nullable, std::string* out) {
  *out += prefix + "-- " + std::string(name) + ": ";
  *out += type.TypeName();
  *out += " (" + std::string(null_word) + " = " + (nullable ? "true" : "false") + ")\n";
  AppendTree(type, prefix + "    |", out);
}

void AppendTree(const DataType& type, const std::string& prefix, std::string* out) {
  if (type.user_class() != nullptr) return;
  switch (type.id()) {
    case TypeId::kArray:
      AppendTreeLine(prefix, "element", *type.element(), "containsNull", type.contains_null(), out);
      return;
    case TypeId::kMap:
      *out += prefix + "-- key: " + type.key()->TypeName() + "\n";
      AppendTree(*type.key(), prefix + "    |", out);
      AppendTreeLine(prefix, "value", *type.value(), "valueContainsNull", type.value_contains_null(), out);
      return;
    case TypeId::kStruct:
      for (const StructField& field : type.fields()) {
        AppendTreeLine(prefix, field.name, *field.type, "nullable", field.nullable, out);
      }
      return;
    default:
      return;
  }
}

}  // namespace

std::string DataType::CatalogString() const {
  switch (id_) {
    case TypeId::kDecimal:
      return DecimalName(*this);
    case TypeId::kTime:
      return TimeName(*this);
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return IntervalName(*this);
    case TypeId::kArray:
      return "array<" + element()->CatalogString() + ">";
    case TypeId::kMap:
      return "map<" + key()->CatalogString() + "," + value()->CatalogString() + ">";
    case TypeId::kStruct: {
      std::string text = "struct<";
      for (const StructField& field : children_) {
        if (text.size() > 7) text += ',';
        text += field.name + ":" + field.type->CatalogString();
      }
      return text + ">";
    }
    case TypeId::kString:
      return "string" + CollationSuffix(*this);
    default:
      return kNames[static_cast<size_t>(id_)].catalog;
  }
}

std::string DataType::Sql() const {
  switch (id_) {
    case TypeId::kArray:
      return "ARRAY<" + element()->Sql() + ">";
    case TypeId::kMap:
      return "MAP<" + key()->Sql() + ", " + value()->Sql() + ">";
    case TypeId::kStruct: {
      std::string text = "STRUCT<";
      bool first = true;
      for (const StructField& field : children_) {
        if (!first) text += ", ";
        first = false;
        text += QuoteIfNeeded(field.name) + ": " + field.type->Sql();
        if (!field.nullable) text += " NOT NULL";
        auto comment = field.metadata_json.empty() ? std::nullopt : CommentOf(field);
        if (comment) text += " COMMENT " + QuoteStringLiteral(*comment);
      }
      return text + ">";
    }
    case TypeId::kString: {
      std::string suffix = CollationSuffix(*this);
      return suffix.empty() ? "STRING" : "STRING COLLATE " + suffix.substr(std::string_view(" collate ").size());
    }
    default:
      return ToUpperAscii(CatalogString());
  }
}

std::string DataType::TypeName() const {
  if (user_class_ != nullptr) return UserClassName(*user_class_);
  switch (id_) {
    case TypeId::kDecimal:
      return DecimalName(*this);
    case TypeId::kTime:
      return TimeName(*this);
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return IntervalName(*this);
    case TypeId::kArray:
      return "array";
    case TypeId::kMap:
      return "map";
    case TypeId::kStruct:
      return "struct";
    case TypeId::kString:
      return "string" + CollationSuffix(*this);
    default:
      return kNames[static_cast<size_t>(id_)].json;
  }
}

std::string DataType::ToJson() const {
  std::string out;
  AppendJson(*this, &out);
  return out;
}

std::string DataType::ToDdl() const {
  std::string out;
  for (const StructField& field : children_) {
    if (!out.empty()) out += ',';
    out += QuoteIfNeeded(field.name) + " " + field.type->Sql();
    if (!field.nullable) out += " NOT NULL";
    if (std::optional<std::string> text = DefaultOf(field)) out += " DEFAULT " + *text;
    if (std::optional<std::string> comment = CommentOf(field)) out += " COMMENT " + QuoteStringLiteral(*comment);
  }
  return out;
}

std::string DataType::ToTreeString() const {
  std::string out = "root\n";
  AppendTree(*this, " |", &out);
  return out;
}

DataTypePtr SimpleType(TypeId id) {
  static const std::vector<DataTypePtr>* types = [] {
    auto* made = new std::vector<DataTypePtr>;
    for (int i = 0; i <= static_cast<int>(TypeId::kVariant); ++i) {
      made->push_back(std::make_shared<DataType>(static_cast<TypeId>(i), 0, 0, std::vector<StructField>{}));
    }
    return made;
  }();
  return (*types)[static_cast<size_t>(id)];
}

DataTypePtr Null() { return SimpleType(TypeId::kNull); }
DataTypePtr Boolean() { return SimpleType(TypeId::kBoolean); }
DataTypePtr Byte() { return SimpleType(TypeId::kByte); }
DataTypePtr Short() { return SimpleType(TypeId::kShort); }
DataTypePtr Integer() { return SimpleType(TypeId::kInteger); }
DataTypePtr Long() { return SimpleType(TypeId::kLong); }
DataTypePtr Float() { return SimpleType(TypeId::kFloat); }
DataTypePtr Double() { return SimpleType(TypeId::kDouble); }
DataTypePtr String() { return SimpleType(TypeId::kString); }
DataTypePtr Binary() { return SimpleType(TypeId::kBinary); }
DataTypePtr Date() { return SimpleType(TypeId::kDate); }
DataTypePtr Timestamp() { return SimpleType(TypeId::kTimestamp); }
DataTypePtr TimestampNtz() { return SimpleType(TypeId::kTimestampNtz); }
DataTypePtr CalendarInterval() { return SimpleType(TypeId::kCalendarInterval); }
DataTypePtr Variant() { return SimpleType(TypeId::kVariant); }

DataTypePtr Decimal(int precision, int scale) {
  return std::make_shared<DataType>(TypeId::kDecimal, precision, scale, std::vector<StructField>{});
}

DataTypePtr Time(int precision) {
  return std::make_shared<DataType>(TypeId::kTime, precision, 0, std::vector<StructField>{});
}

DataTypePtr YearMonthInterval(IntervalField start, IntervalField end) {
  return std::make_shared<DataType>(TypeId::kYearMonthInterval, static_cast<int>(start), static_cast<int>(end),
                                    std::vector<StructField>{});
}

DataTypePtr DayTimeInterval(DayTimeField start, DayTimeField end) {
  return std::make_shared<DataType>(TypeId::kDayTimeInterval, static_cast<int>(start), static_cast<int>(end),
                                    std::vector<StructField>{});
}

DataTypePtr Array(DataTypePtr element, bool contains_null) {
  return std::make_shared<DataType>(TypeId::kArray, 0, 0,
                                    std::vector<StructField>{{"element", std::move(element), contains_null, ""}});
}

DataTypePtr Map(DataTypePtr key, DataTypePtr value, bool value_contains_null) {
  return std::make_shared<DataType>(TypeId::kMap, 0, 0,
                                    std::vector<StructField>{{"key", std::move(key), false, ""},
                                                             {"value", std::move(value), value_contains_null, ""}});
}

DataTypePtr Struct(std::vector<StructField> fields) {
  return std::make_shared<DataType>(TypeId::kStruct, 0, 0, std::move(fields));
}

DataTypePtr DecimalForIntegral(TypeId id) {
  switch (id) {
    case TypeId::kByte:
      return Decimal(3, 0);
    case TypeId::kShort:
      return Decimal(5, 0);
    case TypeId::kInteger:
      return Decimal(10, 0);
    default:
      return Decimal(20, 0);
  }
}

DataTypePtr UserDefined(const DataType& stored, UserClass user_class) {
  return std::make_shared<DataType>(stored.id(), stored.precision(), stored.scale(), stored.fields(),
                                    std::make_shared<const UserClass>(std::move(user_class)));
}

DataTypePtr WithoutUserClasses(const DataTypePtr& type) {
  bool changed = type->user_class() != nullptr;
  std::vector<StructField> children = type->fields();
  for (StructField& child : children) {
    DataTypePtr stored = WithoutUserClasses(child.type);
    changed = changed || stored != child.type;
    child.type = std::move(stored);
  }
  if (!changed) return type;
  return std::make_shared<DataType>(type->id(), type->precision(), type->scale(), std::move(children));
}

DataTypePtr AsNullable(const DataTypePtr& type) {
  if (!type->is_nested() || type->user_class() != nullptr) return type;
  std::vector<StructField> children = type->fields();
  for (size_t i = 0; i < children.size(); ++i) {
    children[i].type = AsNullable(children[i].type);
    children[i].nullable = type->id() != TypeId::kMap || i == 1;
  }
  return std::make_shared<DataType>(type->id(), 0, 0, std::move(children));
}

std::string QuoteIfNeeded(std::string_view name) {
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
  for (char c : name) {
    bool digit = c >= '0' && c <= '9';
    plain = plain && (digit || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  }
  return plain ? std::string(name) : QuoteIdentifier(name);
}

}  // namespace millrace::types
