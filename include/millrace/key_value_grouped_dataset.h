#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/data_frame.h"
#include "millrace/group_state.h"
#include "millrace/stateful_processor.h"
#include "millrace/typed_value.h"

namespace millrace {

namespace api {

/// One run of a function over groups with their states, types erased.
class GroupCalls {
 public:
  struct Impl;
  explicit GroupCalls(Impl* impl) : impl_(impl) {}

  int64_t num_groups() const;
  ValueReader key(int64_t group) const;
  int64_t num_rows(int64_t group) const;
  ValueReader row(int64_t group, int64_t i) const;
  Row row_view(int64_t group, int64_t i) const;
  /// NULL when there is none.
  ValueReader state(int64_t group) const;
  ValueWriter NewRow();

  template <typename S>
  arrow::Result<GroupState<S>> MakeState(int64_t group) const {
    GroupState<S> state;
    Prepare(&state);
    ValueReader reader = this->state(group);
    if (!reader.IsNull()) ARROW_RETURN_NOT_OK(RowCodec<S>::Read(reader, &state.value_.emplace()));
    return state;
  }
  template <typename S>
  arrow::Status TakeState(const GroupState<S>& state) {
    ValueWriter writer = TakeFlags(state, state.value_.has_value());
    return state.value_ ? RowCodec<S>::Write(*state.value_, writer) : writer.Null();
  }

 private:
  void Prepare(GroupStateBase* state) const;
  ValueWriter TakeFlags(const GroupStateBase& state, bool exists);

  Impl* impl_;
};

/// A processor, types erased. `key`, rows: as GroupCalls has them.
class ErasedProcessor {
 public:
  struct Rows {
    ValueReader row(int64_t i) const { return ValueReader(structs, i); }
    const arrow::Array* structs;
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t size;
  };

  virtual ~ErasedProcessor() = default;
  virtual arrow::Status Init(std::shared_ptr<Variables> variables) = 0;
  virtual arrow::Status HandleInitialState(const ValueReader& key, const Rows& rows) = 0;
  virtual arrow::Status HandleInputRows(const ValueReader& key, const Rows& rows, const ValueWriter& out) = 0;
  virtual arrow::Status HandleExpiredTimer(const ValueReader& key, int64_t time_ms, const ValueWriter& out) = 0;
  virtual arrow::Status Close() = 0;
};

/// A function over groups: types as Spark's JSON, empty for none; `value` empty: Row.
struct GroupFunction {
  std::string key;
  std::string value;
  std::string state;
  std::string output;
  std::string initial;
  // One of the two.
  std::function<arrow::Status(GroupCalls&)> over_groups = nullptr;
  std::function<std::unique_ptr<ErasedProcessor>()> make_processor = nullptr;
};

struct GroupedFrame {
  DataFrame frame;
  std::vector<Column> keys;
};
struct GroupOptions {
  OutputMode output_mode = OutputMode::kUpdate;
  GroupStateTimeout timeout = GroupStateTimeout::kNoTimeout;
  bool maps = false;
  TimeMode time_mode = TimeMode::kNone;
  std::string event_time_column;
};
/// The frame of what `function` makes of the groups; `initial` may be null.
DataFrame ApplyToGroups(const GroupedFrame& grouped, GroupFunction function, const GroupOptions& options,
                        const GroupedFrame* initial);

template <typename V>
std::string RowTypeOrNone() {
  if constexpr (std::same_as<V, Row>) {
    return "";
  } else {
    return RowCodec<V>::Type();
  }
}

template <typename T>
struct ResultOf;
template <typename T>
struct ResultOf<arrow::Result<T>> {
  using Type = T;
};
template <typename T>
struct ElementOf;
template <typename T>
struct ElementOf<std::vector<T>> {
  using Type = T;
};

/// A processor of the user's, its types erased. P is copied from what the program gave.
template <typename P>
class TypedProcessor final : public ErasedProcessor {
 public:
  using K = typename P::Key;
  using I = typename P::Input;
  using O = typename P::Output;

  TypedProcessor(P processor, OutputMode output_mode, TimeMode time_mode)
      : processor_(std::move(processor)), output_mode_(output_mode), time_mode_(time_mode) {}

  arrow::Status Init(std::shared_ptr<Variables> variables) override {
    variables_ = variables;
    processor_.SetHandle(StatefulProcessorHandle(std::move(variables)));
    return processor_.Init(output_mode_, time_mode_);
  }
  arrow::Status HandleInitialState(const ValueReader& key_reader, const Rows& rows) override {
    if constexpr (requires { typename P::Initial; }) {
      K key{};
      ARROW_RETURN_NOT_OK(RowCodec<K>::Read(key_reader, &key));
      for (int64_t i = 0; i < rows.size; ++i) {
        typename P::Initial initial{};
        ARROW_RETURN_NOT_OK(RowCodec<typename P::Initial>::Read(rows.row(i), &initial));
        ARROW_RETURN_NOT_OK(processor_.HandleInitialState(key, initial, variables_->timer_values()));
      }
    }
    return arrow::Status::OK();
  }
  arrow::Status HandleInputRows(const ValueReader& key_reader, const Rows& rows, const ValueWriter& out) override {
    K key{};
    ARROW_RETURN_NOT_OK(RowCodec<K>::Read(key_reader, &key));
    std::vector<I> values;
    values.reserve(static_cast<size_t>(rows.size));
    for (int64_t i = 0; i < rows.size; ++i) {
      if constexpr (std::same_as<I, Row>) {
        values.emplace_back(rows.batch, i);
      } else {
        ARROW_RETURN_NOT_OK(RowCodec<I>::Read(rows.row(i), &values.emplace_back()));
      }
    }
    return Put(processor_.HandleInputRows(key, values, variables_->timer_values()), out);
  }
  arrow::Status HandleExpiredTimer(const ValueReader& key_reader, int64_t time_ms, const ValueWriter& out) override {
    K key{};
    ARROW_RETURN_NOT_OK(RowCodec<K>::Read(key_reader, &key));
    return Put(processor_.HandleExpiredTimer(key, variables_->timer_values(), ExpiredTimerInfo(time_ms)), out);
  }
  arrow::Status Close() override { return processor_.Close(); }

 private:
  static arrow::Status Put(const arrow::Result<std::vector<O>>& rows, const ValueWriter& out) {
    ARROW_RETURN_NOT_OK(rows);
    for (const O& row : *rows) ARROW_RETURN_NOT_OK(RowCodec<O>::Write(row, out));
    return arrow::Status::OK();
  }

  P processor_;
  OutputMode output_mode_;
  TimeMode time_mode_;
  std::shared_ptr<Variables> variables_;
};

}  // namespace api

/// A DataFrame's rows as values of V, in groups by keys K (Spark's KeyValueGroupedDataset). V may be Row: all columns
/// as they are. Immutable, cheap to copy.
///
/// Functions run in this process, on the engine's threads, several at once; they must not change what they share. A
/// session of a remote server refuses them by name. What goes wrong in one ends the query.
template <typename K, typename V>
class KeyValueGroupedDataset {
 public:
  KeyValueGroupedDataset(DataFrame frame, std::vector<Column> keys) : grouped_{std::move(frame), std::move(keys)} {}

  /// function(key, rows, state) → arrow::Result<U>: one row a group, as it stands after each micro-batch.
  template <typename S, typename F>
  DataFrame MapGroupsWithState(GroupStateTimeout timeout, F function) const {
    return Map<S>(timeout, nullptr, std::move(function));
  }
  /// `initial`: the states that groups begin with, one row a key; seen by a new query's first micro-batch.
  template <typename S, typename F>
  DataFrame MapGroupsWithState(GroupStateTimeout timeout, const KeyValueGroupedDataset<K, S>& initial,
                               F function) const {
    return Map<S>(timeout, &initial.grouped(), std::move(function));
  }
  /// function(key, rows, state) → arrow::Result<std::vector<U>>. `output_mode`: kAppend or kUpdate.
  template <typename S, typename F>
  DataFrame FlatMapGroupsWithState(OutputMode output_mode, GroupStateTimeout timeout, F function) const {
    return FlatMap<S>(output_mode, timeout, false, nullptr, std::move(function));
  }
  template <typename S, typename F>
  DataFrame FlatMapGroupsWithState(OutputMode output_mode, GroupStateTimeout timeout,
                                   const KeyValueGroupedDataset<K, S>& initial, F function) const {
    return FlatMap<S>(output_mode, timeout, false, &initial.grouped(), std::move(function));
  }

  /// P: a StatefulProcessor<K, V, …> that can be copied.
  template <typename P>
  DataFrame TransformWithState(P processor, TimeMode time_mode, OutputMode output_mode) const {
    return Transform(std::move(processor), time_mode, output_mode, "", nullptr);
  }
  /// The output's column `event_time_column` has the watermark of the input, for operators behind it: timers and TTL by
  /// event time.
  template <typename P>
  DataFrame TransformWithState(P processor, std::string_view event_time_column, OutputMode output_mode) const {
    return Transform(std::move(processor), TimeMode::kEventTime, output_mode, event_time_column, nullptr);
  }
  /// P: a StatefulProcessorWithInitialState<K, V, …, S>.
  template <typename P, typename S>
  DataFrame TransformWithState(P processor, TimeMode time_mode, OutputMode output_mode,
                               const KeyValueGroupedDataset<K, S>& initial) const {
    static_assert(std::same_as<typename P::Initial, S>);
    return Transform(std::move(processor), time_mode, output_mode, "", &initial.grouped());
  }

  const api::GroupedFrame& grouped() const { return grouped_; }

 private:
  static arrow::Result<std::vector<V>> ReadRows(const api::GroupCalls& calls, int64_t group) {
    std::vector<V> rows;
    int64_t num_rows = calls.num_rows(group);
    rows.reserve(static_cast<size_t>(num_rows));
    for (int64_t i = 0; i < num_rows; ++i) {
      if constexpr (std::same_as<V, Row>) {
        rows.push_back(calls.row_view(group, i));
      } else {
        ARROW_RETURN_NOT_OK(api::RowCodec<V>::Read(calls.row(group, i), &rows.emplace_back()));
      }
    }
    return rows;
  }

  template <typename S, typename F>
  DataFrame Map(GroupStateTimeout timeout, const api::GroupedFrame* initial, F function) const {
    using U = typename api::ResultOf<std::invoke_result_t<F&, const K&, std::span<const V>, GroupState<S>&>>::Type;
    auto one = [function = std::move(function)](const K& key, std::span<const V> rows,
                                                GroupState<S>& state) mutable -> arrow::Result<std::vector<U>> {
      ARROW_ASSIGN_OR_RAISE(U row, function(key, rows, state));
      std::vector<U> made;
      made.push_back(std::move(row));
      return made;
    };
    return FlatMap<S>(OutputMode::kUpdate, timeout, true, initial, std::move(one));
  }

  template <typename S, typename F>
  DataFrame FlatMap(OutputMode output_mode, GroupStateTimeout timeout, bool maps, const api::GroupedFrame* initial,
                    F function) const {
    using U = typename api::ElementOf<
        typename api::ResultOf<std::invoke_result_t<F&, const K&, std::span<const V>, GroupState<S>&>>::Type>::Type;
    api::GroupFunction erased;
    erased.key = api::RowCodec<K>::Type();
    erased.value = api::RowTypeOrNone<V>();
    erased.state = api::RowCodec<S>::Type();
    erased.output = api::RowCodec<U>::Type();
    erased.initial = erased.state;
    // A copy for each run: runs share nothing.
    erased.over_groups = [function = std::move(function)](api::GroupCalls& calls) -> arrow::Status {
      F own = function;
      for (int64_t group = 0; group < calls.num_groups(); ++group) {
        K key{};
        ARROW_RETURN_NOT_OK(api::RowCodec<K>::Read(calls.key(group), &key));
        ARROW_ASSIGN_OR_RAISE(std::vector<V> rows, ReadRows(calls, group));
        ARROW_ASSIGN_OR_RAISE(GroupState<S> state, calls.template MakeState<S>(group));
        ARROW_ASSIGN_OR_RAISE(std::vector<U> made, own(std::as_const(key), std::span<const V>(rows), state));
        for (const U& row : made) ARROW_RETURN_NOT_OK(api::RowCodec<U>::Write(row, calls.NewRow()));
        ARROW_RETURN_NOT_OK(calls.TakeState(state));
      }
      return arrow::Status::OK();
    };
    api::GroupOptions options;
    options.output_mode = output_mode;
    options.timeout = timeout;
    options.maps = maps;
    return api::ApplyToGroups(grouped_, std::move(erased), options, initial);
  }

  template <typename P>
  DataFrame Transform(P processor, TimeMode time_mode, OutputMode output_mode, std::string_view event_time_column,
                      const api::GroupedFrame* initial) const {
    static_assert(std::derived_from<P, StatefulProcessor<K, V, typename P::Output>>,
                  "a processor of other keys or rows than the groups have");
    api::GroupFunction erased;
    erased.key = api::RowCodec<K>::Type();
    erased.value = api::RowTypeOrNone<V>();
    erased.output = api::RowCodec<typename P::Output>::Type();
    if constexpr (requires { typename P::Initial; }) erased.initial = api::RowCodec<typename P::Initial>::Type();
    erased.make_processor = [processor = std::move(processor), output_mode, time_mode] {
      return std::make_unique<api::TypedProcessor<P>>(processor, output_mode, time_mode);
    };
    api::GroupOptions options;
    options.output_mode = output_mode;
    options.time_mode = time_mode;
    options.event_time_column = event_time_column;
    return api::ApplyToGroups(grouped_, std::move(erased), options, initial);
  }

  api::GroupedFrame grouped_;
};

template <typename K, typename V>
KeyValueGroupedDataset<K, V> DataFrame::GroupByKey(const std::vector<Column>& keys) const {
  return KeyValueGroupedDataset<K, V>(*this, keys);
}

}  // namespace millrace
