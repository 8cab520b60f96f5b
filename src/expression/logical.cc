#include <numeric>

#include "expression/node.h"
#include "expression/vector.h"

namespace millrace::expression {

namespace {

// What one side says of a row.
enum class Truth : uint8_t { kFalse, kTrue, kUnknown };

Truth At(const BooleanColumn& column, int64_t i) {
  if (column.IsNull(i)) return Truth::kUnknown;
  return column[i] ? Truth::kTrue : Truth::kFalse;
}

// The value that decides alone: FALSE for AND, TRUE for OR.
Truth Combine(Truth left, Truth right, Truth decisive) {
  if (left == decisive || right == decisive) return decisive;
  if (left == Truth::kUnknown || right == Truth::kUnknown) return Truth::kUnknown;
  return left;
}

}  // namespace

Logical::Logical(bool is_and, ExpressionPtr left, ExpressionPtr right, std::shared_ptr<const ShownCall> shown)
    : Expression(ExpressionKind::kLogical, types::Boolean(), left->nullable() || right->nullable(), {left, right}),
      is_and_(is_and),
      shown_(std::move(shown)) {}

ExpressionPtr Logical::WithChildren(ExpressionVector children) const {
  return std::make_shared<Logical>(is_and_, std::move(children[0]), std::move(children[1]), shown_);
}

std::string Logical::Sql(bool pretty) const {
  if (shown_ != nullptr) return shown_->Sql(pretty);
  return "(" + children()[0]->Sql(pretty) + (is_and_ ? " AND " : " OR ") + children()[1]->Sql(pretty) + ")";
}

arrow::Result<arrow::Datum> Logical::Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const {
  const Expression& right_side = *children()[1];
  int64_t num_rows = input.num_rows();
  ARROW_ASSIGN_OR_RAISE(arrow::Datum left_value, children()[0]->Evaluate(context, input));
  BooleanColumn left(left_value);
  const Truth decisive = is_and_ ? Truth::kFalse : Truth::kTrue;
  if (left_value.is_scalar() && At(left, 0) == decisive) return left_value;

  std::vector<int32_t> open;  // rows the left side leaves undecided
  bool partial = right_side.can_fail() && !left_value.is_scalar();
  if (partial) {
    for (int64_t i = 0; i < num_rows; ++i) {
      if (At(left, i) != decisive) open.push_back(static_cast<int32_t>(i));
    }
    partial = static_cast<int64_t>(open.size()) < num_rows;
  }
  arrow::Datum right_value;
  if (!partial) {
    ARROW_ASSIGN_OR_RAISE(right_value, right_side.Evaluate(context, input));
  } else if (open.empty()) {
    return left_value;
  } else {
    arrow::Int32Array rows(static_cast<int64_t>(open.size()), arrow::Buffer::Wrap(open));
    ARROW_ASSIGN_OR_RAISE(auto batch, TakeColumns(input, rows, BoundColumns(right_side), context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(right_value, right_side.Evaluate(context, *batch));
  }
  BooleanColumn right(right_value);

  bool one_row = left_value.is_scalar() && right_value.is_scalar();
  int64_t length = one_row ? 1 : num_rows;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, arrow::AllocateEmptyBitmap(length, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity,
                        arrow::AllocateEmptyBitmap(length, context.memory_pool));
  uint8_t* out = values->mutable_data();
  uint8_t* bits = validity->mutable_data();
  size_t next_open = 0;
  for (int64_t i = 0; i < length; ++i) {
    Truth truth = At(left, i);
    if (!partial) {
      truth = Combine(truth, At(right, i), decisive);
    } else if (truth != decisive) {
      truth = Combine(truth, At(right, static_cast<int64_t>(next_open++)), decisive);
    }
    if (truth != Truth::kUnknown) arrow::bit_util::SetBit(bits, i);
    if (truth == Truth::kTrue) arrow::bit_util::SetBit(out, i);
  }
  auto data = arrow::ArrayData::Make(arrow::boolean(), length, {std::move(validity), std::move(values)});
  if (!one_row) return arrow::Datum(std::move(data));
  ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeArray(data)->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

}  // namespace millrace::expression
