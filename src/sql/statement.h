#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "spark/connect/relations.pb.h"
#include "types/data_type.h"

/// Statements that Spark Connect has no message for: what the parser says of them. session/command/ runs them.

namespace millrace::sql {

/// A name in parts, unquoted.
using NameParts = std::vector<std::string>;
using Properties = std::map<std::string, std::string>;
/// part = 'a', or part alone (nullopt): a value as the text of its literal; NULL as kNullPartition.
using PartitionSpec = std::vector<std::pair<std::string, std::optional<std::string>>>;
inline constexpr const char* kNullPartition = "__HIVE_DEFAULT_PARTITION__";

/// SET and RESET.
struct ConfStatement {
  enum class Kind { kSet, kShow, kShowAll, kReset, kResetAll };
  Kind kind;
  std::string key;    // kSet, kShow, kReset
  std::string value;  // kSet
};

struct ColumnDefinition {
  types::StructField field;
};

/// CREATE [OR REPLACE] TABLE and REPLACE TABLE.
struct CreateTable {
  NameParts name;
  bool create = true;
  bool replace = false;
  bool if_not_exists = false;
  bool external = false;
  std::vector<ColumnDefinition> columns;
  std::string provider;
  std::vector<std::string> partition_columns;
  Properties options;
  Properties properties;
  std::optional<std::string> location;
  std::optional<std::string> comment;
  /// AS query.
  std::optional<spark::connect::Relation> query;
};

/// CREATE TABLE name LIKE source.
struct CreateTableLike {
  NameParts name;
  NameParts source;
  bool if_not_exists = false;
  std::string provider;
  Properties properties;
  std::optional<std::string> location;
};

struct CreateView {
  NameParts name;
  bool temporary = false;
  bool global = false;
  bool replace = false;
  bool if_not_exists = false;
  std::vector<std::pair<std::string, std::optional<std::string>>> columns;  ///< name, comment
  std::optional<std::string> comment;
  Properties properties;
  spark::connect::Relation query;
  std::string query_text;
};

/// CREATE TEMPORARY VIEW name USING source.
struct CreateViewUsing {
  NameParts name;
  bool global = false;
  bool replace = false;
  std::vector<ColumnDefinition> columns;
  std::string provider;
  Properties options;
};

struct DropRelation {
  bool view = false;
  NameParts name;
  bool if_exists = false;
};

struct CreateDatabase {
  NameParts name;
  bool if_not_exists = false;
  std::optional<std::string> comment;
  std::optional<std::string> location;
  Properties properties;
};

struct DropDatabase {
  NameParts name;
  bool if_exists = false;
  bool cascade = false;
};

struct AlterDatabase {
  NameParts name;
  Properties properties;
  std::optional<std::string> comment;
};

/// INSERT INTO and INSERT OVERWRITE.
struct Insert {
  NameParts table;
  bool overwrite = false;
  bool by_name = false;
  std::vector<std::string> columns;
  PartitionSpec partition;
  bool if_not_exists = false;
  spark::connect::Relation query;
};

/// INSERT OVERWRITE DIRECTORY.
struct InsertDirectory {
  std::string path;
  std::string provider;
  Properties options;
  spark::connect::Relation query;
};

struct TruncateTable {
  NameParts name;
  PartitionSpec partition;
};

/// SHOW …: `name` is the table or database, `pattern` after LIKE.
struct Show {
  enum class Kind {
    kTables,
    kViews,
    kDatabases,
    kColumns,
    kFunctions,
    kPartitions,
    kTblProperties,
    kCreateTable,
    kCatalogs,
    kCurrentNamespace,
  };
  Kind kind;
  std::optional<NameParts> name;
  std::optional<NameParts> database;  // kColumns
  std::optional<std::string> pattern;
  std::string scope = "ALL";       // kFunctions: USER, SYSTEM, ALL
  std::optional<std::string> key;  // kTblProperties
  PartitionSpec partition;         // kPartitions
};

struct Describe {
  enum class Kind { kTable, kColumn, kQuery, kFunction, kDatabase };
  Kind kind;
  NameParts name;
  NameParts column;
  bool extended = false;
  std::optional<spark::connect::Relation> query;
};

struct Use {
  /// nullopt: USE CATALOG or a name that may be one.
  NameParts name;
  bool is_catalog = false;
  bool is_database = false;  ///< USE SCHEMA name
};

struct AlterTable {
  enum class Kind {
    kRename,
    kAddColumns,
    kSetProperties,
    kUnsetProperties,
    kAddPartitions,
    kDropPartitions,
    kRecoverPartitions,
    kColumnComment,
    kViewQuery,
    /// What only tables of newer kinds can do: `operation` says so.
    kNewerTablesOnly,
  };
  Kind kind;
  bool view = false;
  NameParts name;
  NameParts new_name;
  std::vector<ColumnDefinition> columns;
  Properties properties;
  std::vector<std::string> keys;
  bool if_exists = false;
  std::vector<PartitionSpec> partitions;
  std::string column;
  std::string comment;
  std::string operation;
  std::optional<spark::connect::Relation> query;
  std::string query_text;
};

/// COMMENT ON TABLE name IS 'text'.
struct CommentOnTable {
  NameParts name;
  std::string comment;
};

struct CacheTable {
  enum class Kind { kCache, kUncache, kClear };
  Kind kind;
  NameParts name;
  bool if_exists = false;
  std::optional<spark::connect::Relation> query;
};

struct Refresh {
  /// Empty: REFRESH of a path.
  NameParts table;
};

struct Analyze {
  NameParts table;
};

struct Explain {
  enum class Mode { kSimple, kExtended, kCodegen, kCost, kFormatted };
  Mode mode = Mode::kSimple;
  spark::connect::Relation query;
};

/// DECLARE [OR REPLACE] [VARIABLE] name, … [type] [DEFAULT value].
struct DeclareVariable {
  std::vector<NameParts> names;
  bool replace = false;
  /// Null: the default's.
  types::DataTypePtr type;
  /// A query of one row and column: the default, NULL where none is given.
  spark::connect::Relation value;
};

/// SET VARIABLE name = value, …; SET VARIABLE (names) = (query); EXECUTE IMMEDIATE … INTO names.
struct SetVariable {
  std::vector<NameParts> names;
  /// Which of them get their DEFAULT; the query has no column for these.
  std::vector<bool> to_default;
  std::optional<spark::connect::Relation> query;
};

/// DROP TEMPORARY VARIABLE.
struct DropVariable {
  NameParts name;
  bool if_exists = false;
};

/// UPDATE, DELETE and MERGE of a table.
struct ChangeRows {
  NameParts table;
  std::string operation;
};

using Command = std::variant<ConfStatement, CreateTable, CreateTableLike, CreateView, CreateViewUsing, DropRelation,
                             CreateDatabase, DropDatabase, AlterDatabase, Insert, InsertDirectory, TruncateTable, Show,
                             Describe, Use, AlterTable, CommentOnTable, CacheTable, Refresh, Analyze, Explain,
                             DeclareVariable, SetVariable, DropVariable, ChangeRows>;

/// A statement is a query or a command.
struct Statement {
  std::optional<spark::connect::Relation> query;
  std::optional<Command> command;
};

}  // namespace millrace::sql
