#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/metastore.h"
#include "connector/sink.h"
#include "delta/transaction/alter_table.h"
#include "session/insert_columns.h"
#include "session/session.h"
#include "sql/statement.h"

namespace millrace::session {

/// What changes the catalog's tables and their rows: SQL's statements, DataFrameWriter's saveAsTable and insertInto,
/// and spark.catalog end here. Confined to a call; `session` outlives it.
class TableCommands {
 public:
  /// `control` holds on to the runs that write rows.
  explicit TableCommands(Session& session, const RunControl& control = {});

  /// A table of the catalog by name. Errors: UserError TABLE_OR_VIEW_NOT_FOUND.
  /// `as_relation`: the message names where relations are looked for, not where commands look.
  arrow::Result<catalog::TablePtr> Find(const sql::NameParts& name, bool as_relation = false) const;
  /// As Find; views are refused. `operation` for the message. Errors: UserError EXPECT_TABLE_NOT_VIEW.….
  arrow::Result<catalog::TablePtr> FindTable(const sql::NameParts& name, const std::string& operation,
                                             bool no_alternative = true) const;
  /// Errors: UserError SCHEMA_NOT_FOUND, REQUIRES_SINGLE_PART_NAMESPACE, CATALOG_NOT_FOUND.
  arrow::Result<catalog::Catalog::TableName> Qualify(const sql::NameParts& name) const;
  /// Columns as the table has them now.
  arrow::Result<types::DataTypePtr> SchemaOf(const catalog::Table& table) const;
  /// The newest state of a Delta table. Errors: UserError PATH_NOT_FOUND, DELTA_TABLE_NOT_FOUND.
  arrow::Result<delta::SnapshotPtr> DeltaSnapshot(const catalog::Table& table) const;
  /// Of a Delta table those in its log, with its protocol.
  arrow::Result<sql::Properties> PropertiesOf(const catalog::Table& table) const;

  arrow::Status Create(const sql::CreateTable& create);
  arrow::Status CreateLike(const sql::CreateTableLike& create);
  /// clone_delta.cc. Returns the row that the statement shows: sizes and numbers of files.
  /// Errors: UserError DELTA_CLONE_UNSUPPORTED_SOURCE, DELTA_UNSUPPORTED_NON_EMPTY_CLONE, DELTA_VERSION_NOT_FOUND.
  arrow::Result<QueryResult> CloneDelta(const sql::CloneTable& clone);
  arrow::Status CreateView(const sql::CreateView& create);
  arrow::Status CreateViewUsing(const sql::CreateViewUsing& create);
  arrow::Status Drop(const sql::DropRelation& drop);
  arrow::Status CreateDatabase(const sql::CreateDatabase& create);
  arrow::Status DropDatabase(const sql::DropDatabase& drop);
  arrow::Status Alter(const sql::AlterTable& alter);
  /// DeltaTable.upgradeTableProtocol and addFeatureSupport.
  arrow::Status SetDeltaFeatures(const sql::NameParts& name, const sql::Properties& properties);
  /// DeltaTable.dropFeatureSupport. delta_features.h has what it does.
  arrow::Status DropDeltaFeature(const sql::NameParts& name, const std::string& feature, bool truncates_history);
  arrow::Status Insert(const sql::Insert& insert);
  arrow::Status InsertDirectory(const sql::InsertDirectory& insert);
  arrow::Status Truncate(const sql::TruncateTable& truncate);

  /// How a writer describes the table it wants.
  struct Save {
    sql::NameParts name;
    std::string provider;
    std::vector<std::string> partition_columns;
    Options options;
    sql::Properties properties;
    std::optional<std::string> comment;
    std::optional<std::string> location;
    std::optional<sql::BucketSpec> buckets = std::nullopt;
    /// Of a Delta table: CLUSTER BY.
    std::vector<sql::NameParts> cluster_columns = {};
    /// CREATE TABLE LIKE.
    bool is_like = false;
  };
  /// CLUSTER BY, which tables of files keep as a property, as Spark does, and Delta tables in their log.
  /// Errors: UserError SPECIFY_CLUSTER_BY_WITH_….
  static arrow::Status SetClustering(const std::vector<sql::NameParts>& columns, Save* save);
  /// A function in PARTITIONED BY: buckets are what tables have of these.
  /// Errors: UserError UNSUPPORTED_PARTITION_TRANSFORM, …MULTIPLE_BUCKET_TRANSFORMS, DELTA_OPERATION_NOT_ALLOWED.
  static arrow::Status SetPartitionTransform(const sql::PartitionTransform& transform, Save* save);
  /// CREATE TABLE AS: makes the table of the plan's columns and writes its rows.
  arrow::Status CreateFrom(const Save& save, logical::PlanPtr plan, bool if_not_exists);
  /// [CREATE OR] REPLACE TABLE AS, of a Delta table.
  arrow::Status ReplaceFrom(const Save& save, logical::PlanPtr plan, bool or_create);
  /// DataFrameWriter.saveAsTable.
  arrow::Status SaveAsTable(const Save& save, connector::SaveMode mode, logical::PlanPtr plan);
  /// Rows of `plan` into an existing table.
  struct InsertRequest {
    bool overwrite = false;
    /// Only partitions that get rows are replaced.
    bool dynamic = false;
    bool by_name = false;
    std::vector<std::string> columns;
    sql::PartitionSpec partition;
    Options options;
    /// Delta: only rows that meet it are replaced.
    std::string condition;
  };
  arrow::Status InsertInto(const catalog::Table& table, logical::PlanPtr plan, const InsertRequest& request);
  /// Partitions of a table of files as "a=1/b=2", sorted. Errors: UserError INVALID_PARTITION_OPERATION….
  arrow::Result<std::vector<std::string>> Partitions(const catalog::Table& table) const;

 private:
  std::string QuotedDatabaseOf(const sql::NameParts& name) const;
  arrow::Result<std::string> DatabaseLocation(const std::string& database) const;
  arrow::Result<catalog::Table> NewTable(const Save& save, types::DataTypePtr schema) const;
  arrow::Status CheckLocationIsFree(const catalog::Table& table) const;
  arrow::Status WriteNew(const catalog::Table& table, const Options& options, logical::PlanPtr plan,
                         connector::SaveMode mode, bool defines_table = false,
                         std::optional<connector::TableStatement> statement = std::nullopt);
  arrow::Status DropFiles(const catalog::Table& table);
  arrow::Status CreateOfFiles(const sql::CreateTable& create, const Save& save);
  arrow::Status AddColumns(const catalog::Table& table, const sql::AlterTable& alter);
  arrow::Status AlterPartitions(const catalog::Table& table, const sql::AlterTable& alter);
  arrow::Status Rename(const catalog::Table& table, const sql::AlterTable& alter);
  arrow::Status AlterColumns(const catalog::Table& table, const sql::AlterTable& alter);
  arrow::Status CommentOnColumn(const catalog::Table& table, const sql::ColumnChange& change);
  /// alter_delta_table.cc: a Delta table tells of each change in its own log.
  arrow::Status AlterDelta(const catalog::Table& table, const sql::AlterTable& alter);
  /// One commit of what `alter` makes of the newest state; nullopt: none.
  using AlterSnapshot = std::function<arrow::Result<std::optional<delta::Alteration>>(const delta::Snapshot&)>;
  arrow::Status CommitAlteration(const catalog::Table& table, const AlterSnapshot& alter);
  /// create_delta_table.cc. `plan`: AS SELECT; `schema` null: no columns were given.
  struct DeltaCreation {
    bool create = true;
    bool replace = false;
    bool if_not_exists = false;
  };
  arrow::Status CreateDelta(const Save& save, const DeltaCreation& creation, types::DataTypePtr schema,
                            logical::PlanPtr plan);
  /// What a Delta table made LIKE `source` takes over: columns, partitioning, comment and properties, and of a Delta
  /// table the features. Source: delta-spark's DeltaAnalysis.
  arrow::Status TakeDefinition(const catalog::Table& source, const sql::NameParts& name, sql::CreateTable* out);
  arrow::Status CheckDeltaLocation(const catalog::Table& table, const types::DataTypePtr& schema, bool as_select) const;
  /// insert_delta_table.cc
  arrow::Status InsertIntoDelta(const catalog::Table& table, logical::PlanPtr plan, const InsertRequest& request);
  /// saveAsTable in append mode.
  arrow::Status AppendToDelta(const catalog::Table& table, const Save& save, logical::PlanPtr plan);
  arrow::Status SetDeltaLocation(const catalog::Table& table, const std::string& location);
  /// delta.`/path`: a table that no catalog knows; null when the name is none.
  catalog::TablePtr FindPathTable(const sql::NameParts& name) const;
  arrow::Result<types::DataTypePtr> ViewSchema(const sql::CreateView& view, const types::DataType& query) const;

  Session& session_;
  RunControl control_;
  catalog::Catalog& catalog_;
  catalog::Metastore& metastore_;
  FileSystem& files_;
};

/// Tables of files do not keep CHAR and VARCHAR inside of other types. Errors: UserError INVALID_SQL_SYNTAX.….
arrow::Status CheckNoInnerChars(const types::StructField& field);
/// The columns that CREATE TABLE or a view declares.
types::DataTypePtr SchemaOfColumns(const std::vector<sql::ColumnDefinition>& columns);
/// Whether a catalog can keep `schema`. Errors: COLUMN_ALREADY_EXISTS, INDETERMINATE_COLLATION_IN_SCHEMA,
/// UNSUPPORTED_FEATURE.COLLATIONS_IN_MAP_KEYS.
arrow::Status CheckKeptColumns(const types::DataType& schema, bool case_sensitive);

/// The columns of CREATE TABLE as Delta has them: generation expressions and identities in their metadata; null when
/// there are none. Errors: UserError DELTA_IDENTITY_COLUMNS_…, IDENTITY_COLUMNS_ILLEGAL_STEP.
arrow::Result<types::DataTypePtr> DeltaSchemaOf(const sql::CreateTable& create);
/// No rows of these columns.
logical::PlanPtr NoRows(const types::DataTypePtr& schema);
/// "parquet" as messages show it: Parquet; "csv": CSV.
std::string ShownProvider(std::string_view provider);
/// The type of a column as SQL: "CHAR(5)" where it was declared so.
std::string DeclaredSql(const types::DataType& type, const std::optional<types::CharType>& declared);
/// "3 buckets, bucket columns: [x]", as messages show it.
std::string ShownBuckets(const std::optional<sql::BucketSpec>& buckets);
/// `plan` with the number of each row's bucket as one more column, `kBucketColumn`, a partition's rows in the order of
/// the directories they go to, their buckets and `sort_columns`.
arrow::Result<logical::PlanPtr> InBuckets(Session& session, logical::PlanPtr plan, const catalog::Table& table);
/// Columns of CLUSTER BY; empty for none.
std::vector<std::string> ClusteringOf(const catalog::Table& table);
inline constexpr std::string_view kClusteringProperty = "clusteringColumns";
inline constexpr std::string_view kBucketColumn = "__bucket_number";
/// Errors: UserError INVALID_BUCKET_COUNT, COLUMN_NOT_DEFINED_IN_TABLE. Names become those of the schema.
arrow::Status CheckBuckets(Session& session, catalog::Table* table);
/// Whether the format keeps schema and partitioning with its rows, so that the catalog only points at them.
bool KeepsOwnSchema(std::string_view provider);

}  // namespace millrace::session
