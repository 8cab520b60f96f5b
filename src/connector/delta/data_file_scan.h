#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/source.h"
#include "delta/action/deletion_vector_descriptor.h"
#include "delta/deletion_vector/roaring_bitmap.h"
#include "delta/schema/column_mapping.h"
#include "delta/snapshot/snapshot.h"
#include "format/parquet/parquet_columns.h"
#include "format/predicate.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

/// Columns a change feed has behind the table's.
inline constexpr std::string_view kChangeType = "_change_type";
inline constexpr std::string_view kCommitVersion = "_commit_version";
inline constexpr std::string_view kCommitTimestamp = "_commit_timestamp";

/// A data file to be read, and what its rows have in common.
struct DataFile {
  std::string path;
  int64_t size_bytes = 0;
  /// Of the whole file, where only a part is read.
  int64_t file_bytes = 0;
  int64_t modified_ms = 0;
  std::optional<int64_t> base_row_id;
  std::optional<int64_t> default_row_commit_version;
  /// The part of the file that is read: row groups whose middle lies in it.
  int64_t first_byte = 0;
  int64_t end_byte = std::numeric_limits<int64_t>::max();
  /// Texts of the partition columns' values, in the order of the table's partitioning.
  std::vector<std::optional<std::string>> partition_values;
  /// Rows of this vector are not read; with `only`, just those of it that `only` does not have.
  std::optional<delta::DeletionVectorDescriptor> deleted;
  bool only_deleted = false;
  /// More rows that are not read; null for none.
  std::shared_ptr<const delta::RoaringBitmap> left_out;
  std::optional<delta::DeletionVectorDescriptor> except;
  /// Change feeds: the type of all rows; none where the file has a column of it.
  std::string change_type;
  int64_t commit_version = 0;
  int64_t commit_timestamp_ms = 0;
};

/// How the files of one read are read. Immutable, thread-safe.
struct DataReadPlan {
  FileSystem* file_system = nullptr;
  std::string table_path;
  /// What each file is asked for: wanted columns that are not of the partitioning, as the table's schema has them.
  types::DataTypePtr wanted;
  format::ColumnMatch match;
  types::DataTypePtr partition_schema;
  /// For each output column: index into `wanted`; or −1 − index into partition_schema; or one of the feed's columns.
  static constexpr int kIsChangeType = 1 << 20;
  static constexpr int kIsCommitVersion = kIsChangeType + 1;
  static constexpr int kIsCommitTimestamp = kIsChangeType + 2;
  static constexpr int kIsMetadata = kIsChangeType + 3;
  /// No file holds columns of type VOID.
  static constexpr int kIsVoid = kIsChangeType + 4;
  std::vector<int> columns;
  /// The column `_metadata`, where it is wanted; its own columns of the files stand at the end of `wanted`.
  types::DataTypePtr metadata;
  int num_metadata_fields = 0;
  /// `metadata` is RowPlaceType.
  bool tells_places = false;
  /// For each output column with CHAR(n), at any depth, the type it was declared with: shorter values get blanks
  /// behind, as Spark shows them. Else nullptr.
  std::vector<types::DataTypePtr> padded_types;
  std::shared_ptr<arrow::Schema> output;
  format::PredicatePtr filter;
  types::DataTypePtr filter_schema;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
};

/// `output_schema`: what the source showed; `columns`: what is wanted of it. Columns are looked up by name in the
/// state that is read. REQUIRES: the two schemas were found compatible.
arrow::Result<std::shared_ptr<const DataReadPlan>> MakeDataReadPlan(const delta::Snapshot& snapshot,
                                                                    const types::DataType& output_schema,
                                                                    const ReadColumns& columns,
                                                                    const ConnectorContext& context,
                                                                    bool tells_places = false);

/// `filter` without conditions on CHAR columns, whose values in files, and so their statistics, may lack blanks.
format::PredicatePtr UsableFilter(const types::DataType& schema, const format::PredicatePtr& filter);

/// The file of a live entry.
DataFile ToDataFile(const delta::Snapshot& snapshot, const delta::FileRef& file);

/// The rows of a file that are not deleted, as its statistics have them; nullopt where they do not say.
std::optional<int64_t> NumLiveRows(const delta::FileRef& file);

/// Texts of the partition values of an action, in the table's order.
std::vector<std::optional<std::string>> PartitionTexts(const delta::Snapshot& snapshot,
                                                       const delta::PartitionValues& values);

/// Parts files as Spark splits and packs them (spark.sql.files.maxPartitionBytes, openCostInBytes, a share a core).
InputPartitions PackDataFiles(std::shared_ptr<const DataReadPlan> plan, std::vector<DataFile> files,
                              const ConnectorContext& context);

}  // namespace millrace::connector::delta_table
