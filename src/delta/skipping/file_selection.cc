#include "delta/skipping/file_selection.h"

#include <simdjson.h>

#include <map>

#include "base/json_value.h"
#include "delta/partition_value.h"
#include "delta/schema/column_mapping.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::delta {

namespace {

using format::ColumnRange;
using format::PredicateValue;
using simdjson::dom::element;
using types::TypeId;

constexpr int64_t kStatisticsUnitMicros = 1000;

/// Statistics of timestamps are cut to milliseconds, so the true maximum may lie up to one beyond.
void WidenTimestamp(const types::DataType& type, ColumnRange* range) {
  if (type.id() != TypeId::kTimestamp && type.id() != TypeId::kTimestampNtz) return;
  if (!range->max) return;
  int64_t micros = std::get<int64_t>(range->max->value());
  if (micros > INT64_MAX - kStatisticsUnitMicros) return range->max.reset();
  range->max = PredicateValue(micros + kStatisticsUnitMicros - 1);
}

/// NaN is the largest value to Spark, and writers leave it out of the bounds: the upper one is not sure.
void DropUpperBoundOfFractions(const types::DataType& type, ColumnRange* range) {
  if (type.id() == TypeId::kFloat || type.id() == TypeId::kDouble) range->max.reset();
}

std::optional<PredicateValue> ParseBound(std::string_view text, const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kString:
      return PredicateValue(std::string(text));
    case TypeId::kDate: {
      int32_t days = 0;
      return types::ParseDate(text, &days) ? std::optional(PredicateValue(int64_t{days})) : std::nullopt;
    }
    case TypeId::kTimestamp: {
      int64_t micros = 0;
      bool ok = types::ParseTimestamp(text, *types::TimeZone::Utc(), &micros);
      return ok ? std::optional(PredicateValue(micros)) : std::nullopt;
    }
    case TypeId::kTimestampNtz: {
      int64_t micros = 0;
      bool ok = types::ParseTimestampNtz(text, /*allow_time_zone=*/true, &micros);
      return ok ? std::optional(PredicateValue(micros)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<PredicateValue> JsonBound(const element& value, const types::DataType& type) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return ParseBound(text, type);
  if (type.is_integral()) {
    int64_t whole = 0;
    return value.get(whole) == simdjson::SUCCESS ? std::optional(PredicateValue(whole)) : std::nullopt;
  }
  if (type.id() == TypeId::kFloat || type.id() == TypeId::kDouble) {
    double number = 0;
    return value.get(number) == simdjson::SUCCESS ? std::optional(PredicateValue(number)) : std::nullopt;
  }
  return std::nullopt;
}

/// Decimals need all their digits, so their numbers are taken as text.
std::optional<PredicateValue> DecimalBound(const JsonValue* value, const types::DataType& type) {
  if (value == nullptr || (!value->is_number() && !value->is_string())) return std::nullopt;
  arrow::Decimal128 decimal;
  if (types::ParseDecimal(value->AsString(), type.precision(), type.scale(), &decimal) != types::DecimalParse::kOk) {
    return std::nullopt;
  }
  return PredicateValue(PredicateValue::DecimalValue{decimal, type.scale()});
}

std::optional<element> Descend(const element& root, const char* section, const std::vector<std::string>& path) {
  element at;
  if (root[section].get(at) != simdjson::SUCCESS) return std::nullopt;
  for (const std::string& name : path) {
    element next;
    if (at[name].get(next) != simdjson::SUCCESS) return std::nullopt;
    at = next;
  }
  if (at.is_null()) return std::nullopt;
  return at;
}

const JsonValue* Descend(const JsonValue& root, const char* section, const std::vector<std::string>& path) {
  const JsonValue* at = root.Find(section);
  for (const std::string& name : path) {
    if (at == nullptr) return nullptr;
    at = at->Find(name);
  }
  return at;
}

std::shared_ptr<arrow::Array> Descend(const arrow::StructArray& root, const char* section,
                                      const std::vector<std::string>& path) {
  std::shared_ptr<arrow::Array> at = root.GetFieldByName(section);
  for (const std::string& name : path) {
    if (at == nullptr || at->type_id() != arrow::Type::STRUCT) return nullptr;
    at = static_cast<const arrow::StructArray&>(*at).GetFieldByName(name);
  }
  return at;
}

bool HasDecimal(const format::Predicate& predicate) {
  if (predicate.type != nullptr && predicate.type->id() == TypeId::kDecimal) return true;
  for (const auto& child : predicate.children) {
    if (HasDecimal(*child)) return true;
  }
  return false;
}

}  // namespace

struct FileSelector::Impl {
  types::DataTypePtr schema;
  /// Of the filter, with physical names.
  format::PredicatePtr filter;
  /// Physical name → type of partition columns.
  std::map<std::string, types::DataTypePtr> partition_types;
  const types::TimeZone* zone = nullptr;
  bool has_decimal = false;

  simdjson::dom::parser parser;
  // Of the file that is judged.
  const FileRef* file = nullptr;
  std::optional<element> json;
  bool json_tried = false;
  JsonValue exact;

  void Start(const FileRef& next) {
    file = &next;
    json.reset();
    json_tried = false;
    exact = JsonValue();
  }

  ColumnRange RangeOf(const std::vector<std::string>& column, const types::DataType& type) {
    if (column.size() == 1) {
      auto partition = partition_types.find(column[0]);
      if (partition != partition_types.end()) return PartitionRange(column[0], *partition->second);
    }
    ColumnRange range = file->columns->stats(file->row) ? JsonRange(column, type) : ParsedRange(column, type);
    WidenTimestamp(type, &range);
    DropUpperBoundOfFractions(type, &range);
    return range;
  }

  ColumnRange PartitionRange(const std::string& name, const types::DataType& type) {
    ColumnRange range;
    auto value = ReadPartitionValue(file->columns->partition_value(file->row, name), type, *zone);
    if (!value.ok()) return range;  // reading the file says what is wrong
    range.num_rows = 1;
    range.null_count = (*value)->is_valid ? 0 : 1;
    range.min = range.max = PredicateValue::From(**value);
    return range;
  }

  void ParseJsonStats() {
    if (json_tried) return;
    json_tried = true;
    std::string_view text = *file->columns->stats(file->row);
    element root;
    if (parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS) json = root;
    if (has_decimal) {
      auto parsed = ParseJson(text);
      if (parsed.ok()) exact = std::move(*parsed);
    }
  }

  ColumnRange JsonRange(const std::vector<std::string>& column, const types::DataType& type) {
    ColumnRange range;
    ParseJsonStats();
    if (!json) return range;
    int64_t count = 0;
    if ((*json)["numRecords"].get(count) == simdjson::SUCCESS) range.num_rows = count;
    if (auto nulls = Descend(*json, "nullCount", column); nulls && nulls->get(count) == simdjson::SUCCESS) {
      range.null_count = count;
    }
    if (type.id() == TypeId::kDecimal) {
      range.min = DecimalBound(Descend(exact, "minValues", column), type);
      range.max = DecimalBound(Descend(exact, "maxValues", column), type);
      return range;
    }
    if (auto bound = Descend(*json, "minValues", column)) range.min = JsonBound(*bound, type);
    if (auto bound = Descend(*json, "maxValues", column)) range.max = JsonBound(*bound, type);
    return range;
  }

  ColumnRange ParsedRange(const std::vector<std::string>& column, const types::DataType& type) {
    ColumnRange range;
    const auto& stats = file->columns->arrays().stats_parsed;
    if (stats == nullptr || stats->IsNull(file->row)) return range;
    auto count = [&](const std::shared_ptr<arrow::Array>& from) -> std::optional<int64_t> {
      if (from == nullptr || from->type_id() != arrow::Type::INT64 || from->IsNull(file->row)) return std::nullopt;
      return static_cast<const arrow::Int64Array&>(*from).Value(file->row);
    };
    auto bound = [&](const char* section) -> std::optional<PredicateValue> {
      auto from = Descend(*stats, section, column);
      if (from == nullptr || from->IsNull(file->row)) return std::nullopt;
      auto file_type = types::FromArrow(*from->type());
      // Statistics of before the column's type became wider are compared as they are only where they look the same.
      if (!file_type.ok()) return std::nullopt;
      bool both_whole = (*file_type)->is_integral() && type.is_integral();
      if (!both_whole && (*file_type)->id() != type.id()) return std::nullopt;
      auto scalar = from->GetScalar(file->row);
      return scalar.ok() ? PredicateValue::From(**scalar) : std::nullopt;
    };
    range.num_rows = count(stats->GetFieldByName("numRecords"));
    range.null_count = count(Descend(*stats, "nullCount", column));
    range.min = bound("minValues");
    range.max = bound("maxValues");
    return range;
  }
};

FileSelector::FileSelector(const types::DataTypePtr& schema, const std::vector<int>& partition_columns,
                           format::PredicatePtr filter, const types::TimeZone* zone)
    : impl_(std::make_unique<Impl>()) {
  impl_->schema = schema;
  impl_->zone = zone;
  for (int index : partition_columns) {
    const types::StructField& field = schema->fields()[static_cast<size_t>(index)];
    impl_->partition_types[PhysicalName(field)] = field.type;
  }
  impl_->filter = format::RenameColumns(
      filter, [&](const std::vector<std::string>& column) { return PhysicalPath(*schema, column); });
  impl_->has_decimal = impl_->filter != nullptr && HasDecimal(*impl_->filter);
}

FileSelector::~FileSelector() = default;

bool FileSelector::MayMatch(const FileRef& file) {
  if (impl_->filter == nullptr) return true;
  impl_->Start(file);
  return format::MayMatch(*impl_->filter, [this](const std::vector<std::string>& column, const types::DataType& type) {
    return impl_->RangeOf(column, type);
  });
}

std::vector<FileRef> SelectFiles(const Snapshot& snapshot, const format::PredicatePtr& filter,
                                 const types::TimeZone& zone) {
  FileSelector selector(snapshot.schema(), snapshot.partition_columns(), filter, &zone);
  std::vector<FileRef> selected;
  selected.reserve(filter == nullptr ? static_cast<size_t>(snapshot.files().num_files()) : 0);
  snapshot.files().ForEach([&](const FileRef& file) {
    if (selector.MayMatch(file)) selected.push_back(file);
  });
  return selected;
}

std::optional<int64_t> NumRecords(const FileRef& file) {
  if (auto text = file.columns->stats(file.row)) {
    simdjson::dom::parser parser;
    element root;
    int64_t count = 0;
    if (parser.parse(text->data(), text->size()).get(root) != simdjson::SUCCESS) return std::nullopt;
    return root["numRecords"].get(count) == simdjson::SUCCESS ? std::optional(count) : std::nullopt;
  }
  const auto& stats = file.columns->arrays().stats_parsed;
  if (stats == nullptr || stats->IsNull(file.row)) return std::nullopt;
  auto records = stats->GetFieldByName("numRecords");
  if (records == nullptr || records->type_id() != arrow::Type::INT64 || records->IsNull(file.row)) return std::nullopt;
  return static_cast<const arrow::Int64Array&>(*records).Value(file.row);
}

}  // namespace millrace::delta
