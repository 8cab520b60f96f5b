#include "physical/stateful/event_time.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json_value.h"
#include "logical/plan.h"

namespace millrace::physical {

std::optional<int64_t> WatermarkDelayMs(const expression::AttributeReference& column) {
  constexpr std::string_view kDelayKey = "spark.watermarkDelayMs";
  if (column.metadata_json().find(kDelayKey) == std::string::npos) return std::nullopt;
  auto metadata = ParseJson(column.metadata_json());
  if (!metadata.ok()) return std::nullopt;
  const JsonValue* delay = metadata->Find(kDelayKey);
  if (delay == nullptr) return std::nullopt;
  return delay->AsInt64();
}

arrow::Result<EventTimeColumn> EventTimeColumn::Find(const expression::AttributeVector& columns, bool allow_several) {
  EventTimeColumn found;
  found.num_columns_ = static_cast<int>(columns.size());
  std::set<int64_t> ids;
  std::string shown;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::optional<int64_t> delay = WatermarkDelayMs(*columns[i]);
    if (!delay) continue;
    ids.insert(columns[i]->id().value);
    shown += (shown.empty() ? "" : ",") + logical::DescribeAttribute(*columns[i]);
    if (found.found()) continue;
    found.index_ = static_cast<int>(i);
    found.delay_ms_ = *delay;
    found.is_window_ = columns[i]->type()->id() == types::TypeId::kStruct;
  }
  if (ids.size() > 1 && !allow_several) {
    return UserError("_LEGACY_ERROR_TEMP_3077", {{"eventTimeCols", "(" + shown + ")"}});
  }
  return found;
}

namespace {

// The timestamps of a column: its own, or the ends of its windows.
arrow::Result<std::shared_ptr<arrow::Array>> TimesOf(const arrow::Array& column) {
  if (column.type_id() != arrow::Type::STRUCT) return arrow::MakeArray(column.data());
  return static_cast<const arrow::StructArray&>(column).GetFlattenedField(1);
}

}  // namespace

arrow::Result<std::optional<int64_t>> EventTimeColumn::FirstLate(const arrow::Array& column, int64_t watermark_ms) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> times, TimesOf(column));
  const int64_t* values = times->data()->GetValues<int64_t>(1);
  for (int64_t i = 0; i < times->length(); ++i) {
    if (values[i] <= watermark_ms * 1000 && !times->IsNull(i)) return values[i];
  }
  return std::nullopt;
}

arrow::Result<int64_t> EventTimeColumn::Earliest(const arrow::Array& column) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> times, TimesOf(column));
  const int64_t* values = times->data()->GetValues<int64_t>(1);
  bool nulls = times->null_count() > 0;
  int64_t earliest = INT64_MAX;
  for (int64_t i = 0; i < times->length(); ++i) {
    if (!nulls || !times->IsNull(i)) earliest = std::min(earliest, values[i]);
  }
  return earliest;
}

arrow::Status EventTimeColumn::KeepNewer(const arrow::Array& column, int64_t watermark_ms, std::vector<int32_t>* rows) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> times, TimesOf(column));
  const int64_t* values = times->data()->GetValues<int64_t>(1);
  int64_t watermark_us = watermark_ms * 1000;
  bool nulls = times->null_count() > 0;
  for (int64_t i = 0; i < times->length(); ++i) {
    if (values[i] > watermark_us || (nulls && times->IsNull(i))) rows->push_back(static_cast<int32_t>(i));
  }
  return arrow::Status::OK();
}

}  // namespace millrace::physical
