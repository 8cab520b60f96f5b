#include "base/error.h"

#include <algorithm>
#include <iterator>

namespace millrace {

namespace {

// Sorted by condition; generated (tools/) from the conditions Spark publishes.
constexpr ErrorCondition kConditions[] = {
#include "base/error_conditions.inc"
};

constexpr const char* kWorldDetailType = "millrace::WorldDetail";

class WorldDetail : public arrow::StatusDetail {
 public:
  explicit WorldDetail(bool retryable) : retryable_(retryable) {}
  const char* type_id() const override { return kWorldDetailType; }
  std::string ToString() const override { return retryable_ ? "retryable" : "permanent"; }
  bool retryable() const { return retryable_; }

 private:
  bool retryable_;
};

std::string FillTemplate(std::string_view text, const ErrorParameters& parameters) {
  std::string out;
  out.reserve(text.size() + 64);
  size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '<') {
      size_t close = text.find('>', i);
      if (close != std::string_view::npos) {
        auto it = parameters.find(text.substr(i + 1, close - i - 1));
        if (it != parameters.end()) {
          out += it->second;
          i = close + 1;
          continue;
        }
      }
    }
    out += text[i++];
  }
  return out;
}

/// Conditions of Spark's Kafka connector, whose exceptions say their text alone.
bool IsBare(std::string_view condition) {
  constexpr std::string_view kOfKafka[] = {"KAFKA_", "MISSING_KAFKA_OPTION", "MISMATCHED_TOPIC_PARTITIONS_",
                                           "RESOLVED_START_OFFSET_GREATER_", "UNRESOLVED_START_OFFSET_GREATER_"};
  return std::any_of(std::begin(kOfKafka), std::end(kOfKafka),
                     [&](std::string_view start) { return condition.starts_with(start); });
}

}  // namespace

const ErrorCondition* FindErrorCondition(std::string_view condition) {
  auto it = std::lower_bound(std::begin(kConditions), std::end(kConditions), condition,
                             [](const ErrorCondition& row, std::string_view name) { return row.condition < name; });
  if (it == std::end(kConditions) || it->condition != condition) return nullptr;
  return &*it;
}

arrow::Status UserError(std::string_view condition, ErrorParameters parameters) {
  const ErrorCondition* row = FindErrorCondition(condition);
  if (row == nullptr) return InternalError("The error condition " + std::string(condition) + " is not in the table");
  const bool bare = IsBare(condition);
  // Spark does not show the numbers it gave to old messages.
  std::string message = bare || condition.starts_with("_LEGACY_ERROR_") ? "" : "[" + std::string(condition) + "] ";
  message += FillTemplate(row->message_template, parameters);
  // Delta's own errors do not print it.
  const bool shows_state = !row->sqlstate.empty() && !bare && !condition.starts_with("DELTA_");
  if (shows_state) message += " SQLSTATE: " + std::string(row->sqlstate);
  return arrow::Status(
      arrow::StatusCode::Invalid, std::move(message),
      std::make_shared<ErrorDetail>(std::string(condition), std::string(row->sqlstate), std::move(parameters)));
}

arrow::Status InternalError(std::string message) {
  ErrorParameters parameters{{"message", message}};
  return arrow::Status(arrow::StatusCode::UnknownError, "[INTERNAL_ERROR] " + message + " SQLSTATE: XX000",
                       std::make_shared<ErrorDetail>("INTERNAL_ERROR", "XX000", std::move(parameters)));
}

arrow::Status WorldError(std::string message, bool retryable) {
  return arrow::Status(arrow::StatusCode::IOError, std::move(message), std::make_shared<WorldDetail>(retryable));
}

bool IsRetryable(const arrow::Status& status) {
  if (status.ok() || status.detail() == nullptr) return false;
  if (std::string_view(status.detail()->type_id()) != kWorldDetailType) return false;
  return static_cast<const WorldDetail&>(*status.detail()).retryable();
}

const ErrorDetail* GetErrorDetail(const arrow::Status& status) {
  if (status.ok() || status.detail() == nullptr) return nullptr;
  return dynamic_cast<const ErrorDetail*>(status.detail().get());
}

bool IsErrorCondition(const arrow::Status& status, std::string_view condition) {
  const ErrorDetail* detail = GetErrorDetail(status);
  if (detail == nullptr) return false;
  std::string_view found = detail->condition();
  return found.starts_with(condition) && (found.size() == condition.size() || found[condition.size()] == '.');
}

namespace {

std::string QuoteDoubling(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string QuoteIdentifier(std::string_view part) { return QuoteDoubling(part, '`'); }

std::string QuoteNameParts(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += '.';
    out += QuoteIdentifier(part);
  }
  return out;
}

std::string QuoteSqlType(std::string_view sql_type) { return "\"" + std::string(sql_type) + "\""; }
std::string QuoteSqlExpression(std::string_view sql) { return "\"" + std::string(sql) + "\""; }
std::string QuoteConf(std::string_view key) { return "\"" + std::string(key) + "\""; }

std::string QuoteStringLiteral(std::string_view value) {
  std::string out = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace millrace
