#include "base/query_context.h"

namespace millrace {

namespace {

class ErrorDetailWithContext final : public ErrorDetail {
 public:
  ErrorDetailWithContext(const ErrorDetail& detail, QueryContext context)
      : ErrorDetail(detail), context_(std::move(context)) {}
  const QueryContext& context() const { return context_; }

 private:
  QueryContext context_;
};

const ErrorDetailWithContext* FindContext(const arrow::Status& status) {
  if (status.ok() || status.detail() == nullptr) return nullptr;
  return dynamic_cast<const ErrorDetailWithContext*>(status.detail().get());
}

}  // namespace

std::string QueryContext::Summary() const {
  return "== DataFrame ==\n\"" + fragment + "\" was called from\n" + call_site + "\n";
}

arrow::Status WithQueryContext(const arrow::Status& status, QueryContext context) {
  const ErrorDetail* detail = GetErrorDetail(status);
  // A text of SQL has its own place in the message.
  if (detail == nullptr || FindContext(status) != nullptr || status.message().find("== SQL") != std::string::npos) {
    return status;
  }
  std::string message = status.message() + "\n" + context.Summary();
  return arrow::Status(status.code(), std::move(message),
                       std::make_shared<ErrorDetailWithContext>(*detail, std::move(context)));
}

std::vector<QueryContext> GetQueryContexts(const arrow::Status& status) {
  const ErrorDetailWithContext* found = FindContext(status);
  if (found == nullptr) return {};
  return {found->context()};
}

}  // namespace millrace
