#pragma once

#include <arrow/status.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "types/data_type.h"

namespace millrace::catalog {

/// A function that CREATE FUNCTION … RETURN made. Immutable.
struct SqlFunction {
  struct Parameter {
    std::string name;
    types::DataTypePtr type;
    /// SQL of the value where a call gives none.
    std::optional<std::string> default_text;
    std::string comment;
  };

  /// Empty: temporary, of one session.
  std::string database;
  std::string name;
  std::vector<Parameter> parameters;
  bool is_table = false;
  /// Scalar: the type. Table: a struct of the columns. Null while the body has to tell (CREATE without RETURNS).
  types::DataTypePtr returns;
  /// SQL of an expression, or of a query when `body_is_query`.
  std::string body;
  bool body_is_query = false;
  std::optional<std::string> comment;
  /// As written; nullopt: not said.
  std::optional<bool> deterministic;
  std::optional<bool> reads_data;
  /// What the body's meaning depends on, as it was when the function was made.
  bool ansi = true;
  std::string lookup_database;

  bool temporary() const { return database.empty(); }
  std::vector<std::string> FullName() const;
  /// "spark_catalog.default.f", or "f" for a temporary one: how calls are shown.
  std::string ShownName() const;
};
using SqlFunctionPtr = std::shared_ptr<const SqlFunction>;

/// Functions by database and name, which ignore case. Thread-safe.
class SqlFunctions {
 public:
  /// False when there is one and `replace` is false.
  bool Create(SqlFunctionPtr function, bool replace);
  /// Null when there is none.
  SqlFunctionPtr Find(const std::string& database, const std::string& name) const;
  bool Drop(const std::string& database, const std::string& name);
  /// Sorted by name.
  std::vector<SqlFunctionPtr> InDatabase(const std::string& database) const;
  void CopyFrom(const SqlFunctions& other);

 private:
  mutable std::mutex mutex_;
  /// By database and name in lower case.
  std::map<std::pair<std::string, std::string>, SqlFunctionPtr> functions_;
};

}  // namespace millrace::catalog
