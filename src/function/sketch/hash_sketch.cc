#include "function/sketch/hash_sketch.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/ascii.h"
#include "function/sketch/murmur_hash_128.h"

namespace millrace::function {

namespace {

constexpr uint8_t kCompactFamily = 3, kTupleFamily = 9;
constexpr uint8_t kReadOnly = 2, kEmpty = 4, kCompact = 8, kOrdered = 16, kSingleItem = 32;
constexpr uint8_t kPlainVersion = 3, kPackedVersion = 4;
// What a tuple sketch says of its kind: a compact one.
constexpr uint8_t kCompactTuple = 1;
// Of the default seed.
constexpr uint16_t kSeedHash = 37836;

template <typename T>
void Put(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T Get(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

size_t SummarySize(SummaryKind kind) {
  // The value and a byte for its mode.
  return kind == SummaryKind::kNone ? 0 : kind == SummaryKind::kDouble ? 9 : 5;
}

arrow::Status NoSketch() { return arrow::Status::Invalid("not a sketch"); }

}  // namespace

std::optional<SummaryMode> ParseSummaryMode(std::string_view text) {
  std::string mode = ToLowerAscii(TrimAscii(text));
  if (mode == "sum") return SummaryMode::kSum;
  if (mode == "min") return SummaryMode::kMin;
  if (mode == "max") return SummaryMode::kMax;
  if (mode == "alwaysone") return SummaryMode::kAlwaysOne;
  return std::nullopt;
}

Summary NeutralSummary(SummaryKind kind, SummaryMode mode) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  bool real = kind == SummaryKind::kDouble;
  switch (mode) {
    case SummaryMode::kSum:
      return real ? Summary{.real = 0} : Summary{.integer = 0};
    case SummaryMode::kMin:
      return real ? Summary{.real = kInfinity} : Summary{.integer = INT32_MAX};
    case SummaryMode::kMax:
      return real ? Summary{.real = -kInfinity} : Summary{.integer = INT32_MIN};
    case SummaryMode::kAlwaysOne:
      break;
  }
  return real ? Summary{.real = 1} : Summary{.integer = 1};
}

Summary CombineSummaries(SummaryKind kind, SummaryMode mode, Summary a, Summary b) {
  bool real = kind == SummaryKind::kDouble;
  switch (mode) {
    case SummaryMode::kSum:
      if (real) return {.real = a.real + b.real};
      return {.integer = static_cast<int32_t>(static_cast<uint32_t>(a.integer) + static_cast<uint32_t>(b.integer))};
    case SummaryMode::kMin:
      return real ? (b.real < a.real ? b : a) : (b.integer < a.integer ? b : a);
    case SummaryMode::kMax:
      return real ? (b.real > a.real ? b : a) : (b.integer > a.integer ? b : a);
    case SummaryMode::kAlwaysOne:
      break;
  }
  return NeutralSummary(kind, SummaryMode::kAlwaysOne);
}

uint64_t HashSketch::HashOf(std::string_view bytes) { return MurmurHash128(bytes, kSketchSeed)[0] >> 1; }

void HashSketch::Update(uint64_t hash, Summary summary, SummaryMode mode, int log2_size) {
  empty_ = false;
  mode_ = mode;
  if (hash == 0 || hash >= theta_) return;
  auto [it, added] = entries_.emplace(hash, summary);
  if (!added) {
    if (kind_ != SummaryKind::kNone) it->second = CombineSummaries(kind_, mode, it->second, summary);
    return;
  }
  if (kind_ != SummaryKind::kNone && mode == SummaryMode::kAlwaysOne) it->second = NeutralSummary(kind_, mode);
  // The table has twice the keys' room and is rebuilt when it is 15/16 full.
  size_t limit = (size_t{2} << log2_size) / 16 * 15;
  if (entries_.size() > limit) Trim(log2_size);
}

void HashSketch::LowerTo(uint64_t theta) {
  theta_ = theta;
  std::erase_if(entries_, [&](const auto& entry) { return entry.first >= theta; });
}

void HashSketch::Trim(int log2_size) {
  size_t size = size_t{1} << log2_size;
  if (entries_.size() <= size) return;
  std::vector<uint64_t> hashes;
  hashes.reserve(entries_.size());
  for (const auto& entry : entries_) hashes.push_back(entry.first);
  std::nth_element(hashes.begin(), hashes.begin() + static_cast<ptrdiff_t>(size), hashes.end());
  LowerTo(hashes[size]);
}

void HashSketch::UnionWith(const HashSketch& other, SummaryMode mode, int log2_size) {
  if (other.empty_) return;
  empty_ = false;
  // The threshold of what was added alone counts at the end, so it is kept apart from the one of this table.
  uint64_t theta = std::min(theta_, other.theta_);
  for (const auto& [hash, summary] : other.entries_) {
    if (hash >= theta) continue;
    Update(hash, other.kind_ == kind_ ? summary : NeutralSummary(kind_, mode), mode, log2_size);
  }
  Trim(log2_size);
  if (theta < theta_) LowerTo(theta);
}

void HashSketch::IntersectWith(const HashSketch& other, SummaryMode mode) {
  if (empty_ || other.empty_) {
    *this = HashSketch(kind_);
    return;
  }
  mode_ = mode;
  theta_ = std::min(theta_, other.theta_);
  std::unordered_map<uint64_t, Summary> common;
  for (const auto& [hash, summary] : entries_) {
    auto it = other.entries_.find(hash);
    if (hash >= theta_ || it == other.entries_.end()) continue;
    Summary second = other.kind_ == kind_ ? it->second : NeutralSummary(kind_, mode);
    common.emplace(hash,
                   kind_ == SummaryKind::kNone ? Summary{.real = 0} : CombineSummaries(kind_, mode, summary, second));
  }
  entries_ = std::move(common);
  empty_ = entries_.empty() && theta_ == kMaxTheta;
}

void HashSketch::Subtract(const HashSketch& other) {
  if (empty_ || other.empty_) return;
  theta_ = std::min(theta_, other.theta_);
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.first >= theta_ || other.entries_.find(entry.first) != other.entries_.end();
  });
  empty_ = entries_.empty() && theta_ == kMaxTheta;
}

double HashSketch::Estimate() const {
  return static_cast<double>(entries_.size()) * (static_cast<double>(kMaxTheta) / static_cast<double>(theta_));
}

double HashSketch::Theta() const { return static_cast<double>(theta_) / static_cast<double>(kMaxTheta); }

double HashSketch::TotalReal(SummaryMode mode) const {
  if (entries_.empty()) return 0;
  Summary total = NeutralSummary(SummaryKind::kDouble, mode == SummaryMode::kAlwaysOne ? SummaryMode::kSum : mode);
  for (const auto& [hash, summary] : entries_) {
    if (mode == SummaryMode::kAlwaysOne) {
      total.real += 1;
    } else {
      total = CombineSummaries(SummaryKind::kDouble, mode, total, summary);
    }
  }
  return total.real;
}

int64_t HashSketch::TotalInteger(SummaryMode mode) const {
  if (entries_.empty()) return 0;
  int64_t total = mode == SummaryMode::kMin ? INT64_MAX : mode == SummaryMode::kMax ? INT64_MIN : 0;
  for (const auto& [hash, summary] : entries_) {
    switch (mode) {
      case SummaryMode::kSum:
        total += summary.integer;
        break;
      case SummaryMode::kMin:
        total = std::min<int64_t>(total, summary.integer);
        break;
      case SummaryMode::kMax:
        total = std::max<int64_t>(total, summary.integer);
        break;
      case SummaryMode::kAlwaysOne:
        total += 1;
        break;
    }
  }
  return total;
}

std::string HashSketch::SerializePacked(const std::vector<uint64_t>& hashes) const {
  uint64_t all = 0, previous = 0;
  for (uint64_t hash : hashes) {
    all |= hash - previous;
    previous = hash;
  }
  int bits = 64 - std::countl_zero(all);
  auto count = static_cast<uint32_t>(hashes.size());
  int count_bytes = (32 - std::countl_zero(count) + 7) / 8;
  std::string out;
  Put<uint8_t>(is_estimating() ? 2 : 1, &out);
  Put(kPackedVersion, &out);
  Put(kCompactFamily, &out);
  Put(static_cast<uint8_t>(bits), &out);
  Put(static_cast<uint8_t>(count_bytes), &out);
  Put<uint8_t>(kCompact | kReadOnly | kOrdered, &out);
  Put(kSeedHash, &out);
  if (is_estimating()) Put(theta_, &out);
  for (int i = 0; i < count_bytes; ++i) out += static_cast<char>(count >> (8 * i));
  // Differences of `bits` bits each, the highest first, without gaps.
  size_t begin = out.size(), at = 0;
  out.resize(begin + (hashes.size() * static_cast<size_t>(bits) + 7) / 8, '\0');
  previous = 0;
  for (uint64_t hash : hashes) {
    uint64_t difference = hash - previous;
    previous = hash;
    for (int bit = bits - 1; bit >= 0; --bit, ++at) {
      if ((difference >> bit & 1) != 0) {
        char& byte = out[begin + at / 8];
        byte = static_cast<char>(static_cast<uint8_t>(byte) | (0x80 >> (at % 8)));
      }
    }
  }
  return out;
}

std::string HashSketch::Serialize() const {
  std::vector<uint64_t> hashes;
  hashes.reserve(entries_.size());
  for (const auto& entry : entries_) hashes.push_back(entry.first);
  std::sort(hashes.begin(), hashes.end());
  bool tuple = kind_ != SummaryKind::kNone;
  bool single = hashes.size() == 1 && !is_estimating();
  if (!tuple && !hashes.empty() && !single) return SerializePacked(hashes);
  std::string out;
  uint8_t words = empty_ || single ? 1 : is_estimating() ? 3 : 2;
  Put(words, &out);
  Put(kPlainVersion, &out);
  Put(tuple ? kTupleFamily : kCompactFamily, &out);
  Put(tuple ? kCompactTuple : uint8_t{0}, &out);
  Put<uint8_t>(0, &out);
  uint8_t flags = kCompact | kReadOnly;
  if (empty_) flags |= kEmpty;
  if (!tuple) flags |= static_cast<uint8_t>(kOrdered | (single ? kSingleItem : 0));
  Put(flags, &out);
  Put(!tuple && empty_ ? uint16_t{0} : kSeedHash, &out);
  if (words > 1) {
    Put(static_cast<uint32_t>(hashes.size()), &out);
    Put<uint32_t>(0, &out);
  }
  if (words > 2) Put(theta_, &out);
  for (uint64_t hash : hashes) {
    Put(hash, &out);
    if (!tuple) continue;
    Summary summary = entries_.at(hash);
    if (kind_ == SummaryKind::kDouble) {
      Put(summary.real, &out);
    } else {
      Put(summary.integer, &out);
    }
    Put(static_cast<uint8_t>(mode_), &out);
  }
  return out;
}

std::string_view HashSketch::FamilyOf(std::string_view bytes) {
  constexpr std::string_view kNames[] = {"",        "ALPHA", "QUICKSELECT", "COMPACT", "UNION", "INTERSECTION",
                                         "A_NOT_B", "HLL",   "QUANTILES",   "TUPLE"};
  if (bytes.size() < 8) return "";
  auto family = static_cast<uint8_t>(bytes[2]);
  return family < std::size(kNames) ? kNames[family] : "";
}

arrow::Result<HashSketch> HashSketch::ParsePacked(std::string_view bytes) {
  HashSketch sketch;
  sketch.empty_ = false;
  auto words = static_cast<uint8_t>(bytes[0]);
  auto bits = static_cast<uint8_t>(bytes[3]);
  auto count_bytes = static_cast<uint8_t>(bytes[4]);
  size_t at = 8;
  if (words > 2 || bits > 64 || count_bytes > 4) return NoSketch();
  if (words > 1) {
    if (bytes.size() < 16) return NoSketch();
    sketch.theta_ = Get<uint64_t>(bytes, at);
    at += 8;
  }
  if (bytes.size() < at + count_bytes) return NoSketch();
  size_t count = 0;
  for (size_t i = 0; i < count_bytes; ++i) count |= size_t{static_cast<uint8_t>(bytes[at++])} << (8 * i);
  if (bytes.size() < at + (count * bits + 7) / 8) return NoSketch();
  uint64_t hash = 0;
  size_t bit = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t difference = 0;
    for (int b = 0; b < bits; ++b, ++bit) {
      difference = difference << 1 | (static_cast<uint8_t>(bytes[at + bit / 8]) >> (7 - bit % 8) & 1);
    }
    hash += difference;
    sketch.entries_.emplace(hash, Summary{.real = 0});
  }
  return sketch;
}

arrow::Result<HashSketch> HashSketch::ParsePlain(std::string_view bytes, SummaryKind kind) {
  HashSketch sketch(kind);
  auto words = static_cast<uint8_t>(bytes[0]);
  auto flags = static_cast<uint8_t>(bytes[5]);
  sketch.empty_ = (flags & kEmpty) != 0;
  if (sketch.empty_) return sketch;
  size_t count = 1, at = 8;
  if (words > 1) {
    if (bytes.size() < 16) return NoSketch();
    count = Get<uint32_t>(bytes, at);
    at += 8;
  }
  if (words > 2) {
    if (bytes.size() < 24) return NoSketch();
    sketch.theta_ = Get<uint64_t>(bytes, at);
    at += 8;
  }
  size_t width = 8 + SummarySize(kind);
  if (count > bytes.size() || bytes.size() < at + count * width) return NoSketch();
  for (size_t i = 0; i < count; ++i, at += width) {
    Summary summary{.real = 0};
    if (kind == SummaryKind::kDouble) summary.real = Get<double>(bytes, at + 8);
    if (kind == SummaryKind::kInteger) summary.integer = Get<int32_t>(bytes, at + 8);
    if (kind != SummaryKind::kNone) {
      // Nothing else in the bytes tells the two kinds of summaries apart.
      auto mode = static_cast<uint8_t>(bytes[at + width - 1]);
      if (mode > static_cast<uint8_t>(SummaryMode::kAlwaysOne)) return NoSketch();
      sketch.mode_ = static_cast<SummaryMode>(mode);
    }
    sketch.entries_.emplace(Get<uint64_t>(bytes, at), summary);
  }
  return sketch;
}

arrow::Result<HashSketch> HashSketch::Parse(std::string_view bytes, SummaryKind kind) {
  uint8_t family = kind == SummaryKind::kNone ? kCompactFamily : kTupleFamily;
  if (bytes.size() < 8 || static_cast<uint8_t>(bytes[2]) != family || bytes[0] < 1 || bytes[0] > 3) return NoSketch();
  auto version = static_cast<uint8_t>(bytes[1]);
  if (version == kPackedVersion && kind == SummaryKind::kNone) return ParsePacked(bytes);
  if (version != kPlainVersion) return NoSketch();
  return ParsePlain(bytes, kind);
}

}  // namespace millrace::function
