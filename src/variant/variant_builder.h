#pragma once

#include <arrow/status.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "variant/variant.h"

namespace millrace::variant {

/// Writes one variant after another; buffers are kept from one to the next.
///
/// A container is written from the inside: note `position()`, append the members (of an object's, each with a Field
/// that says where it starts), then finish it; the header is put in front of what was appended.
/// Names are numbered in the order in which they first appear, as Spark does.
/// Thread: confined. Format: Parquet's "Variant Binary Encoding".
class VariantBuilder {
 public:
  /// `keep_last`: of members with one name the last one stays; else they are an error.
  explicit VariantBuilder(bool keep_last = false) : keep_last_(keep_last) {}

  /// Begins a new value with an empty dictionary.
  void Reset();

  void AppendNull();
  void AppendBoolean(bool value);
  /// In as few bytes as hold it.
  void AppendLong(int64_t value);
  void AppendDouble(double value);
  void AppendFloat(float value);
  /// REQUIRES: at most 38 digits, 0 <= scale <= 38.
  void AppendDecimal(const arrow::Decimal128& unscaled, int scale);
  void AppendDate(int32_t days);
  void AppendTimestamp(int64_t utc_us);
  void AppendTimestampNtz(int64_t local_us);
  void AppendString(std::string_view text);
  void AppendBinary(std::string_view bytes);
  /// Copies a value of another variant; its names are entered here. Errors: as Variant.
  arrow::Status AppendVariant(const Variant& value) { return AppendVariant(value, 0); }

  /// A member of the object being written.
  struct Field {
    int32_t name_id = 0;
    /// From the object's first byte.
    uint32_t offset = 0;
  };
  size_t position() const { return value_.size(); }
  int32_t NameId(std::string_view name);
  /// Errors: UserError VARIANT_DUPLICATE_KEY.
  arrow::Status FinishObject(size_t start, std::vector<Field>* fields);
  void FinishArray(size_t start, const std::vector<uint32_t>& offsets);

  /// The finished value; valid until the next Reset. False when a part passes kSizeMax.
  bool Finish(std::string_view* value, std::string_view* metadata);

 private:
  arrow::Status AppendVariant(const Variant& value, int depth);
  std::string_view Name(int32_t id) const;
  void AppendNumber(uint64_t bits, size_t width);
  void AppendHeader(int primitive);
  void KeepLast(size_t start, std::vector<Field>* fields);
  void InsertHeader(size_t start, std::string_view header);

  bool keep_last_;
  std::string value_;
  std::string metadata_;
  std::string header_;
  // The dictionary: names one after the other, where each ends, and an open-addressed index of them.
  std::string names_;
  std::vector<uint32_t> name_ends_;
  std::vector<int32_t> slots_;
};

}  // namespace millrace::variant
