#include "slt_runner/script.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace millrace::slt {

bool Record::HasWord(std::string_view word) const { return std::find(words.begin(), words.end(), word) != words.end(); }

std::string Record::Sql() const {
  std::string sql;
  for (const std::string& text : body) {
    if (!sql.empty()) sql += '\n';
    sql += text;
  }
  return sql;
}

namespace {

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void TakeReason(std::string_view comment, std::string_view mark, std::string* reason) {
  if (comment.starts_with(mark)) *reason = comment.substr(mark.size());
}

// A block's lines without its leading comments; a block of comments alone is no record.
void AddBlock(int line, std::vector<std::string> lines, std::vector<Record>* records) {
  Record record;
  while (!lines.empty() && lines[0].starts_with('#')) {
    TakeReason(lines[0], "# not built: ", &record.not_built);
    TakeReason(lines[0], "# differs: ", &record.differs);
    lines.erase(lines.begin());
    ++line;
  }
  if (lines.empty()) return;
  record.line = line;
  record.words = Words(lines[0]);
  bool has_answer = record.kind() != "set" && record.kind() != "file";
  auto end = has_answer ? std::find(lines.begin() + 1, lines.end(), "----") : lines.end();
  record.body.assign(lines.begin() + 1, end);
  if (end != lines.end()) record.answer.assign(end + 1, lines.end());
  records->push_back(std::move(record));
}

bool IsError(const std::vector<std::string>& answer) { return answer.size() == 2 && answer[1].starts_with("message "); }

bool NamesNoCondition(const std::vector<std::string>& answer) {
  std::string_view condition = answer.empty() ? std::string_view() : answer[0];
  if (condition.starts_with("error ")) condition.remove_prefix(6);
  return condition == "- -" || condition.starts_with("_LEGACY_ERROR_TEMP_");
}

}  // namespace

Verdict Judge(const Record& record, const std::vector<std::string>& answer) {
  if (answer == record.answer) return Verdict::kPassed;
  if (IsError(answer) && IsError(record.answer) && NamesNoCondition(record.answer)) return Verdict::kPassed;
  if (!record.differs.empty() || (!record.not_built.empty() && IsError(answer))) return Verdict::kSkipped;
  return Verdict::kFailed;
}

std::vector<Record> ParseScript(std::string_view text) {
  std::vector<Record> records;
  std::vector<std::string> block;
  int line = 0;
  int block_line = 1;
  while (true) {
    size_t end = text.find('\n');
    std::string_view current = text.substr(0, end);
    ++line;
    if (current.empty()) {
      AddBlock(block_line, std::move(block), &records);
      block.clear();
    } else {
      if (block.empty()) block_line = line;
      block.emplace_back(current);
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  AddBlock(block_line, std::move(block), &records);
  return records;
}

std::string Escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    char c = text[++i];
    if (c == 'n') {
      out += '\n';
    } else if (c == 't') {
      out += '\t';
    } else if (c == 'r') {
      out += '\r';
    } else if (c == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace millrace::slt
