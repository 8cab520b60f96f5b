#include "delta/schema/computed_column.h"

#include "base/json_value.h"
#include "types/column_metadata.h"

namespace millrace::delta {

std::string GenerationExpression(const types::StructField& field) {
  return types::MetadataText(field, "delta.generationExpression").value_or("");
}

bool IsIdentityColumn(const types::StructField& field) {
  return field.metadata_json.find("\"delta.identity.start\"") != std::string::npos;
}

int64_t IdentityStep(const types::StructField& field) {
  auto metadata = ParseJson(field.metadata_json);
  const JsonValue* step = metadata.ok() ? metadata->Find("delta.identity.step") : nullptr;
  return step == nullptr ? 1 : step->AsInt64();
}

}  // namespace millrace::delta
