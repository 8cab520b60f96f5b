#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::function {

/// A HyperLogLog sketch of 2^log2_size registers: the coupons of its keys while they are few, then registers of a byte.
/// Estimates and bytes are those of Apache DataSketches' HllSketch of type HLL_8. A value type.
/// Source: DataSketches, "HLL Sketch"; layout of HllSketch.toUpdatableByteArray.
class HllSketch {
 public:
  explicit HllSketch(int log2_size);

  int log2_size() const { return log2_size_; }
  /// Adds a key by its bytes.
  void Update(std::string_view bytes);
  /// Adds what another sketch has seen. Of two sizes of registers the smaller stays, but no more than `log2_most`.
  void Merge(const HllSketch& other, int log2_most);
  double Estimate() const;

  std::string Serialize() const;
  /// Errors: Invalid when it is no such sketch.
  static arrow::Result<HllSketch> Parse(std::string_view bytes);

 private:
  enum class Mode : uint8_t { kList, kSet, kRegisters };

  bool empty() const { return mode_ != Mode::kRegisters && count_ == 0; }
  void AddCoupon(uint32_t coupon);
  void AddToList(uint32_t coupon);
  /// False when it is there already.
  bool AddToSet(uint32_t coupon);
  void AddToRegisters(uint32_t coupon);
  void ToSet();
  void ToRegisters();
  void CountRegisters();
  std::vector<uint32_t> Coupons() const;
  HllSketch Downsampled(int log2_size) const;
  double CouponEstimate() const;
  double CompositeEstimate() const;

  int log2_size_;
  Mode mode_ = Mode::kList;
  /// Coupons: 2^log2_table_ places, 0 for none.
  int log2_table_;
  uint32_t count_ = 0;
  std::vector<uint32_t> coupons_;
  /// Registers, the sums of 2^-register below 2^-32 and above, how many are 0, and the estimate of the keys in the
  /// order in which they came, which no merge keeps.
  std::vector<uint8_t> registers_;
  double sum_high_ = 0, sum_low_ = 0;
  uint32_t zeros_ = 0;
  double in_order_ = 0;
  bool out_of_order_ = false;
};

}  // namespace millrace::function
