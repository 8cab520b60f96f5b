#include "function/aggregate/quantile_digest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace millrace::function {

namespace {

constexpr size_t kHeadSize = 50000;

// Java's order of doubles: -0.0 before 0.0, NaN last.
bool IsLess(double a, double b) {
  if (a < b) return true;
  if (a > b) return false;
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return std::signbit(a) && !std::signbit(b);
}

void Append(uint64_t value, int num_bytes, std::string* out) {
  for (int shift = (num_bytes - 1) * 8; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

uint64_t Take(std::string_view* bytes, size_t num_bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < num_bytes; ++i) value = value << 8 | static_cast<uint8_t>((*bytes)[i]);
  bytes->remove_prefix(num_bytes);
  return value;
}

constexpr size_t kHeaderBytes = 4 + 8 + 8 + 4;
constexpr size_t kSampleBytes = 8 + 8 + 8;

}  // namespace

void QuantileDigest::Insert(double value) {
  head_.push_back(value);
  is_compressed_ = false;
  if (head_.size() < kHeadSize) return;
  InsertHead();
  if (samples_.size() >= static_cast<size_t>(compress_threshold_)) Compress();
}

void QuantileDigest::InsertHead() {
  if (head_.empty()) return;
  std::sort(head_.begin(), head_.end(), IsLess);
  std::vector<Sample> all;
  all.reserve(samples_.size() + head_.size());
  size_t next = 0;
  for (size_t i = 0; i < head_.size(); ++i) {
    while (next < samples_.size() && samples_[next].value <= head_[i]) all.push_back(samples_[next++]);
    ++count_;
    bool is_end = all.empty() || (next == samples_.size() && i + 1 == head_.size());
    double delta = is_end ? 0 : std::floor(2 * relative_error_ * static_cast<double>(count_));
    all.push_back({head_[i], 1, static_cast<int64_t>(delta)});
  }
  all.insert(all.end(), samples_.begin() + static_cast<std::ptrdiff_t>(next), samples_.end());
  samples_ = std::move(all);
  head_.clear();
}

void QuantileDigest::Compress() {
  InsertHead();
  samples_ = Compressed(samples_, 2 * relative_error_ * static_cast<double>(count_));
  is_compressed_ = true;
}

std::vector<QuantileDigest::Sample> QuantileDigest::Compressed(const std::vector<Sample>& samples, double threshold) {
  if (samples.empty()) return {};
  // From the last one, which stays, to the second; the first stays too.
  std::vector<Sample> backwards;
  Sample current = samples.back();
  for (size_t i = samples.size() - 1; i-- > 1;) {
    const Sample& before = samples[i];
    if (static_cast<double>(before.g + current.g + current.delta) < threshold) {
      current.g += before.g;
    } else {
      backwards.push_back(current);
      current = before;
    }
  }
  backwards.push_back(current);
  if (samples.size() > 1 && samples.front().value <= current.value) backwards.push_back(samples.front());
  return {backwards.rbegin(), backwards.rend()};
}

void QuantileDigest::Merge(const QuantileDigest& other) {
  if (!other.is_compressed_) {
    QuantileDigest copy = other;
    copy.Compress();
    return Merge(copy);
  }
  if (!is_compressed_) Compress();
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  // A sample between two of the other side may stand anywhere between their ranks.
  auto own_extra = static_cast<int64_t>(std::floor(2 * other.relative_error_ * static_cast<double>(other.count_)));
  auto other_extra = static_cast<int64_t>(std::floor(2 * relative_error_ * static_cast<double>(count_)));
  std::vector<Sample> merged;
  merged.reserve(samples_.size() + other.samples_.size());
  size_t own = 0, others = 0;
  while (own < samples_.size() && others < other.samples_.size()) {
    bool take_own = samples_[own].value < other.samples_[others].value;
    Sample sample = take_own ? samples_[own++] : other.samples_[others++];
    if (take_own && others > 0) sample.delta += own_extra;
    if (!take_own && own > 0) sample.delta += other_extra;
    merged.push_back(sample);
  }
  merged.insert(merged.end(), samples_.begin() + static_cast<std::ptrdiff_t>(own), samples_.end());
  merged.insert(merged.end(), other.samples_.begin() + static_cast<std::ptrdiff_t>(others), other.samples_.end());
  relative_error_ = std::max(relative_error_, other.relative_error_);
  compress_threshold_ = other.compress_threshold_;
  count_ += other.count_;
  samples_ = Compressed(merged, 2 * relative_error_ * static_cast<double>(count_));
}

std::vector<double> QuantileDigest::Query(const std::vector<double>& percentages) {
  if (!is_compressed_) Compress();
  if (samples_.empty()) return {};
  int64_t target_error = 0;
  for (const Sample& sample : samples_) target_error = std::max(target_error, sample.g + sample.delta);
  target_error /= 2;
  std::vector<double> found(percentages.size());
  std::vector<size_t> order(percentages.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return percentages[a] < percentages[b]; });
  size_t at = 0;
  int64_t least_rank = samples_[0].g;
  for (size_t which : order) {
    double percentage = percentages[which];
    if (percentage <= relative_error_ || samples_.size() == 1) {
      found[which] = samples_.front().value;
      continue;
    }
    if (percentage >= 1 - relative_error_) {
      found[which] = samples_.back().value;
      continue;
    }
    auto rank = static_cast<int64_t>(std::ceil(percentage * static_cast<double>(count_)));
    while (at + 1 < samples_.size() &&
           (least_rank + samples_[at].delta - target_error > rank || rank > least_rank + target_error)) {
      ++at;
      least_rank += samples_[at].g;
    }
    found[which] = samples_[at].value;
  }
  return found;
}

std::string QuantileDigest::Serialize() {
  if (!is_compressed_) Compress();
  std::string bytes;
  bytes.reserve(kHeaderBytes + samples_.size() * kSampleBytes);
  Append(static_cast<uint32_t>(compress_threshold_), 4, &bytes);
  Append(std::bit_cast<uint64_t>(relative_error_), 8, &bytes);
  Append(static_cast<uint64_t>(count_), 8, &bytes);
  Append(samples_.size(), 4, &bytes);
  for (const Sample& sample : samples_) {
    Append(std::bit_cast<uint64_t>(sample.value), 8, &bytes);
    Append(static_cast<uint64_t>(sample.g), 8, &bytes);
    Append(static_cast<uint64_t>(sample.delta), 8, &bytes);
  }
  return bytes;
}

std::optional<QuantileDigest> QuantileDigest::Parse(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  auto threshold = static_cast<int32_t>(Take(&bytes, 4));
  QuantileDigest digest(std::bit_cast<double>(Take(&bytes, 8)));
  digest.compress_threshold_ = threshold;
  digest.count_ = static_cast<int64_t>(Take(&bytes, 8));
  uint64_t num_samples = Take(&bytes, 4);
  if (bytes.size() != num_samples * kSampleBytes) return std::nullopt;
  digest.samples_.resize(num_samples);
  for (Sample& sample : digest.samples_) {
    sample.value = std::bit_cast<double>(Take(&bytes, 8));
    sample.g = static_cast<int64_t>(Take(&bytes, 8));
    sample.delta = static_cast<int64_t>(Take(&bytes, 8));
  }
  return digest;
}

}  // namespace millrace::function
