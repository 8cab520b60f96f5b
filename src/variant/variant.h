#pragma once

#include <arrow/result.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::variant {

/// Neither part of a variant may be longer.
inline constexpr size_t kSizeMax = size_t{1} << 24;
/// Values inside of values; what nests deeper is taken for malformed (JSON may not nest deeper either).
inline constexpr int kDepthMax = 1000;

/// What a value is; numbers of every width are one kind, as Spark has them.
enum class Kind : uint8_t {
  kObject,
  kArray,
  kNull,
  kBoolean,
  kLong,
  kString,
  kDouble,
  kDecimal,
  kDate,
  kTimestamp,
  kTimestampNtz,
  kTimestampNanos,
  kTimestampNtzNanos,
  kFloat,
  kBinary,
  kUuid,
};

/// A decimal without trailing zeros behind the point.
struct VariantDecimal {
  arrow::Decimal128 unscaled;
  int scale = 0;
  /// Digits, at least `scale` and 1.
  int precision() const;
};

/// A value inside of variant bytes: a view of its bytes (from its header to the end of the whole value, which may be
/// further than its own end) and of the dictionary.
///
/// Every index is checked before it is followed, so that bytes from anywhere may be read.
/// Errors: UserError MALFORMED_VARIANT, UNKNOWN_PRIMITIVE_TYPE_IN_VARIANT, VARIANT_CONSTRUCTOR_SIZE_LIMIT.
/// Format: Parquet's "Variant Binary Encoding". Thread: immutable.
class Variant {
 public:
  static arrow::Result<Variant> Make(std::string_view value, std::string_view metadata);

  arrow::Result<Kind> kind() const;

  // Each for values of its kind only.
  bool boolean() const;
  /// kLong, kDate (days), timestamps (µs, or ns).
  arrow::Result<int64_t> integer() const;
  arrow::Result<double> floating() const;
  arrow::Result<float> single() const;
  arrow::Result<VariantDecimal> decimal() const;
  /// kString, kBinary.
  arrow::Result<std::string_view> bytes() const;
  /// kUuid: "6ba7b810-9dad-11d1-80b4-00c04fd430c8".
  arrow::Result<std::string> uuid() const;

  /// The values in an object or array.
  class Members;
  arrow::Result<Members> members() const;
  /// kObject: the field `name`.
  arrow::Result<std::optional<Variant>> Field(std::string_view name) const;
  /// kArray: the element, if there are so many.
  arrow::Result<std::optional<Variant>> Element(int64_t index) const;

  /// Bytes of this value alone.
  arrow::Result<std::string_view> value() const;
  std::string_view metadata() const { return metadata_; }

 private:
  Variant(std::string_view value, std::string_view metadata) : value_(value), metadata_(metadata) {}

  int basic_type() const { return static_cast<uint8_t>(value_[0]) & 3; }
  int type_info() const { return static_cast<uint8_t>(value_[0]) >> 2; }
  arrow::Result<int64_t> Signed(size_t at, size_t width) const;
  arrow::Result<size_t> Size() const;

  std::string_view value_;
  std::string_view metadata_;
};

class Variant::Members {
 public:
  int64_t size() const { return size_; }
  bool is_object() const { return id_width_ > 0; }
  /// Object: names are in order.
  arrow::Result<std::string_view> Name(int64_t index) const;
  arrow::Result<Variant> Value(int64_t index) const;
  /// Where the bytes of the values begin and end in `value`.
  arrow::Result<size_t> End() const;

 private:
  friend class Variant;
  Members(std::string_view value, std::string_view metadata) : value_(value), metadata_(metadata) {}

  std::string_view value_;
  std::string_view metadata_;
  int64_t size_ = 0;
  size_t id_width_ = 0;
  size_t offset_width_ = 0;
  size_t ids_begin_ = 0;
  size_t offsets_begin_ = 0;
  size_t data_begin_ = 0;
};

/// Order of the names in an object: Java's, by UTF-16 units. Negative, 0, positive.
int CompareNames(std::string_view a, std::string_view b);

/// Whether the bytes are a variant through and through.
bool IsValid(std::string_view value, std::string_view metadata);

arrow::Status Malformed();

}  // namespace millrace::variant
