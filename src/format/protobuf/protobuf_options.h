#pragma once

#include <arrow/result.h>

#include <span>

#include "format/option_map.h"

namespace millrace::format {

/// Options of from_protobuf.
/// Source: Spark SQL guide, "Protobuf data source guide"; ProtobufOptions.
struct ProtobufOptions {
  /// Errors: Invalid for texts that are no boolean or number.
  static arrow::Result<ProtobufOptions> Parse(const OptionMap& options);
  static std::span<const OptionDoc> Table();

  ParseMode mode = ParseMode::kFailFast;
  /// How often a message may lie within itself; 0 or less: not at all.
  int recursive_fields_max_depth = -1;
  bool any_to_json = false;
  bool emit_default_values = false;
  bool enums_as_ints = false;
  bool upcast_unsigned_ints = false;
  bool unwrap_wrapper_types = false;
  bool retain_empty_messages = false;
};

}  // namespace millrace::format
