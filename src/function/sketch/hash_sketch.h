#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace millrace::function {

/// What a tuple sketch keeps beside each key, and how two of them become one.
enum class SummaryKind : uint8_t { kNone, kDouble, kInteger };
enum class SummaryMode : uint8_t { kSum, kMin, kMax, kAlwaysOne };

/// "sum", "min", "max", "alwaysone", in any case.
std::optional<SummaryMode> ParseSummaryMode(std::string_view text);

union Summary {
  double real;
  int32_t integer;
};

/// The summary of a key that comes without one.
Summary NeutralSummary(SummaryKind kind, SummaryMode mode);
Summary CombineSummaries(SummaryKind kind, SummaryMode mode, Summary a, Summary b);

/// A theta sketch, or with summaries a tuple sketch: the keys whose hash lies below a threshold, which sinks so that
/// about 2^log2_size of them are kept. Number of distinct keys: as many as are kept, over the part of the hashes that
/// lies below. Results and bytes are those of Apache DataSketches 6.2. A value type.
/// Source: DataSketches, "Theta Sketch Framework"; layouts of CompactSketch (serial versions 3 and 4) and of
/// CompactTupleSketch (3).
class HashSketch {
 public:
  explicit HashSketch(SummaryKind kind = SummaryKind::kNone) : kind_(kind) {}

  /// Adds a key by its hash.
  void Update(uint64_t hash, Summary summary, SummaryMode mode, int log2_size);
  /// Keeps no more than 2^log2_size keys.
  void Trim(int log2_size);
  /// Summaries of both are of one kind; keys of a sketch without come with NeutralSummary.
  void UnionWith(const HashSketch& other, SummaryMode mode, int log2_size);
  void IntersectWith(const HashSketch& other, SummaryMode mode);
  void Subtract(const HashSketch& other);

  double Estimate() const;
  /// Part of the hashes that is below the threshold.
  double Theta() const;
  /// All summaries as one.
  double TotalReal(SummaryMode mode) const;
  int64_t TotalInteger(SummaryMode mode) const;

  std::string Serialize() const;
  /// Errors: Invalid when it is no such sketch.
  static arrow::Result<HashSketch> Parse(std::string_view bytes, SummaryKind kind);
  /// "COMPACT", "TUPLE": the family in the bytes of a sketch; empty when there is none.
  static std::string_view FamilyOf(std::string_view bytes);

  /// The hash of a key's bytes, as it is kept.
  static uint64_t HashOf(std::string_view bytes);

 private:
  static constexpr uint64_t kMaxTheta = INT64_MAX;

  bool is_estimating() const { return theta_ < kMaxTheta && !empty_; }
  void LowerTo(uint64_t theta);
  std::string SerializePacked(const std::vector<uint64_t>& hashes) const;
  static arrow::Result<HashSketch> ParsePacked(std::string_view bytes);
  static arrow::Result<HashSketch> ParsePlain(std::string_view bytes, SummaryKind kind);

  SummaryKind kind_;
  /// What the bytes say of each summary.
  SummaryMode mode_ = SummaryMode::kSum;
  bool empty_ = true;
  uint64_t theta_ = kMaxTheta;
  std::unordered_map<uint64_t, Summary> entries_;
};

}  // namespace millrace::function
