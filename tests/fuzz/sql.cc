// Any text is an expression, a statement, or an error with a condition; the same text gives the same messages.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "spark/connect/base.pb.h"
#include "sql/parser.h"
#include "sql/statement.h"

namespace {

void CheckError(const arrow::Status& status) {
  const millrace::ErrorDetail* detail = millrace::GetErrorDetail(status);
  if (detail == nullptr || detail->condition() == "INTERNAL_ERROR") std::abort();
}

std::string ParseStatementBytes(std::string_view text, const millrace::sql::ParserOptions& options) {
  millrace::sql::Statement statement;
  arrow::Status status = millrace::sql::ParseStatement(text, options, &statement);
  if (!status.ok()) {
    CheckError(status);
    return status.message();
  }
  return statement.query ? statement.query->SerializeAsString() : std::to_string(statement.command->index());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  millrace::sql::ParserOptions options;
  options.is_aggregate = [](std::string_view name) { return name == "count" || name == "sum"; };
  spark::connect::Expression expression;
  std::vector<spark::connect::Relation> subqueries;
  arrow::Status status = millrace::sql::ParseExpression(text, options, &expression, &subqueries);
  if (!status.ok()) CheckError(status);
  if (ParseStatementBytes(text, options) != ParseStatementBytes(text, options)) std::abort();
  return 0;
}
