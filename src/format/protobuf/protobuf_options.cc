#include "format/protobuf/protobuf_options.h"

#include <array>

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"mode", "FAILFAST", "What happens to malformed messages: FAILFAST or PERMISSIVE."},
    OptionDoc{"recursive.fields.max.depth", "-1", "How often a message may lie within itself, 1 to 10."},
    OptionDoc{"convert.any.fields.to.json", "false", "Fields of type google.protobuf.Any become JSON."},
    OptionDoc{"emit.default.values", "false",
              "Fields without presence that are not there are their default, not NULL."},
    OptionDoc{"enums.as.ints", "false", "Enums are their numbers, not their names."},
    OptionDoc{"upcast.unsigned.ints", "false", "uint32 is a BIGINT, uint64 a DECIMAL(20,0)."},
    OptionDoc{"unwrap.primitive.wrapper.types", "false", "google.protobuf.Int32Value and the like are their values."},
    OptionDoc{"retain.empty.message.types", "false",
              "A message without fields is a struct with one field that is NULL."},
};

}  // namespace

std::span<const OptionDoc> ProtobufOptions::Table() { return kOptions; }

arrow::Result<ProtobufOptions> ProtobufOptions::Parse(const OptionMap& given) {
  OptionReader reader(given, kOptions);
  ProtobufOptions options;
  options.mode = ParseModeFrom(reader.Text("mode"));
  ARROW_ASSIGN_OR_RAISE(options.recursive_fields_max_depth, reader.Int("recursive.fields.max.depth"));
  ARROW_ASSIGN_OR_RAISE(options.any_to_json, reader.Boolean("convert.any.fields.to.json"));
  ARROW_ASSIGN_OR_RAISE(options.emit_default_values, reader.Boolean("emit.default.values"));
  ARROW_ASSIGN_OR_RAISE(options.enums_as_ints, reader.Boolean("enums.as.ints"));
  ARROW_ASSIGN_OR_RAISE(options.upcast_unsigned_ints, reader.Boolean("upcast.unsigned.ints"));
  ARROW_ASSIGN_OR_RAISE(options.unwrap_wrapper_types, reader.Boolean("unwrap.primitive.wrapper.types"));
  ARROW_ASSIGN_OR_RAISE(options.retain_empty_messages, reader.Boolean("retain.empty.message.types"));
  return options;
}

}  // namespace millrace::format
