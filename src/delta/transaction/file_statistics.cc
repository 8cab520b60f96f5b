#include "delta/transaction/file_statistics.h"

#include <arrow/array.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "base/ascii.h"
#include "base/json_value.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::delta {

using types::TypeId;

namespace {

bool HasBounds(const types::DataType& type) {
  return type.is_numeric() || type.is_datetime() || type.id() == TypeId::kString;
}

StatisticsColumn MakeColumn(const types::StructField& field, const types::DataType* rows) {
  StatisticsColumn column;
  column.name = field.name;
  column.type = field.type;
  column.index = rows == nullptr ? -1 : rows->FieldIndex(field.name, /*case_sensitive=*/true);
  const types::DataType* in_rows =
      column.index < 0 ? nullptr : rows->fields()[static_cast<size_t>(column.index)].type.get();
  column.has_bounds = HasBounds(*field.type);
  if (in_rows != nullptr && !in_rows->EqualsIgnoreNullability(*field.type)) {
    // Rows may be narrower than the column (INT for BIGINT is cast before; a struct may lack fields).
    column.type =
        in_rows->id() == TypeId::kStruct ? field.type : rows->fields()[static_cast<size_t>(column.index)].type;
    column.has_bounds = HasBounds(*column.type);
  }
  if (field.type->id() == TypeId::kStruct) {
    const types::DataType* inner = in_rows != nullptr && in_rows->id() == TypeId::kStruct ? in_rows : nullptr;
    for (const types::StructField& child : field.type->fields()) column.children.push_back(MakeColumn(child, inner));
  }
  return column;
}

// The first `limit` leaves; a struct that is reached keeps its place even where none of its fields does.
std::vector<StatisticsColumn> TakeLeaves(std::vector<StatisticsColumn> columns, int64_t limit, int64_t* taken) {
  std::vector<StatisticsColumn> kept;
  for (StatisticsColumn& column : columns) {
    if (*taken >= limit) break;
    if (column.type->id() == TypeId::kStruct) {
      column.children = TakeLeaves(std::move(column.children), limit, taken);
    } else {
      ++*taken;
    }
    kept.push_back(std::move(column));
  }
  return kept;
}

using NamePath = std::vector<std::string>;

std::vector<StatisticsColumn> TakeNamed(std::vector<StatisticsColumn> columns, const std::vector<NamePath>& paths,
                                        size_t depth) {
  std::vector<StatisticsColumn> kept;
  for (StatisticsColumn& column : columns) {
    std::vector<NamePath> below;
    bool whole = false;
    for (const NamePath& path : paths) {
      if (path.size() <= depth || !EqualsIgnoreCase(path[depth], column.name)) continue;
      whole = whole || path.size() == depth + 1;
      below.push_back(path);
    }
    if (below.empty()) continue;
    if (!whole) {
      if (column.type->id() != TypeId::kStruct) continue;
      column.children = TakeNamed(std::move(column.children), below, depth + 1);
    }
    kept.push_back(std::move(column));
  }
  return kept;
}

int64_t IntegerProperty(const StringMap& configuration, std::string_view key, int64_t fallback) {
  auto it = configuration.find(key);
  if (it == configuration.end()) return fallback;
  int64_t value = fallback;
  std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return value;
}

size_t CharacterSize(std::string_view text, size_t at) {
  auto c = static_cast<unsigned char>(text[at]);
  size_t size = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  return std::min(size, text.size() - at);
}

// Characters outside the basic plane are two units of UTF-16.
int Utf16Units(std::string_view text, size_t at) { return CharacterSize(text, at) == 4 ? 2 : 1; }

}  // namespace

std::string TruncatedMinimum(std::string_view value, int length) {
  if (static_cast<int64_t>(value.size()) <= length) return std::string(value);
  size_t at = 0;
  for (int taken = 0; taken < length && at < value.size(); ++taken) at += CharacterSize(value, at);
  return std::string(value.substr(0, at));
}

std::optional<std::string> TruncatedMaximum(std::string_view value, int length) {
  static constexpr std::string_view kGreatest = "\xF4\x8F\xBF\xBF";  // U+10FFFF
  int64_t units = 0;
  for (size_t at = 0; at < value.size(); at += CharacterSize(value, at)) units += Utf16Units(value, at);
  if (units <= length) return std::string(value);
  if (length <= 0) return std::nullopt;
  // The cut text gets a last character that is greater than the one cut off; what cannot be beaten is kept.
  size_t at = 0;
  int taken = 0;
  while (taken < length) {
    taken += Utf16Units(value, at);
    at += CharacterSize(value, at);
  }
  while (taken <= 2 * length) {
    if (at >= value.size()) return std::string(value);
    size_t size = CharacterSize(value, at);
    if (value.substr(at, size) == kGreatest) {
      at += size;
      taken += 2;
    } else {
      std::string_view end = static_cast<unsigned char>(value[at]) < 0x7F ? std::string_view("\x7F") : kGreatest;
      return std::string(value.substr(0, at)) + std::string(end);
    }
  }
  return std::nullopt;
}

arrow::Result<std::vector<std::vector<std::string>>> ParseColumnNames(std::string_view list) {
  std::vector<std::vector<std::string>> names;
  std::vector<std::string> parts;
  size_t at = 0;
  auto skip = [&] {
    while (at < list.size() && (list[at] == ' ' || list[at] == '\n' || list[at] == '\t')) ++at;
  };
  while (true) {
    skip();
    std::string part;
    if (at < list.size() && list[at] == '`') {
      for (++at;; ++at) {
        if (at >= list.size()) return arrow::Status::Invalid("unclosed back-tick in the column list ", list);
        if (list[at] == '`') {
          if (at + 1 >= list.size() || list[at + 1] != '`') break;
          ++at;
        }
        part += list[at];
      }
      ++at;
    } else {
      while (at < list.size() && list[at] != ',' && list[at] != '.' && list[at] != ' ') part += list[at++];
    }
    if (part.empty()) return arrow::Status::Invalid("an empty name in the column list ", list);
    parts.push_back(std::move(part));
    skip();
    if (at < list.size() && list[at] == '.') {
      ++at;
      continue;
    }
    names.push_back(std::move(parts));
    parts.clear();
    if (at >= list.size()) return names;
    if (list[at] != ',') return arrow::Status::Invalid("a comma was expected in the column list ", list);
    ++at;
  }
}

arrow::Result<StatisticsPlan> StatisticsPlan::Make(const types::DataType& table_columns,
                                                   const types::DataType& row_columns, const StringMap& configuration) {
  StatisticsPlan plan;
  for (const types::StructField& field : table_columns.fields())
    plan.columns.push_back(MakeColumn(field, &row_columns));
  plan.string_prefix_length =
      static_cast<int>(IntegerProperty(configuration, "delta.dataSkippingStringPrefixLength", 32));
  auto named = configuration.find("delta.dataSkippingStatsColumns");
  if (named != configuration.end()) {
    ARROW_ASSIGN_OR_RAISE(auto paths, ParseColumnNames(named->second));
    plan.columns = TakeNamed(std::move(plan.columns), paths, 0);
    return plan;
  }
  int64_t limit = IntegerProperty(configuration, "delta.dataSkippingNumIndexedCols", 32);
  int64_t taken = 0;
  if (limit >= 0) plan.columns = TakeLeaves(std::move(plan.columns), limit, &taken);
  return plan;
}

/// The bounds of one leaf so far. Numbers of all widths lie in `low` and `high` as the type says.
struct FileStatistics::Node {
  const StatisticsColumn* column = nullptr;
  int64_t num_nulls = 0;
  bool any = false;
  int64_t low = 0, high = 0;
  double low_double = 0, high_double = 0;
  arrow::Decimal128 low_decimal, high_decimal;
  std::string low_text, high_text;
  std::vector<std::unique_ptr<Node>> children;
};

namespace {

using Node = FileStatistics::Node;

std::unique_ptr<Node> MakeNode(const StatisticsColumn& column) {
  auto node = std::make_unique<Node>();
  node->column = &column;
  for (const StatisticsColumn& child : column.children) node->children.push_back(MakeNode(child));
  return node;
}

template <typename Array>
void AddIntegers(const arrow::Array& untyped, Node* node) {
  const auto& array = static_cast<const Array&>(untyped);
  const auto* values = array.raw_values();
  int64_t length = array.length();
  int64_t low = node->any ? node->low : INT64_MAX, high = node->any ? node->high : INT64_MIN;
  if (array.null_count() == 0) {
    for (int64_t i = 0; i < length; ++i) {
      low = std::min<int64_t>(low, values[i]);
      high = std::max<int64_t>(high, values[i]);
    }
  } else {
    for (int64_t i = 0; i < length; ++i) {
      if (array.IsNull(i)) continue;
      low = std::min<int64_t>(low, values[i]);
      high = std::max<int64_t>(high, values[i]);
    }
  }
  node->low = low;
  node->high = high;
}

// Spark's order: NaN is greater than every number.
bool LessDouble(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

template <typename Array>
void AddFractions(const arrow::Array& untyped, Node* node) {
  const auto& array = static_cast<const Array&>(untyped);
  bool any = node->any;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    double value = array.Value(i);
    if (!any || LessDouble(value, node->low_double)) node->low_double = value;
    if (!any || LessDouble(node->high_double, value)) node->high_double = value;
    any = true;
  }
}

void AddDecimals(const arrow::Array& untyped, Node* node) {
  const auto& array = static_cast<const arrow::Decimal128Array&>(untyped);
  bool any = node->any;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    arrow::Decimal128 value(array.GetValue(i));
    if (!any || value < node->low_decimal) node->low_decimal = value;
    if (!any || value > node->high_decimal) node->high_decimal = value;
    any = true;
  }
}

void AddStrings(const arrow::Array& untyped, Node* node) {
  const auto& array = static_cast<const arrow::StringArray&>(untyped);
  bool any = node->any;
  std::string_view low = node->low_text, high = node->high_text;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    std::string_view value = array.GetView(i);
    if (!any) {
      low = high = value;
      any = true;
      continue;
    }
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low.data() != node->low_text.data()) node->low_text = std::string(low);
  if (high.data() != node->high_text.data()) node->high_text = std::string(high);
}

void AddBounds(const arrow::Array& array, Node* node) {
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return AddIntegers<arrow::Int8Array>(array, node);
    case arrow::Type::INT16:
      return AddIntegers<arrow::Int16Array>(array, node);
    case arrow::Type::INT32:
      return AddIntegers<arrow::Int32Array>(array, node);
    case arrow::Type::INT64:
      return AddIntegers<arrow::Int64Array>(array, node);
    case arrow::Type::DATE32:
      return AddIntegers<arrow::Date32Array>(array, node);
    case arrow::Type::TIMESTAMP:
      return AddIntegers<arrow::TimestampArray>(array, node);
    case arrow::Type::FLOAT:
      return AddFractions<arrow::FloatArray>(array, node);
    case arrow::Type::DOUBLE:
      return AddFractions<arrow::DoubleArray>(array, node);
    case arrow::Type::DECIMAL128:
      return AddDecimals(array, node);
    case arrow::Type::STRING:
      return AddStrings(array, node);
    default:
      return;
  }
}

void AddAllNull(int64_t num_rows, Node* node) {
  if (node->column->type->id() != TypeId::kStruct) node->num_nulls += num_rows;
  for (auto& child : node->children) AddAllNull(num_rows, child.get());
}

arrow::Status AddColumn(const std::shared_ptr<arrow::Array>& array, Node* node) {
  if (node->column->type->id() == TypeId::kStruct) {
    const auto& rows = static_cast<const arrow::StructArray&>(*array);
    for (auto& child : node->children) {
      if (child->column->index < 0) {
        AddAllNull(array->length(), child.get());
        continue;
      }
      // A field of a NULL struct is NULL, whatever lies there.
      ARROW_ASSIGN_OR_RAISE(auto field, rows.GetFlattenedField(child->column->index));
      ARROW_RETURN_NOT_OK(AddColumn(field, child.get()));
    }
    return arrow::Status::OK();
  }
  int64_t num_nulls = array->null_count();
  node->num_nulls += num_nulls;
  if (node->column->has_bounds && num_nulls < array->length()) {
    AddBounds(*array, node);
    node->any = true;
  }
  return arrow::Status::OK();
}

void AppendOffset(int32_t seconds, std::string* out) {
  if (seconds == 0) {
    *out += 'Z';
    return;
  }
  int32_t whole = std::abs(seconds);
  fmt::format_to(std::back_inserter(*out), "{}{:02}:{:02}", seconds < 0 ? '-' : '+', whole / 3600, whole / 60 % 60);
  if (whole % 60 != 0) fmt::format_to(std::back_inserter(*out), ":{:02}", whole % 60);
}

// "2023-11-24T01:00:00.000+01:00"; no zone: no offset.
void AppendTimestamp(int64_t micros, const types::TimeZone* zone, std::string* out) {
  int32_t offset = zone == nullptr ? 0 : zone->OffsetSeconds(micros);
  int64_t seconds = types::FloorDiv(micros, types::kMicrosPerSecond) + offset;
  int64_t millis = types::FloorMod(micros, types::kMicrosPerSecond) / 1000;
  int64_t days = types::FloorDiv(seconds, 86400);
  int64_t of_day = types::FloorMod(seconds, 86400);
  *out += '"';
  types::AppendDate(static_cast<int32_t>(days), out);
  fmt::format_to(std::back_inserter(*out), "T{:02}:{:02}:{:02}.{:03}", of_day / 3600, of_day / 60 % 60, of_day % 60,
                 millis);
  if (zone != nullptr) AppendOffset(offset, out);
  *out += '"';
}

// False where there is no value to write.
bool AppendBound(const Node& node, bool high, const StatisticsPlan& plan, std::string* out) {
  if (!node.any) return false;
  int64_t whole = high ? node.high : node.low;
  double fraction = high ? node.high_double : node.low_double;
  switch (node.column->type->id()) {
    case TypeId::kFloat:
    case TypeId::kDouble: {
      std::string text = node.column->type->id() == TypeId::kFloat ? types::FloatText(static_cast<float>(fraction))
                                                                   : types::DoubleText(fraction);
      if (std::isfinite(fraction)) {
        *out += text;
      } else {
        AppendJsonString(text, out);
      }
      return true;
    }
    case TypeId::kDecimal:
      types::AppendDecimal(high ? node.high_decimal : node.low_decimal, node.column->type->scale(), out);
      return true;
    case TypeId::kString: {
      if (!high) {
        AppendJsonString(TruncatedMinimum(node.low_text, plan.string_prefix_length), out);
        return true;
      }
      std::optional<std::string> text = TruncatedMaximum(node.high_text, plan.string_prefix_length);
      if (text) AppendJsonString(*text, out);
      return text.has_value();
    }
    case TypeId::kDate: {
      *out += '"';
      types::AppendDate(static_cast<int32_t>(whole), out);
      *out += '"';
      return true;
    }
    case TypeId::kTimestamp:
      AppendTimestamp(whole, plan.time_zone, out);
      return true;
    case TypeId::kTimestampNtz:
      AppendTimestamp(whole, nullptr, out);
      return true;
    default:
      *out += std::to_string(whole);
      return true;
  }
}

enum class Part : uint8_t { kMinimum, kMaximum, kNullCount };

// Whether the schema has anything to say of this column in this part; what it says may still be NULL and left out.
bool Takes(const StatisticsColumn& column, Part part) {
  if (column.type->id() != TypeId::kStruct) return part == Part::kNullCount || (column.has_bounds && column.index >= 0);
  for (const StatisticsColumn& child : column.children) {
    if (Takes(child, part)) return true;
  }
  return false;
}

void AppendPart(const std::vector<std::unique_ptr<Node>>& nodes, Part part, const StatisticsPlan& plan, bool any_rows,
                std::string* out) {
  *out += '{';
  bool first = true;
  for (const auto& node : nodes) {
    if (!Takes(*node->column, part)) continue;
    size_t before = out->size();
    if (!first) *out += ',';
    AppendJsonString(node->column->name, out);
    *out += ':';
    bool written = true;
    if (node->column->type->id() == TypeId::kStruct) {
      AppendPart(node->children, part, plan, any_rows, out);
    } else if (part == Part::kNullCount) {
      written = any_rows;
      *out += std::to_string(node->num_nulls);
    } else {
      written = AppendBound(*node, part == Part::kMaximum, plan, out);
    }
    if (written) {
      first = false;
    } else {
      out->resize(before);
    }
  }
  *out += '}';
}

}  // namespace

FileStatistics::FileStatistics(const StatisticsPlan* plan) : plan_(plan) {
  for (const StatisticsColumn& column : plan->columns) nodes_.push_back(MakeNode(column));
}
FileStatistics::~FileStatistics() = default;
FileStatistics::FileStatistics(FileStatistics&&) noexcept = default;
FileStatistics& FileStatistics::operator=(FileStatistics&&) noexcept = default;

arrow::Status FileStatistics::Add(const arrow::RecordBatch& rows) {
  num_rows_ += rows.num_rows();
  for (auto& node : nodes_) {
    if (node->column->index < 0) {
      AddAllNull(rows.num_rows(), node.get());
    } else {
      ARROW_RETURN_NOT_OK(AddColumn(rows.column(node->column->index), node.get()));
    }
  }
  return arrow::Status::OK();
}

std::string FileStatistics::ToJson() const {
  std::string json = "{\"numRecords\":" + std::to_string(num_rows_);
  static constexpr std::pair<Part, std::string_view> kParts[] = {
      {Part::kMinimum, "minValues"}, {Part::kMaximum, "maxValues"}, {Part::kNullCount, "nullCount"}};
  for (const auto& [part, key] : kParts) {
    bool taken = false;
    for (const StatisticsColumn& column : plan_->columns) taken = taken || Takes(column, part);
    if (!taken) continue;
    json += ",\"";
    json += key;
    json += "\":";
    AppendPart(nodes_, part, *plan_, num_rows_ > 0, &json);
  }
  if (plan_->says_tight_bounds) json += ",\"tightBounds\":true";
  json += '}';
  return json;
}

}  // namespace millrace::delta
