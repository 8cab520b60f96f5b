#pragma once

#include <arrow/array/array_nested.h>
#include <arrow/array/builder_nested.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "expression/group_setting.h"
#include "types/data_type.h"

/// The state of groups on its way to a worker of applyInPandasWithState and back.
/// Source: Spark, ApplyInPandasWithStateWriter; PySpark, ApplyInPandasWithStateSerializer.

namespace millrace::expression {

/// Builds the column "__state": one entry a piece of a group, NULL in the other rows of the batch.
class GroupStateColumn {
 public:
  explicit GroupStateColumn(const GroupStateSetting& setting);

  static std::shared_ptr<arrow::DataType> Type();

  struct Piece {
    std::string_view key_row;  ///< UnsafeRow; the worker gives it back
    std::string_view pickle;   ///< the state; without data when the group has none
    int64_t begin = 0;         ///< rows of the batch
    int64_t length = 0;
    bool last = true;  ///< no more rows of the group in the next batch
  };
  arrow::Status Append(const Piece& piece);
  /// A column of `num_rows` rows; the next Append begins another.
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(int64_t num_rows);

 private:
  std::string with_state_;
  std::string without_state_;
  std::unique_ptr<arrow::StructBuilder> builder_;
};

/// What a function left of a group's state.
struct GroupStateUpdate {
  bool exists = false;
  bool updated = false;
  bool removed = false;
  /// ms since 1970 UTC, or kNoTimeout.
  int64_t timeout_ms = kNoTimeout;
  /// What the function found.
  int64_t old_timeout_ms = kNoTimeout;
  /// The state when it exists.
  std::string_view pickle;
};

/// One answer of a worker: rows of the function, and the state of the groups that ended in it.
struct GroupStateAnswer {
  int64_t num_rows = 0;
  int64_t num_states = 0;
  std::shared_ptr<arrow::StructArray> states;

  arrow::Result<GroupStateUpdate> StateAt(int64_t i) const;
};
/// Errors: IOError when the batch is no such answer.
arrow::Result<GroupStateAnswer> ReadGroupStateAnswer(const arrow::RecordBatch& batch);
/// The column of the answer with the function's rows.
inline constexpr int kAnswerRowsColumn = 1;

/// The type as JSON for workers, which put what they are told in lower case (PySpark 4.2): capital letters are escaped,
/// so that "elementType" stays what it is.
std::string SchemaForWorker(const types::DataType& type);

}  // namespace millrace::expression
