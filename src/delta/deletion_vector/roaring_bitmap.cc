#include "delta/deletion_vector/roaring_bitmap.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

namespace millrace::delta {

namespace {

constexpr uint32_t kMagic = 1681511377;        // the portable form
constexpr uint32_t kNativeMagic = 1681511376;  // bitmaps with their sizes, the first for upper half 0, and so on
constexpr uint32_t kCookieNoRuns = 12346;
constexpr uint32_t kCookieRuns = 12347;
constexpr uint32_t kNoOffsetThreshold = 4;

uint32_t Swapped(uint32_t value) { return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24; }

template <typename T>
void AppendLittle(T value, std::string* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

arrow::Status Malformed(const char* what) { return arrow::Status::Invalid("Malformed deletion vector: ", what); }

}  // namespace

uint32_t RoaringBitmap::Container::cardinality() const {
  if (bits.empty()) return static_cast<uint32_t>(listed.size());
  uint32_t count = 0;
  for (uint64_t word : bits) count += static_cast<uint32_t>(std::popcount(word));
  return count;
}

bool RoaringBitmap::Container::Contains(uint16_t low) const {
  if (bits.empty()) return std::binary_search(listed.begin(), listed.end(), low);
  return (bits[low >> 6] >> (low & 63) & 1) != 0;
}

/// Walks over the bytes of a serialised bitmap.
class RoaringBitmap::Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  bool Little(T* value) {
    if (bytes_.size() < sizeof(T)) return false;
    uint64_t result = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      result |= uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    }
    bytes_.remove_prefix(sizeof(T));
    *value = static_cast<T>(result);
    return true;
  }
  bool Skip(size_t count) {
    if (bytes_.size() < count) return false;
    bytes_.remove_prefix(count);
    return true;
  }
  std::string_view Take(size_t count) {
    std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  size_t left() const { return bytes_.size(); }

  /// One 32-bit bitmap whose positions have `high` as their upper half.
  arrow::Status ReadBitmap(uint32_t high, RoaringBitmap* into) {
    uint32_t cookie = 0;
    if (!Little(&cookie)) return Malformed("cut short");
    uint32_t num_containers = 0;
    std::string_view run_flags;
    if ((cookie & 0xffff) == kCookieRuns) {
      num_containers = (cookie >> 16) + 1;
      size_t flag_bytes = (num_containers + 7) / 8;
      if (left() < flag_bytes) return Malformed("cut short");
      run_flags = Take(flag_bytes);
    } else if (cookie == kCookieNoRuns) {
      if (!Little(&num_containers)) return Malformed("cut short");
      if (num_containers > 65536) return Malformed("too many containers");
    } else {
      return Malformed("unknown cookie");
    }
    if (left() / 4 < num_containers) return Malformed("cut short");
    std::vector<std::pair<uint16_t, uint32_t>> headers(num_containers);
    for (auto& [key, cardinality] : headers) {
      uint16_t less_one = 0;
      (void)Little(&key);
      (void)Little(&less_one);
      cardinality = uint32_t{less_one} + 1;
    }
    for (size_t i = 1; i < headers.size(); ++i) {
      if (headers[i].first <= headers[i - 1].first) return Malformed("containers are out of order");
    }
    bool has_offsets = run_flags.empty() || num_containers >= kNoOffsetThreshold;
    if (has_offsets && !Skip(size_t{4} * num_containers)) return Malformed("cut short");
    for (size_t i = 0; i < headers.size(); ++i) {
      bool is_run = !run_flags.empty() && (static_cast<unsigned char>(run_flags[i / 8]) >> (i % 8) & 1) != 0;
      uint64_t key = uint64_t{high} << 16 | headers[i].first;
      ARROW_RETURN_NOT_OK(ReadContainer(key, headers[i].second, is_run, into));
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status ReadContainer(uint64_t key, uint32_t cardinality, bool is_run, RoaringBitmap* into) {
    if (is_run) return ReadRuns(key, cardinality, into);
    Container container;
    container.key = key;
    if (cardinality > kMaxListed) {
      if (left() < kNumWords * 8) return Malformed("cut short");
      container.bits.resize(kNumWords);
      for (uint64_t& word : container.bits) (void)Little(&word);
      if (container.cardinality() != cardinality) return Malformed("the number of bits is another one");
      into->Add(std::move(container));
      return arrow::Status::OK();
    }
    if (left() < size_t{2} * cardinality) return Malformed("cut short");
    container.listed.resize(cardinality);
    for (uint16_t& low : container.listed) (void)Little(&low);
    for (size_t i = 1; i < container.listed.size(); ++i) {
      if (container.listed[i] <= container.listed[i - 1]) return Malformed("positions are out of order");
    }
    into->Add(std::move(container));
    return arrow::Status::OK();
  }

  arrow::Status ReadRuns(uint64_t key, uint32_t cardinality, RoaringBitmap* into) {
    uint16_t num_runs = 0;
    if (!Little(&num_runs) || left() < size_t{4} * num_runs) return Malformed("cut short");
    std::vector<uint64_t> bits(kNumWords, 0);
    int64_t last = -1;
    for (uint16_t run = 0; run < num_runs; ++run) {
      uint16_t start = 0, length_less_one = 0;
      (void)Little(&start);
      (void)Little(&length_less_one);
      uint32_t end = uint32_t{start} + length_less_one;
      if (start <= last || end > 65535) return Malformed("runs are out of order");
      for (uint32_t low = start; low <= end; ++low) bits[low >> 6] |= uint64_t{1} << (low & 63);
      last = end;
    }
    Container container;
    container.key = key;
    container.bits = std::move(bits);
    if (container.cardinality() != cardinality) return Malformed("the number of bits is another one");
    if (cardinality <= kMaxListed) {
      std::vector<uint16_t> listed;
      for (uint32_t low = 0; low < 65536; ++low) {
        if (container.Contains(static_cast<uint16_t>(low))) listed.push_back(static_cast<uint16_t>(low));
      }
      container = MakeContainer(key, std::move(listed));
    }
    into->Add(std::move(container));
    return arrow::Status::OK();
  }

  std::string_view bytes_;
};

RoaringBitmap::Container RoaringBitmap::MakeContainer(uint64_t key, std::vector<uint16_t> ascending) {
  Container container;
  container.key = key;
  if (ascending.size() <= kMaxListed) {
    container.listed = std::move(ascending);
    return container;
  }
  container.bits.assign(kNumWords, 0);
  for (uint16_t low : ascending) container.bits[low >> 6] |= uint64_t{1} << (low & 63);
  return container;
}

void RoaringBitmap::Add(Container container) {
  uint32_t count = container.cardinality();
  if (count == 0) return;
  cardinality_ += count;
  containers_.push_back(std::move(container));
}

RoaringBitmap RoaringBitmap::Of(std::vector<uint64_t> positions) {
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  RoaringBitmap bitmap;
  for (size_t begin = 0; begin < positions.size();) {
    uint64_t key = positions[begin] >> 16;
    std::vector<uint16_t> listed;
    size_t end = begin;
    for (; end < positions.size() && positions[end] >> 16 == key; ++end) {
      listed.push_back(static_cast<uint16_t>(positions[end]));
    }
    bitmap.Add(MakeContainer(key, std::move(listed)));
    begin = end;
  }
  return bitmap;
}

arrow::Result<RoaringBitmap> RoaringBitmap::Parse(std::string_view bytes) {
  Reader reader(bytes);
  uint32_t magic = 0;
  if (!reader.Little(&magic)) return Malformed("cut short");
  if (magic == kNativeMagic || Swapped(magic) == kNativeMagic) {
    return ParseNative(bytes.substr(4), /*big_endian=*/magic != kNativeMagic);
  }
  if (magic != kMagic) return Malformed("unknown magic number");
  uint64_t num_bitmaps = 0;
  if (!reader.Little(&num_bitmaps)) return Malformed("cut short");
  if (num_bitmaps > reader.left() / 8) return Malformed("too many bitmaps");
  RoaringBitmap bitmap;
  int64_t last = -1;
  for (uint64_t i = 0; i < num_bitmaps; ++i) {
    uint32_t high = 0;
    if (!reader.Little(&high)) return Malformed("cut short");
    if (int64_t{high} <= last || high > INT32_MAX) return Malformed("bitmaps are out of order");
    last = high;
    ARROW_RETURN_NOT_OK(reader.ReadBitmap(high, &bitmap));
  }
  if (reader.left() > 0) return Malformed("bytes are left over");
  return bitmap;
}

arrow::Result<RoaringBitmap> RoaringBitmap::ParseNative(std::string_view bytes, bool big_endian) {
  Reader reader(bytes);
  auto read = [&](uint32_t* value) {
    if (!reader.Little(value)) return false;
    if (big_endian) *value = Swapped(*value);
    return true;
  };
  uint32_t num_bitmaps = 0;
  if (!read(&num_bitmaps)) return Malformed("cut short");
  if (num_bitmaps > reader.left() / 8) return Malformed("too many bitmaps");
  RoaringBitmap bitmap;
  for (uint32_t high = 0; high < num_bitmaps; ++high) {
    uint32_t size = 0;
    if (!read(&size) || size > reader.left()) return Malformed("cut short");
    Reader one(reader.Take(size));
    ARROW_RETURN_NOT_OK(one.ReadBitmap(high, &bitmap));
    if (one.left() > 0) return Malformed("bytes are left over");
  }
  if (reader.left() > 0) return Malformed("bytes are left over");
  return bitmap;
}

std::string RoaringBitmap::Serialize() const {
  std::string out;
  AppendLittle(kMagic, &out);
  std::vector<std::pair<size_t, size_t>> halves;  // containers of one upper half: [begin, end)
  for (size_t begin = 0; begin < containers_.size();) {
    size_t end = begin;
    while (end < containers_.size() && containers_[end].key >> 16 == containers_[begin].key >> 16) ++end;
    halves.emplace_back(begin, end);
    begin = end;
  }
  AppendLittle(uint64_t{halves.size()}, &out);
  for (auto [begin, end] : halves) {
    AppendLittle(static_cast<uint32_t>(containers_[begin].key >> 16), &out);
    auto count = static_cast<uint32_t>(end - begin);
    AppendLittle(kCookieNoRuns, &out);
    AppendLittle(count, &out);
    for (size_t i = begin; i < end; ++i) {
      AppendLittle(static_cast<uint16_t>(containers_[i].key), &out);
      AppendLittle(static_cast<uint16_t>(containers_[i].cardinality() - 1), &out);
    }
    uint32_t offset = 8 + 8 * count;
    for (size_t i = begin; i < end; ++i) {
      AppendLittle(offset, &out);
      offset += containers_[i].bits.empty() ? static_cast<uint32_t>(2 * containers_[i].listed.size()) : 8192;
    }
    for (size_t i = begin; i < end; ++i) {
      for (uint16_t low : containers_[i].listed) AppendLittle(low, &out);
      for (uint64_t word : containers_[i].bits) AppendLittle(word, &out);
    }
  }
  return out;
}

bool RoaringBitmap::Contains(uint64_t position) const {
  uint64_t key = position >> 16;
  auto it = std::lower_bound(containers_.begin(), containers_.end(), key,
                             [](const Container& container, uint64_t wanted) { return container.key < wanted; });
  return it != containers_.end() && it->key == key && it->Contains(static_cast<uint16_t>(position));
}

uint64_t RoaringBitmap::Max() const {
  const Container& last = containers_.back();
  if (last.bits.empty()) return last.key << 16 | last.listed.back();
  size_t word = kNumWords - 1;
  while (last.bits[word] == 0) --word;
  return last.key << 16 | (word * 64 + 63 - static_cast<size_t>(std::countl_zero(last.bits[word])));
}

std::vector<uint64_t> RoaringBitmap::ToVector() const {
  std::vector<uint64_t> positions;
  positions.reserve(cardinality_);
  for (const Container& container : containers_) {
    for (uint16_t low : container.listed) positions.push_back(container.key << 16 | low);
    for (size_t i = 0; i < container.bits.size(); ++i) {
      for (uint64_t word = container.bits[i]; word != 0; word &= word - 1) {
        positions.push_back(container.key << 16 | (i * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }
  return positions;
}

int64_t RoaringBitmap::ClearBits(uint64_t first, int64_t length, uint8_t* keep) const {
  if (length <= 0) return 0;
  uint64_t end = first + static_cast<uint64_t>(length);
  int64_t cleared = 0;
  auto clear = [&](uint64_t position) {
    if (position < first || position >= end) return;
    uint64_t bit = position - first;
    keep[bit >> 3] &= static_cast<uint8_t>(~(1u << (bit & 7)));
    ++cleared;
  };
  auto it = std::lower_bound(containers_.begin(), containers_.end(), first >> 16,
                             [](const Container& container, uint64_t wanted) { return container.key < wanted; });
  for (; it != containers_.end() && it->key <= (end - 1) >> 16; ++it) {
    uint64_t base = it->key << 16;
    for (uint16_t low : it->listed) clear(base | low);
    for (size_t i = 0; i < it->bits.size(); ++i) {
      for (uint64_t word = it->bits[i]; word != 0; word &= word - 1) {
        clear(base | (i * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }
  return cleared;
}

RoaringBitmap RoaringBitmap::Minus(const RoaringBitmap& other) const {
  std::vector<uint64_t> a = ToVector(), b = other.ToVector(), difference;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(difference));
  return Of(std::move(difference));
}

RoaringBitmap RoaringBitmap::Union(const RoaringBitmap& other) const {
  std::vector<uint64_t> all = ToVector(), b = other.ToVector();
  all.insert(all.end(), b.begin(), b.end());
  return Of(std::move(all));
}

}  // namespace millrace::delta
