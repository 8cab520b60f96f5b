#pragma once

#include <arrow/status.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "expression/node.h"

namespace spark::connect {
class Relation;
}  // namespace spark::connect

namespace millrace::catalog {

/// A session variable: `system.session.name`, or one of a script's block.
struct Variable {
  std::string name;
  /// A literal.
  expression::ExpressionPtr value;
  /// A query of one row and column, which DEFAULT asks again.
  std::shared_ptr<const spark::connect::Relation> default_value;
  /// Of a script's variable.
  bool is_local = false;
  std::string scope;
};

/// The variables that a block of a script declares, or the columns of a FOR loop's row. Names are lower case.
struct VariableScope {
  std::string label;
  std::map<std::string, Variable> variables;
};

/// The variables of one session, and those of the scripts that its threads run: each thread sees its own script's.
/// Names ignore case. Thread-safe.
class Variables {
 public:
  /// Of the parts, the variable's name: `x`, `session.x`, `system.session.x`; nullopt for another schema's.
  static std::optional<std::string> NameOf(const std::vector<std::string>& parts);

  std::optional<Variable> Find(const std::string& name) const;
  /// Errors: UserError VARIABLE_ALREADY_EXISTS when it exists and `replace` is false.
  arrow::Status Declare(Variable variable, bool replace);
  /// Gives a variable that Resolve or Find has given another value.
  void Set(const Variable& variable, expression::ExpressionPtr value);
  /// False when there is none.
  bool Drop(const std::string& name);

  /// The variable that begins `parts`, and how many of them name it: the rest are fields of it.
  std::optional<std::pair<Variable, size_t>> Resolve(const std::vector<std::string>& parts) const;

  // The script that the calling thread runs.
  bool InScript() const;
  void EnterScope(VariableScope scope);
  void LeaveScope();
  size_t NumScopes() const;
  /// REQUIRES: InScript. Errors: UserError VARIABLE_ALREADY_EXISTS.
  arrow::Status DeclareLocal(Variable variable);
  /// Takes all but the outermost `keep` scopes away (a handler sees those of its block only), and brings them back.
  std::vector<VariableScope> SetAside(size_t keep);
  void PutBack(std::vector<VariableScope> scopes);

 private:
  using Scopes = std::vector<VariableScope>;
  std::optional<Variable> FindLocal(const std::vector<std::string>& parts) const;

  mutable std::mutex mutex_;
  std::map<std::string, Variable> variables_;  // by lower-case name
  std::map<std::thread::id, Scopes> scripts_;
};

/// `system`.`session`.`name`.
std::string QuotedVariable(const std::string& name);
/// `system`.`session`.`name`, or `label`.`name` of a script's.
std::string QuotedVariable(const Variable& variable);

}  // namespace millrace::catalog
