#include "format/csv/csv_options.h"

#include <array>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"sep", ",", "Delimiter of columns, one or more characters; also delimiter."},
    OptionDoc{"quote", "\"", "Encloses values that hold a delimiter; empty: none."},
    OptionDoc{"escape", "\\", "Escapes quotes inside of quoted values."},
    OptionDoc{"charToEscapeQuoteEscaping", "", "Escapes the escape; default: escape, or none where escape is quote."},
    OptionDoc{"unescapedQuoteHandling", "STOP_AT_DELIMITER", "What happens to values with unescaped quotes."},
    OptionDoc{"comment", "", "Lines that begin with it are skipped."},
    OptionDoc{"header", "false", "The first line names the columns."},
    OptionDoc{"inferSchema", "false", "Infer types from the data; without it all columns are strings."},
    OptionDoc{"preferDate", "true", "Inference tries dates before timestamps."},
    OptionDoc{"enforceSchema", "true", "Ignore what the header says when a schema is given."},
    OptionDoc{"samplingRatio", "1.0", "Share of the rows that inference looks at."},
    OptionDoc{"mode", "PERMISSIVE", "What happens to malformed records: PERMISSIVE, DROPMALFORMED or FAILFAST."},
    OptionDoc{"columnNameOfCorruptRecord", "", "Column that holds malformed records; empty: the session's setting."},
    OptionDoc{"multiLine", "false", "Records may span lines."},
    OptionDoc{"lineSep", "", "What ends a record; empty: \\r, \\r\\n and \\n when reading, \\n when writing."},
    OptionDoc{"ignoreLeadingWhiteSpace", "",
              "Trim values at the left; default: false when reading, true when writing."},
    OptionDoc{"ignoreTrailingWhiteSpace", "",
              "Trim values at the right; default: false when reading, true when writing."},
    OptionDoc{"nullValue", "", "The text of NULL."},
    OptionDoc{"emptyValue", "", "The text of an empty string; default when writing: \"\"."},
    OptionDoc{"nanValue", "NaN", "The text of not-a-number."},
    OptionDoc{"positiveInf", "Inf", "The text of positive infinity."},
    OptionDoc{"negativeInf", "-Inf", "The text of negative infinity."},
    OptionDoc{"maxColumns", "20480", "Most columns of a record."},
    OptionDoc{"maxCharsPerColumn", "-1", "Most characters of a value; -1: any number."},
    OptionDoc{"dateFormat", "yyyy-MM-dd", "Pattern of dates; when reading, without it, whatever CAST accepts."},
    OptionDoc{"timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "Pattern of timestamps; see dateFormat."},
    OptionDoc{"timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]", "Pattern of timestamps without zone."},
    OptionDoc{"timeFormat", "", "Pattern of times of day; without it, whatever CAST reads and writes."},
    OptionDoc{"enableDateTimeParsingFallback", "",
              "Try CAST's forms where the pattern fails; default: no pattern set."},
    OptionDoc{"timeZone", "", "Zone of timestamps; empty: the session's."},
    OptionDoc{"locale", "en-US", "IETF BCP 47 tag: names of months and days, signs of decimals."},
    OptionDoc{"encoding", "UTF-8", "Character set of files."},
    OptionDoc{"quoteAll", "false", "Quote every value when writing."},
    OptionDoc{"escapeQuotes", "true", "Quote and escape values that hold quotes when writing."},
    OptionDoc{"compression", "", "Codec of written files: none, gzip, deflate, bzip2, zstd; also codec."},
};

arrow::Result<char> OneByte(const OptionReader& reader, std::string_view key) {
  std::string text = reader.Text(key);
  if (text.empty()) return '\0';
  if (text.size() == 1) return text[0];
  if (reader.Character(key, 0).ok()) {
    return arrow::Status::NotImplemented("the CSV option ", key, " with a character outside ASCII");
  }
  return UserError("OPTION_VALUE_EXCEEDS_ONE_CHARACTER", {{"paramName", std::string(key)}, {"actualValue", text}});
}

arrow::Result<bool> Flag(const OptionReader& reader, std::string_view key) {
  auto parsed = reader.Boolean(key);
  if (!parsed.ok()) return arrow::Status::Invalid(key, " flag can be true or false.");
  return parsed;
}

arrow::Result<int32_t> Number(const OptionReader& reader, std::string_view key) {
  auto parsed = reader.Int(key);
  if (!parsed.ok()) return arrow::Status::Invalid(key, " should be an integer. Found ", reader.Text(key), ".");
  return parsed;
}

/// "\t", "\u0001" and the like, as Spark's CSVExprUtils.toDelimiterStr reads them.
arrow::Result<std::string> Delimiter(const std::string& text) {
  if (text.empty()) return arrow::Status::Invalid("Delimiter cannot be empty");
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return UserError("INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH");
    switch (text[i]) {
      case 't':
        out.push_back('\t');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case '"':
      case '\'':
      case '\\':
        out.push_back(text[i]);
        break;
      case 'u':
        if (text.substr(i) == "u0000") {
          out.push_back('\0');
          i += 4;
          break;
        }
        [[fallthrough]];
      default:
        return UserError("INVALID_DELIMITER_VALUE.UNSUPPORTED_SPECIAL_CHARACTER", {{"str", text}});
    }
  }
  return out;
}

arrow::Result<UnescapedQuotes> QuoteHandling(const std::string& text) {
  constexpr std::pair<std::string_view, UnescapedQuotes> kNames[] = {
      {"STOP_AT_CLOSING_QUOTE", UnescapedQuotes::kStopAtClosingQuote},
      {"STOP_AT_DELIMITER", UnescapedQuotes::kStopAtDelimiter},
      {"BACK_TO_DELIMITER", UnescapedQuotes::kBackToDelimiter},
      {"SKIP_VALUE", UnescapedQuotes::kSkipValue},
      {"RAISE_ERROR", UnescapedQuotes::kRaiseError},
  };
  for (const auto& [name, handling] : kNames) {
    if (!EqualsIgnoreCase(name, text)) continue;
    if (handling != UnescapedQuotes::kStopAtDelimiter && handling != UnescapedQuotes::kRaiseError) {
      return arrow::Status::NotImplemented("the CSV option unescapedQuoteHandling with ", name);
    }
    return handling;
  }
  return arrow::Status::Invalid("No enum constant UnescapedQuoteHandling.", ToUpperAscii(text));
}

}  // namespace

std::span<const OptionDoc> CsvOptions::Table() { return kOptions; }

arrow::Result<CsvOptions> CsvOptions::Parse(const OptionMap& given, const SessionFormat& session) {
  OptionReader reader(given, kOptions);
  CsvOptions options;
  std::string delimiter = reader.Given("sep").value_or(reader.Given("delimiter").value_or(","));
  ARROW_ASSIGN_OR_RAISE(options.delimiter, Delimiter(delimiter));
  ARROW_ASSIGN_OR_RAISE(options.quote, OneByte(reader, "quote"));
  ARROW_ASSIGN_OR_RAISE(options.escape, OneByte(reader, "escape"));
  ARROW_ASSIGN_OR_RAISE(options.escape_escape, OneByte(reader, "charToEscapeQuoteEscaping"));
  if (options.escape_escape == '\0' && options.escape != options.quote) options.escape_escape = options.escape;
  ARROW_ASSIGN_OR_RAISE(options.comment, OneByte(reader, "comment"));
  ARROW_ASSIGN_OR_RAISE(options.unescaped_quotes, QuoteHandling(reader.Text("unescapedQuoteHandling")));
  ARROW_RETURN_NOT_OK(options.ReadCommon(reader, session));

  ARROW_ASSIGN_OR_RAISE(options.header, Flag(reader, "header"));
  ARROW_ASSIGN_OR_RAISE(options.infer_schema, Flag(reader, "inferSchema"));
  ARROW_ASSIGN_OR_RAISE(options.enforce_schema, Flag(reader, "enforceSchema"));
  ARROW_ASSIGN_OR_RAISE(options.multi_line, reader.Boolean("multiLine"));
  ARROW_ASSIGN_OR_RAISE(options.prefer_date, Flag(reader, "preferDate"));
  ARROW_ASSIGN_OR_RAISE(options.quote_all, Flag(reader, "quoteAll"));
  ARROW_ASSIGN_OR_RAISE(options.escape_quotes, Flag(reader, "escapeQuotes"));
  if (auto trim = reader.Given("ignoreLeadingWhiteSpace")) {
    ARROW_ASSIGN_OR_RAISE(options.ignore_leading_space, ParseBooleanOption(*trim));
    options.ignore_leading_space_in_write = options.ignore_leading_space;
  }
  if (auto trim = reader.Given("ignoreTrailingWhiteSpace")) {
    ARROW_ASSIGN_OR_RAISE(options.ignore_trailing_space, ParseBooleanOption(*trim));
    options.ignore_trailing_space_in_write = options.ignore_trailing_space;
  }
  options.line_separator = reader.Given("lineSep");
  if (options.line_separator && (options.line_separator->empty() || options.line_separator->size() > 2)) {
    return arrow::Status::Invalid("requirement failed: 'lineSep' ", options.line_separator->empty()
                                                                        ? "cannot be an empty string."
                                                                        : "can contain only 1 character.");
  }
  options.null_value = reader.Text("nullValue");
  options.empty_value_in_read = reader.Text("emptyValue");
  options.empty_value_in_write = reader.Given("emptyValue").value_or("\"\"");
  options.nan_value = reader.Text("nanValue");
  options.positive_infinity = reader.Text("positiveInf");
  options.negative_infinity = reader.Text("negativeInf");
  ARROW_ASSIGN_OR_RAISE(options.columns_max, Number(reader, "maxColumns"));
  ARROW_ASSIGN_OR_RAISE(options.chars_per_column_max, Number(reader, "maxCharsPerColumn"));
  ARROW_ASSIGN_OR_RAISE(options.sampling_ratio, reader.Double("samplingRatio"));

  options.date_fallback = !options.date_format;
  options.timestamp_fallback = !options.timestamp_format;
  if (auto fallback = reader.Given("enableDateTimeParsingFallback")) {
    ARROW_ASSIGN_OR_RAISE(bool enabled, ParseBooleanOption(*fallback));
    options.date_fallback = options.timestamp_fallback = enabled;
  }
  options.compression = reader.Given("compression").value_or(reader.Text("codec"));
  std::string encoding = reader.Given("encoding").value_or(reader.Given("charset").value_or("UTF-8"));
  ARROW_ASSIGN_OR_RAISE(options.charset, Charset::Find(encoding, "CSVOptions"));
  return options;
}

}  // namespace millrace::format
