#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "session/session.h"
#include "slt_runner/script.h"

namespace millrace::slt {

/// Answers the records of one script, each in the words of its recorded answer. One session a script: UTC, one thread,
/// so that rows come in a fixed order. Confined.
class ScriptRun {
 public:
  explicit ScriptRun(const std::shared_ptr<session::Engine>& engine);
  ~ScriptRun();

  /// Lines to be compared with record.answer; for `set`, `table` and `file`, empty when it worked.
  std::vector<std::string> Answer(const Record& record);

 private:
  std::vector<std::string> AnswerQuery(const Record& record);
  std::vector<std::string> AnswerShow(const Record& record);
  std::vector<std::string> AnswerTree(const Record& record);
  std::vector<std::string> AnswerRead(const Record& record);
  std::vector<std::string> AnswerWrite(const Record& record);
  std::vector<std::string> Set(const Record& record);
  std::vector<std::string> WriteFile(const Record& record);
  /// The record's SQL with the folder's name for FILES.
  std::string Statement(const Record& record) const;
  std::string Anonymous(std::string text) const;
  static std::string WithoutTime(std::string text);
  arrow::Result<std::vector<std::string>> Rows(const session::QueryResult& result) const;
  std::vector<std::string> Failure(const arrow::Status& status, bool names_error) const;

  std::shared_ptr<session::Session> session_;
  std::filesystem::path folder_;
  int outputs_ = 0;
};

}  // namespace millrace::slt
