#include "format/avro/avro_options.h"

#include <array>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"avroSchema", "", "Schema, as JSON, to read or to write with."},
    OptionDoc{"mode", "FAILFAST", "from_avro: what happens to malformed values: FAILFAST or PERMISSIVE."},
    OptionDoc{"recordName", "topLevelRecord", "Name of the record that is written."},
    OptionDoc{"recordNamespace", "", "Namespace of the record that is written."},
    OptionDoc{"compression", "snappy", "Codec of written files: snappy, uncompressed, deflate, zstandard or bzip2."},
    OptionDoc{"ignoreExtension", "true", "Files are read whatever they are called."},
    OptionDoc{"positionalFieldMatching", "false", "Columns and fields are matched by position, not by name."},
    OptionDoc{"datetimeRebaseMode", "CORRECTED", "CORRECTED: dates and timestamps are read as they are."},
    OptionDoc{"enableStableIdentifiersForUnionType", "false", "Members of unions are called after their types."},
    OptionDoc{"stableIdentifierPrefixForUnionType", "member_", "What comes before the type in such a name."},
    OptionDoc{"recursiveFieldMaxDepth", "-1", "How often a record may lie within itself, up to 15."},
};

}  // namespace

std::span<const OptionDoc> AvroOptions::Table() { return kOptions; }

arrow::Result<AvroOptions> AvroOptions::Parse(const OptionMap& given) {
  OptionReader reader(given, kOptions);
  AvroOptions options;
  if (reader.Given("avroSchemaUrl"))
    return arrow::Status::NotImplemented("the Avro option avroSchemaUrl is not supported");
  if (auto text = reader.Given("avroSchema")) {
    options.schema_text = *text;
    ARROW_ASSIGN_OR_RAISE(options.schema, AvroDocument::Parse(*text));
  }
  options.mode = ParseModeFrom(reader.Text("mode"));
  options.record_name = reader.Text("recordName");
  options.record_namespace = reader.Text("recordNamespace");
  options.compression = ToLowerAscii(reader.Text("compression"));
  ARROW_ASSIGN_OR_RAISE(options.positional, reader.Boolean("positionalFieldMatching"));
  if (!EqualsIgnoreCase(reader.Text("datetimeRebaseMode"), "CORRECTED")) {
    return arrow::Status::NotImplemented("the Avro option datetimeRebaseMode = ", reader.Text("datetimeRebaseMode"),
                                         " is not supported, only CORRECTED");
  }
  ARROW_ASSIGN_OR_RAISE(options.types.stable_union_names, reader.Boolean("enableStableIdentifiersForUnionType"));
  options.types.stable_union_prefix = reader.Text("stableIdentifierPrefixForUnionType");
  ARROW_ASSIGN_OR_RAISE(options.types.recursion_depth_max, reader.Int("recursiveFieldMaxDepth"));
  if (options.types.recursion_depth_max > 15) {
    return UserError("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
                     {{"optionName", "recursiveFieldMaxDepth"}, {"message", "Should not be greater than 15."}});
  }
  return options;
}

}  // namespace millrace::format
