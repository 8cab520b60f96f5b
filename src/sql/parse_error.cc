#include "sql/parse_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace millrace::sql {

namespace {

struct Position {
  int line = 1;       // from 1
  size_t column = 0;  // code points from the line's start, from 0
};

bool StartsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

size_t CodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), StartsCodePoint));
}

Position Locate(std::string_view statement, size_t offset) {
  std::string_view before = statement.substr(0, std::min(offset, statement.size()));
  size_t line_start = before.rfind('\n');
  line_start = line_start == std::string_view::npos ? 0 : line_start + 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1, CodePoints(before.substr(line_start))};
}

// The statement with a line of marks under line `position.line`.
std::string Marked(std::string_view statement, const Position& position) {
  std::string out;
  int line = 1;
  size_t start = 0;
  while (true) {
    size_t end = std::min(statement.find('\n', start), statement.size());
    out += statement.substr(start, end - start);
    out += '\n';
    if (line == position.line) out += std::string(position.column, '-') + "^^^\n";
    if (end == statement.size()) return out;
    start = end + 1;
    ++line;
  }
}

arrow::Status WithContext(const arrow::Status& error, const std::string& context) {
  return arrow::Status(error.code(), error.message() + context, error.detail());
}

}  // namespace

arrow::Status PositionedError(std::string_view statement, size_t offset, std::string_view condition,
                              ErrorParameters parameters) {
  Position position = Locate(statement, offset);
  return WithContext(
      UserError(condition, std::move(parameters)),
      fmt::format(" (line {}, pos {})\n\n== SQL ==\n{}", position.line, position.column, Marked(statement, position)));
}

arrow::Status SyntaxError(std::string_view statement, const Token& token, std::string_view hint) {
  std::string where = token.kind == TokenKind::kEnd ? "end of input" : fmt::format("'{}'", token.text);
  return PositionedError(statement, token.offset, "PARSE_SYNTAX_ERROR",
                         {{"error", std::move(where)}, {"hint", std::string(hint)}});
}

arrow::Status FragmentError(std::string_view statement, size_t begin, size_t end, std::string_view condition,
                            ErrorParameters parameters) {
  Position position = Locate(statement, begin);
  size_t line_start = statement.substr(0, begin).rfind('\n');
  line_start = line_start == std::string_view::npos ? 0 : line_start + 1;
  size_t line_end = std::min(statement.find('\n', begin), statement.size());
  std::string_view line = statement.substr(line_start, line_end - line_start);
  size_t marks = CodePoints(statement.substr(begin, std::min(end, line_end) - begin));
  return WithContext(UserError(condition, std::move(parameters)),
                     fmt::format("\n== SQL (line {}, position {}) ==\n{}\n{}{}\n", position.line, position.column + 1,
                                 line, std::string(position.column, ' '), std::string(marks, '^')));
}

}  // namespace millrace::sql
