#include "format/json/json_options.h"

#include <array>

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"mode", "PERMISSIVE", "What happens to malformed records: PERMISSIVE, DROPMALFORMED or FAILFAST."},
    OptionDoc{"columnNameOfCorruptRecord", "", "Column that holds malformed records; empty: the session's setting."},
    OptionDoc{"dateFormat", "yyyy-MM-dd", "Pattern of dates; when reading, without it, whatever CAST accepts."},
    OptionDoc{"timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "Pattern of timestamps; see dateFormat."},
    OptionDoc{"timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]", "Pattern of timestamps without zone."},
    OptionDoc{"timeFormat", "", "Pattern of times of day; without it, whatever CAST reads and writes."},
    OptionDoc{"enableDateTimeParsingFallback", "",
              "Try CAST's forms where the pattern fails; default: no pattern set."},
    OptionDoc{"timeZone", "", "Zone of timestamps; empty: the session's."},
    OptionDoc{"locale", "en-US", "IETF BCP 47 tag: names of months and days, signs of decimals in strings."},
    OptionDoc{"allowComments", "false", "Accept Java and C++ comments."},
    OptionDoc{"allowUnquotedFieldNames", "false", "Accept names without quotes."},
    OptionDoc{"allowSingleQuotes", "true", "Accept single quotes."},
    OptionDoc{"allowNumericLeadingZeros", "false", "Accept 007."},
    OptionDoc{"allowNonNumericNumbers", "true", "Accept NaN, Infinity, -Infinity, +INF, -INF."},
    OptionDoc{"allowBackslashEscapingAnyCharacter", "false", "Accept a backslash before any character."},
    OptionDoc{"allowUnquotedControlChars", "false", "Accept control characters in strings."},
    OptionDoc{"maxNestingDepth", "1000", "Deepest nesting of arrays and objects."},
    OptionDoc{"maxNumLen", "1000", "Most characters of a number."},
    OptionDoc{"maxStringLen", "20000000", "Most characters of a string."},
    OptionDoc{"multiLine", "false", "A file is one record."},
    OptionDoc{"lineSep", "", "What ends a record; empty: \\r, \\r\\n and \\n when reading, \\n when writing."},
    OptionDoc{"encoding", "", "Character set of files; read without it: what Unicode their bytes look like."},
    OptionDoc{"samplingRatio", "1.0", "Share of the records that schema inference looks at."},
    OptionDoc{"primitivesAsString", "false", "Infer every primitive value as a string."},
    OptionDoc{"prefersDecimal", "false", "Infer decimals rather than doubles."},
    OptionDoc{"inferTimestamp", "false", "Infer timestamps from strings."},
    OptionDoc{"dropFieldIfAllNull", "false", "Inference leaves out columns that are only null or empty."},
    OptionDoc{"ignoreNullFields", "true", "Leave null fields out when writing."},
    OptionDoc{"pretty", "false", "Write indented text."},
    OptionDoc{"writeNonAsciiCharacterAsCodePoint", "false", "Write \\u00E9 for é."},
    OptionDoc{"compression", "", "Codec of written files: none, gzip, deflate, bzip2, zstd, snappy, lz4."},
};

}  // namespace

std::span<const OptionDoc> JsonOptions::Table() { return kOptions; }

arrow::Result<JsonOptions> JsonOptions::Parse(const OptionMap& given, const SessionFormat& session) {
  OptionReader reader(given, kOptions);
  JsonOptions options;
  ARROW_RETURN_NOT_OK(options.ReadCommon(reader, session));
  ARROW_ASSIGN_OR_RAISE(options.allow_comments, reader.Boolean("allowComments"));
  ARROW_ASSIGN_OR_RAISE(options.allow_unquoted_field_names, reader.Boolean("allowUnquotedFieldNames"));
  ARROW_ASSIGN_OR_RAISE(options.allow_single_quotes, reader.Boolean("allowSingleQuotes"));
  ARROW_ASSIGN_OR_RAISE(options.allow_numeric_leading_zeros, reader.Boolean("allowNumericLeadingZeros"));
  ARROW_ASSIGN_OR_RAISE(options.allow_non_numeric_numbers, reader.Boolean("allowNonNumericNumbers"));
  ARROW_ASSIGN_OR_RAISE(options.allow_backslash_escaping_any_character,
                        reader.Boolean("allowBackslashEscapingAnyCharacter"));
  ARROW_ASSIGN_OR_RAISE(options.allow_unquoted_control_chars, reader.Boolean("allowUnquotedControlChars"));
  ARROW_ASSIGN_OR_RAISE(options.nesting_depth_max, reader.Int("maxNestingDepth"));
  ARROW_ASSIGN_OR_RAISE(options.number_length_max, reader.Int("maxNumLen"));
  ARROW_ASSIGN_OR_RAISE(options.string_length_max, reader.Int("maxStringLen"));

  options.date_fallback = !options.date_format.has_value();
  options.timestamp_fallback = !options.timestamp_format.has_value();
  if (reader.Given("enableDateTimeParsingFallback")) {
    ARROW_ASSIGN_OR_RAISE(bool fallback, reader.Boolean("enableDateTimeParsingFallback"));
    options.date_fallback = options.timestamp_fallback = fallback;
  }
  options.partial_results = session.json_partial_results;
  ARROW_ASSIGN_OR_RAISE(options.multi_line, reader.Boolean("multiLine"));
  options.line_separator = reader.Given("lineSep");
  if (options.line_separator && options.line_separator->empty()) {
    return arrow::Status::Invalid("requirement failed: 'lineSep' cannot be an empty string.");
  }
  options.encoding = reader.Given("encoding");
  if (!options.encoding) options.encoding = reader.Given("charset");

  ARROW_ASSIGN_OR_RAISE(options.primitives_as_string, reader.Boolean("primitivesAsString"));
  ARROW_ASSIGN_OR_RAISE(options.prefers_decimal, reader.Boolean("prefersDecimal"));
  ARROW_ASSIGN_OR_RAISE(options.drop_field_if_all_null, reader.Boolean("dropFieldIfAllNull"));
  ARROW_ASSIGN_OR_RAISE(options.infer_timestamp, reader.Boolean("inferTimestamp"));
  ARROW_ASSIGN_OR_RAISE(options.sampling_ratio, reader.Double("samplingRatio"));

  options.ignore_null_fields = session.json_ignore_null_fields;
  if (reader.Given("ignoreNullFields")) {
    ARROW_ASSIGN_OR_RAISE(options.ignore_null_fields, reader.Boolean("ignoreNullFields"));
  }
  ARROW_ASSIGN_OR_RAISE(options.pretty, reader.Boolean("pretty"));
  ARROW_ASSIGN_OR_RAISE(options.write_non_ascii_as_code_point, reader.Boolean("writeNonAsciiCharacterAsCodePoint"));
  options.compression = reader.Text("compression");
  return options;
}

}  // namespace millrace::format
