#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "format/avro/avro_decoder.h"

namespace millrace::format {

/// How a number that was read is stored.
enum class AvroStore : uint8_t {
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kMillisToMicros,
  /// A long that was the milliseconds of a day, as Avro before 1.8 wrote dates.
  kMillisToDays,
};

/// One step of a bound decoder: what the writer left at this place, and where it goes.
struct AvroStep {
  enum class Op : uint8_t {
    /// Reading it is an error, which is raised only if a value is there.
    kError,
    kNull,
    kBoolean,
    kNumber,  ///< the writer's int or long
    kFloat,
    kDouble,
    kBytes,  ///< bytes or string
    kFixed,
    kEnum,
    kRecord,
    kArray,
    kMap,
    kUnion,   ///< of the writer: which branch is read
    kMember,  ///< of the reader: a struct with one member set
  };
  Op op = Op::kError;
  AvroStore store = AvroStore::kInt64;
  /// kBytes, kFixed.
  bool decimal = false;
  /// The writer's schema at this place.
  const AvroSchema* writer = nullptr;
  std::string error;
  /// kRecord: a step a field of the writer, null for one that is skipped. kArray, kMap, kMember: the one child.
  /// kUnion: one a branch.
  std::vector<std::unique_ptr<AvroStep>> children;
  /// kRecord: the column of each of the writer's fields, −1 where it is skipped. kMember: the one that is set.
  std::vector<int> columns;
  /// kRecord: columns the writer has no field for, with the reader's default, or null schema for NULL.
  struct Default {
    int column;
    const AvroSchema* schema;
    const JsonValue* value;
  };
  std::vector<Default> defaults;
  /// kEnum: the text of each of the writer's symbols; nullopt for one the reader does not know.
  std::vector<std::optional<std::string>> symbols;
};

/// Binds the writer's root to the reader's and to the type. Errors as AvroDecoder::Make.
arrow::Result<std::unique_ptr<AvroStep>> BindAvro(const AvroDecoderConfig& config);

/// Appends a field's default, given as JSON, to a column of a type that BindAvro has found to fit.
/// Errors: Invalid where the JSON is no value of the schema.
arrow::Status AppendAvroDefault(const AvroSchema& schema, const JsonValue& value, ColumnWriter* out);

/// Two's complement, most significant byte first, as a decimal's digits; false where 38 digits are too few.
bool AvroDecimal(std::string_view bytes, int precision, arrow::Decimal128* value);

}  // namespace millrace::format
