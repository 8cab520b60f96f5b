#include "delta/schema/computed_column.h"

#include <optional>
#include <vector>

#include "base/json_value.h"
#include "types/column_metadata.h"

namespace millrace::delta {

namespace {

constexpr const char* kMark = "delta.identity.highWaterMark";

std::optional<int64_t> Number(const JsonValue& metadata, const char* key) {
  const JsonValue* value = metadata.Find(key);
  return value == nullptr ? std::nullopt : std::optional<int64_t>(value->AsInt64());
}

std::string PhysicalNameOf(const types::StructField& field) {
  return types::MetadataText(field, "delta.columnMapping.physicalName").value_or(field.name);
}

// Source: delta-spark's IdentityColumn.updateToValidHighWaterMark.
types::StructField WithMark(types::StructField field, int64_t newer) {
  auto parsed = ParseJson(field.metadata_json);
  if (!parsed.ok()) return field;
  int64_t start = Number(*parsed, "delta.identity.start").value_or(1), step = IdentityStep(field);
  auto before = [&](int64_t a, int64_t b) { return step > 0 ? a < b : a > b; };
  std::optional<int64_t> own = Number(*parsed, kMark);
  if (step == 0 || (before(newer, start) && !(own && before(*own, start)))) return field;
  // A number this column would give, as its start and step may be others.
  auto apart = static_cast<__int128>(newer) - start;
  __int128 rounded = newer;
  if (apart % step != 0) rounded = start + (apart / step + (before(newer, start) ? 0 : 1)) * step;
  if (rounded > INT64_MAX || rounded < INT64_MIN) return field;
  auto mark = static_cast<int64_t>(rounded);
  if (own && !before(*own, mark)) return field;
  field.metadata_json = parsed->Set(kMark, JsonValue::Number(mark)).ToString();
  return field;
}

}  // namespace

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

types::DataTypePtr WithIdentityMarksOf(const types::DataTypePtr& schema, const types::DataType& newer) {
  std::vector<types::StructField> fields = schema->fields();
  for (types::StructField& field : fields) {
    if (!IsIdentityColumn(field)) continue;
    for (const types::StructField& later : newer.fields()) {
      if (!IsIdentityColumn(later) || PhysicalNameOf(later) != PhysicalNameOf(field)) continue;
      auto metadata = ParseJson(later.metadata_json);
      std::optional<int64_t> mark = metadata.ok() ? Number(*metadata, kMark) : std::nullopt;
      if (mark) field = WithMark(std::move(field), *mark);
      break;
    }
  }
  return types::Struct(std::move(fields));
}

}  // namespace millrace::delta
