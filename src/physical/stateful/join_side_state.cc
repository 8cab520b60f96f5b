#include "physical/stateful/join_side_state.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

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
                             int num_value_columns)
    : counts_(counts), values_(values), indexed_(indexed), num_value_columns_(num_value_columns) {}

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

Result<std::string_view> JoinSideState::Get(std::string_view key, int64_t index, int64_t count) {
  ARROW_ASSIGN_OR_RAISE(std::string_view value, values_->Get(indexed_->Make(key, index, &key_scratch_)));
  if (value.data() == nullptr) return Missing(index, count);
  return value;
}

Status JoinSideState::SetCount(std::string_view key, int64_t count) {
  if (count == 0) return counts_->Remove(key);
  char buffer[kLongRowBytes];
  return counts_->Put(key, LongRow(count, buffer));
}

Status JoinSideState::Append(std::string_view key, std::string_view value, bool matched) {
  ARROW_ASSIGN_OR_RAISE(std::string_view count_row, counts_->Get(key));
  int64_t count = count_row.data() == nullptr ? 0 : state::LongAt(count_row, 1, 0);
  std::string_view row = value;
  if (matched != IsMatched(value)) {
    value_scratch_.assign(value);
    value_scratch_[static_cast<size_t>(state::NullBitsBytes(num_value_columns_) + 8 * (num_value_columns_ - 1))] =
        matched ? 1 : 0;
    row = value_scratch_;
  }
  ARROW_RETURN_NOT_OK(values_->Put(indexed_->Make(key, count, &key_scratch_), row));
  return SetCount(key, count + 1);
}

bool JoinSideState::IsMatched(std::string_view value) const {
  return value[static_cast<size_t>(state::NullBitsBytes(num_value_columns_) + 8 * (num_value_columns_ - 1))] != 0;
}

Status JoinSideState::MarkMatched(std::string_view indexed_key, std::string_view value) {
  if (IsMatched(value)) return Status::OK();
  value_scratch_.assign(value);
  value_scratch_[static_cast<size_t>(state::NullBitsBytes(num_value_columns_) + 8 * (num_value_columns_ - 1))] = 1;
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
  struct OldKey {
    uint64_t order;
    std::string key;
    int64_t count;
  };
  std::vector<OldKey> old_keys;
  auto collect = [&](std::span<const StateEntry> entries) {
    for (const StateEntry& entry : entries) {
      int64_t count = entry.value.size() < 16 ? 0 : state::LongAt(entry.value, 1, 0);
      old_keys.push_back({entry.order, std::string(entry.key), count});
    }
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(counts_->ScanUpTo(watermark_us, collect, nullptr));
  std::sort(old_keys.begin(), old_keys.end(),
            [](const OldKey& a, const OldKey& b) { return a.order != b.order ? a.order < b.order : a.key < b.key; });
  int64_t num_removed = 0;
  for (const OldKey& old : old_keys) {
    for (int64_t i = 0; i < old.count; ++i) {
      if (removed != nullptr) {
        ARROW_ASSIGN_OR_RAISE(std::string_view value, Get(old.key, i, old.count));
        removed->Append(value);
      }
      ARROW_RETURN_NOT_OK(values_->Remove(indexed_->Make(old.key, i, &key_scratch_)));
    }
    ARROW_RETURN_NOT_OK(counts_->Remove(old.key));
    num_removed += old.count;
  }
  return num_removed;
}

Result<int64_t> JoinSideState::EvictByValue(const EventTimeColumn& value_time, int64_t watermark_us,
                                            state::UnsafeRows* removed) {
  // The old rows tell the keys; each of these is then gone through as Spark goes through all.
  std::unordered_set<std::string> keys;
  std::string scratch;
  auto collect = [&](std::span<const StateEntry> entries) {
    for (const StateEntry& entry : entries) keys.emplace(indexed_->KeyOf(entry.key, &scratch));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(values_->ScanUpTo(watermark_us, collect, nullptr));
  std::vector<StateEntry> old_keys;
  for (const std::string& key : keys) {
    ARROW_ASSIGN_OR_RAISE(StateEntry entry, counts_->Find(key));
    if (entry.key.data() == nullptr || entry.value.size() < 16) return Missing(0, 0);
    old_keys.push_back({key, entry.value, entry.order});
  }
  state::SortInSparkOrder(&old_keys);
  int64_t num_removed = 0;
  std::vector<Kept> kept;
  for (const StateEntry& old : old_keys) {
    int64_t count = state::LongAt(old.value, 1, 0);
    kept.clear();
    for (int64_t i = 0; i < count; ++i) {
      ARROW_ASSIGN_OR_RAISE(std::string_view value, Get(old.key, i, count));
      kept.push_back({i, value});
    }
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
    ARROW_RETURN_NOT_OK(Rearrange(old.key, count, kept));
  }
  return num_removed;
}

}  // namespace millrace::physical
