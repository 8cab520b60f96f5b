#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "format/avro/avro_schema.h"
#include "format/avro/avro_types.h"
#include "format/option_map.h"

namespace millrace::format {

/// Options of the Avro source and sink, from_avro, to_avro and schema_of_avro.
/// Source: Spark SQL guide, "Apache Avro Data Source Guide"; AvroOptions.scala.
struct AvroOptions {
  /// Errors: Invalid for texts that are no boolean, number or Avro schema; NotImplemented for rebasing dates of the
  /// hybrid calendar.
  static arrow::Result<AvroOptions> Parse(const OptionMap& options);
  static std::span<const OptionDoc> Table();

  /// Null when not given.
  std::shared_ptr<const AvroDocument> schema;
  /// As it was given.
  std::string schema_text;
  ParseMode mode = ParseMode::kFailFast;
  std::string record_name;
  std::string record_namespace;
  std::string compression;
  bool positional = false;
  AvroTypeOptions types;
};

}  // namespace millrace::format
