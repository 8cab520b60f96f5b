#include "stream_runner/script.h"

#include <sstream>
#include <string_view>

namespace millrace::stream_runner {

namespace {

bool IsAnswered(const std::string& verb) {
  return verb == "check" || verb == "check_new" || verb == "check_ordered" || verb == "check_last" || verb == "fails" ||
         verb == "printed" || verb == "files" || verb == "state";
}

bool TakesIndentedLines(const std::string& verb) {
  return verb == "query" || verb == "file" || verb == "table" || verb == "view";
}

std::string Trim(std::string_view text) {
  size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return "";
  return std::string(text.substr(start, text.find_last_not_of(" \t") - start + 1));
}

}  // namespace

std::vector<Step> ParseScript(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::vector<Step> steps;
  for (size_t at = 0; at < lines.size();) {
    const std::string& line = lines[at];
    if (Trim(line).empty() || line[0] == '#') {
      ++at;
      continue;
    }
    Step step;
    step.line = static_cast<int>(++at);
    size_t blank = line.find(' ');
    step.verb = line.substr(0, blank);
    if (blank != std::string::npos) step.text = Trim(line.substr(blank));
    if (TakesIndentedLines(step.verb)) {
      while (at < lines.size() && lines[at].starts_with(' ')) step.body.push_back(lines[at++].substr(1));
    }
    if (IsAnswered(step.verb)) {
      while (at < lines.size() && !lines[at].empty()) step.body.push_back(lines[at++]);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string CellText(std::string_view value) {
  if (value.empty()) return "(empty)";
  std::string text;
  for (char c : value) {
    switch (c) {
      case '\\':
        text += "\\\\";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\r':
        text += "\\r";
        break;
      default:
        text += c;
    }
  }
  return text;
}

std::vector<std::string> SplitWords(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (char c : text) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) words.push_back(std::move(word));
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(std::move(word));
  return words;
}

}  // namespace millrace::stream_runner
