#include "function/sketch/kll_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "types/number_text.h"

namespace millrace::function {

namespace {

constexpr int kLeastLevelSize = 8, kMaxLevels = 61;
constexpr uint8_t kShortPreamble = 2, kFullPreamble = 5, kFamily = 15;
constexpr uint8_t kCompact = 1, kSingle = 2, kUpdatable = 3;
constexpr uint8_t kEmptyFlag = 1, kSortedFlag = 2, kSingleFlag = 4;
constexpr size_t kShortSize = 8, kFullSize = 20;

/// k (2/3)^depth, rounded. REQUIRES: depth <= 30.
int64_t Shrunk(int64_t k, int depth) {
  int64_t divisor = 1;
  for (int i = 0; i < depth; ++i) divisor *= 3;
  return (((k << 1 << depth) / divisor) + 1) >> 1;
}

/// How many items a level of `num_levels` may have before it is compacted.
int64_t LevelCapacity(int k, int num_levels, int level) {
  int depth = num_levels - level - 1;
  int64_t capacity = depth <= 30 ? Shrunk(k, depth) : Shrunk(Shrunk(k, depth / 2), depth - depth / 2);
  return std::max<int64_t>(kLeastLevelSize, capacity);
}

int64_t TotalCapacity(int k, int num_levels) {
  int64_t total = 0;
  for (int level = 0; level < num_levels; ++level) total += LevelCapacity(k, num_levels, level);
  return total;
}

double RankError(int k, bool of_distribution) {
  return of_distribution ? 2.446 / std::pow(k, 0.9433) : 2.296 / std::pow(k, 0.9723);
}

/// Not random, so that the same rows give the same sketch.
bool Chance(int64_t num_items, size_t level) {
  uint64_t x = static_cast<uint64_t>(num_items) * 0x9E3779B97F4A7C15ULL + level;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return ((x >> 31) & 1) != 0;
}

template <typename V>
void Put(V value, std::string* out) {
  char bytes[sizeof(V)];
  std::memcpy(bytes, &value, sizeof(V));
  out->append(bytes, sizeof(V));
}

template <typename V>
V Get(std::string_view bytes, size_t offset) {
  V value;
  std::memcpy(&value, bytes.data() + offset, sizeof(V));
  return value;
}

template <typename T>
std::string ItemText(T item) {
  if constexpr (std::is_same_v<T, int64_t>) return std::to_string(item);
  if constexpr (std::is_same_v<T, float>) return types::FloatText(item);
  if constexpr (std::is_same_v<T, double>) return types::DoubleText(item);
}

template <typename T>
constexpr std::string_view kItemsName = std::is_same_v<T, int64_t> ? "Longs"
                                        : std::is_same_v<T, float> ? "Floats"
                                                                   : "Doubles";

}  // namespace

template <typename T>
int64_t KllSketch<T>::NumRetained() const {
  return std::accumulate(levels_.begin(), levels_.end(), int64_t{0},
                         [](int64_t sum, const Level& level) { return sum + static_cast<int64_t>(level.size()); });
}

template <typename T>
int64_t KllSketch<T>::Capacity() const {
  return TotalCapacity(k_, num_levels());
}

template <typename T>
void KllSketch<T>::Widen(T least, T greatest) {
  min_ = num_items_ == 0 ? least : std::min(min_, least);
  max_ = num_items_ == 0 ? greatest : std::max(max_, greatest);
}

template <typename T>
void KllSketch<T>::Update(T item) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(item)) return;
  }
  Widen(item, item);
  if (room_ <= 0) {
    CompactFirstFull();
    room_ = Capacity() - NumRetained();
  }
  --room_;
  ++num_items_;
  first_is_sorted_ = false;
  levels_[0].push_back(item);
}

template <typename T>
void KllSketch<T>::CompactFirstFull() {
  int level = 0;
  while (static_cast<int64_t>(levels_[static_cast<size_t>(level)].size()) < LevelCapacity(k_, num_levels(), level)) {
    ++level;
  }
  if (level == num_levels() - 1) levels_.emplace_back();
  Compact(static_cast<size_t>(level));
}

template <typename T>
void KllSketch<T>::Compact(size_t level) {
  Level items = std::move(levels_[level]);
  Level& kept = levels_[level];
  kept.clear();
  if (items.size() % 2 == 1) {
    // The one that came last, or the least, stays where it is.
    auto left = level == 0 ? items.end() - 1 : items.begin();
    kept.push_back(*left);
    items.erase(left);
  }
  if (level == 0) std::sort(items.begin(), items.end());
  Level half;
  for (size_t i = Chance(num_items_, level) ? 1 : 0; i < items.size(); i += 2) half.push_back(items[i]);
  Level& above = levels_[level + 1];
  Level merged(half.size() + above.size());
  std::merge(half.begin(), half.end(), above.begin(), above.end(), merged.begin());
  above = std::move(merged);
}

template <typename T>
void KllSketch<T>::Merge(const KllSketch& other) {
  if (other.num_items_ == 0) return;
  const int64_t num_items = num_items_ + other.num_items_;
  Widen(other.min_, other.max_);
  T least = min_, greatest = max_;
  for (auto item = other.levels_[0].rbegin(); item != other.levels_[0].rend(); ++item) Update(*item);
  if (other.num_levels() > 1) {
    MergeHigherLevels(other);
    min_k_ = std::min(min_k_, other.min_k_);
  }
  min_ = least;
  max_ = greatest;
  num_items_ = num_items;
}

template <typename T>
void KllSketch<T>::MergeHigherLevels(const KllSketch& other) {
  if (levels_.size() < other.levels_.size()) levels_.resize(other.levels_.size());
  for (size_t i = 1; i < other.levels_.size(); ++i) {
    Level merged(levels_[i].size() + other.levels_[i].size());
    std::merge(levels_[i].begin(), levels_[i].end(), other.levels_[i].begin(), other.levels_[i].end(), merged.begin());
    levels_[i] = std::move(merged);
  }
  // A level more is more room: the capacity grows on the way.
  for (int level = 0; level < num_levels(); ++level) {
    auto size = static_cast<int64_t>(levels_[static_cast<size_t>(level)].size());
    if (NumRetained() < Capacity() || size < LevelCapacity(k_, num_levels(), level)) continue;
    if (level == num_levels() - 1) levels_.emplace_back();
    Compact(static_cast<size_t>(level));
  }
  room_ = Capacity() - NumRetained();
}

template <typename T>
KllView<T> KllSketch<T>::Sorted() const {
  std::vector<std::pair<T, int64_t>> view;
  for (size_t level = 0; level < levels_.size(); ++level) {
    for (T item : levels_[level]) view.emplace_back(item, int64_t{1} << level);
  }
  std::stable_sort(view.begin(), view.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  int64_t weight = 0;
  for (auto& [item, up_to] : view) up_to = weight += up_to;
  // The least and the greatest are known, even where they were dropped.
  if (view.back().first != max_) {
    --view.back().second;
    view.emplace_back(max_, weight);
  }
  if (view.front().first != min_) view.emplace(view.begin(), min_, 1);
  return {std::move(view), num_items_};
}

template <typename T>
T KllView<T>::Quantile(double rank) const {
  constexpr double kRounding = 1e7;
  double natural = rank * static_cast<double>(num_items_);
  if (static_cast<double>(num_items_) <= kRounding) natural = std::floor(natural * kRounding + 0.5) / kRounding;
  auto wanted = static_cast<int64_t>(std::ceil(natural));
  auto found =
      std::find_if(entries_.begin(), entries_.end(), [wanted](const auto& entry) { return entry.second >= wanted; });
  return found == entries_.end() ? entries_.back().first : found->first;
}

template <typename T>
double KllView<T>::Rank(T item) const {
  double rank = 0;
  for (const auto& [value, up_to] : entries_) {
    if (value <= item) rank = static_cast<double>(up_to) / static_cast<double>(num_items_);
  }
  return rank;
}

template <typename T>
int64_t KllSketch<T>::SerializedSize(bool with_free_space) const {
  constexpr int64_t kItem = sizeof(T);
  if (!with_free_space && num_items_ <= 1) return static_cast<int64_t>(kShortSize) + num_items_ * kItem;
  int64_t num_offsets = num_levels() + (with_free_space ? 1 : 0);
  int64_t num_values = 2 + (with_free_space ? Capacity() : NumRetained());
  return static_cast<int64_t>(kFullSize) + num_offsets * 4 + num_values * kItem;
}

template <typename T>
std::string KllSketch<T>::Text() const {
  const bool empty = num_items_ == 0;
  std::string out = fmt::format("\n### KllKll{}Sketch Summary:\n", kItemsName<T>);
  auto line = [&out](std::string_view name, const std::string& value) {
    out += fmt::format("   {:<23}: {}\n", name, value);
  };
  auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  line("K", std::to_string(k_));
  line("Dynamic min K", std::to_string(min_k_));
  line("M", std::to_string(kLeastLevelSize));
  line("N", std::to_string(num_items_));
  line("Epsilon", fmt::format("{:.3f}%", RankError(min_k_, false) * 100));
  line("Epsilon PMF", fmt::format("{:.3f}%", RankError(min_k_, true) * 100));
  line("Empty", flag(empty));
  line("Estimation Mode", flag(num_levels() > 1));
  line("Levels", std::to_string(num_levels()));
  line("Level 0 Sorted", flag(first_is_sorted_));
  line("Capacity Items", std::to_string(Capacity()));
  line("Retained Items", std::to_string(NumRetained()));
  line("Free Space", std::to_string(Capacity() - NumRetained()));
  line("ReadOnly", "false");
  line("Updatable Storage Bytes", std::to_string(SerializedSize(true)));
  line("Compact Storage Bytes", std::to_string(SerializedSize(false)));
  line("Min Item", empty ? "NaN" : ItemText(min_));
  line("Max Item", empty ? "NaN" : ItemText(max_));
  return out + "### End sketch summary\n";
}

template <typename T>
std::string KllSketch<T>::Serialize() const {
  const bool empty = num_items_ == 0, single = num_items_ == 1;
  std::string out;
  Put<uint8_t>(empty || single ? kShortPreamble : kFullPreamble, &out);
  Put<uint8_t>(single ? kSingle : kCompact, &out);
  Put<uint8_t>(kFamily, &out);
  int flags = (empty ? kEmptyFlag : 0) | (first_is_sorted_ ? kSortedFlag : 0) | (single ? kSingleFlag : 0);
  Put(static_cast<uint8_t>(flags), &out);
  Put(static_cast<uint16_t>(k_), &out);
  Put<uint8_t>(kLeastLevelSize, &out);
  Put<uint8_t>(0, &out);
  if (empty) return out;
  if (!single) {
    Put(num_items_, &out);
    Put(static_cast<uint16_t>(min_k_), &out);
    Put(static_cast<uint8_t>(num_levels()), &out);
    Put<uint8_t>(0, &out);
    // Where each level begins among all items, which lie at the end of the room for them.
    int64_t begin = Capacity() - NumRetained();
    for (const Level& level : levels_) {
      Put(static_cast<int32_t>(begin), &out);
      begin += static_cast<int64_t>(level.size());
    }
    Put(min_, &out);
    Put(max_, &out);
  }
  // The items of level 0 came from the room's end down.
  for (auto item = levels_[0].rbegin(); item != levels_[0].rend(); ++item) Put(*item, &out);
  for (size_t i = 1; i < levels_.size(); ++i) {
    for (T item : levels_[i]) Put(item, &out);
  }
  return out;
}

template <typename T>
arrow::Result<KllSketch<T>> KllSketch<T>::Parse(std::string_view bytes) {
  if (bytes.size() < kShortSize) return arrow::Status::Invalid("too short for a sketch");
  auto preamble = Get<uint8_t>(bytes, 0), form = Get<uint8_t>(bytes, 1), flags = Get<uint8_t>(bytes, 3);
  KllSketch sketch(Get<uint16_t>(bytes, 4));
  bool known =
      Get<uint8_t>(bytes, 2) == kFamily && Get<uint8_t>(bytes, 6) == kLeastLevelSize && sketch.k_ >= kLeastLevelSize;
  if (!known) return arrow::Status::Invalid("not a sketch of this kind");
  sketch.first_is_sorted_ = (flags & kSortedFlag) != 0;
  if (preamble == kShortPreamble && form == kCompact && (flags & kEmptyFlag) != 0) return sketch;
  if (preamble == kShortPreamble && form == kSingle) {
    if (bytes.size() < kShortSize + sizeof(T)) return arrow::Status::Invalid("the sketch's item is missing");
    T item = Get<T>(bytes, kShortSize);
    sketch.num_items_ = 1;
    sketch.min_ = sketch.max_ = item;
    sketch.levels_[0].push_back(item);
    --sketch.room_;
    return sketch;
  }
  bool full = preamble == kFullPreamble && (form == kCompact || form == kUpdatable) && bytes.size() >= kFullSize;
  if (!full) return arrow::Status::Invalid("not a form of sketches");
  sketch.num_items_ = Get<int64_t>(bytes, 8);
  sketch.min_k_ = Get<uint16_t>(bytes, 16);
  ARROW_RETURN_NOT_OK(sketch.ParseFull(bytes, Get<uint8_t>(bytes, 18), form == kUpdatable));
  return sketch;
}

template <typename T>
arrow::Status KllSketch<T>::ParseFull(std::string_view bytes, int num_levels, bool with_free_space) {
  if (num_levels < 1 || num_levels > kMaxLevels || num_items_ < 0) return arrow::Status::Invalid("damaged sketch");
  const int64_t capacity = TotalCapacity(k_, num_levels);
  const auto num_offsets = static_cast<size_t>(num_levels) + (with_free_space ? 1 : 0);
  size_t at = kFullSize + num_offsets * 4;
  if (bytes.size() < at + 2 * sizeof(T)) return arrow::Status::Invalid("damaged sketch");
  std::vector<int64_t> begins;
  for (int i = 0; i < num_levels; ++i) begins.push_back(Get<int32_t>(bytes, kFullSize + static_cast<size_t>(i) * 4));
  begins.push_back(capacity);
  if (begins[0] < 0 || !std::is_sorted(begins.begin(), begins.end())) return arrow::Status::Invalid("damaged sketch");
  min_ = Get<T>(bytes, at);
  max_ = Get<T>(bytes, at + sizeof(T));
  at += 2 * sizeof(T);
  if (with_free_space) at += static_cast<size_t>(begins[0]) * sizeof(T);
  if (bytes.size() < at + static_cast<size_t>(capacity - begins[0]) * sizeof(T)) {
    return arrow::Status::Invalid("items of the sketch are missing");
  }
  levels_.assign(static_cast<size_t>(num_levels), {});
  for (size_t level = 0; level < levels_.size(); ++level) {
    for (int64_t i = begins[level]; i < begins[level + 1]; ++i, at += sizeof(T)) {
      levels_[level].push_back(Get<T>(bytes, at));
    }
  }
  std::reverse(levels_[0].begin(), levels_[0].end());
  room_ = Capacity() - NumRetained();
  return CheckItems();
}

// Bytes can say anything: without items there is nothing to answer with, and what has no order cannot be sorted.
template <typename T>
arrow::Status KllSketch<T>::CheckItems() const {
  uint64_t weight = 0;
  for (size_t level = 0; level < levels_.size(); ++level) {
    weight += static_cast<uint64_t>(levels_[level].size()) << level;
    for (T item : levels_[level]) {
      if (item != item) return arrow::Status::Invalid("an item of the sketch is no number");
    }
  }
  if (num_items_ == 0 || weight != static_cast<uint64_t>(num_items_)) {
    return arrow::Status::Invalid("the sketch's items are not as many as it says");
  }
  return arrow::Status::OK();
}

template class KllView<int64_t>;
template class KllView<float>;
template class KllView<double>;
template class KllSketch<int64_t>;
template class KllSketch<float>;
template class KllSketch<double>;

}  // namespace millrace::function
