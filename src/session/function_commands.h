#pragma once

#include "session/session.h"
#include "sql/statement.h"

/// CREATE FUNCTION … RETURN, DROP FUNCTION, and DESCRIBE FUNCTION of these.

namespace millrace::session {

arrow::Status CreateFunction(Session& session, const sql::CreateFunction& create);
arrow::Status DropFunction(Session& session, const sql::DropFunction& drop);
/// A function that is not built in, as the catalog shows it.
struct ShownFunction {
  std::string name;
  /// "spark_catalog.default.f", or the name alone.
  std::string shown;
  /// Empty: of the session.
  std::string database;
  std::optional<std::string> description;
  std::string class_name;
};
/// Those of the session, in Python too, and of `database`; sorted by what is shown.
std::vector<ShownFunction> UserFunctions(Session& session, const std::string& database);
/// The one that `name` means.
std::optional<ShownFunction> FindUserFunction(Session& session, const sql::NameParts& name);
/// The lines of DESCRIBE FUNCTION.
std::vector<std::string> DescribeSqlFunction(const catalog::SqlFunction& function, bool extended);

}  // namespace millrace::session
