#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include "format/parquet/parquet_scan.h"

namespace millrace::format {

namespace {

using types::TypeId;

/// Bounds of whole numbers as values of the wanted type; none where the units differ.
std::optional<PredicateValue> WholeBound(int64_t value, const parquet::ColumnDescriptor& column,
                                         const types::DataType& type) {
  const auto& logical = column.logical_type();
  switch (type.id()) {
    case TypeId::kBoolean:
    case TypeId::kByte:
    case TypeId::kShort:
    case TypeId::kInteger:
    case TypeId::kLong:
      if (logical->is_none() ||
          (logical->is_int() && static_cast<const parquet::IntLogicalType&>(*logical).is_signed())) {
        return PredicateValue(value);
      }
      return std::nullopt;
    case TypeId::kDate:
      return logical->is_date() ? std::optional(PredicateValue(value)) : std::nullopt;
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz: {
      if (!logical->is_timestamp()) return std::nullopt;
      const auto& timestamp = static_cast<const parquet::TimestampLogicalType&>(*logical);
      if (timestamp.time_unit() == parquet::LogicalType::TimeUnit::MICROS) return PredicateValue(value);
      if (timestamp.time_unit() == parquet::LogicalType::TimeUnit::MILLIS) return PredicateValue(value * 1000);
      return std::nullopt;
    }
    case TypeId::kDecimal: {
      if (!logical->is_decimal()) return std::nullopt;
      int scale = static_cast<const parquet::DecimalLogicalType&>(*logical).scale();
      return PredicateValue(PredicateValue::DecimalValue{arrow::Decimal128(value), scale});
    }
    default:
      return std::nullopt;
  }
}

template <typename Statistics>
void WholeRange(const Statistics& statistics, const parquet::ColumnDescriptor& column, const types::DataType& type,
                ColumnRange* range) {
  range->min = WholeBound(statistics.min(), column, type);
  range->max = WholeBound(statistics.max(), column, type);
}

ColumnRange RangeOfLeaf(const parquet::RowGroupMetaData& group, int leaf, const types::DataType& type) {
  ColumnRange range;
  range.num_rows = group.num_rows();
  auto chunk = group.ColumnChunk(leaf);
  std::shared_ptr<parquet::Statistics> statistics = chunk->is_stats_set() ? chunk->statistics() : nullptr;
  if (statistics == nullptr) return range;
  const parquet::ColumnDescriptor& column = *group.schema()->Column(leaf);
  // Below an optional struct a missing struct counts as a NULL of the leaf, so the count is that of the column.
  if (statistics->HasNullCount()) range.null_count = statistics->null_count();
  if (!statistics->HasMinMax()) return range;
  switch (column.physical_type()) {
    case parquet::Type::BOOLEAN:
      WholeRange(static_cast<const parquet::BoolStatistics&>(*statistics), column, type, &range);
      break;
    case parquet::Type::INT32:
      WholeRange(static_cast<const parquet::Int32Statistics&>(*statistics), column, type, &range);
      break;
    case parquet::Type::INT64:
      WholeRange(static_cast<const parquet::Int64Statistics&>(*statistics), column, type, &range);
      break;
    // NaN, the largest value to Spark, may not be in the bounds: only the lower one is sure.
    case parquet::Type::FLOAT:
      if (type.is_fractional() && type.id() != TypeId::kDecimal) {
        range.min = PredicateValue(double{static_cast<const parquet::FloatStatistics&>(*statistics).min()});
      }
      break;
    case parquet::Type::DOUBLE:
      if (type.id() == TypeId::kDouble) {
        range.min = PredicateValue(static_cast<const parquet::DoubleStatistics&>(*statistics).min());
      }
      break;
    case parquet::Type::BYTE_ARRAY:
      if (type.id() == TypeId::kString && column.logical_type()->is_string()) {
        const auto& bytes = static_cast<const parquet::ByteArrayStatistics&>(*statistics);
        range.min = PredicateValue(std::string(std::string_view(bytes.min())));
        range.max = PredicateValue(std::string(std::string_view(bytes.max())));
      }
      break;
    default:
      break;
  }
  return range;
}

}  // namespace

std::vector<int> MatchingRowGroups(const parquet::FileMetaData& metadata, const ParquetColumns& columns,
                                   const PredicatePtr& filter) {
  std::vector<int> matching;
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    auto group = metadata.RowGroup(i);
    auto range_of = [&](const std::vector<std::string>& column, const types::DataType& type) {
      int leaf = columns.LeafOf(column);
      return leaf < 0 ? ColumnRange() : RangeOfLeaf(*group, leaf, type);
    };
    if (filter == nullptr || MayMatch(*filter, range_of)) matching.push_back(i);
  }
  return matching;
}

}  // namespace millrace::format
