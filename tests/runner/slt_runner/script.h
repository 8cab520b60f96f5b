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
  /// Why an error may stand for the answer, from a comment `# not built: REASON`; empty: it may not.
  std::string not_built;
  /// Why another answer than Spark's is right here, from a comment `# differs: REASON`; empty: it is not.
  std::string differs;

  const std::string& kind() const { return words.front(); }
  bool HasWord(std::string_view word) const;
  std::string Sql() const;
};

enum class Verdict { kPassed, kFailed, kSkipped };

/// Compares an answer with the recorded one. Where Spark fails without naming a condition (`- -`) or with a provisional
/// one
/// (`_LEGACY_ERROR_TEMP_…`), any error passes.
Verdict Judge(const Record& record, const std::vector<std::string>& answer);

/// The records of a script; of the comments only `# not built:` and `# differs:` count.
std::vector<Record> ParseScript(std::string_view text);

/// `\n`, `\t`, `\r` and `\\` for the characters that would break a line of an answer.
std::string Escape(std::string_view text);
/// Inverse of Escape; also `\xNN`.
std::string Unescape(std::string_view text);

}  // namespace millrace::slt
