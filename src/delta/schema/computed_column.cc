#include "delta/schema/computed_column.h"

#include "types/column_metadata.h"

namespace millrace::delta {

std::string GenerationExpression(const types::StructField& field) {
  return types::MetadataText(field, "delta.generationExpression").value_or("");
}

bool IsIdentityColumn(const types::StructField& field) {
  return field.metadata_json.find("\"delta.identity.start\"") != std::string::npos;
}

}  // namespace millrace::delta
