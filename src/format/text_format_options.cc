#include "format/text_format_options.h"

namespace millrace::format {

arrow::Status TextFormatOptions::ReadCommon(const OptionReader& reader, const SessionFormat& session) {
  mode = ParseModeFrom(reader.Text("mode"));
  corrupt_record_column = reader.Given("columnNameOfCorruptRecord").value_or(session.corrupt_record_column);
  time_zone = session.time_zone;
  if (auto zone = reader.Given("timeZone")) {
    ARROW_ASSIGN_OR_RAISE(time_zone, types::TimeZone::Load(*zone));
  }
  locale = reader.Text("locale");
  number_symbols = NumberSymbolsOf(locale);
  date_format = reader.Given("dateFormat");
  timestamp_format = reader.Given("timestampFormat");
  timestamp_ntz_format = reader.Given("timestampNTZFormat");
  time_format = reader.Given("timeFormat");
  date_format_in_write = reader.Text("dateFormat");
  timestamp_format_in_write = reader.Text("timestampFormat");
  timestamp_ntz_format_in_write = reader.Text("timestampNTZFormat");
  return arrow::Status::OK();
}

}  // namespace millrace::format
