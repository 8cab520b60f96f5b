#pragma once

#include <string>
#include <vector>

namespace millrace::stream_runner {

/// One step of a script: its verb, the rest of the line, and the lines that belong to it.
struct Step {
  int line = 0;
  std::string verb;
  std::string text;
  /// Rows under check, check_new and fails; the indented lines under file, without their indentation.
  std::vector<std::string> body;
};

/// The steps of a script. The verbs are described in tests/stream/README.md.
std::vector<Step> ParseScript(const std::string& text);

/// A cell as scripts write it: `\`, line feed, tab and carriage return escaped, nothing as `(empty)`.
std::string CellText(std::string_view value);

/// Words of a line; a word may be quoted by double quotes, also behind `key=`.
std::vector<std::string> SplitWords(const std::string& text);

}  // namespace millrace::stream_runner
