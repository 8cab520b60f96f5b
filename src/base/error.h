#pragma once

#include <arrow/status.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// Values of the `<placeholders>` in an error condition's message template.
using ErrorParameters = std::map<std::string, std::string, std::less<>>;

/// What a user-facing failure carries beside its text: Spark's error condition, so that every door
/// (C++ API, Spark Connect, CLI) can show the class, the SQLSTATE and the parameters.
/// Immutable, thread-safe.
class ErrorDetail : public arrow::StatusDetail {
 public:
  ErrorDetail(std::string condition, std::string sqlstate, ErrorParameters parameters)
      : condition_(std::move(condition)), sqlstate_(std::move(sqlstate)), parameters_(std::move(parameters)) {}

  const char* type_id() const override { return "millrace::ErrorDetail"; }
  std::string ToString() const override { return condition_; }

  /// For example `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`.
  const std::string& condition() const { return condition_; }
  /// Five characters; empty when the condition has none.
  const std::string& sqlstate() const { return sqlstate_; }
  const ErrorParameters& parameters() const { return parameters_; }

 private:
  std::string condition_;
  std::string sqlstate_;
  ErrorParameters parameters_;
};

/// One row of the table of conditions generated at build time from the published Spark artefact.
struct ErrorCondition {
  std::string_view condition;
  std::string_view sqlstate;
  std::string_view message_template;
};

/// The row of `condition`, or nullptr.
const ErrorCondition* FindErrorCondition(std::string_view condition);

/// The error of the user (or of his data) named by Spark's error `condition`; the message is
/// `[CONDITION] text. SQLSTATE: nnnnn` with `<parameters>` filled in, as Spark prints it.
/// An unknown condition is a defect of ours and gives INTERNAL_ERROR naming it.
arrow::Status UserError(std::string_view condition, ErrorParameters parameters = {});

/// A defect of ours where nothing durable was touched: condition INTERNAL_ERROR.
arrow::Status InternalError(std::string message);

/// A failure of the world (disk, broker). `retryable` when the same call may succeed later.
arrow::Status WorldError(std::string message, bool retryable = false);
bool IsRetryable(const arrow::Status& status);

/// The detail behind `status`, or nullptr when it is no UserError.
const ErrorDetail* GetErrorDetail(const arrow::Status& status);

/// True when `status` is a UserError of `condition` or of one of its sub-conditions.
bool IsErrorCondition(const arrow::Status& status, std::string_view condition);

/// Spark's quoting in messages: identifiers in back-ticks part by part, types and SQL text in double quotes.
std::string QuoteIdentifier(std::string_view part);
std::string QuoteNameParts(const std::vector<std::string>& parts);
std::string QuoteSqlType(std::string_view sql_type);
std::string QuoteSqlExpression(std::string_view sql);
std::string QuoteConf(std::string_view key);
/// `'it\'s'`: a SQL string literal.
std::string QuoteStringLiteral(std::string_view value);

}  // namespace millrace
