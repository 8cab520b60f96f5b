#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catalog/sql_functions.h"
#include "logical/plan.h"
#include "sql/bucket_spec.h"
#include "types/data_type.h"

namespace millrace {
class FileSystem;
}  // namespace millrace

namespace millrace::catalog {

inline constexpr const char* kCatalogName = "spark_catalog";
inline constexpr const char* kDefaultDatabase = "default";
inline constexpr const char* kGlobalTempDatabase = "global_temp";

struct Database {
  std::string name;
  std::string comment;
  /// Directory of its tables.
  std::string location;
  std::map<std::string, std::string> properties;
};

enum class TableKind : uint8_t { kManaged, kExternal, kView };

/// A table or a persisted view.
struct Table {
  std::string database;
  std::string name;
  TableKind kind = TableKind::kManaged;
  /// Name of the source and sink, lower case; empty for views.
  std::string provider;
  /// Columns, those of the directories last. Null for a format that keeps its own schema (Delta): ask the source.
  types::DataTypePtr schema;
  std::vector<std::string> partition_columns;
  std::optional<sql::BucketSpec> buckets;
  /// OPTIONS of the table, handed to its source and sink.
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> properties;
  std::optional<std::string> comment;
  /// Absolute path.
  std::string location;
  /// Views: the query, and the database its names are looked up in.
  std::string view_text;
  std::string view_database;
  /// Views: what the query called its columns when the view was made; empty: as the schema does.
  std::vector<std::string> view_columns;
  /// Views: what is done when the query's columns have changed since: BINDING, COMPENSATION, TYPE EVOLUTION,
  /// EVOLUTION; UNSUPPORTED where the view was made without such modes.
  std::string view_schema_mode = {};
  int64_t created_ms = 0;

  std::vector<std::string> FullName() const { return {kCatalogName, database, name}; }
};
using TablePtr = std::shared_ptr<const Table>;

class CatalogFiles;

/// Databases, tables and global temporary views of an engine, shared by its sessions; lives as long as the engine does
/// (Spark's in-memory catalog), or in files. Names are kept in lower case, as Spark keeps them. Thread-safe.
class Metastore {
 public:
  Metastore();
  ~Metastore();

  /// From here on what this holds is kept in `directory` as well, and what is there already is added. One engine at a
  /// time should write there. Nothing happens the second time. Errors: IOError.
  arrow::Status KeepIn(FileSystem* file_system, const std::string& directory);

  /// `default_location` is the warehouse directory.
  /// Errors: UserError SCHEMA_ALREADY_EXISTS.
  arrow::Status CreateDatabase(Database database, bool if_not_exists);
  /// The dropped tables, whose files the caller removes. Errors: UserError SCHEMA_NOT_FOUND, SCHEMA_NOT_EMPTY,
  /// UNSUPPORTED_FEATURE.DROP_DATABASE for the default one.
  arrow::Result<std::vector<TablePtr>> DropDatabase(const std::string& name, bool if_exists, bool cascade);
  std::optional<Database> FindDatabase(const std::string& name) const;
  bool HasDatabase(const std::string& name) const;
  std::vector<std::string> DatabaseNames() const;
  /// Errors: UserError SCHEMA_NOT_FOUND.
  arrow::Status AlterDatabase(const std::string& name, const std::function<void(Database*)>& change);

  /// Errors: UserError SCHEMA_NOT_FOUND, TABLE_OR_VIEW_ALREADY_EXISTS (unless `replace`).
  arrow::Status CreateTable(Table table, bool replace = false);
  /// Null when there is none.
  TablePtr FindTable(const std::string& database, const std::string& name) const;
  /// No effect when there is none.
  arrow::Status DropTable(const std::string& database, const std::string& name);
  /// Errors: UserError TABLE_OR_VIEW_ALREADY_EXISTS.
  arrow::Status RenameTable(const std::string& database, const std::string& from, const std::string& to,
                            std::string location);
  /// No effect when there is none.
  arrow::Status AlterTable(const std::string& database, const std::string& name,
                           const std::function<void(Table*)>& change);
  std::vector<TablePtr> Tables(const std::string& database) const;

  /// Functions of all databases.
  SqlFunctions& functions() { return functions_; }
  /// To be called after the functions of a database have changed.
  arrow::Status KeepFunctions(const std::string& database);

  std::optional<logical::PlanPtr> FindGlobalView(const std::string& name) const;
  /// False when it exists and `replace` is false.
  bool CreateGlobalView(const std::string& name, bool replace, logical::PlanPtr plan);
  bool DropGlobalView(const std::string& name);
  std::vector<std::string> GlobalViewNames() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Database> databases_ = {{kDefaultDatabase, {kDefaultDatabase, "default database", "", {}}}};
  /// By database, then name.
  std::map<std::string, std::map<std::string, TablePtr>> tables_;
  std::map<std::string, logical::PlanPtr> global_views_;
  SqlFunctions functions_;
  /// Null: nothing is kept.
  std::unique_ptr<CatalogFiles> files_;
};

/// `spark_catalog`.`database`.
std::string QuotedDatabase(const std::string& database);

}  // namespace millrace::catalog
