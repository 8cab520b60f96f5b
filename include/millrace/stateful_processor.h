#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/group_state.h"
#include "millrace/typed_value.h"

namespace millrace {

namespace expression {
class NativeStateHandle;
}

/// What time a processor's timers go by (Spark's TimeMode). TTL needs processing time.
enum class TimeMode : uint8_t { kNone, kProcessingTime, kEventTime };

/// How long after its last change a variable's value is forgotten; zero: never (Spark's TTLConfig).
struct TtlConfig {
  std::chrono::milliseconds ttl_duration{0};
  static TtlConfig None() { return {}; }
};

/// The times of the micro-batch, in ms since 1970 UTC.
class TimerValues {
 public:
  TimerValues(int64_t processing_time_ms, int64_t watermark_ms)
      : processing_time_ms_(processing_time_ms), watermark_ms_(watermark_ms) {}
  int64_t GetCurrentProcessingTimeInMs() const { return processing_time_ms_; }
  int64_t GetCurrentWatermarkInMs() const { return watermark_ms_; }

 private:
  int64_t processing_time_ms_;
  int64_t watermark_ms_;
};

class ExpiredTimerInfo {
 public:
  explicit ExpiredTimerInfo(int64_t expiry_time_ms) : expiry_time_ms_(expiry_time_ms) {}
  int64_t GetExpiryTimeInMs() const { return expiry_time_ms_; }

 private:
  int64_t expiry_time_ms_;
};

namespace api {

/// Some rows of a variable.
class StateRows {
 public:
  explicit StateRows(std::shared_ptr<arrow::Array> rows) : rows_(std::move(rows)) {}
  /// Of a value that is not there, 0.
  int64_t size() const;
  ValueReader row(int64_t i) const { return ValueReader(rows_.get(), i); }

  template <typename T>
  arrow::Result<std::vector<T>> ReadAll() const {
    std::vector<T> values(static_cast<size_t>(size()));
    for (size_t i = 0; i < values.size(); ++i) {
      ARROW_RETURN_NOT_OK(RowCodec<T>::Read(row(static_cast<int64_t>(i)), &values[i]));
    }
    return values;
  }
  template <typename T>
  arrow::Result<std::optional<T>> ReadOne() const {
    if (size() == 0) return std::nullopt;
    T value{};
    ARROW_RETURN_NOT_OK(RowCodec<T>::Read(row(0), &value));
    return value;
  }

 private:
  std::shared_ptr<arrow::Array> rows_;
};

/// The variables of one processor in one task, types erased.
class Variables {
 public:
  explicit Variables(expression::NativeStateHandle* handle);
  ~Variables();
  enum class Kind : uint8_t { kValue, kList, kMap };
  arrow::Result<int> Declare(std::string_view name, Kind kind, const std::string& value_type,
                             const std::string& user_key_type, TtlConfig ttl);
  arrow::Status DeleteIfExists(std::string_view name);

  /// Where rows of the variable, or its user key, are written before the call that takes them.
  ValueWriter NewRows(int variable);
  ValueWriter NewKey(int variable);
  arrow::Result<StateRows> Value(int variable);
  arrow::Status SetValue(int variable);
  arrow::Status Clear(int variable);
  arrow::Result<StateRows> List(int variable);
  arrow::Status AddToList(int variable, bool replaces);
  arrow::Result<StateRows> MapValue(int variable);
  arrow::Status SetMapValue(int variable);
  arrow::Status RemoveFromMap(int variable);
  arrow::Result<std::pair<StateRows, StateRows>> Map(int variable);

  arrow::Status RegisterTimer(int64_t time_ms);
  arrow::Status DeleteTimer(int64_t time_ms);
  arrow::Result<std::vector<int64_t>> Timers();
  TimerValues timer_values() const;
  int64_t batch_id() const;

 private:
  struct Known;
  expression::NativeStateHandle* handle_;
  std::vector<std::unique_ptr<Known>> known_;
};

class Variable {
 public:
  /// Not yet declared.
  Variable() = default;
  Variable(std::shared_ptr<Variables> variables, int number) : variables_(std::move(variables)), number_(number) {}
  arrow::Status Clear() { return variables_->Clear(number_); }

 protected:
  std::shared_ptr<Variables> variables_;
  int number_ = -1;
};

}  // namespace api

/// One value for each key. Handles are cheap to copy; they are used in the calls of their processor only.
template <typename T>
class ValueState : public api::Variable {
 public:
  using api::Variable::Variable;
  arrow::Result<bool> Exists() {
    ARROW_ASSIGN_OR_RAISE(api::StateRows row, variables_->Value(number_));
    return row.size() > 0;
  }
  arrow::Result<std::optional<T>> Get() {
    ARROW_ASSIGN_OR_RAISE(api::StateRows row, variables_->Value(number_));
    return row.ReadOne<T>();
  }
  arrow::Status Update(const T& value) {
    ARROW_RETURN_NOT_OK(api::RowCodec<T>::Write(value, variables_->NewRows(number_)));
    return variables_->SetValue(number_);
  }
};

/// A list for each key.
template <typename T>
class ListState : public api::Variable {
 public:
  using api::Variable::Variable;
  arrow::Result<bool> Exists() {
    ARROW_ASSIGN_OR_RAISE(api::StateRows rows, variables_->List(number_));
    return rows.size() > 0;
  }
  arrow::Result<std::vector<T>> Get() {
    ARROW_ASSIGN_OR_RAISE(api::StateRows rows, variables_->List(number_));
    return rows.ReadAll<T>();
  }
  /// Errors: UserError ILLEGAL_STATE_STORE_VALUE for no values, here and in AppendList.
  arrow::Status Put(std::span<const T> values) { return Add(values, true); }
  arrow::Status AppendValue(const T& value) { return Add(std::span<const T>(&value, 1), false); }
  arrow::Status AppendList(std::span<const T> values) { return Add(values, false); }

 private:
  arrow::Status Add(std::span<const T> values, bool replaces) {
    api::ValueWriter writer = variables_->NewRows(number_);
    for (const T& value : values) ARROW_RETURN_NOT_OK(api::RowCodec<T>::Write(value, writer));
    return variables_->AddToList(number_, replaces);
  }
};

/// A map for each key.
template <typename K, typename V>
class MapState : public api::Variable {
 public:
  using api::Variable::Variable;
  arrow::Result<bool> Exists() {
    ARROW_ASSIGN_OR_RAISE(auto entries, variables_->Map(number_));
    return entries.first.size() > 0;
  }
  arrow::Result<std::optional<V>> GetValue(const K& key) {
    ARROW_RETURN_NOT_OK(WriteKey(key));
    ARROW_ASSIGN_OR_RAISE(api::StateRows row, variables_->MapValue(number_));
    return row.ReadOne<V>();
  }
  arrow::Result<bool> ContainsKey(const K& key) {
    ARROW_RETURN_NOT_OK(WriteKey(key));
    ARROW_ASSIGN_OR_RAISE(api::StateRows row, variables_->MapValue(number_));
    return row.size() > 0;
  }
  arrow::Status UpdateValue(const K& key, const V& value) {
    ARROW_RETURN_NOT_OK(WriteKey(key));
    ARROW_RETURN_NOT_OK(api::RowCodec<V>::Write(value, variables_->NewRows(number_)));
    return variables_->SetMapValue(number_);
  }
  arrow::Status RemoveKey(const K& key) {
    ARROW_RETURN_NOT_OK(WriteKey(key));
    return variables_->RemoveFromMap(number_);
  }
  /// In the order of the keys' bytes, as Spark's.
  arrow::Result<std::vector<std::pair<K, V>>> Iterator() {
    ARROW_ASSIGN_OR_RAISE(auto entries, variables_->Map(number_));
    ARROW_ASSIGN_OR_RAISE(std::vector<K> keys, entries.first.template ReadAll<K>());
    ARROW_ASSIGN_OR_RAISE(std::vector<V> values, entries.second.template ReadAll<V>());
    std::vector<std::pair<K, V>> pairs;
    for (size_t i = 0; i < keys.size(); ++i) pairs.emplace_back(std::move(keys[i]), std::move(values[i]));
    return pairs;
  }
  arrow::Result<std::vector<K>> Keys() {
    ARROW_ASSIGN_OR_RAISE(auto entries, variables_->Map(number_));
    return entries.first.template ReadAll<K>();
  }
  arrow::Result<std::vector<V>> Values() {
    ARROW_ASSIGN_OR_RAISE(auto entries, variables_->Map(number_));
    return entries.second.template ReadAll<V>();
  }

 private:
  arrow::Status WriteKey(const K& key) { return api::RowCodec<K>::Write(key, variables_->NewKey(number_)); }
};

/// What a processor asks for its variables and timers (Spark's StatefulProcessorHandle). Variables are declared in Init
/// only, timers are set in the other calls only.
class StatefulProcessorHandle {
 public:
  StatefulProcessorHandle() = default;
  explicit StatefulProcessorHandle(std::shared_ptr<api::Variables> variables) : variables_(std::move(variables)) {}

  /// Errors: UserError STATEFUL_PROCESSOR_… as Spark raises.
  template <typename T>
  arrow::Result<ValueState<T>> GetValueState(std::string_view name, TtlConfig ttl = {}) {
    ARROW_ASSIGN_OR_RAISE(int number,
                          variables_->Declare(name, api::Variables::Kind::kValue, api::RowCodec<T>::Type(), "", ttl));
    return ValueState<T>(variables_, number);
  }
  template <typename T>
  arrow::Result<ListState<T>> GetListState(std::string_view name, TtlConfig ttl = {}) {
    ARROW_ASSIGN_OR_RAISE(int number,
                          variables_->Declare(name, api::Variables::Kind::kList, api::RowCodec<T>::Type(), "", ttl));
    return ListState<T>(variables_, number);
  }
  template <typename K, typename V>
  arrow::Result<MapState<K, V>> GetMapState(std::string_view name, TtlConfig ttl = {}) {
    ARROW_ASSIGN_OR_RAISE(int number, variables_->Declare(name, api::Variables::Kind::kMap, api::RowCodec<V>::Type(),
                                                          api::RowCodec<K>::Type(), ttl));
    return MapState<K, V>(variables_, number);
  }
  arrow::Status DeleteIfExists(std::string_view name) { return variables_->DeleteIfExists(name); }

  arrow::Status RegisterTimer(int64_t expiry_time_ms) { return variables_->RegisterTimer(expiry_time_ms); }
  arrow::Status DeleteTimer(int64_t expiry_time_ms) { return variables_->DeleteTimer(expiry_time_ms); }
  /// Of the current key.
  arrow::Result<std::vector<int64_t>> ListTimers() { return variables_->Timers(); }
  int64_t GetBatchId() const { return variables_->batch_id(); }

 private:
  std::shared_ptr<api::Variables> variables_;
};

/// What makes rows of groups, with variables and timers of its own for each key (Spark's StatefulProcessor).
///
/// Copied for each task, before Init; the copies share nothing. Calls come on one thread. Errors end the query with
/// TRANSFORM_WITH_STATE_USER_FUNCTION_ERROR.
template <typename K, typename I, typename O>
class StatefulProcessor {
 public:
  using Key = K;
  using Input = I;
  using Output = O;

  virtual ~StatefulProcessor() = default;
  /// Declares the variables.
  virtual arrow::Status Init(OutputMode output_mode, TimeMode time_mode) = 0;
  virtual arrow::Result<std::vector<O>> HandleInputRows(const K& key, std::span<const I> rows,
                                                        const TimerValues& times) = 0;
  /// A timer of the key is due; it is gone afterwards.
  virtual arrow::Result<std::vector<O>> HandleExpiredTimer(const K&, const TimerValues&, const ExpiredTimerInfo&) {
    return std::vector<O>();
  }
  virtual arrow::Status Close() { return arrow::Status::OK(); }

  void SetHandle(StatefulProcessorHandle handle) { handle_ = std::move(handle); }

 protected:
  StatefulProcessorHandle& GetHandle() { return handle_; }

 private:
  StatefulProcessorHandle handle_;
};

/// One that is given rows of an initial state, in the first micro-batch, before the other rows.
template <typename K, typename I, typename O, typename S>
class StatefulProcessorWithInitialState : public StatefulProcessor<K, I, O> {
 public:
  using Initial = S;
  virtual arrow::Status HandleInitialState(const K& key, const S& initial, const TimerValues& times) = 0;
};

}  // namespace millrace
