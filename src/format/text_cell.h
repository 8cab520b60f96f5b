#pragma once

#include <string>

#include "format/json/json_record.h"
#include "format/option_map.h"
#include "format/text_value.h"

namespace millrace::format {

/// Reads a text as CSV and XML read it: integers, decimals, dates, times and strings. False when it does not fit the
/// type, and for other types.
bool ReadTextCell(const std::string& text, const types::DataType& type, const TextValueParser& values,
                  const NumberSymbols& symbols, JsonCell* cell);

}  // namespace millrace::format
