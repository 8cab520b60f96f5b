#include <arrow/array/array_nested.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/collected_rows.h"
#include "function/aggregate/extreme_by.h"
#include "types/arrow_type.h"

/// The k rows of each group with the largest or smallest ordering.

namespace millrace::function {

namespace {

constexpr int64_t kMaxK = 100000;

// Holds (value, ordering) of the rows whose ordering is not NULL; what leaves it is each group's best k.
class ExtremesByState final : public AggregateState {
 public:
  ExtremesByState(DataTypePtr value, DataTypePtr ordering, int64_t k, bool smallest, arrow::MemoryPool* pool)
      : value_(std::move(value)),
        ordering_(std::move(ordering)),
        k_(static_cast<size_t>(k)),
        smallest_(smallest),
        pool_(pool),
        row_(types::Struct({{"value", value_, true, {}}, {"ordering", ordering_, true, {}}})),
        rows_(row_, pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    rows_.Resize(num_groups);
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    if (arguments[1]->type_id() == arrow::Type::NA) return arrow::Status::OK();
    const arrow::Array& orderings = *arguments[1];
    // A row is NULL where its ordering is.
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity,
                          arrow::AllocateEmptyBitmap(orderings.length(), pool_));
    for (int64_t i = 0; i < orderings.length(); ++i) {
      if (orderings.IsValid(i)) arrow::bit_util::SetBit(validity->mutable_data(), i);
    }
    auto rows = std::make_shared<arrow::StructArray>(types::ToArrow(*row_), orderings.length(),
                                                     arrow::ArrayVector{arguments[0], arguments[1]},
                                                     std::move(validity), orderings.null_count());
    return rows_.Add(group_ids, rows);
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return rows_.AddLists(group_ids, *buffers[0]);
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped best, Best());
    ARROW_ASSIGN_OR_RAISE(auto lists, MakeLists(*types::Array(row_, false), best, pool_));
    return arrow::ArrayVector{std::move(lists)};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped best, Best());
    const auto& rows = static_cast<const arrow::StructArray&>(*best.values);
    ARROW_ASSIGN_OR_RAISE(best.values, rows.GetFlattenedField(0, pool_));
    ARROW_ASSIGN_OR_RAISE(auto lists, MakeLists(*types::Array(value_, true), best, pool_));
    // A group without a row has no array.
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, arrow::AllocateEmptyBitmap(lists->length(), pool_));
    for (int64_t i = 0; i < lists->length(); ++i) {
      auto at = static_cast<size_t>(i);
      if (best.offsets[at + 1] > best.offsets[at]) arrow::bit_util::SetBit(validity->mutable_data(), i);
    }
    std::shared_ptr<arrow::ArrayData> data = lists->data()->Copy();
    data->buffers[0] = std::move(validity);
    data->SetNullCount(arrow::kUnknownNullCount);
    return arrow::MakeArray(std::move(data));
  }

 private:
  arrow::Result<CollectedRows::Grouped> Best() {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    const auto& rows = static_cast<const arrow::StructArray&>(*grouped.values);
    const std::shared_ptr<arrow::Array> orderings = rows.field(1);
    arrow::Int64Builder kept(pool_);
    std::vector<int32_t> offsets{0};
    std::vector<int64_t> order;
    for (size_t group = 0; group + 1 < grouped.offsets.size(); ++group) {
      order.resize(static_cast<size_t>(grouped.offsets[group + 1] - grouped.offsets[group]));
      std::iota(order.begin(), order.end(), int64_t{grouped.offsets[group]});
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        int compared = expression::CompareValues(*ordering_, *orderings->data(), a, *orderings->data(), b);
        return smallest_ ? compared < 0 : compared > 0;
      });
      if (order.size() > k_) order.resize(k_);
      ARROW_RETURN_NOT_OK(kept.AppendValues(order));
      offsets.push_back(static_cast<int32_t>(kept.length()));
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, kept.Finish());
    arrow::compute::ExecContext exec(pool_);
    ARROW_ASSIGN_OR_RAISE(auto values, arrow::compute::Take(*grouped.values, *indices,
                                                            arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return CollectedRows::Grouped{std::move(values), std::move(offsets)};
  }

  DataTypePtr value_;
  DataTypePtr ordering_;
  size_t k_;
  bool smallest_;
  arrow::MemoryPool* pool_;
  DataTypePtr row_;
  CollectedRows rows_;
};

}  // namespace

arrow::Result<ExpressionPtr> BindExtremesBy(const BindInput& input, bool smallest) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr count, CoerceArgument(input, 2, types::Integer()));
  if (!count->foldable()) return NonFoldableInput(input, 2, "k", types::Integer());
  const DataTypePtr value = input.arguments[0]->type(), ordering = input.arguments[1]->type();
  if (!expression::IsOrderable(*ordering)) {
    return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                 {"functionName", QuoteIdentifier(input.def.name)},
                                                                 {"dataType", QuoteSqlType(ordering->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*count, input.context));
  int64_t k = scalar->is_valid ? static_cast<const arrow::Int32Scalar&>(*scalar).value : 0;
  if (k < 1 || k > kMaxK) {
    return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                              {"exprName", QuoteIdentifier("k")},
                                                              {"valueRange", "[1, " + std::to_string(kMaxK) + "]"},
                                                              {"currentValue", std::to_string(k)}});
  }
  DataTypePtr row = types::Struct({{"value", value, true, {}}, {"ordering", ordering, true, {}}});
  return MakeAggregate(
      input,
      {.type = types::Array(value, true),
       .buffer = {{"rows", types::Array(row, false), false, {}}},
       .opaque = true,
       .new_state = [value, ordering, k, smallest](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
         return std::make_unique<ExtremesByState>(value, ordering, k, smallest, pool);
       }},
      {input.arguments[0], input.arguments[1], std::move(count)});
}

}  // namespace millrace::function
