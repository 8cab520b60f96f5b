#include "state/memory/time_index.h"

#include <algorithm>

namespace millrace::state {

namespace {

constexpr size_t kFewBuckets = 64;
constexpr int64_t kReferencesABucket = 64;
// More than this beyond the watermark is not gone through again.
constexpr size_t kSplitAbove = 256;
constexpr int64_t kSplitInto = 16;
constexpr int kWidestBits = 50;
constexpr size_t kMostKnown = 4096;
// Times asked for at once.
constexpr size_t kTimes = 256;

/// `visit(reference, time)` of each whose row is there, until one gives false.
template <typename Visit>
void VisitTimes(std::span<const uint32_t> references, const TimeIndex::TimesOf& times_of, Visit&& visit) {
  std::optional<int64_t> times[kTimes];
  while (!references.empty()) {
    std::span<const uint32_t> some = references.first(std::min(references.size(), kTimes));
    times_of(some, times);
    for (size_t i = 0; i < some.size(); ++i) {
      if (times[i] && !visit(some[i], *times[i])) return;
    }
    references = references.subspan(some.size());
  }
}

}  // namespace

void TimeIndex::ForgetKnown() { std::fill(known_.begin(), known_.end(), Known()); }

TimeIndex::Bucket& TimeIndex::BucketOf(int64_t time_us) {
  Known& known = known_[static_cast<size_t>(time_us >> width_bits_) & (known_.size() - 1)];
  if (known.bucket != nullptr && known.begin_us <= time_us && time_us < known.end_us) return *known.bucket;
  return FindOrMake(time_us, &known);
}

TimeIndex::Bucket& TimeIndex::FindOrMake(int64_t time_us, Known* known) {
  auto next = buckets_.upper_bound(time_us);
  if (next != buckets_.begin()) {
    auto before = std::prev(next);
    if (time_us < before->second.end_us || before->second.end_us == INT64_MAX) {
      *known = {before->first, before->second.end_us, &before->second};
      return before->second;
    }
  }
  // Times at the ends of what can be told share buckets that reach there.
  int64_t begin = time_us < INT64_MIN / 2 ? INT64_MIN : time_us >> width_bits_ << width_bits_;
  int64_t end = time_us > INT64_MAX / 2 ? INT64_MAX
                : begin == INT64_MIN    ? INT64_MIN / 2
                                        : begin + (int64_t{1} << width_bits_);
  if (next != buckets_.begin()) begin = std::max(begin, std::prev(next)->second.end_us);
  if (next != buckets_.end()) end = std::min(end, next->first);
  auto made = buckets_.emplace_hint(next, begin, Bucket());
  made->second.end_us = end;
  *known = {begin, end, &made->second};
  if (buckets_.size() > known_.size() && known_.size() < kMostKnown) known_.assign(known_.size() * 2, Known());
  return made->second;
}

void TimeIndex::Add(int64_t time_us, uint32_t reference) {
  Bucket& bucket = BucketOf(time_us);
  bucket.references.push_back(reference);
  bucket.min_us = std::min(bucket.min_us, time_us);
  ++num_references_;
  if (ShouldWiden()) Widen();
}

bool TimeIndex::ShouldWiden() const {
  return buckets_.size() > kFewBuckets &&
         static_cast<int64_t>(buckets_.size()) * kReferencesABucket > num_references_ + 64 * kReferencesABucket &&
         width_bits_ < kWidestBits;
}

void TimeIndex::Widen() {
  do {
    width_bits_ += 2;
    Buckets wide;
    for (auto& [begin, bucket] : buckets_) {
      if (!wide.empty() && wide.rbegin()->first >> width_bits_ == begin >> width_bits_) {
        Bucket& into = wide.rbegin()->second;
        into.end_us = bucket.end_us;
        into.min_us = std::min(into.min_us, bucket.min_us);
        into.references.insert(into.references.end(), bucket.references.begin(), bucket.references.end());
      } else {
        wide.emplace_hint(wide.end(), begin, std::move(bucket));
      }
    }
    buckets_ = std::move(wide);
  } while (ShouldWiden());
  ForgetKnown();
}

bool TimeIndex::TakeSomeUpTo(int64_t time_us, const TimesOf& times_of, std::vector<uint32_t>* taken) {
  auto first = buckets_.begin();
  if (first == buckets_.end() || first->second.min_us > time_us) return false;
  Bucket& bucket = first->second;
  size_t num_kept = 0;
  int64_t min_us = INT64_MAX;
  VisitTimes(bucket.references, times_of, [&](uint32_t reference, int64_t time) {
    if (time < first->first || (time >= bucket.end_us && bucket.end_us != INT64_MAX)) return true;
    if (time <= time_us) {
      taken->push_back(reference);
      return true;
    }
    bucket.references[num_kept++] = reference;  // never ahead of what is read
    min_us = std::min(min_us, time);
    return true;
  });
  num_references_ -= static_cast<int64_t>(bucket.references.size() - num_kept);
  if (num_kept == 0) {
    ForgetKnown();
    buckets_.erase(first);
    return true;
  }
  bucket.references.resize(num_kept);
  bucket.min_us = min_us;
  if (num_kept > kSplitAbove) Split(first, times_of);
  return true;
}

void TimeIndex::Split(Buckets::iterator bucket, const TimesOf& times_of) {
  // Begins where its first time is: what is before is past.
  int64_t begin = bucket->second.min_us, end = bucket->second.end_us;
  if (end - begin < kSplitInto || end == INT64_MAX || begin < INT64_MIN / 2) return;
  int64_t width = (end - begin + kSplitInto - 1) / kSplitInto;
  std::vector<uint32_t> references = std::move(bucket->second.references);
  ForgetKnown();
  buckets_.erase(bucket);
  VisitTimes(references, times_of, [&](uint32_t reference, int64_t time_us) {
    int64_t part = begin + (time_us - begin) / width * width;
    auto [it, is_new] = buckets_.try_emplace(part);
    if (is_new) it->second.end_us = std::min(part + width, end);
    it->second.min_us = std::min(it->second.min_us, time_us);
    it->second.references.push_back(reference);
    return true;
  });
}

int64_t TimeIndex::Earliest(const TimesOf& times_of) {
  while (!buckets_.empty()) {
    auto first = buckets_.begin();
    Bucket& bucket = first->second;
    int64_t least = INT64_MAX;
    VisitTimes(bucket.references, times_of, [&](uint32_t, int64_t time) {
      if (time >= first->first && time < bucket.end_us) least = std::min(least, time);
      return least != bucket.min_us;
    });
    if (least == bucket.min_us) return least;
    if (least != INT64_MAX) return bucket.min_us = least;
    num_references_ -= static_cast<int64_t>(bucket.references.size());
    ForgetKnown();
    buckets_.erase(first);
  }
  return INT64_MAX;
}

int64_t TimeIndex::memory_bytes() const {
  constexpr int64_t kNodeBytes = 32 + sizeof(Buckets::value_type);
  // Vectors that double are three quarters full on average.
  return static_cast<int64_t>(buckets_.size()) * kNodeBytes + num_references_ * 16 / 3;
}

}  // namespace millrace::state
