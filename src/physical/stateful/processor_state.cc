#include "physical/stateful/processor_state.h"

#include "base/error.h"
#include "state/struct_rows.h"

namespace millrace::physical {

namespace {

using arrow::Result;
using arrow::Status;
using state::FamilyStore;
using state::KeyPrefix;
using state::LongRow;
using state::OrderedPrefixRow;
using state::PrefixedKey;
using state::RowOfStructs;
using state::RowOfValue;
using state::StoredElement;
using state::StoredValue;
using state::StructAt;
using state::WholeKey;

std::string ExpiryKey(int64_t expiry_ms, std::string_view element) {
  return PrefixedKey(OrderedPrefixRow(expiry_ms), RowOfStructs({element}));
}

std::string MapKey(std::string_view key, std::string_view user_key) {
  return PrefixedKey(RowOfStructs({key}), RowOfStructs({user_key}));
}

// What all keys of times up to `time_ms` lie before.
std::optional<std::string> EndOfTimes(int64_t time_ms) {
  if (time_ms == INT64_MAX) return std::nullopt;
  return KeyPrefix(OrderedPrefixRow(time_ms + 1));
}

std::string TimersName(TimeMode mode, std::string_view index) {
  return (mode == TimeMode::kEventTime ? "$eventTimers_" : "$procTimers_") + std::string(index);
}

types::DataTypePtr StructOf(std::vector<types::StructField> fields) { return types::Struct(std::move(fields)); }

}  // namespace

std::string_view TimeModeName(TimeMode mode) {
  static constexpr std::string_view kNames[] = {"NoTime", "ProcessingTime", "EventTime"};
  return kNames[static_cast<size_t>(mode)];
}

std::string_view StateVariableKindName(StateVariable::Kind kind) {
  static constexpr std::string_view kNames[] = {"ValueState", "ListState", "MapState"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<StateFamilySpec> StateFamilies(const std::vector<StateVariable>& variables, TimeMode time_mode,
                                           const types::DataTypePtr& key_type) {
  using Layout = StateFamilySpec::Layout;
  std::vector<StateFamilySpec> families;
  types::DataTypePtr empty = StructOf({{"__empty__", types::Null(), true, ""}});
  types::DataTypePtr count = StructOf({{"count", types::Long(), true, ""}});
  for (const StateVariable& variable : variables) {
    types::DataTypePtr value = variable.value, element = key_type;
    if (variable.ttl_ms) {
      value = StructOf({{"value", value, true, ""}, {"ttlExpirationMs", types::Long(), true, ""}});
    }
    if (variable.kind == StateVariable::Kind::kMap) {
      element = StructOf({{"key", key_type, true, ""}, {"userKey", variable.user_key, true, ""}});
      families.push_back({variable.name, element, value, Layout::kPrefix, variable.user_key});
    } else {
      families.push_back({variable.name, key_type, value, Layout::kWhole});
    }
    if (variable.kind == StateVariable::Kind::kList) {
      families.push_back({"$rowCounter_" + variable.name, key_type, count, Layout::kWhole});
    }
    if (!variable.ttl_ms) continue;
    families.push_back({"$ttl_" + variable.name,
                        StructOf({{"expirationMs", types::Long(), true, ""}, {"elementKey", element, true, ""}}), empty,
                        Layout::kOrdered});
    if (variable.kind != StateVariable::Kind::kList) continue;
    families.push_back(
        {"$min_" + variable.name, key_type, StructOf({{"expirationMs", types::Long(), true, ""}}), Layout::kWhole});
    families.push_back({"$count_" + variable.name, key_type, count, Layout::kWhole});
  }
  if (time_mode == TimeMode::kNone) return families;
  types::DataTypePtr dummy = StructOf({{"__dummy__", types::Null(), true, ""}});
  types::StructField key{"key", key_type, true, ""}, time{"expiryTimestampMs", types::Long(), false, ""};
  families.push_back({TimersName(time_mode, "keyToTimestamp"), StructOf({key, time}), dummy, Layout::kPrefix});
  families.push_back({TimersName(time_mode, "timestampToKey"), StructOf({time, key}), dummy, Layout::kOrdered});
  return families;
}

FamilyStore& ProcessorState::Store(int partition) const {
  return *static_cast<FamilyStore*>(batch_.stores[static_cast<size_t>(partition)][0]);
}

Status ProcessorState::OpenIn(int partition, Opened* opened) {
  FamilyStore& store = Store(partition);
  const StateVariable& variable = opened->variable;
  bool is_list = variable.kind == StateVariable::Kind::kList;
  auto open = [&](const std::string& name, bool is_internal, std::vector<int>* ids) -> Status {
    ARROW_ASSIGN_OR_RAISE(int id, store.OpenFamily(name, is_internal));
    ids->resize(static_cast<size_t>(batch_.num_partitions()), -1);
    (*ids)[static_cast<size_t>(partition)] = id;
    return Status::OK();
  };
  if (variable.ttl_ms) {
    ARROW_RETURN_NOT_OK(open("$ttl_" + variable.name, true, &opened->expiry));
    if (is_list) {
      ARROW_RETURN_NOT_OK(open("$min_" + variable.name, true, &opened->least));
      ARROW_RETURN_NOT_OK(open("$count_" + variable.name, true, &opened->counter));
    }
  } else if (is_list) {
    ARROW_RETURN_NOT_OK(open("$rowCounter_" + variable.name, true, &opened->counter));
  }
  return open(variable.name, false, &opened->main);
}

Status ProcessorState::OpenTimersIn(int partition) {
  auto p = static_cast<size_t>(partition);
  key_to_time_.resize(static_cast<size_t>(batch_.num_partitions()), -1);
  time_to_key_.resize(static_cast<size_t>(batch_.num_partitions()), -1);
  if (key_to_time_[p] >= 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(key_to_time_[p], Store(partition).OpenFamily(TimersName(time_mode_, "keyToTimestamp"), true));
  ARROW_ASSIGN_OR_RAISE(time_to_key_[p], Store(partition).OpenFamily(TimersName(time_mode_, "timestampToKey"), true));
  return Status::OK();
}

Status ProcessorState::Open(int first, int last, const std::vector<StateVariable>& variables) {
  first_ = first;
  last_ = last;
  for (const StateVariable& variable : variables) {
    variables_.push_back({variable, {}, {}, {}, {}});
    for (int p = first_; p < last_; ++p) ARROW_RETURN_NOT_OK(OpenIn(p, &variables_.back()));
  }
  if (time_mode_ == TimeMode::kNone) return Status::OK();
  for (int p = first; p < last; ++p) ARROW_RETURN_NOT_OK(OpenTimersIn(p));
  return Status::OK();
}

Result<int> ProcessorState::Declare(const StateVariable& variable) {
  if (variable.ttl_ms && time_mode_ != TimeMode::kProcessingTime) {
    return UserError("STATEFUL_PROCESSOR_INCORRECT_TIME_MODE_TO_ASSIGN_TTL",
                     {{"stateName", variable.name}, {"timeMode", std::string(TimeModeName(time_mode_))}});
  }
  if (variable.ttl_ms && *variable.ttl_ms <= 0) {
    return UserError("STATEFUL_PROCESSOR_TTL_DURATION_MUST_BE_POSITIVE",
                     {{"operationType", "update"}, {"stateName", variable.name}});
  }
  for (size_t v = 0; v < variables_.size(); ++v) {
    if (variables_[v].variable.name == variable.name) return static_cast<int>(v);
  }
  variables_.push_back({variable, {}, {}, {}, {}});
  for (int p = first_; p < last_; ++p) ARROW_RETURN_NOT_OK(OpenIn(p, &variables_.back()));
  return static_cast<int>(variables_.size()) - 1;
}

Status ProcessorState::Drop(const std::string& name) {
  for (int p = first_; p < last_; ++p) {
    ARROW_ASSIGN_OR_RAISE(bool dropped, Store(p).DropFamily(name));
    if (dropped) ++metrics_.custom["numDeletedStateVars"];
  }
  return Status::OK();
}

bool ProcessorState::IsExpired(std::string_view row_with_time) const {
  if (row_with_time.size() < 24) return true;
  int64_t expiry_ms = state::LongAt(row_with_time, 2, 1);
  return expiry_ms != -1 && batch_time_ms_ >= expiry_ms;
}

Result<int64_t> ProcessorState::LongIn(int family, std::string_view key, int64_t otherwise) const {
  ARROW_ASSIGN_OR_RAISE(std::string_view value, store().GetIn(family, key));
  ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(value));
  return row.size() < 16 ? otherwise : state::LongAt(row, 1, 0);
}

Status ProcessorState::PutExpiring(const Opened& opened, const std::string& key, std::string_view element,
                                   std::string_view row) {
  auto p = static_cast<size_t>(partition_);
  int64_t new_expiry = expiry_ms(opened);
  std::string value = StoredValue(state::RowWithTime(row, new_expiry));
  ARROW_ASSIGN_OR_RAISE(std::string_view old, store().GetIn(opened.main[p], key));
  if (old.data() != nullptr) {
    if (old == value) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::string_view old_row, RowOfValue(old));
    int64_t old_expiry = old_row.size() < 24 ? -1 : state::LongAt(old_row, 2, 1);
    if (old_expiry != new_expiry) {
      ARROW_RETURN_NOT_OK(store().RemoveIn(opened.expiry[p], ExpiryKey(old_expiry, element)));
    }
  }
  ARROW_RETURN_NOT_OK(store().PutIn(opened.main[p], key, value));
  ++counts().updated;
  return store().PutIn(opened.expiry[p], ExpiryKey(new_expiry, element), StoredValue(state::NullRow()));
}

Status ProcessorState::RemoveExpiring(const Opened& opened, const std::string& key, std::string_view element) {
  auto p = static_cast<size_t>(partition_);
  ARROW_ASSIGN_OR_RAISE(std::string_view old, store().GetIn(opened.main[p], key));
  if (old.data() == nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(old));
  int64_t old_expiry = row.size() < 24 ? -1 : state::LongAt(row, 2, 1);
  ARROW_RETURN_NOT_OK(store().RemoveIn(opened.main[p], key));
  ++counts().removed;
  return store().RemoveIn(opened.expiry[p], ExpiryKey(old_expiry, element));
}

Result<std::string_view> ProcessorState::Value(int v) {
  const Opened& opened = At(v);
  ARROW_ASSIGN_OR_RAISE(std::string_view value,
                        store().GetIn(opened.main[static_cast<size_t>(partition_)], WholeKey(key_)));
  ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(value));
  if (row.data() == nullptr || !opened.variable.ttl_ms) return row;
  return IsExpired(row) ? std::string_view() : StructAt(row, 2, 0);
}

Status ProcessorState::SetValue(int v, std::string_view row) {
  const Opened& opened = At(v);
  if (opened.variable.ttl_ms) return PutExpiring(opened, WholeKey(key_), key_, row);
  ++counts().updated;
  return store().PutIn(opened.main[static_cast<size_t>(partition_)], WholeKey(key_), StoredValue(row));
}

Status ProcessorState::ClearValue(int v) {
  const Opened& opened = At(v);
  if (opened.variable.ttl_ms) return RemoveExpiring(opened, WholeKey(key_), key_);
  ++counts().removed;
  return store().RemoveIn(opened.main[static_cast<size_t>(partition_)], WholeKey(key_));
}

Result<std::vector<std::string>> ProcessorState::List(int v) {
  const Opened& opened = At(v);
  ARROW_ASSIGN_OR_RAISE(std::string_view value,
                        store().GetIn(opened.main[static_cast<size_t>(partition_)], WholeKey(key_)));
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string_view> rows, store().ListRows(value));
  std::vector<std::string> list;
  for (std::string_view row : rows) {
    if (!opened.variable.ttl_ms) {
      list.emplace_back(row);
    } else if (!IsExpired(row)) {
      list.emplace_back(StructAt(row, 2, 0));
    }
  }
  return list;
}

Status ProcessorState::AddToList(int v, const std::vector<std::string>& rows, bool replaces) {
  const Opened& opened = At(v);
  if (rows.empty())
    return UserError("ILLEGAL_STATE_STORE_VALUE.EMPTY_LIST_VALUE", {{"stateName", opened.variable.name}});
  if (opened.variable.ttl_ms) return AddToExpiringList(opened, rows, replaces);
  auto p = static_cast<size_t>(partition_);
  std::string key = WholeKey(key_);
  int64_t count = 0;
  if (replaces) {
    counts().updated = 0;  // so Spark's metric
    ARROW_RETURN_NOT_OK(store().RemoveIn(opened.main[p], key));
  } else {
    ARROW_ASSIGN_OR_RAISE(count, LongIn(opened.counter[p], key, 0));
  }
  for (const std::string& row : rows) {
    ARROW_RETURN_NOT_OK(store().AppendIn(opened.main[p], key, StoredElement(row)));
  }
  count += static_cast<int64_t>(rows.size());
  counts().updated += static_cast<int64_t>(rows.size());
  return store().PutIn(opened.counter[p], key, StoredValue(LongRow(count)));
}

Status ProcessorState::AddToExpiringList(const Opened& opened, const std::vector<std::string>& rows, bool replaces) {
  auto p = static_cast<size_t>(partition_);
  std::string key = WholeKey(key_);
  int64_t new_expiry = expiry_ms(opened);
  ARROW_ASSIGN_OR_RAISE(int64_t least, LongIn(opened.least[p], key, INT64_MIN));
  int64_t count = 0;
  if (replaces) {
    ARROW_RETURN_NOT_OK(store().RemoveIn(opened.main[p], key));
  } else {
    ARROW_ASSIGN_OR_RAISE(count, LongIn(opened.counter[p], key, 0));
  }
  for (const std::string& row : rows) {
    ARROW_RETURN_NOT_OK(store().AppendIn(opened.main[p], key, StoredElement(state::RowWithTime(row, new_expiry))));
  }
  counts().updated += static_cast<int64_t>(rows.size());
  count += static_cast<int64_t>(rows.size());
  ARROW_RETURN_NOT_OK(store().PutIn(opened.counter[p], key, StoredValue(LongRow(count))));
  if (least != INT64_MIN && !replaces && new_expiry >= least) return Status::OK();
  if (least != INT64_MIN) ARROW_RETURN_NOT_OK(store().RemoveIn(opened.expiry[p], ExpiryKey(least, key_)));
  ARROW_RETURN_NOT_OK(store().PutIn(opened.least[p], key, StoredValue(LongRow(new_expiry))));
  return store().PutIn(opened.expiry[p], ExpiryKey(new_expiry, key_), StoredValue(state::NullRow()));
}

Status ProcessorState::ClearList(int v) {
  const Opened& opened = At(v);
  auto p = static_cast<size_t>(partition_);
  std::string key = WholeKey(key_);
  if (opened.variable.ttl_ms) {
    ARROW_ASSIGN_OR_RAISE(int64_t least, LongIn(opened.least[p], key, INT64_MIN));
    if (least == INT64_MIN) return Status::OK();
    ARROW_RETURN_NOT_OK(store().RemoveIn(opened.least[p], key));
    ARROW_RETURN_NOT_OK(store().RemoveIn(opened.expiry[p], ExpiryKey(least, key_)));
  }
  ARROW_ASSIGN_OR_RAISE(int64_t count, LongIn(opened.counter[p], key, 0));
  counts().removed += count;
  ARROW_RETURN_NOT_OK(store().RemoveIn(opened.main[p], key));
  return store().RemoveIn(opened.counter[p], key);
}

Result<std::string_view> ProcessorState::MapValue(int v, std::string_view user_key) {
  const Opened& opened = At(v);
  ARROW_ASSIGN_OR_RAISE(std::string_view value,
                        store().GetIn(opened.main[static_cast<size_t>(partition_)], MapKey(key_, user_key)));
  ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(value));
  if (row.data() == nullptr || !opened.variable.ttl_ms) return row;
  return IsExpired(row) ? std::string_view() : StructAt(row, 2, 0);
}

Status ProcessorState::SetMapValue(int v, std::string_view user_key, std::string_view row) {
  const Opened& opened = At(v);
  std::string key = MapKey(key_, user_key);
  if (opened.variable.ttl_ms) return PutExpiring(opened, key, RowOfStructs({key_, user_key}), row);
  ++counts().updated;
  return store().PutIn(opened.main[static_cast<size_t>(partition_)], key, StoredValue(row));
}

Status ProcessorState::RemoveFromMap(int v, std::string_view user_key) {
  // Also with TTL: the entry in its index goes when it is due.
  ++counts().removed;
  return store().RemoveIn(At(v).main[static_cast<size_t>(partition_)], MapKey(key_, user_key));
}

Result<std::vector<ProcessorState::Pair>> ProcessorState::Map(int v) {
  const Opened& opened = At(v);
  ARROW_ASSIGN_OR_RAISE(
      auto entries, store().EntriesIn(opened.main[static_cast<size_t>(partition_)], KeyPrefix(RowOfStructs({key_}))));
  std::vector<Pair> pairs;
  for (const auto& [key, value] : entries) {
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
    ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(value));
    if (opened.variable.ttl_ms) {
      if (IsExpired(row)) continue;
      row = StructAt(row, 2, 0);
    }
    pairs.emplace_back(StructAt(rest, 1, 0), row);
  }
  return pairs;
}

Status ProcessorState::ClearMap(int v) {
  const Opened& opened = At(v);
  ARROW_ASSIGN_OR_RAISE(
      auto entries, store().EntriesIn(opened.main[static_cast<size_t>(partition_)], KeyPrefix(RowOfStructs({key_}))));
  for (const auto& [key, value] : entries) {
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
    std::string user_key(StructAt(rest, 1, 0));
    if (opened.variable.ttl_ms) {
      ARROW_RETURN_NOT_OK(RemoveExpiring(opened, key, RowOfStructs({key_, user_key})));
    } else {
      ARROW_RETURN_NOT_OK(RemoveFromMap(v, user_key));
    }
  }
  return Status::OK();
}

Status ProcessorState::RegisterTimer(int64_t time_ms) {
  auto p = static_cast<size_t>(partition_);
  std::string key = PrefixedKey(RowOfStructs({key_}), LongRow(time_ms));
  ++metrics_.custom["numRegisteredTimers"];
  ARROW_ASSIGN_OR_RAISE(std::string_view known, store().GetIn(key_to_time_[p], key));
  if (known.data() != nullptr) return Status::OK();
  ARROW_RETURN_NOT_OK(store().PutIn(key_to_time_[p], key, StoredValue(state::NullRow())));
  return store().PutIn(time_to_key_[p], ExpiryKey(time_ms, key_), StoredValue(state::NullRow()));
}

Status ProcessorState::DeleteTimer(int64_t time_ms) {
  auto p = static_cast<size_t>(partition_);
  ++metrics_.custom["numDeletedTimers"];
  ARROW_RETURN_NOT_OK(store().RemoveIn(key_to_time_[p], PrefixedKey(RowOfStructs({key_}), LongRow(time_ms))));
  return store().RemoveIn(time_to_key_[p], ExpiryKey(time_ms, key_));
}

Result<std::vector<int64_t>> ProcessorState::Timers() {
  ARROW_ASSIGN_OR_RAISE(
      auto entries, store().EntriesIn(key_to_time_[static_cast<size_t>(partition_)], KeyPrefix(RowOfStructs({key_}))));
  std::vector<int64_t> times;
  for (const auto& [key, value] : entries) {
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
    if (rest.size() >= 16) times.push_back(state::LongAt(rest, 1, 0));
  }
  return times;
}

Result<std::vector<std::pair<std::string, int64_t>>> ProcessorState::DueTimers(int partition, int64_t time_ms,
                                                                               size_t limit) {
  ARROW_ASSIGN_OR_RAISE(auto entries, Store(partition).EntriesIn(time_to_key_[static_cast<size_t>(partition)], {},
                                                                 EndOfTimes(time_ms), limit));
  std::vector<std::pair<std::string, int64_t>> timers;
  for (const auto& [key, value] : entries) {
    ARROW_ASSIGN_OR_RAISE(int64_t time, state::OrderedValueOf(key));
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
    timers.emplace_back(StructAt(rest, 1, 0), time);
  }
  return timers;
}

Status ProcessorState::ForgetExpiredElements(const Opened& opened, std::string_view key, int64_t* removed) {
  auto p = static_cast<size_t>(partition_);
  std::string whole = WholeKey(key);
  ARROW_RETURN_NOT_OK(store().RemoveIn(opened.least[p], whole));
  ARROW_ASSIGN_OR_RAISE(std::string_view found, store().GetIn(opened.main[p], whole));
  std::string value(found);
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string_view> rows, store().ListRows(value));
  ARROW_RETURN_NOT_OK(store().RemoveIn(opened.main[p], whole));
  int64_t expired = 0, least = INT64_MAX;
  for (std::string_view row : rows) {
    if (IsExpired(row)) {
      ++expired;
      continue;
    }
    least = std::min(least, state::LongAt(row, 2, 1));
    ARROW_RETURN_NOT_OK(store().AppendIn(opened.main[p], whole, StoredElement(row)));
  }
  if (least != INT64_MAX) {
    ARROW_RETURN_NOT_OK(store().PutIn(opened.least[p], whole, StoredValue(LongRow(least))));
    ARROW_RETURN_NOT_OK(store().PutIn(opened.expiry[p], ExpiryKey(least, key), StoredValue(state::NullRow())));
  }
  ARROW_ASSIGN_OR_RAISE(int64_t count, LongIn(opened.counter[p], whole, 0));
  *removed += expired;
  if (count == expired) return store().RemoveIn(opened.counter[p], whole);
  return store().PutIn(opened.counter[p], whole, StoredValue(LongRow(count - expired)));
}

Status ProcessorState::ForgetExpired(const Opened& opened, int partition, int64_t* removed) {
  auto p = static_cast<size_t>(partition);
  partition_ = partition;
  ARROW_ASSIGN_OR_RAISE(auto entries, store().EntriesIn(opened.expiry[p], {}, EndOfTimes(batch_time_ms_)));
  for (const auto& [index_key, value] : entries) {
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(index_key));
    std::string_view element = StructAt(rest, 1, 0);
    ARROW_RETURN_NOT_OK(store().RemoveIn(opened.expiry[p], index_key));
    if (opened.variable.kind == StateVariable::Kind::kList) {
      ARROW_RETURN_NOT_OK(ForgetExpiredElements(opened, element, removed));
      continue;
    }
    bool is_map = opened.variable.kind == StateVariable::Kind::kMap;
    ARROW_RETURN_NOT_OK(store().RemoveIn(
        opened.main[p], is_map ? MapKey(StructAt(element, 2, 0), StructAt(element, 2, 1)) : WholeKey(element)));
    ++*removed;
  }
  ARROW_ASSIGN_OR_RAISE(auto next, store().EntriesIn(opened.expiry[p], {}, std::nullopt, 1));
  if (next.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(int64_t due, state::OrderedValueOf(next[0].first));
  metrics_.next_timeout_ms = std::min(metrics_.next_timeout_ms, due - 1);
  return Status::OK();
}

Status ProcessorState::CleanUp(int partition) {
  int64_t removed = 0;
  for (const Opened& opened : variables_) {
    if (opened.variable.ttl_ms) ARROW_RETURN_NOT_OK(ForgetExpired(opened, partition, &removed));
  }
  counts_[partition].removed += removed;
  metrics_.custom["numValuesRemovedDueToTTLExpiry"] += removed;
  if (time_mode_ != TimeMode::kProcessingTime) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto next, DueTimers(partition, INT64_MAX, 1));
  if (!next.empty()) metrics_.next_timeout_ms = std::min(metrics_.next_timeout_ms, next[0].second - 1);
  return Status::OK();
}

StateMetrics ProcessorState::metrics() const {
  StateMetrics all = metrics_;
  for (const auto& [partition, one] : counts_) {
    all.rows_updated += one.updated;
    all.rows_removed += one.removed;
  }
  return all;
}

}  // namespace millrace::physical
