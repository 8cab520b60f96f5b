#include "function/sketch/hll_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <span>

#include "function/sketch/hll_tables.h"
#include "function/sketch/murmur_hash_128.h"

namespace millrace::function {

namespace {

// A coupon is where a key falls (26 bits) and how rare its hash is (6 bits).
constexpr int kPlaceBits = 26;
constexpr uint32_t kPlaceMask = (1u << kPlaceBits) - 1;
constexpr int kLog2List = 3, kLog2FirstSet = 5;
// Below it a full list becomes registers at once.
constexpr int kSmallestWithSet = 8;
// Registers above it count in the second sum.
constexpr int kLowRegister = 32;
constexpr uint8_t kFamily = 7, kVersion = 1, kRegistersOfBytes = 2 << 2;
constexpr uint8_t kEmptyFlag = 4, kCompactFlag = 8, kOutOfOrderFlag = 16;
constexpr size_t kListStart = 8, kSetStart = 12, kRegisterStart = 40;

// How many keys leave so many coupons. Source: DataSketches, CouponMapping.
constexpr double kCouponCounts[] = {0,       1,       20,      400,     8000,    160000,  300000,  600000,
                                    900000,  1200000, 1500000, 1800000, 2100000, 2400000, 2700000, 3000000,
                                    3300000, 3600000, 3900000, 4200000, 4500000, 4800000, 5100000, 5400000,
                                    5700000, 6000000, 6300000, 6600000, 6900000, 7200000, 7500000, 7800000,
                                    8100000, 8400000, 8700000, 9000000, 9300000, 9600000, 9900000, 10200000};
constexpr double kKeyCounts[] = {
    0.0000000000000000,       1.0000000000000000,       20.0000009437402611,       400.0003963713384110,
    8000.1589294602090376,    160063.6067763759638183,  300223.7071597663452849,   600895.5933856170158833,
    902016.8065120954997838,  1203588.4983199508860707, 1505611.8245524743106216,  1808087.9449319066479802,
    2111018.0231759352609515, 2414403.2270142501220107, 2718244.7282051891088486,  3022543.7025524540804327,
    3327301.3299219091422856, 3632518.7942584538832307, 3938197.2836029687896371,  4244337.9901093561202288,
    4550942.1100616492331028, 4858010.8438911894336343, 5165545.3961938973516226,  5473546.9757476449012756,
    5782016.7955296505242586, 6090956.0727340159937739, 6400366.0287892958149314,  6710247.8893762007355690,
    7020602.8844453142955899, 7331432.2482349723577499, 7642737.2192891482263803,  7954519.0404754765331745,
    8266778.9590033423155546, 8579518.2264420464634895, 8892738.0987390466034412,  9206439.8362383283674717,
    9520624.7036988288164139, 9835293.9703129194676876, 10150448.9097250290215015, 10466090.8000503256917000};

double InversePower(int exponent) { return std::ldexp(1.0, -exponent); }

// The cubic through four neighbours of x, at x.
template <typename Y>
double Interpolate(std::span<const double> xs, Y y_of, double x) {
  size_t last = xs.size() - 1;
  if (x == xs[last]) return y_of(last);
  auto below = static_cast<size_t>(std::upper_bound(xs.begin(), xs.end(), x) - xs.begin()) - 1;
  size_t first = below == 0 ? 0 : below == last - 1 ? below - 2 : below - 1;
  double sum = 0;
  for (size_t i = first; i < first + 4; ++i) {
    double above = 1, under = 1;
    for (size_t j = first; j < first + 4; ++j) {
      if (i == j) continue;
      above *= x - xs[j];
      under *= xs[i] - xs[j];
    }
    sum += y_of(i) * above / under;
  }
  return sum;
}

double HarmonicNumber(double n) {
  if (n < 25) {
    double sum = 0;
    for (int i = 1; i <= static_cast<int>(n); ++i) sum += 1.0 / i;
    return sum;
  }
  constexpr double kEulerMascheroni = 0.577215664901532860606512090082;
  double inverse_square = 1.0 / (n * n), power = inverse_square;
  double sum = std::log(n) + kEulerMascheroni + 1.0 / (2.0 * n);
  for (double factor : {-1.0 / 12.0, 1.0 / 120.0, -1.0 / 252.0, 1.0 / 240.0}) {
    sum += power * factor;
    power *= inverse_square;
  }
  return sum;
}

template <typename T>
void PutAt(std::string* out, size_t at, T value) {
  std::memcpy(out->data() + at, &value, sizeof value);
}

template <typename T>
T GetAt(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

arrow::Status NoSketch() { return arrow::Status::Invalid("not a sketch"); }

}  // namespace

HllSketch::HllSketch(int log2_size)
    : log2_size_(log2_size), log2_table_(kLog2List), coupons_(size_t{1} << kLog2List, 0) {}

void HllSketch::Update(std::string_view bytes) {
  auto hash = MurmurHash128(bytes, kSketchSeed);
  auto rarity = static_cast<uint32_t>(std::min(std::countl_zero(hash[1]), 62) + 1);
  AddCoupon(rarity << kPlaceBits | (static_cast<uint32_t>(hash[0]) & kPlaceMask));
}

void HllSketch::AddCoupon(uint32_t coupon) {
  switch (mode_) {
    case Mode::kList:
      return AddToList(coupon);
    case Mode::kSet:
      if (AddToSet(coupon) && count_ * 4 > 3 * coupons_.size()) {
        if (log2_table_ == log2_size_ - 3) return ToRegisters();
        std::vector<uint32_t> before = std::move(coupons_);
        coupons_.assign(size_t{1} << ++log2_table_, 0);
        count_ = 0;
        for (uint32_t one : before) {
          if (one != 0) AddToSet(one);
        }
      }
      return;
    case Mode::kRegisters:
      return AddToRegisters(coupon);
  }
}

void HllSketch::AddToList(uint32_t coupon) {
  for (uint32_t& place : coupons_) {
    if (place == coupon) return;
    if (place != 0) continue;
    place = coupon;
    if (++count_ == coupons_.size()) return log2_size_ < kSmallestWithSet ? ToRegisters() : ToSet();
    return;
  }
}

bool HllSketch::AddToSet(uint32_t coupon) {
  uint32_t mask = (1u << log2_table_) - 1;
  uint32_t stride = ((coupon & kPlaceMask) >> log2_table_) | 1;
  uint32_t at = coupon & mask;
  while (coupons_[at] != 0) {
    if (coupons_[at] == coupon) return false;
    at = (at + stride) & mask;
  }
  coupons_[at] = coupon;
  ++count_;
  return true;
}

void HllSketch::ToSet() {
  std::vector<uint32_t> list = std::move(coupons_);
  mode_ = Mode::kSet;
  log2_table_ = kLog2FirstSet;
  coupons_.assign(size_t{1} << log2_table_, 0);
  count_ = 0;
  for (uint32_t coupon : list) AddToSet(coupon);
}

void HllSketch::ToRegisters() {
  double estimate = CouponEstimate();
  std::vector<uint32_t> coupons = std::move(coupons_);
  coupons_.clear();
  mode_ = Mode::kRegisters;
  registers_.assign(size_t{1} << log2_size_, 0);
  sum_high_ = static_cast<double>(registers_.size());
  sum_low_ = 0;
  zeros_ = static_cast<uint32_t>(registers_.size());
  for (uint32_t coupon : coupons) {
    if (coupon != 0) AddToRegisters(coupon);
  }
  in_order_ = estimate;
}

void HllSketch::AddToRegisters(uint32_t coupon) {
  uint8_t& place = registers_[coupon & ((1u << log2_size_) - 1)];
  auto rarity = static_cast<uint8_t>(coupon >> kPlaceBits);
  if (rarity <= place) return;
  in_order_ += static_cast<double>(registers_.size()) / (sum_high_ + sum_low_);
  (place < kLowRegister ? sum_high_ : sum_low_) -= InversePower(place);
  (rarity < kLowRegister ? sum_high_ : sum_low_) += InversePower(rarity);
  if (place == 0) --zeros_;
  place = rarity;
}

void HllSketch::CountRegisters() {
  sum_high_ = sum_low_ = 0;
  zeros_ = 0;
  for (uint8_t place : registers_) {
    (place < kLowRegister ? sum_high_ : sum_low_) += InversePower(place);
    zeros_ += place == 0;
  }
}

std::vector<uint32_t> HllSketch::Coupons() const {
  std::vector<uint32_t> coupons;
  if (mode_ != Mode::kRegisters) {
    std::copy_if(coupons_.begin(), coupons_.end(), std::back_inserter(coupons), [](uint32_t one) { return one != 0; });
    return coupons;
  }
  for (size_t i = 0; i < registers_.size(); ++i) {
    if (registers_[i] == 0) continue;
    coupons.push_back(static_cast<uint32_t>(registers_[i]) << kPlaceBits | static_cast<uint32_t>(i));
  }
  return coupons;
}

HllSketch HllSketch::Downsampled(int log2_size) const {
  HllSketch smaller(log2_size);
  smaller.ToRegisters();
  for (uint32_t coupon : Coupons()) smaller.AddToRegisters(coupon);
  smaller.in_order_ = in_order_;
  smaller.out_of_order_ = out_of_order_;
  return smaller;
}

void HllSketch::Merge(const HllSketch& other, int log2_most) {
  if (other.empty()) return;
  if (other.mode_ != Mode::kRegisters) {
    for (uint32_t coupon : other.Coupons()) AddCoupon(coupon);
    return;
  }
  if (mode_ != Mode::kRegisters) {
    HllSketch merged = other.log2_size_ > log2_most ? other.Downsampled(log2_most) : other;
    for (uint32_t coupon : Coupons()) merged.AddToRegisters(coupon);
    *this = std::move(merged);
    return;
  }
  if (other.log2_size_ < log2_size_) *this = Downsampled(other.log2_size_);
  size_t mask = registers_.size() - 1;
  for (size_t i = 0; i < other.registers_.size(); ++i) {
    registers_[i & mask] = std::max(registers_[i & mask], other.registers_[i]);
  }
  CountRegisters();
  out_of_order_ = true;
  in_order_ = 0;
}

double HllSketch::CouponEstimate() const {
  double estimate = Interpolate(kCouponCounts, [](size_t i) { return kKeyCounts[i]; }, count_);
  return std::max(estimate, static_cast<double>(count_));
}

double HllSketch::CompositeEstimate() const {
  auto size = static_cast<double>(registers_.size());
  double correction = log2_size_ == 4   ? 0.673
                      : log2_size_ == 5 ? 0.697
                      : log2_size_ == 6 ? 0.709
                                        : 0.7213 / (1.0 + 1.079 / size);
  double raw = correction * size * size / (sum_high_ + sum_low_);
  std::span<const double> table = HllRawEstimates(log2_size_);
  double stride = HllTableStride(log2_size_);
  if (raw < table.front()) return 0;
  if (raw > table.back()) return raw * (stride * static_cast<double>(table.size() - 1) / table.back());
  double adjusted = Interpolate(table, [&](size_t i) { return stride * static_cast<double>(i); }, raw);
  if (adjusted > 3 * size) return adjusted;
  double linear = zeros_ == 0 ? size * std::log(size / 0.5) : size * (HarmonicNumber(size) - HarmonicNumber(zeros_));
  double cross_over = log2_size_ == 4 ? 0.718 : log2_size_ == 5 ? 0.672 : 0.64;
  return (adjusted + linear) / 2.0 > cross_over * size ? adjusted : linear;
}

double HllSketch::Estimate() const {
  if (mode_ != Mode::kRegisters) return CouponEstimate();
  return out_of_order_ ? CompositeEstimate() : in_order_;
}

std::string HllSketch::Serialize() const {
  constexpr uint8_t kWords[] = {2, 3, 10};
  auto mode = static_cast<uint8_t>(mode_);
  size_t start = mode_ == Mode::kList ? kListStart : mode_ == Mode::kSet ? kSetStart : kRegisterStart;
  std::string out(start + (mode_ == Mode::kRegisters ? registers_.size() : 4 * coupons_.size()), '\0');
  out[0] = static_cast<char>(kWords[mode]);
  out[1] = kVersion;
  out[2] = kFamily;
  out[3] = static_cast<char>(log2_size_);
  out[5] = static_cast<char>((empty() ? kEmptyFlag : 0) | (out_of_order_ ? kOutOfOrderFlag : 0));
  out[7] = static_cast<char>(mode | kRegistersOfBytes);
  if (mode_ == Mode::kRegisters) {
    PutAt(&out, 8, in_order_);
    PutAt(&out, 16, sum_high_);
    PutAt(&out, 24, sum_low_);
    PutAt(&out, 32, zeros_);
    std::memcpy(out.data() + start, registers_.data(), registers_.size());
    return out;
  }
  out[4] = static_cast<char>(log2_table_);
  if (mode_ == Mode::kList) {
    out[6] = static_cast<char>(count_);
  } else {
    PutAt(&out, 8, count_);
  }
  std::memcpy(out.data() + start, coupons_.data(), 4 * coupons_.size());
  return out;
}

arrow::Result<HllSketch> HllSketch::Parse(std::string_view bytes) {
  if (bytes.size() < kListStart || bytes[1] != kVersion || bytes[2] != kFamily) return NoSketch();
  auto log2_size = static_cast<uint8_t>(bytes[3]);
  auto flags = static_cast<uint8_t>(bytes[5]);
  auto mode = static_cast<uint8_t>(bytes[7] & 3);
  if (log2_size < kMinHllLog2 || log2_size > kMaxHllLog2 || mode > 2) return NoSketch();
  HllSketch sketch(log2_size);
  if ((flags & kEmptyFlag) != 0) return sketch;
  if (static_cast<Mode>(mode) != Mode::kRegisters) {
    bool list = static_cast<Mode>(mode) == Mode::kList;
    size_t start = list ? kListStart : kSetStart;
    if (bytes.size() < start) return NoSketch();
    size_t count = list ? static_cast<uint8_t>(bytes[6]) : GetAt<uint32_t>(bytes, 8);
    bool compact = (flags & kCompactFlag) != 0;
    if (!compact && static_cast<uint8_t>(bytes[4]) > kPlaceBits) return NoSketch();
    size_t places = compact ? count : size_t{1} << static_cast<uint8_t>(bytes[4]);
    if (bytes.size() < start + 4 * places) return NoSketch();
    for (size_t i = 0; i < places; ++i) {
      if (auto coupon = GetAt<uint32_t>(bytes, start + 4 * i); coupon != 0) sketch.AddCoupon(coupon);
    }
    return sketch;
  }
  // Registers of four and six bits come from other programs only.
  if ((bytes[7] & 12) != kRegistersOfBytes) return NoSketch();
  size_t size = size_t{1} << log2_size;
  if (bytes.size() < kRegisterStart + size) return NoSketch();
  sketch.mode_ = Mode::kRegisters;
  sketch.coupons_.clear();
  sketch.registers_.resize(size);
  std::memcpy(sketch.registers_.data(), bytes.data() + kRegisterStart, size);
  sketch.CountRegisters();
  sketch.in_order_ = GetAt<double>(bytes, 8);
  sketch.out_of_order_ = (flags & kOutOfOrderFlag) != 0;
  return sketch;
}

}  // namespace millrace::function
