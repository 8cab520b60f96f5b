#include "physical/stateful/join_side_state.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"

namespace millrace::physical {

using arrow::Result;
using arrow::Status;
using state::StateEntry;
using types::TypeId;

namespace {

constexpr int64_t kLongRowBytes = 16;

void PutLong(int64_t value, char* out) { std::memcpy(out, &value, sizeof(value)); }

std::string_view LongRow(int64_t value, char* buffer) {
  std::memset(buffer, 0, kLongRowBytes);
  PutLong(value, buffer + 8);
  return {buffer, kLongRowBytes};
}

}  // namespace

IndexedKeys::IndexedKeys(const std::vector<types::DataTypePtr>& key_types)
    : num_columns_(static_cast<int>(key_types.size())) {
  for (const auto& type : key_types) {
    bool in_place =
        (type->id() == TypeId::kDecimal && type->precision() > 18) || type->id() == TypeId::kCalendarInterval;
    points_when_null_.push_back(in_place);
    points_.push_back(in_place || type->is_nested() || type->id() == TypeId::kString || type->id() == TypeId::kBinary);
  }
}

std::string_view IndexedKeys::Make(std::string_view key, int64_t index, std::string* scratch) const {
  int64_t old_bits = state::NullBitsBytes(num_columns_), bits = state::NullBitsBytes(num_columns_ + 1);
  int64_t moved = bits - old_bits + 8;
  scratch->assign(key.size() + static_cast<size_t>(moved), '\0');
  char* out = scratch->data();
  std::memcpy(out, key.data(), static_cast<size_t>(old_bits));
  for (int c = 0; c < num_columns_; ++c) {
    int64_t slot;
    std::memcpy(&slot, key.data() + old_bits + 8 * c, 8);
    auto column = static_cast<size_t>(c);
    bool points = points_[column] && (points_when_null_[column] || !state::IsNullAt(key, c));
    PutLong(points ? slot + (moved << 32) : slot, out + bits + 8 * c);
  }
  PutLong(index, out + bits + 8 * num_columns_);
  int64_t fixed = old_bits + 8 * num_columns_;
  std::memcpy(out + fixed + moved, key.data() + fixed, key.size() - static_cast<size_t>(fixed));
  return *scratch;
}

void IndexedKeys::Append(std::string_view key, int64_t index, state::UnsafeRows* rows) const {
  thread_local std::string scratch;
  rows->Append(Make(key, index, &scratch));
}

std::string_view IndexedKeys::KeyOf(std::string_view indexed, std::string* scratch) const {
  int64_t bits = state::NullBitsBytes(num_columns_), old_bits = state::NullBitsBytes(num_columns_ + 1);
  int64_t moved = old_bits - bits + 8;
  scratch->assign(indexed.size() - static_cast<size_t>(moved), '\0');
  char* out = scratch->data();
  std::memcpy(out, indexed.data(), static_cast<size_t>(bits));
  for (int c = 0; c < num_columns_; ++c) {
    int64_t slot;
    std::memcpy(&slot, indexed.data() + old_bits + 8 * c, 8);
    auto column = static_cast<size_t>(c);
    bool points = points_[column] && (points_when_null_[column] || !state::IsNullAt(indexed, c));
    PutLong(points ? slot - (moved << 32) : slot, out + bits + 8 * c);
  }
  int64_t fixed = bits + 8 * num_columns_;
  std::memcpy(out + fixed, indexed.data() + fixed + moved, scratch->size() - static_cast<size_t>(fixed));
  return *scratch;
}

JoinSideState::JoinSideState(state::StateStore* counts, state::StateStore* values, const IndexedKeys* indexed,
                             std::optional<size_t> flag_at)
    : counts_(counts), values_(values), indexed_(indexed), flag_at_(flag_at) {}

Status JoinSideState::Missing(int64_t index, int64_t count) const {
  std::string side = std::string(values_->id().store_name.substr(0, values_->id().store_name.find('-')));
  return UserError("STREAM_STREAM_JOIN_INCONSISTENT_STATE.NULL_VALUE",
                   {{"valueIndex", std::to_string(index)},
                    {"numValues", std::to_string(count)},
                    {"joinSide", side},
                    {"storeVersion", values_->version().ToString()},
                    {"partitionId", std::to_string(values_->id().partition)},
                    {"configKey", "spark.sql.streaming.stateStore.skipNullsForStreamStreamJoins.enabled"}});
}

Status JoinSideState::CountAll(const state::UnsafeRows& keys, std::vector<int64_t>* counts) {
  std::vector<std::string_view> rows;
  ARROW_RETURN_NOT_OK(counts_->GetAll(keys, &rows));
  counts->resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) (*counts)[i] = rows[i].size() < 16 ? 0 : state::LongAt(rows[i], 1, 0);
  return Status::OK();
}

Status JoinSideState::GetAll(const state::UnsafeRows& indexed_keys, std::vector<std::string_view>* values) {
  ARROW_RETURN_NOT_OK(values_->GetAll(indexed_keys, values));
  for (std::string_view value : *values) {
    if (value.data() == nullptr) return Missing(0, 0);
  }
  return Status::OK();
}

Status JoinSideState::VisitKeys(const std::vector<StateEntry>& keys, const KeyVisitor& visit) {
  constexpr int64_t kRowsAtOnce = 1024;
  std::vector<int64_t> counts;
  for (size_t begin = 0; begin < keys.size(); begin += counts.size()) {
    counts.clear();
    indexed_keys_.Clear();
    for (size_t k = begin; k < keys.size() && indexed_keys_.num_rows() < kRowsAtOnce; ++k) {
      if (keys[k].value.size() < static_cast<size_t>(kLongRowBytes)) return Missing(0, 0);
      counts.push_back(state::LongAt(keys[k].value, 1, 0));
      for (int64_t i = 0; i < counts.back(); ++i) indexed_->Append(keys[k].key, i, &indexed_keys_);
    }
    ARROW_RETURN_NOT_OK(GetAll(indexed_keys_, &found_));
    size_t row = 0;
    for (size_t k = 0; k < counts.size(); ++k) {
      const auto count = static_cast<size_t>(counts[k]);
      ARROW_RETURN_NOT_OK(visit(keys[begin + k].key, counts[k], std::span(found_).subspan(row, count)));
      row += count;
    }
  }
  return Status::OK();
}

Status JoinSideState::SetCount(std::string_view key, int64_t count) {
  if (count == 0) return counts_->Remove(key);
  char buffer[kLongRowBytes];
  return counts_->Put(key, LongRow(count, buffer));
}

Status JoinSideState::AppendAll(const state::UnsafeRows& keys, const std::vector<std::string_view>& values,
                                const std::vector<bool>& matched) {
  std::vector<int64_t> counts;
  ARROW_RETURN_NOT_OK(CountAll(keys, &counts));
  // Rows of one key stand behind each other: a small table tells the row of the same key before this one.
  const auto num_rows = static_cast<size_t>(keys.num_rows());
  const size_t mask = std::bit_ceil(num_rows * 2 + 1) - 1;
  std::vector<int32_t> last_of_key(mask + 1, -1);
  indexed_keys_.Clear();
  new_values_.Clear();
  new_counts_.Clear();
  for (size_t i = 0; i < num_rows; ++i) {
    std::string_view key = keys.row(static_cast<int64_t>(i));
    size_t slot = state::HashRow(key) & mask;
    while (last_of_key[slot] >= 0 && keys.row(last_of_key[slot]) != key) slot = (slot + 1) & mask;
    if (last_of_key[slot] >= 0) counts[i] = counts[static_cast<size_t>(last_of_key[slot])];
    last_of_key[slot] = static_cast<int32_t>(i);
    indexed_->Append(key, counts[i], &indexed_keys_);
    if (!flag_at_ || matched[i] == IsMatched(values[i])) {
      new_values_.Append(values[i]);
    } else {
      value_scratch_.assign(values[i]);
      value_scratch_[*flag_at_] = matched[i] ? 1 : 0;
      new_values_.Append(value_scratch_);
    }
    char buffer[kLongRowBytes];
    new_counts_.Append(LongRow(++counts[i], buffer));
  }
  ARROW_RETURN_NOT_OK(values_->PutAll(indexed_keys_, new_values_));
  return counts_->PutAll(keys, new_counts_);
}

bool JoinSideState::IsMatched(std::string_view value) const { return flag_at_.has_value() && value[*flag_at_] != 0; }

Status JoinSideState::MarkMatched(std::string_view indexed_key, std::string_view value) {
  if (!flag_at_ || IsMatched(value)) return Status::OK();
  value_scratch_.assign(value);
  value_scratch_[*flag_at_] = 1;
  return values_->Put(indexed_key, value_scratch_);
}

Status JoinSideState::Rearrange(std::string_view key, int64_t count, const std::vector<Kept>& kept) {
  // A row may move to a place whose own row moves on: what moves is copied first.
  std::vector<std::pair<int64_t, std::string>> moves;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].position != static_cast<int64_t>(i)) moves.emplace_back(static_cast<int64_t>(i), kept[i].value);
  }
  for (const auto& [position, value] : moves) {
    ARROW_RETURN_NOT_OK(values_->Put(indexed_->Make(key, position, &key_scratch_), value));
  }
  auto new_count = static_cast<int64_t>(kept.size());
  for (int64_t i = count - 1; i >= new_count; --i) {
    ARROW_RETURN_NOT_OK(values_->Remove(indexed_->Make(key, i, &key_scratch_)));
  }
  return new_count == count ? Status::OK() : SetCount(key, new_count);
}

Result<int64_t> JoinSideState::EvictByKey(int64_t watermark_us, state::UnsafeRows* removed) {
  state::UnsafeRows keys, counts;
  std::vector<StateEntry> old_keys;
  auto collect = [&](std::span<const StateEntry> entries) {
    for (const StateEntry& entry : entries) {
      keys.Append(entry.key);
      counts.Append(entry.value);
      old_keys.push_back(entry);
    }
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(counts_->ScanUpTo(watermark_us, collect, nullptr));
  for (size_t i = 0; i < old_keys.size(); ++i) {
    old_keys[i].key = keys.row(static_cast<int64_t>(i));
    old_keys[i].value = counts.row(static_cast<int64_t>(i));
  }
  state::SortInSparkOrder(&old_keys);
  int64_t num_removed = 0;
  auto remove = [&](std::string_view key, int64_t count, std::span<const std::string_view> rows) -> Status {
    for (int64_t i = 0; i < count; ++i) {
      if (removed != nullptr) removed->Append(rows[static_cast<size_t>(i)]);
      ARROW_RETURN_NOT_OK(values_->Remove(indexed_->Make(key, i, &key_scratch_)));
    }
    num_removed += count;
    return counts_->Remove(key);
  };
  ARROW_RETURN_NOT_OK(VisitKeys(old_keys, remove));
  return num_removed;
}

Result<int64_t> JoinSideState::EvictByValue(const EventTimeColumn& value_time, int64_t watermark_us,
                                            state::UnsafeRows* removed) {
  // The old rows tell the keys; each of these is then gone through as Spark goes through all.
  state::UnsafeRows keys;
  std::string scratch;
  auto collect = [&](std::span<const StateEntry> entries) {
    for (const StateEntry& entry : entries) keys.Append(indexed_->KeyOf(entry.key, &scratch));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(values_->ScanUpTo(watermark_us, collect, nullptr));
  std::vector<StateEntry> old_keys;
  ARROW_RETURN_NOT_OK(counts_->FindAll(keys, &old_keys));
  for (size_t i = 0; i < old_keys.size(); ++i) old_keys[i].key = keys.row(static_cast<int64_t>(i));
  state::SortInSparkOrder(&old_keys);
  auto same_key = [](const StateEntry& a, const StateEntry& b) { return a.key == b.key; };
  old_keys.erase(std::unique(old_keys.begin(), old_keys.end(), same_key), old_keys.end());
  int64_t num_removed = 0;
  std::vector<Kept> kept;
  auto remove = [&](std::string_view key, int64_t count, std::span<const std::string_view> rows) {
    kept.clear();
    for (size_t i = 0; i < rows.size(); ++i) kept.push_back({static_cast<int64_t>(i), rows[i]});
    // The last row takes the place of one that goes, and is looked at there.
    for (size_t i = 0; i < kept.size();) {
      auto time = value_time.TimeOf(kept[i].value);
      if (!time || *time > watermark_us) {
        ++i;
        continue;
      }
      if (removed != nullptr) removed->Append(kept[i].value);
      ++num_removed;
      kept[i] = kept.back();
      kept.pop_back();
    }
    return Rearrange(key, count, kept);
  };
  ARROW_RETURN_NOT_OK(VisitKeys(old_keys, remove));
  return num_removed;
}

}  // namespace millrace::physical
