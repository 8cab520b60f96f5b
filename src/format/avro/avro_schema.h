#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_value.h"

namespace millrace::format {

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kRecord,
  kArray,
  kMap,
  kUnion,
};

/// What the number or the bytes of a type stand for. Annotations that do not fit their type are none, as in Avro.
enum class AvroLogical : uint8_t {
  kNone,
  kDate,
  kTimestampMillis,
  kTimestampMicros,
  kLocalTimestampMillis,
  kLocalTimestampMicros,
  kTimeMicros,
  kDecimal,
};

struct AvroSchema;

struct AvroField {
  std::string name;
  std::vector<std::string> aliases;
  const AvroSchema* schema = nullptr;
  /// What a reader takes where the writer had no such field.
  std::optional<JsonValue> default_value;
};

/// One node of a schema. Records may refer to themselves, so nodes are owned by their document.
struct AvroSchema {
  AvroKind kind = AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  int precision = 0;
  int scale = 0;
  /// kRecord, kEnum, kFixed: with its namespace, "a.b.Visit".
  std::string full_name;
  std::vector<std::string> aliases;
  /// kRecord.
  std::vector<AvroField> fields;
  /// kEnum.
  std::vector<std::string> symbols;
  std::optional<std::string> default_symbol;
  /// kFixed: bytes.
  int64_t size = 0;
  /// kArray: the items. kMap: the values. kUnion: its branches.
  std::vector<const AvroSchema*> children;
  /// "spark.sql.catalyst.type": the interval type that a number holds.
  std::string catalyst_type;

  /// The name without its namespace; of an unnamed type, the type's own ("long").
  std::string Name() const;
};

/// A parsed schema. Immutable, shared, thread-safe.
/// Source: Apache Avro 1.12 specification, "Schema Declaration".
class AvroDocument {
 public:
  /// Errors: Invalid naming what is wrong with the text.
  static arrow::Result<std::shared_ptr<const AvroDocument>> Parse(std::string_view json);

  const AvroSchema& root() const { return *root_; }
  /// The schema as compact JSON.
  const std::string& text() const { return text_; }

 private:
  friend class AvroSchemaParser;
  std::vector<std::unique_ptr<AvroSchema>> nodes_;
  const AvroSchema* root_ = nullptr;
  std::string text_;
};

/// "long", "record": the type's word in schemas.
std::string_view AvroKindName(AvroKind kind);

}  // namespace millrace::format
