#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catalog/metastore.h"
#include "catalog/sql_functions.h"
#include "catalog/variables.h"
#include "logical/plan.h"

namespace millrace::catalog {

/// The names a session can read from: its temporary views, then the engine's tables, with the session's current
/// database. Thread-safe.
class Catalog {
 public:
  explicit Catalog(std::shared_ptr<Metastore> metastore = std::make_shared<Metastore>())
      : metastore_(std::move(metastore)) {}

  Metastore& metastore() const { return *metastore_; }
  const Variables& variables() const { return variables_; }
  Variables& variables() { return variables_; }
  const SqlFunctions& temporary_functions() const { return temporary_functions_; }
  SqlFunctions& temporary_functions() { return temporary_functions_; }
  std::string current_database() const;
  /// Errors: UserError SCHEMA_NOT_FOUND.
  arrow::Status SetCurrentDatabase(const std::string& name);

  /// Name parts as written, already unquoted; nullopt when there is no such temporary view. Names ignore case.
  std::optional<logical::PlanPtr> FindView(const std::vector<std::string>& name) const;
  /// `name` may be qualified by global_temp when `global`.
  /// Errors: UserError TEMP_TABLE_OR_VIEW_ALREADY_EXISTS when it exists and `replace` is false.
  arrow::Status CreateView(const std::string& name, bool global, bool replace, logical::PlanPtr plan);
  /// False when there is none.
  bool DropView(const std::string& name, bool global);
  /// Of this session, without the global ones; sorted.
  std::vector<std::string> ViewNames() const;
  /// The temporary views and the current database of another session of the engine.
  void CopyFrom(const Catalog& other);

  /// Where a table of this name is or would be: a name of one part is in `database`, or in the current one.
  struct TableName {
    std::string database;
    std::string name;
  };
  /// nullopt when the name has too many parts or another catalog's name in front.
  std::optional<TableName> QualifyTable(const std::vector<std::string>& name,
                                        const std::optional<std::string>& database = std::nullopt) const;
  /// The table or persisted view; null when there is none.
  TablePtr FindTable(const std::vector<std::string>& name,
                     const std::optional<std::string>& database = std::nullopt) const;

 private:
  std::shared_ptr<Metastore> metastore_;
  Variables variables_;
  SqlFunctions temporary_functions_;
  mutable std::mutex mutex_;
  std::string current_database_ = kDefaultDatabase;
  /// By lower-case name.
  std::map<std::string, logical::PlanPtr> views_;
};

}  // namespace millrace::catalog
