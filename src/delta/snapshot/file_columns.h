#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "delta/action/add.h"

namespace millrace::delta {

/// The columns of a run of `add` actions: what a checkpoint's Parquet columns are, without a copy, or what was read
/// from commits. A column that no row has is null.
struct AddArrays {
  int64_t num_rows = 0;
  std::shared_ptr<arrow::StringArray> path;
  std::shared_ptr<arrow::MapArray> partition_values;
  std::shared_ptr<arrow::Int64Array> size;
  std::shared_ptr<arrow::Int64Array> modification_time;
  std::shared_ptr<arrow::BooleanArray> data_change;
  std::shared_ptr<arrow::StringArray> stats;
  /// Struct of numRecords, minValues, maxValues, nullCount, tightBounds: checkpoints without JSON statistics.
  std::shared_ptr<arrow::StructArray> stats_parsed;
  std::shared_ptr<arrow::MapArray> tags;
  /// Struct of storageType, pathOrInlineDv, offset, sizeInBytes, cardinality.
  std::shared_ptr<arrow::StructArray> deletion_vector;
  std::shared_ptr<arrow::Int64Array> base_row_id;
  std::shared_ptr<arrow::Int64Array> default_row_commit_version;
  std::shared_ptr<arrow::StringArray> clustering_provider;
};

/// Descriptions of data files in columns. Immutable, thread-safe.
class FileColumns {
 public:
  /// REQUIRES: path is not null and all columns have num_rows rows.
  explicit FileColumns(AddArrays arrays);
  static arrow::Result<std::shared_ptr<const FileColumns>> FromAdds(std::span<const Add* const> adds);
  /// The rows of some columns, one after the other; stats_parsed are lost where their types differ. `live` of each: one
  /// byte a row, 1 = taken; null: all.
  struct Rows {
    const FileColumns* columns = nullptr;
    const std::vector<uint8_t>* live = nullptr;
  };
  static arrow::Result<std::shared_ptr<const FileColumns>> Join(std::span<const Rows> parts);

  int64_t num_rows() const { return arrays_.num_rows; }
  const AddArrays& arrays() const { return arrays_; }

  std::string_view path(int64_t row) const { return arrays_.path->GetView(row); }
  int64_t size_bytes(int64_t row) const { return Int64(arrays_.size, row).value_or(0); }
  int64_t modification_time_ms(int64_t row) const { return Int64(arrays_.modification_time, row).value_or(0); }
  /// JSON text; none where there is none (there may be stats_parsed).
  std::optional<std::string_view> stats(int64_t row) const;
  /// Text of the value of the column with this physical name; none for NULL and for a column that is not there.
  std::optional<std::string_view> partition_value(int64_t row, std::string_view physical_name) const;
  bool has_deletion_vector(int64_t row) const {
    return arrays_.deletion_vector != nullptr && arrays_.deletion_vector->IsValid(row);
  }
  std::optional<DeletionVectorDescriptor> deletion_vector(int64_t row) const;
  /// Its deletion vector's cardinality; 0 without one.
  int64_t num_deleted_rows(int64_t row) const {
    return has_deletion_vector(row) ? deletion_vector(row)->cardinality : 0;
  }
  std::optional<int64_t> base_row_id(int64_t row) const { return Int64(arrays_.base_row_id, row); }
  std::optional<int64_t> default_row_commit_version(int64_t row) const {
    return Int64(arrays_.default_row_commit_version, row);
  }
  /// The action as it would be written. `stats` are the JSON text's only.
  Add ToAdd(int64_t row) const;

  /// Hash of what tells logical files apart: path and deletion vector.
  uint64_t KeyHash(int64_t row) const;
  /// Rows whose key has this hash, mostly none or one. The first call makes an index of all rows.
  std::vector<int64_t> RowsWithHash(uint64_t hash) const;
  /// Whether row is the file of this key.
  bool HasKey(int64_t row, std::string_view path, std::string_view deletion_vector_id) const;

 private:
  /// Open addressing: hashes by row, and rows (plus one) by hash.
  struct KeyIndex {
    std::vector<uint64_t> hashes;
    std::vector<uint32_t> slots;
  };

  static std::optional<int64_t> Int64(const std::shared_ptr<arrow::Int64Array>& column, int64_t row) {
    if (column == nullptr || column->IsNull(row)) return std::nullopt;
    return column->Value(row);
  }
  AddArrays arrays_;
  mutable std::once_flag index_made_;
  mutable KeyIndex index_;
};

/// Hash of a logical file's key: its path and its deletion vector's unique id (empty for none).
uint64_t FileKeyHash(std::string_view path, std::string_view deletion_vector_id);

}  // namespace millrace::delta
