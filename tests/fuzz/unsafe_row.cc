// Bytes taken for an UnsafeRow: decoded to valid columns or refused; what was decoded encodes to a row that decodes to
// the same. Also state schema files and operator metadata.

#include "state/unsafe_row.h"

#include <arrow/array.h>
#include <arrow/array/validate.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "state/operator_metadata.h"
#include "state/state_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)state::DecodeSchemaFile(bytes, "schema");
  (void)state::DecodeOperatorMetadata(bytes, "metadata");

  static const auto types =
      state::FieldTypes(**types::ParseSchemaDdl("a INT, s STRING, d DECIMAL(30, 2), l ARRAY<STRING>, m MAP<STRING, "
                                                "BIGINT>, t STRUCT<x: BOOLEAN, y: ARRAY<SHORT>>, "
                                                "i INTERVAL DAY TO SECOND, n VOID"));
  state::UnsafeRowDecoder decoder(types);
  std::vector<std::string_view> rows{bytes};
  auto columns = decoder.Decode(rows);
  if (!columns.ok()) return 0;
  for (const auto& column : *columns) {
    // Text that is no UTF-8 is a value as any other.
    if (!arrow::MakeArray(column)->Validate().ok()) std::abort();
  }
  state::UnsafeRows encoded;
  state::UnsafeRowEncoder(types).Encode(*columns, 1, &encoded);
  auto again = decoder.Decode(encoded);
  if (!again.ok()) std::abort();
  for (size_t c = 0; c < types.size(); ++c) {
    if (!arrow::MakeArray((*columns)[c])->Equals(arrow::MakeArray((*again)[c]))) std::abort();
  }
  return 0;
}
