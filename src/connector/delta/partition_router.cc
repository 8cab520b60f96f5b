#include "connector/delta/partition_router.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <fmt/format.h>

#include <optional>
#include <unordered_map>

#include "connector/file/partition_path.h"
#include "types/datetime_text.h"

namespace millrace::connector::delta_table {

namespace {

struct ValueText {
  std::optional<std::string> in_log;
  std::string in_path;
};

// "2024-01-02T02:04:05.123456Z"
std::string UtcText(int64_t micros) {
  int64_t seconds = types::FloorDiv(micros, types::kMicrosPerSecond);
  int64_t of_day = types::FloorMod(seconds, 86400);
  std::string text;
  types::AppendDate(static_cast<int32_t>(types::FloorDiv(seconds, 86400)), &text);
  return text + fmt::format("T{:02}:{:02}:{:02}.{:06}Z", of_day / 3600, of_day / 60 % 60, of_day % 60,
                            types::FloorMod(micros, types::kMicrosPerSecond));
}

ValueText TextOf(const arrow::Array& values, int64_t row, const PartitionColumn& column, const types::TimeZone& zone) {
  std::optional<std::string> text = file::PartitionValueText(values, row, *column.type, zone);
  // Writers tell values by their directories: what lies in that of NULL is NULL, also a text that looks like it.
  if (text && (text->empty() || *text == file::kDefaultPartition)) text.reset();
  ValueText made{text, file::PartitionDirectory(column.physical_name, text)};
  if (text && column.type->id() == types::TypeId::kTimestamp) {
    made.in_log = UtcText(static_cast<const arrow::TimestampArray&>(values).Value(row));
  }
  return made;
}

}  // namespace

/// A column as codes of its distinct values; one code past them for NULL.
struct PartitionRouter::Encoded {
  std::shared_ptr<arrow::Int32Array> codes;
  std::vector<ValueText> texts;
  int64_t num_codes = 0;
  int64_t code(int64_t row) const { return codes->IsNull(row) ? num_codes - 1 : codes->Value(row); }
};

PartitionRows PartitionRouter::MakePart(const std::vector<Encoded>& columns, int64_t row,
                                        std::shared_ptr<arrow::RecordBatch> data) const {
  PartitionRows part;
  part.directory = parent_;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ValueText& text = columns[i].texts[static_cast<size_t>(columns[i].code(row))];
    if (!part.directory.empty()) part.directory += '/';
    part.directory += text.in_path;
    part.values.Add(columns_[i].physical_name, text.in_log);
  }
  part.rows = std::move(data);
  return part;
}

arrow::Result<std::vector<PartitionRows>> PartitionRouter::Split(
    const std::shared_ptr<arrow::RecordBatch>& rows) const {
  std::vector<PartitionRows> parts;
  if (rows->num_rows() == 0) return parts;
  ARROW_ASSIGN_OR_RAISE(auto data, rows->SelectColumns(data_columns_));
  if (columns_.empty()) {
    parts.push_back({parent_, {}, std::move(data)});
    return parts;
  }
  std::vector<Encoded> encoded(columns_.size());
  bool single = true;
  for (size_t i = 0; i < columns_.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum datum,
                          arrow::compute::DictionaryEncode(arrow::Datum(rows->column(columns_[i].index))));
    auto dictionary = std::static_pointer_cast<arrow::DictionaryArray>(datum.make_array());
    encoded[i].codes = std::static_pointer_cast<arrow::Int32Array>(dictionary->indices());
    const auto& values = *dictionary->dictionary();
    for (int64_t value = 0; value < values.length(); ++value) {
      encoded[i].texts.push_back(TextOf(values, value, columns_[i], *time_zone_));
    }
    encoded[i].texts.push_back({std::nullopt, file::PartitionDirectory(columns_[i].physical_name, std::nullopt)});
    encoded[i].num_codes = values.length() + 1;
    int64_t num_nulls = encoded[i].codes->null_count();
    single = single && (num_nulls == 0 ? values.length() == 1 : num_nulls == rows->num_rows());
  }
  if (single) {
    parts.push_back(MakePart(encoded, 0, std::move(data)));
    return parts;
  }
  // Rows of each combination of codes, in one pass.
  std::unordered_map<int64_t, size_t> group_of;
  std::vector<std::unique_ptr<arrow::Int32Builder>> groups;
  std::vector<int64_t> first_row;
  int64_t last_key = -1;
  size_t group = 0;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    int64_t key = 0;
    for (const Encoded& column : encoded) key = key * column.num_codes + column.code(row);
    if (key != last_key) {
      auto [it, is_new] = group_of.emplace(key, groups.size());
      if (is_new) {
        groups.push_back(std::make_unique<arrow::Int32Builder>());
        first_row.push_back(row);
      }
      group = it->second;
      last_key = key;
    }
    ARROW_RETURN_NOT_OK(groups[group]->Append(static_cast<int32_t>(row)));
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    std::shared_ptr<arrow::Array> indices;
    ARROW_RETURN_NOT_OK(groups[i]->Finish(&indices));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum taken, arrow::compute::Take(arrow::Datum(data), arrow::Datum(indices),
                                                                   arrow::compute::TakeOptions::NoBoundsCheck()));
    parts.push_back(MakePart(encoded, first_row[i], taken.record_batch()));
  }
  return parts;
}

}  // namespace millrace::connector::delta_table
