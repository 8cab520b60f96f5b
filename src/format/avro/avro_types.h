#pragma once

#include <arrow/result.h>

#include <string>

#include "format/avro/avro_schema.h"
#include "types/data_type.h"

/// Avro's types as Spark's, and the reverse. Source: SchemaConverters.scala; Spark SQL guide, "Apache Avro Data Source
/// Guide".

namespace millrace::format {

struct AvroTypeOptions {
  /// Members of unions are called after their types ("member_int"), not numbered.
  bool stable_union_names = false;
  std::string stable_union_prefix = "member_";
  /// How often a record may stand within itself; what lies deeper is dropped. −1: recursion is refused.
  int recursion_depth_max = -1;
};

struct AvroSparkType {
  /// Null where recursion has dropped it.
  types::DataTypePtr type;
  bool nullable = false;
};

/// Errors: Invalid for recursive schemas and for members of unions of one name.
arrow::Result<AvroSparkType> SparkTypeOf(const AvroSchema& schema, const AvroTypeOptions& options);

/// The schema that Spark writes a type with, as its compact JSON.
/// Errors: Invalid for types without one (maps whose keys are no strings, legacy intervals).
arrow::Result<JsonValue> AvroSchemaOf(const types::DataType& type, bool nullable,
                                      const std::string& record_name = "topLevelRecord",
                                      const std::string& name_space = "");

/// Whether a union's branches without null are just int and long, or just float and double.
bool IsNumberPair(const std::vector<const AvroSchema*>& branches);
std::vector<const AvroSchema*> NonNullBranches(const AvroSchema& schema);

}  // namespace millrace::format
