#include "catalog/variables.h"

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::catalog {

std::string QuotedVariable(const std::string& name) { return QuoteNameParts({"system", "session", name}); }

std::optional<std::string> Variables::NameOf(const std::vector<std::string>& parts) {
  if (parts.size() == 1) return parts[0];
  if (parts.size() == 2 && EqualsIgnoreCase(parts[0], "session")) return parts[1];
  bool full = parts.size() == 3 && EqualsIgnoreCase(parts[0], "system") && EqualsIgnoreCase(parts[1], "session");
  return full ? std::optional(parts[2]) : std::nullopt;
}

std::optional<Variable> Variables::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = variables_.find(ToLowerAscii(name));
  if (it == variables_.end()) return std::nullopt;
  return it->second;
}

arrow::Status Variables::Declare(Variable variable, bool replace) {
  std::lock_guard lock(mutex_);
  std::string key = ToLowerAscii(variable.name);
  if (!replace && variables_.contains(key)) {
    return UserError("VARIABLE_ALREADY_EXISTS", {{"variableName", QuotedVariable(key)}});
  }
  variables_[key] = std::move(variable);
  return arrow::Status::OK();
}

void Variables::Set(const std::string& name, expression::ExpressionPtr value) {
  std::lock_guard lock(mutex_);
  auto it = variables_.find(ToLowerAscii(name));
  if (it != variables_.end()) it->second.value = std::move(value);
}

bool Variables::Drop(const std::string& name) {
  std::lock_guard lock(mutex_);
  return variables_.erase(ToLowerAscii(name)) > 0;
}

std::optional<std::pair<Variable, size_t>> Variables::Resolve(const std::vector<std::string>& parts) const {
  for (size_t count = std::min<size_t>(parts.size(), 3); count > 0; --count) {
    auto end = parts.begin() + static_cast<std::ptrdiff_t>(count);
    std::optional<std::string> name = NameOf({parts.begin(), end});
    std::optional<Variable> found = name ? Find(*name) : std::nullopt;
    if (found) return std::pair{*std::move(found), count};
  }
  return std::nullopt;
}

}  // namespace millrace::catalog
