#pragma once

#include <arrow/array/array_nested.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "expression/group_setting.h"
#include "types/data_type.h"

/// Functions of a C++ program over groups of rows, with their types erased: rows are Arrow columns in the form of the
/// types that the function says it takes and gives. They live in this process only; no plan message carries one.

namespace millrace::expression {

/// Groups for one call, one after another.
struct NativeGroups {
  GroupStateSetting setting;
  /// One row a group.
  arrow::ArrayVector keys;
  /// How many of `rows` belong to each; 0 for groups that timed out.
  std::vector<int64_t> lengths;
  std::shared_ptr<arrow::RecordBatch> rows;
  /// NULL: none.
  std::shared_ptr<arrow::StructArray> states;
};

/// What a function left of one group's state.
struct NativeStateChange {
  bool exists = false;
  bool updated = false;
  bool removed = false;
  /// ms since 1970 UTC, or kNoTimeout.
  int64_t timeout_ms = kNoTimeout;
};

struct NativeResults {
  /// That came out, in the order of the groups.
  std::shared_ptr<arrow::RecordBatch> rows;
  /// One a group; `states` NULL where it does not exist.
  std::vector<NativeStateChange> changes;
  std::shared_ptr<arrow::StructArray> states;
};

/// What a processor is given for the key it is called with: variables, timers, times. Rows are structs, of one row each
/// where not said otherwise. Errors: as Spark's StatefulProcessorHandle raises.
class NativeStateHandle {
 public:
  using Rows = std::shared_ptr<arrow::StructArray>;
  enum class Kind : uint8_t { kValue, kList, kMap };
  struct Variable {
    std::string name;
    Kind kind = Kind::kValue;
    types::DataTypePtr value;
    types::DataTypePtr user_key;
    /// 0: never forgotten.
    int64_t ttl_ms = 0;
  };

  virtual ~NativeStateHandle() = default;
  /// The number of the variable.
  virtual arrow::Result<int> Declare(const Variable& variable) = 0;
  virtual arrow::Status DeleteIfExists(const std::string& name) = 0;

  /// Of a value null for none.
  virtual arrow::Result<Rows> Value(int variable) = 0;
  virtual arrow::Status SetValue(int variable, const Rows& row) = 0;
  virtual arrow::Status Clear(int variable) = 0;
  /// Any number of rows.
  virtual arrow::Result<Rows> List(int variable) = 0;
  virtual arrow::Status AddToList(int variable, const Rows& rows, bool replaces) = 0;
  virtual arrow::Result<Rows> MapValue(int variable, const Rows& user_key) = 0;
  virtual arrow::Status SetMapValue(int variable, const Rows& user_key, const Rows& row) = 0;
  virtual arrow::Status RemoveFromMap(int variable, const Rows& user_key) = 0;
  /// Keys and values, any number.
  virtual arrow::Result<std::pair<Rows, Rows>> Map(int variable) = 0;

  virtual arrow::Status RegisterTimer(int64_t time_ms) = 0;
  virtual arrow::Status DeleteTimer(int64_t time_ms) = 0;
  virtual arrow::Result<std::vector<int64_t>> Timers() = 0;
  virtual int64_t batch_time_ms() const = 0;
  virtual int64_t watermark_ms() const = 0;
  virtual int64_t batch_id() const = 0;
};

/// A processor of a C++ program in one task. Confined to its thread.
class NativeProcessor {
 public:
  virtual ~NativeProcessor() = default;
  virtual arrow::Status Init(NativeStateHandle* handle) = 0;
  /// `key`: the grouping columns, one row; `rows`: of the group.
  virtual arrow::Status HandleInitialState(const arrow::ArrayVector& key,
                                           const std::shared_ptr<arrow::RecordBatch>& rows) = 0;
  virtual arrow::Status HandleInputRows(const arrow::ArrayVector& key,
                                        const std::shared_ptr<arrow::RecordBatch>& rows) = 0;
  virtual arrow::Status HandleExpiredTimer(const arrow::ArrayVector& key, int64_t time_ms) = 0;
  virtual arrow::Status Close() = 0;
  /// The rows that came out since the last time.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRows() = 0;
};

/// Immutable, thread-safe.
struct NativeFunction {
  /// Structs. `value` null: the function takes all columns as they are.
  types::DataTypePtr key;
  types::DataTypePtr value;
  /// Of *GroupsWithState.
  types::DataTypePtr state;
  types::DataTypePtr output;
  /// Of rows that groups begin with; null: the function takes none.
  types::DataTypePtr initial;
  /// One of the two.
  std::function<arrow::Result<NativeResults>(const NativeGroups&)> over_groups = nullptr;
  std::function<std::unique_ptr<NativeProcessor>()> make_processor = nullptr;
};
using NativeFunctionPtr = std::shared_ptr<const NativeFunction>;

/// Makes a function known in this process, under a random id that plan messages may carry, as long as it lives.
class NativeFunctionId {
 public:
  explicit NativeFunctionId(NativeFunctionPtr function);
  ~NativeFunctionId();
  NativeFunctionId(const NativeFunctionId&) = delete;
  NativeFunctionId& operator=(const NativeFunctionId&) = delete;
  const std::string& value() const { return id_; }

 private:
  std::string id_;
};
/// Null when there is none. Thread-safe.
NativeFunctionPtr FindNativeFunction(const std::string& id);

}  // namespace millrace::expression
