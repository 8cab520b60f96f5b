#include "format/avro/avro_types.h"

#include <map>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "types/scala_text.h"

namespace millrace::format {

using types::TypeId;

namespace {

using RecordDepths = std::map<std::string, int>;

arrow::Result<AvroSparkType> Convert(const AvroSchema& schema, RecordDepths records, const AvroTypeOptions& options);

arrow::Result<AvroSparkType> ConvertNumber(const AvroSchema& schema, types::DataTypePtr plain) {
  if (schema.catalyst_type.empty()) return AvroSparkType{std::move(plain)};
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, types::ParseTypeDdl(schema.catalyst_type));
  return AvroSparkType{std::move(type)};
}

arrow::Result<AvroSparkType> ConvertRecord(const AvroSchema& schema, RecordDepths records,
                                           const AvroTypeOptions& options) {
  int depth = records[schema.full_name]++;
  if (depth > 0 && options.recursion_depth_max <= 0) {
    return arrow::Status::Invalid(
        "Found recursive reference in Avro schema, which can not be processed by Spark by default: ", schema.full_name,
        ". Try setting the option `recursiveFieldMaxDepth` to 1 - 15.");
  }
  if (depth > 0 && depth >= options.recursion_depth_max) return AvroSparkType{};
  std::vector<types::StructField> fields;
  for (const AvroField& field : schema.fields) {
    ARROW_ASSIGN_OR_RAISE(AvroSparkType of, Convert(*field.schema, records, options));
    if (of.type != nullptr) fields.push_back({field.name, std::move(of.type), of.nullable, {}});
  }
  return AvroSparkType{types::Struct(std::move(fields))};
}

arrow::Result<AvroSparkType> ConvertUnion(const AvroSchema& schema, const RecordDepths& records,
                                          const AvroTypeOptions& options) {
  std::vector<const AvroSchema*> branches = NonNullBranches(schema);
  bool nullable = branches.size() < schema.children.size();
  if (branches.size() == 1) {
    ARROW_ASSIGN_OR_RAISE(AvroSparkType of, Convert(*branches[0], records, options));
    of.nullable = of.nullable || nullable;
    return of;
  }
  if (IsNumberPair(branches)) {
    bool whole = branches[0]->kind == AvroKind::kInt || branches[0]->kind == AvroKind::kLong;
    return AvroSparkType{whole ? types::Long() : types::Double(), nullable};
  }
  std::vector<types::StructField> members;
  std::set<std::string> names;
  for (size_t i = 0; i < branches.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(AvroSparkType of, Convert(*branches[i], records, options));
    if (of.type == nullptr) continue;
    std::string name = "member" + std::to_string(i);
    if (options.stable_union_names) {
      name = options.stable_union_prefix + branches[i]->Name();
      if (!names.insert(ToLowerAscii(name)).second) {
        return arrow::Status::Invalid(
            "Cannot generate stable identifier for Avro union type due to name conflict of type name ",
            branches[i]->Name());
      }
    }
    members.push_back({std::move(name), std::move(of.type), true, {}});
  }
  return AvroSparkType{types::Struct(std::move(members)), nullable};
}

arrow::Result<AvroSparkType> Convert(const AvroSchema& schema, RecordDepths records, const AvroTypeOptions& options) {
  switch (schema.kind) {
    case AvroKind::kNull:
      return AvroSparkType{types::Null(), true};
    case AvroKind::kBoolean:
      return AvroSparkType{types::Boolean()};
    case AvroKind::kInt:
      if (schema.logical == AvroLogical::kDate) return AvroSparkType{types::Date()};
      return ConvertNumber(schema, types::Integer());
    case AvroKind::kLong:
      if (schema.logical == AvroLogical::kTimestampMillis || schema.logical == AvroLogical::kTimestampMicros) {
        return AvroSparkType{types::Timestamp()};
      }
      if (schema.logical == AvroLogical::kTimeMicros) {
        return UserError("UNSUPPORTED_TIME_TYPE");
      }
      if (schema.logical != AvroLogical::kNone) return AvroSparkType{types::TimestampNtz()};
      return ConvertNumber(schema, types::Long());
    case AvroKind::kFloat:
      return AvroSparkType{types::Float()};
    case AvroKind::kDouble:
      return AvroSparkType{types::Double()};
    case AvroKind::kString:
    case AvroKind::kEnum:
      return AvroSparkType{types::String()};
    case AvroKind::kBytes:
    case AvroKind::kFixed:
      if (schema.logical != AvroLogical::kDecimal) return AvroSparkType{types::Binary()};
      if (schema.precision > types::kMaxDecimalPrecision) {
        return arrow::Status::Invalid("decimal precision ", schema.precision, " exceeds max precision 38");
      }
      return AvroSparkType{types::Decimal(schema.precision, schema.scale)};
    case AvroKind::kRecord:
      return ConvertRecord(schema, std::move(records), options);
    case AvroKind::kArray:
    case AvroKind::kMap: {
      ARROW_ASSIGN_OR_RAISE(AvroSparkType of, Convert(*schema.children[0], std::move(records), options));
      if (of.type == nullptr) return of;
      if (schema.kind == AvroKind::kArray) return AvroSparkType{types::Array(std::move(of.type), of.nullable)};
      return AvroSparkType{types::Map(types::String(), std::move(of.type), of.nullable)};
    }
    case AvroKind::kUnion:
      return ConvertUnion(schema, records, options);
  }
  return arrow::Status::Invalid("Unsupported type ", AvroKindName(schema.kind));
}

JsonValue Annotated(const char* type, const char* key, std::string value) {
  JsonValue json = JsonValue::Object();
  json.Set("type", JsonValue::String(type)).Set(key, JsonValue::String(std::move(value)));
  return json;
}

/// The fewest bytes whose two's complement holds every number of so many digits.
int BytesForDigits(int precision) {
  int bytes = 1;
  double most = 1;
  for (int i = 0; i < precision; ++i) most *= 10;
  for (double limit = 128; limit < most; limit *= 256) ++bytes;
  return bytes;
}

arrow::Result<JsonValue> RecordOf(const types::DataType& type, const std::string& name, const std::string& name_space) {
  std::string inner = name_space.empty() ? name : name_space + "." + name;
  JsonValue fields = JsonValue::Array();
  for (const types::StructField& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(JsonValue of, AvroSchemaOf(*field.type, field.nullable, field.name, inner));
    JsonValue made = JsonValue::Object();
    made.Set("name", JsonValue::String(field.name)).Set("type", std::move(of));
    fields.elements().push_back(std::move(made));
  }
  JsonValue record = JsonValue::Object();
  record.Set("type", JsonValue::String("record")).Set("name", JsonValue::String(name));
  if (!name_space.empty()) record.Set("namespace", JsonValue::String(name_space));
  record.Set("fields", std::move(fields));
  return record;
}

arrow::Result<JsonValue> PlainSchemaOf(const types::DataType& type, const std::string& name,
                                       const std::string& name_space) {
  switch (type.id()) {
    case TypeId::kNull:
      return JsonValue::String("null");
    case TypeId::kBoolean:
      return JsonValue::String("boolean");
    case TypeId::kByte:
    case TypeId::kShort:
    case TypeId::kInteger:
      return JsonValue::String("int");
    case TypeId::kLong:
      return JsonValue::String("long");
    case TypeId::kFloat:
      return JsonValue::String("float");
    case TypeId::kDouble:
      return JsonValue::String("double");
    case TypeId::kString:
      return JsonValue::String("string");
    case TypeId::kBinary:
      return JsonValue::String("bytes");
    case TypeId::kDate:
      return Annotated("int", "logicalType", "date");
    case TypeId::kTimestamp:
      return Annotated("long", "logicalType", "timestamp-micros");
    case TypeId::kTimestampNtz:
      return Annotated("long", "logicalType", "local-timestamp-micros");
    case TypeId::kYearMonthInterval:
      return Annotated("int", "spark.sql.catalyst.type", type.TypeName());
    case TypeId::kDayTimeInterval:
      return Annotated("long", "spark.sql.catalyst.type", type.TypeName());
    case TypeId::kDecimal: {
      JsonValue fixed = JsonValue::Object();
      fixed.Set("type", JsonValue::String("fixed")).Set("name", JsonValue::String("fixed"));
      fixed.Set("namespace", JsonValue::String(name_space.empty() ? name : name_space + "." + name));
      fixed.Set("size", JsonValue::Number(int64_t{BytesForDigits(type.precision())}));
      fixed.Set("logicalType", JsonValue::String("decimal"));
      fixed.Set("precision", JsonValue::Number(int64_t{type.precision()}));
      fixed.Set("scale", JsonValue::Number(int64_t{type.scale()}));
      return fixed;
    }
    case TypeId::kArray: {
      ARROW_ASSIGN_OR_RAISE(JsonValue items, AvroSchemaOf(*type.element(), type.contains_null(), name, name_space));
      JsonValue array = JsonValue::Object();
      array.Set("type", JsonValue::String("array")).Set("items", std::move(items));
      return array;
    }
    case TypeId::kMap: {
      if (type.key()->id() != TypeId::kString) break;
      ARROW_ASSIGN_OR_RAISE(JsonValue values,
                            AvroSchemaOf(*type.value(), type.value_contains_null(), name, name_space));
      JsonValue map = JsonValue::Object();
      map.Set("type", JsonValue::String("map")).Set("values", std::move(values));
      return map;
    }
    case TypeId::kStruct:
      return RecordOf(type, name, name_space);
    default:
      break;
  }
  return arrow::Status::Invalid("Unexpected type ", types::ScalaText(type), ".");
}

}  // namespace

std::vector<const AvroSchema*> NonNullBranches(const AvroSchema& schema) {
  std::vector<const AvroSchema*> branches;
  for (const AvroSchema* branch : schema.children) {
    if (branch->kind != AvroKind::kNull) branches.push_back(branch);
  }
  return branches;
}

bool IsNumberPair(const std::vector<const AvroSchema*>& branches) {
  if (branches.size() != 2) return false;
  auto are = [&](AvroKind a, AvroKind b) {
    return (branches[0]->kind == a && branches[1]->kind == b) || (branches[0]->kind == b && branches[1]->kind == a);
  };
  return are(AvroKind::kInt, AvroKind::kLong) || are(AvroKind::kFloat, AvroKind::kDouble);
}

arrow::Result<AvroSparkType> SparkTypeOf(const AvroSchema& schema, const AvroTypeOptions& options) {
  return Convert(schema, {}, options);
}

arrow::Result<JsonValue> AvroSchemaOf(const types::DataType& type, bool nullable, const std::string& record_name,
                                      const std::string& name_space) {
  ARROW_ASSIGN_OR_RAISE(JsonValue schema, PlainSchemaOf(type, record_name, name_space));
  if (!nullable || type.id() == TypeId::kNull) return schema;
  return JsonValue::Array({std::move(schema), JsonValue::String("null")});
}

}  // namespace millrace::format
