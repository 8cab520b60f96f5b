#pragma once

#include <arrow/status.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "expression/node.h"

namespace spark::connect {
class Relation;
}  // namespace spark::connect

namespace millrace::catalog {

/// A session variable: `system.session.name`.
struct Variable {
  std::string name;
  /// A literal.
  expression::ExpressionPtr value;
  /// A query of one row and column, which DEFAULT asks again.
  std::shared_ptr<const spark::connect::Relation> default_value;
};

/// The variables of one session. Names ignore case. Thread-safe.
class Variables {
 public:
  /// Of the parts, the variable's name: `x`, `session.x`, `system.session.x`; nullopt for another schema's.
  static std::optional<std::string> NameOf(const std::vector<std::string>& parts);

  std::optional<Variable> Find(const std::string& name) const;
  /// Errors: UserError VARIABLE_ALREADY_EXISTS when it exists and `replace` is false.
  arrow::Status Declare(Variable variable, bool replace);
  void Set(const std::string& name, expression::ExpressionPtr value);
  /// False when there is none.
  bool Drop(const std::string& name);

  /// The variable that begins `parts`, and how many of them name it: the rest are fields of it.
  std::optional<std::pair<Variable, size_t>> Resolve(const std::vector<std::string>& parts) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Variable> variables_;  // by lower-case name
};

/// `system`.`session`.`name`.
std::string QuotedVariable(const std::string& name);

}  // namespace millrace::catalog
