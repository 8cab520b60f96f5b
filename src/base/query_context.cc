#include "base/query_context.h"

#include <algorithm>
#include <string_view>

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

namespace {

// How much of its line is shown around an expression.
constexpr int64_t kMaxAround = 32;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// A character beyond the basic plane, four bytes here, is two units there.
int32_t Utf16Length(std::string_view text) {
  int32_t length = 0;
  for (char c : text) length += IsContinuation(c) ? 0 : (static_cast<unsigned char>(c) >= 0xF0 ? 2 : 1);
  return length;
}

struct LinePosition {
  int32_t line = 1;
  int32_t column = 0;
};

LinePosition PositionIn(std::string_view text, int32_t start) {
  std::string_view before = text.substr(0, static_cast<size_t>(start));
  LinePosition position;
  position.line += static_cast<int32_t>(std::count(before.begin(), before.end(), '\n'));
  size_t line_begin = before.rfind('\n');
  position.column = Utf16Length(line_begin == std::string_view::npos ? before : before.substr(line_begin + 1));
  return position;
}

// The lines of the expression, each with marks below it. Source: Spark, SQLQueryContext.summary.
std::string MarkedLines(std::string_view text, int64_t start, int64_t stop) {
  auto size = static_cast<int64_t>(text.size());
  stop = std::min(stop, size - 1);
  int64_t begin = start;
  while (begin > 0 && text[static_cast<size_t>(begin - 1)] != '\n' && start - begin < kMaxAround) --begin;
  while (begin < start && IsContinuation(text[static_cast<size_t>(begin)])) ++begin;
  bool begin_cut = begin > 0 && text[static_cast<size_t>(begin - 1)] != '\n';
  int64_t end = stop + 1;
  while (end < size && text[static_cast<size_t>(end)] != '\n' && end - stop - 1 < kMaxAround) ++end;
  while (end < size && IsContinuation(text[static_cast<size_t>(end)])) ++end;
  bool end_cut = end < size && text[static_cast<size_t>(end)] != '\n';
  std::string out;
  int64_t line_begin = begin;
  while (line_begin < end) {
    int64_t line_end = line_begin;
    while (line_end < end && text[static_cast<size_t>(line_end)] != '\n') ++line_end;
    bool first = line_begin == begin && begin_cut;
    bool last = line_end == end && end_cut;
    out += first ? "..." : "";
    out += text.substr(static_cast<size_t>(line_begin), static_cast<size_t>(line_end - line_begin));
    out += last ? "...\n" : "\n";
    std::string marks(first ? 3 : 0, ' ');
    for (int64_t i = line_begin; i < line_end && i <= stop; ++i) {
      if (IsContinuation(text[static_cast<size_t>(i)])) continue;
      marks += i < start ? ' ' : '^';
    }
    out += marks + "\n";
    line_begin = line_end + 1;
  }
  return out;
}

arrow::Status WithContext(const arrow::Status& status, const std::string& suffix, QueryContext context) {
  const ErrorDetail* detail = GetErrorDetail(status);
  // A text that could not be parsed has its own place in the message.
  if (detail == nullptr || FindContext(status) != nullptr || status.message().find("== SQL") != std::string::npos) {
    return status;
  }
  return arrow::Status(status.code(), status.message() + suffix,
                       std::make_shared<ErrorDetailWithContext>(*detail, std::move(context)));
}

}  // namespace

std::string QueryContext::Fragment() const {
  if (!is_sql()) return fragment;
  return sql_text->substr(static_cast<size_t>(start), static_cast<size_t>(stop - start + 1));
}

int32_t QueryContext::StartIndex() const {
  return Utf16Length(std::string_view(*sql_text).substr(0, static_cast<size_t>(start)));
}

int32_t QueryContext::StopIndex() const {
  return Utf16Length(std::string_view(*sql_text).substr(0, static_cast<size_t>(stop + 1))) - 1;
}

std::string QueryContext::Summary() const {
  if (!is_sql()) return "== DataFrame ==\n\"" + fragment + "\" was called from\n" + call_site + "\n";
  LinePosition position = PositionIn(*sql_text, start);
  return "== SQL (line " + std::to_string(position.line) + ", position " + std::to_string(position.column + 1) +
         ") ==\n" + MarkedLines(*sql_text, start, stop);
}

std::string QueryContext::Position() const {
  if (!is_sql()) return "";
  LinePosition position = PositionIn(*sql_text, start);
  return "; line " + std::to_string(position.line) + " pos " + std::to_string(position.column);
}

arrow::Status WithQueryContext(const arrow::Status& status, QueryContext context) {
  if (status.ok() || GetErrorDetail(status) == nullptr) return status;
  std::string suffix = "\n" + context.Summary();
  return WithContext(status, suffix, std::move(context));
}

arrow::Status WithAnalysisContext(const arrow::Status& status, QueryContext context) {
  if (status.ok() || GetErrorDetail(status) == nullptr) return status;
  std::string suffix = context.Position();
  return WithContext(status, suffix, std::move(context));
}

std::vector<QueryContext> GetQueryContexts(const arrow::Status& status) {
  const ErrorDetailWithContext* found = FindContext(status);
  if (found == nullptr) return {};
  return {found->context()};
}

}  // namespace millrace
