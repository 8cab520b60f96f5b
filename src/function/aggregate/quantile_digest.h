#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::function {

/// Values of a group, of which neighbours are taken together as far as the relative error allows: which ones, and what
/// comes out, is as in Spark. Source: Greenwald and Khanna, "Space-efficient online computation of quantile summaries"
/// (2001); Spark, QuantileSummaries and ApproximatePercentile.PercentileDigestSerializer.
class QuantileDigest {
 public:
  explicit QuantileDigest(double relative_error) : relative_error_(relative_error) {}

  void Insert(double value);
  /// Compresses this one, and a copy of `other` where that is not compressed.
  void Merge(const QuantileDigest& other);
  /// One value a percentage; none when nothing was inserted. Compresses.
  std::vector<double> Query(const std::vector<double>& percentages);

  /// The bytes that lie in state. Compresses.
  std::string Serialize();
  /// nullopt when it is not such bytes.
  static std::optional<QuantileDigest> Parse(std::string_view bytes);

 private:
  struct Sample {
    double value = 0;
    /// The least by which its rank exceeds that of the sample before.
    int64_t g = 0;
    /// How far its rank may lie above the least one.
    int64_t delta = 0;
  };

  void InsertHead();
  void Compress();
  /// Takes samples together that are no further apart than `threshold`.
  static std::vector<Sample> Compressed(const std::vector<Sample>& samples, double threshold);

  int32_t compress_threshold_ = 10000;
  double relative_error_;
  std::vector<Sample> samples_;
  /// Values in `samples_`.
  int64_t count_ = 0;
  /// Values that are not in `samples_` yet.
  std::vector<double> head_;
  bool is_compressed_ = true;
};

}  // namespace millrace::function
