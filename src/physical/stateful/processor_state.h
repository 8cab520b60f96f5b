#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "physical/stateful/stateful_operator.h"
#include "state/rocksdb/family_store.h"

namespace millrace::physical {

/// What time the timers of a processor go by.
enum class TimeMode : uint8_t { kNone, kProcessingTime, kEventTime };
/// "NoTime", "ProcessingTime", "EventTime".
std::string_view TimeModeName(TimeMode mode);

/// A variable that a processor keeps for each of its keys.
struct StateVariable {
  enum class Kind : uint8_t { kValue, kList, kMap };
  std::string name;
  Kind kind = Kind::kValue;
  /// Structs.
  types::DataTypePtr value;
  types::DataTypePtr user_key;  ///< of maps
  /// How long after a change a value is forgotten; nullopt: never.
  std::optional<int64_t> ttl_ms = std::nullopt;
};
/// "ValueState", "ListState", "MapState".
std::string_view StateVariableKindName(StateVariable::Kind kind);

/// One column family of the variables, as a schema file has it.
struct StateFamilySpec {
  std::string name;
  types::DataTypePtr key;
  types::DataTypePtr value;
  enum class Layout : uint8_t { kWhole, kPrefix, kOrdered } layout = Layout::kWhole;
  types::DataTypePtr user_key = nullptr;
};
/// All families that the variables and timers of a processor have in Spark's files.
std::vector<StateFamilySpec> StateFamilies(const std::vector<StateVariable>& variables, TimeMode time_mode,
                                           const types::DataTypePtr& key_type);

/// Variables and timers of a processor's keys in some state partitions, in one micro-batch: what its handle does.
///
/// All rows are UnsafeRows. REQUIRES: SetKey before anything that belongs to a key.
/// Source: Spark, StatefulProcessorHandleImpl and what it makes (ValueStateImpl … TimerStateImpl, TTLState).
/// Thread: confined.
class ProcessorState {
 public:
  ProcessorState(const StatefulBatch& batch, TimeMode time_mode, int64_t batch_time_ms)
      : batch_(batch), time_mode_(time_mode), batch_time_ms_(batch_time_ms) {}

  /// Makes the variables known in the partitions [first, last); what is wrong with them Declare says.
  arrow::Status Open(int first, int last, const std::vector<StateVariable>& variables);
  /// The number of a variable, which is made known when it is not yet. Errors: as Spark's for TTL without processing
  /// time.
  arrow::Result<int> Declare(const StateVariable& variable);
  /// Removes a variable and all it holds.
  arrow::Status Drop(const std::string& name);
  void SetKey(std::string_view key_row, int partition) {
    key_ = key_row;
    partition_ = partition;
  }
  const StateVariable& variable(int v) const { return variables_[static_cast<size_t>(v)].variable; }

  /// Empty data() when there is none, or it has expired.
  arrow::Result<std::string_view> Value(int v);
  arrow::Status SetValue(int v, std::string_view row);
  arrow::Status ClearValue(int v);

  arrow::Result<std::vector<std::string>> List(int v);
  /// Instead of (`replaces`), or after what is there. Errors: ILLEGAL_STATE_STORE_VALUE for no rows.
  arrow::Status AddToList(int v, const std::vector<std::string>& rows, bool replaces);
  arrow::Status ClearList(int v);

  using Pair = std::pair<std::string, std::string>;
  arrow::Result<std::string_view> MapValue(int v, std::string_view user_key);
  arrow::Status SetMapValue(int v, std::string_view user_key, std::string_view row);
  arrow::Status RemoveFromMap(int v, std::string_view user_key);
  /// (user key, value), in the order of the keys' bytes.
  arrow::Result<std::vector<Pair>> Map(int v);
  arrow::Status ClearMap(int v);

  arrow::Status RegisterTimer(int64_t time_ms);
  arrow::Status DeleteTimer(int64_t time_ms);
  arrow::Result<std::vector<int64_t>> Timers();
  /// One of DueTimers was handled.
  void CountExpiredTimer() { ++metrics_.custom["numExpiredTimers"]; }
  /// (key row, time) of the timers of a partition at or before `time_ms`, by time; at most `limit`.
  arrow::Result<std::vector<std::pair<std::string, int64_t>>> DueTimers(int partition, int64_t time_ms,
                                                                        size_t limit = SIZE_MAX);

  /// Removes what has expired in a partition and says in `metrics` when more is due.
  arrow::Status CleanUp(int partition);
  /// Of all partitions.
  StateMetrics metrics() const;

 private:
  struct Opened {
    StateVariable variable;
    /// By partition: the family of the variable, and those beside it.
    std::vector<int> main, counter, expiry, least;
  };
  struct Counts {
    int64_t updated = 0;
    int64_t removed = 0;
  };

  state::FamilyStore& Store(int partition) const;
  state::FamilyStore& store() const { return Store(partition_); }
  Opened& At(int v) { return variables_[static_cast<size_t>(v)]; }
  arrow::Status OpenIn(int partition, Opened* opened);
  arrow::Status OpenTimersIn(int partition);
  int64_t expiry_ms(const Opened& opened) const { return batch_time_ms_ + *opened.variable.ttl_ms; }
  bool IsExpired(std::string_view row_with_time) const;
  Counts& counts() { return counts_[partition_]; }

  /// `key`: in the main family; `element`: in the index of what expires.
  arrow::Status PutExpiring(const Opened& opened, const std::string& key, std::string_view element,
                            std::string_view row);
  arrow::Status RemoveExpiring(const Opened& opened, const std::string& key, std::string_view element);
  arrow::Result<int64_t> LongIn(int family, std::string_view key, int64_t otherwise) const;
  arrow::Status AddToExpiringList(const Opened& opened, const std::vector<std::string>& rows, bool replaces);
  arrow::Status ForgetExpired(const Opened& opened, int partition, int64_t* removed);
  arrow::Status ForgetExpiredElements(const Opened& opened, std::string_view key, int64_t* removed);

  const StatefulBatch& batch_;
  TimeMode time_mode_;
  int64_t batch_time_ms_;
  int first_ = 0;
  int last_ = 0;
  std::vector<Opened> variables_;
  /// By partition.
  std::vector<int> key_to_time_, time_to_key_;
  std::string key_;
  int partition_ = 0;
  std::map<int, Counts> counts_;
  StateMetrics metrics_;
};

}  // namespace millrace::physical
