#pragma once

#include <arrow/status.h>

#include <string>
#include <string_view>

#include "format/json/json_tokenizer.h"
#include "types/time_zone.h"
#include "variant/variant.h"
#include "variant/variant_builder.h"

namespace millrace::format {

/// Appends a variant as JSON: names in the order of the object, numbers as Java prints them, decimals plain, dates,
/// times (in `zone`), binary (Base64) and UUIDs as strings. Errors: as variant::Variant.
arrow::Status AppendVariantJson(const variant::Variant& value, const types::TimeZone& zone, std::string* out);

enum class VariantJson : uint8_t {
  kOk,
  kMalformed,  ///< no JSON, or an object with a name twice
};

/// Reads JSON texts as variants, as strictly as Jackson does by default (RFC 8259; what follows the value is not read).
/// Integers become the smallest integer, numbers with a point a decimal where 38 digits hold them, others doubles.
/// Thread: confined. Source: Spark, VariantBuilder.parseJson.
class VariantJsonReader {
 public:
  VariantJsonReader();

  /// Appends the value of `json` to `builder`, which the caller has reset.
  VariantJson Read(std::string_view json, variant::VariantBuilder* builder);
  /// Appends the value `tokens` stands at, and leaves it at the value's last token.
  VariantJson ReadValue(JsonTokenizer* tokens, variant::VariantBuilder* builder);

 private:
  VariantJson ReadObject(JsonTokenizer* tokens, variant::VariantBuilder* builder);
  VariantJson ReadArray(JsonTokenizer* tokens, variant::VariantBuilder* builder);

  JsonOptions options_;
};

}  // namespace millrace::format
