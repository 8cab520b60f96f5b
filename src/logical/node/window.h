#pragma once

#include <optional>

#include "logical/plan.h"

namespace millrace::logical {

enum class WindowFunctionKind : uint8_t {
  kRowNumber,
  kRank,
  kDenseRank,
  kPercentRank,
  kCumeDist,
  kNtile,          ///< arguments: the number of buckets
  kOffset,         ///< lag and lead: value, default; `offset` rows on
  kNthValue,       ///< arguments: value; `offset` from 1
  kAggregate,      ///< arguments: the AggregateCall
  kMergeSessions,  ///< arguments: a session window; overlapping ones of a partition become one
};

enum class FrameBoundKind : uint8_t { kUnboundedPreceding, kOffset, kCurrentRow, kUnboundedFollowing };

struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  /// ROWS: how far from the current row, negative for PRECEDING.
  int64_t rows = 0;
  /// RANGE: the order key moved by the offset; compared with the order keys of the partition.
  ExpressionPtr key;
  /// kOffset, as a column's name shows it: "2 PRECEDING"; "-1 FOLLOWING" for a number.
  std::string text = {};
};

struct WindowFrame {
  bool is_rows = false;
  FrameBound lower{FrameBoundKind::kUnboundedPreceding, 0, nullptr};
  FrameBound upper{FrameBoundKind::kUnboundedFollowing, 0, nullptr};
};

struct WindowFunction {
  WindowFunctionKind kind = WindowFunctionKind::kRowNumber;
  ExpressionVector arguments;
  /// kAggregate, kNthValue.
  WindowFrame frame;
  int64_t offset = 0;
  /// kOffset, kNthValue: NULL values do not count.
  bool ignore_nulls = false;
  /// The column of the results.
  AttributePtr column;
};

struct WindowSpec {
  ExpressionVector partition;
  std::vector<expression::SortOrder> order;
  /// Why a stream may not have it; null: it may, each micro-batch by itself.
  std::shared_ptr<const arrow::Status> refused_in_streams = nullptr;
};

/// Adds to each row what functions make of the rows of its partition. Rows come out in no order.
class Window final : public Plan {
 public:
  Window(WindowSpec spec, std::vector<WindowFunction> functions, PlanPtr child);
  const WindowSpec& spec() const { return spec_; }
  const std::vector<WindowFunction>& functions() const { return functions_; }

  /// Partition keys, order keys, then each function's arguments and frame keys.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Window>(spec_, functions_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  WindowSpec spec_;
  std::vector<WindowFunction> functions_;
};

}  // namespace millrace::logical
