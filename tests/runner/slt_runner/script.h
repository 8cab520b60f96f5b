#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::slt {

/// One block of a script: head line, body, recorded answer. tests/sql/record.py says what each kind means.
struct Record {
  int line = 0;  // of the head, from 1
  std::vector<std::string> words;
  std::vector<std::string> body;
  std::vector<std::string> answer;

  const std::string& kind() const { return words.front(); }
  bool HasWord(std::string_view word) const;
  std::string Sql() const;
};

/// The records of a script; comments are dropped.
std::vector<Record> ParseScript(std::string_view text);

/// `\n`, `\t`, `\r` and `\\` for the characters that would break a line of an answer.
std::string Escape(std::string_view text);
/// Inverse of Escape; also `\xNN`.
std::string Unescape(std::string_view text);

}  // namespace millrace::slt
