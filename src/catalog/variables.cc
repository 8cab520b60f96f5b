#include "catalog/variables.h"

#include <iterator>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::catalog {

std::string QuotedVariable(const std::string& name) { return QuoteNameParts({"system", "session", name}); }

std::string QuotedVariable(const Variable& variable) {
  if (!variable.is_local) return QuotedVariable(ToLowerAscii(variable.name));
  return QuoteNameParts({variable.scope, ToLowerAscii(variable.name)});
}

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

void Variables::Set(const Variable& variable, expression::ExpressionPtr value) {
  std::lock_guard lock(mutex_);
  std::string key = ToLowerAscii(variable.name);
  if (!variable.is_local) {
    auto it = variables_.find(key);
    if (it != variables_.end()) it->second.value = std::move(value);
    return;
  }
  Scopes& scopes = scripts_[std::this_thread::get_id()];
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto it = scope->variables.find(key);
    if (scope->label != variable.scope || it == scope->variables.end()) continue;
    it->second.value = std::move(value);
    return;
  }
}

bool Variables::Drop(const std::string& name) {
  std::lock_guard lock(mutex_);
  return variables_.erase(ToLowerAscii(name)) > 0;
}

std::optional<std::pair<Variable, size_t>> Variables::Resolve(const std::vector<std::string>& parts) const {
  for (size_t count = std::min<size_t>(parts.size(), 3); count > 0; --count) {
    auto end = parts.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<std::string> prefix(parts.begin(), end);
    if (std::optional<Variable> local = FindLocal(prefix)) return std::pair{*std::move(local), count};
    std::optional<std::string> name = NameOf(prefix);
    std::optional<Variable> found = name ? Find(*name) : std::nullopt;
    if (found) return std::pair{*std::move(found), count};
  }
  return std::nullopt;
}

// `x` of the innermost scope that has it, or `label.x`.
std::optional<Variable> Variables::FindLocal(const std::vector<std::string>& parts) const {
  if (parts.size() > 2) return std::nullopt;
  std::lock_guard lock(mutex_);
  auto script = scripts_.find(std::this_thread::get_id());
  if (script == scripts_.end()) return std::nullopt;
  std::string key = ToLowerAscii(parts.back());
  for (auto scope = script->second.rbegin(); scope != script->second.rend(); ++scope) {
    if (parts.size() == 2 && !EqualsIgnoreCase(parts[0], scope->label)) continue;
    auto it = scope->variables.find(key);
    if (it != scope->variables.end()) return it->second;
  }
  return std::nullopt;
}

bool Variables::InScript() const { return NumScopes() > 0; }

size_t Variables::NumScopes() const {
  std::lock_guard lock(mutex_);
  auto script = scripts_.find(std::this_thread::get_id());
  return script == scripts_.end() ? 0 : script->second.size();
}

void Variables::EnterScope(VariableScope scope) {
  std::lock_guard lock(mutex_);
  scripts_[std::this_thread::get_id()].push_back(std::move(scope));
}

void Variables::LeaveScope() {
  std::lock_guard lock(mutex_);
  auto script = scripts_.find(std::this_thread::get_id());
  script->second.pop_back();
  if (script->second.empty()) scripts_.erase(script);
}

arrow::Status Variables::DeclareLocal(Variable variable) {
  std::lock_guard lock(mutex_);
  VariableScope& scope = scripts_[std::this_thread::get_id()].back();
  variable.is_local = true;
  variable.scope = scope.label;
  std::string key = ToLowerAscii(variable.name);
  if (scope.variables.contains(key)) {
    return UserError("VARIABLE_ALREADY_EXISTS", {{"variableName", QuotedVariable(variable)}});
  }
  scope.variables.emplace(key, std::move(variable));
  return arrow::Status::OK();
}

std::vector<VariableScope> Variables::SetAside(size_t keep) {
  std::lock_guard lock(mutex_);
  Scopes& scopes = scripts_[std::this_thread::get_id()];
  auto first = scopes.begin() + static_cast<std::ptrdiff_t>(keep);
  std::vector<VariableScope> aside(std::make_move_iterator(first), std::make_move_iterator(scopes.end()));
  scopes.erase(first, scopes.end());
  return aside;
}

void Variables::PutBack(std::vector<VariableScope> scopes) {
  std::lock_guard lock(mutex_);
  Scopes& all = scripts_[std::this_thread::get_id()];
  for (VariableScope& scope : scopes) all.push_back(std::move(scope));
}

}  // namespace millrace::catalog
