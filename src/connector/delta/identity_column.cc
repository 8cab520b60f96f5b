#include "connector/delta/identity_column.h"

#include <arrow/builder.h>

#include "base/error.h"
#include "base/json_value.h"
#include "delta/schema/computed_column.h"

namespace millrace::connector::delta_table {

std::shared_ptr<IdentityColumn> IdentityColumn::Make(const types::StructField& field) {
  if (!delta::IsIdentityColumn(field)) return nullptr;
  auto metadata = ParseJson(field.metadata_json);
  if (!metadata.ok()) return nullptr;
  auto number = [&](std::string_view key) -> std::optional<int64_t> {
    const JsonValue* value = metadata->Find(key);
    return value == nullptr ? std::nullopt : std::optional<int64_t>(value->AsInt64());
  };
  int64_t step = number("delta.identity.step").value_or(1);
  int64_t first = number("delta.identity.start").value_or(1);
  int64_t num_given = 0;
  if (auto mark = number("delta.identity.highWaterMark")) {
    first = *mark;
    num_given = 1;
  }
  const JsonValue* allows = metadata->Find("delta.identity.allowExplicitInsert");
  return std::shared_ptr<IdentityColumn>(
      new IdentityColumn(field.name, first, step, num_given, allows != nullptr && allows->AsBool()));
}

arrow::Result<std::shared_ptr<arrow::Array>> IdentityColumn::Next(int64_t num_rows) {
  int64_t index = num_given_.fetch_add(num_rows);
  arrow::Int64Builder numbers;
  if (num_rows == 0) return numbers.Finish();
  ARROW_RETURN_NOT_OK(numbers.Reserve(num_rows));
  // The number after the last one must be one too: delta-spark works it out with each number it gives.
  int64_t distance = 0, next = 0;
  if (__builtin_mul_overflow(step_, index + num_rows, &distance) || __builtin_add_overflow(first_, distance, &next)) {
    return arrow::Status::Invalid("long overflow");
  }
  for (int64_t i = 0; i < num_rows; ++i) numbers.UnsafeAppend(first_ + step_ * (index + i));
  return numbers.Finish();
}

std::optional<int64_t> IdentityColumn::high_water_mark() const {
  int64_t num_given = num_given_.load();
  if (num_given == given_before_) return std::nullopt;
  return first_ + step_ * (num_given - 1);
}

}  // namespace millrace::connector::delta_table
