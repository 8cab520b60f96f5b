#include "function/aggregate/extreme_by.h"

#include "base/error.h"
#include "expression/compare.h"
#include "function/aggregate/row_store.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

// Buffer (value, ordering). Of equal orderings the last one wins.
template <bool kMin>
class ExtremeByState final : public AggregateState {
 public:
  ExtremeByState(const DataTypePtr& value, DataTypePtr ordering, arrow::MemoryPool* pool)
      : ordering_type_(ordering), values_(types::ToArrow(*value), pool), orderings_(types::ToArrow(*ordering), pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    values_.Resize(num_groups);
    orderings_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    ARROW_RETURN_NOT_OK(values_.Begin(arguments[0]));
    ARROW_RETURN_NOT_OK(orderings_.Begin(arguments[1]));
    const arrow::Array& orderings = *arguments[1];
    if (orderings.type_id() == arrow::Type::NA) return arrow::Status::OK();
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      size_t group = group_ids[i];
      if (orderings.IsNull(row)) continue;
      if (orderings_.Has(group)) {
        int order = expression::CompareValues(*ordering_type_, *orderings.data(), row, orderings_.Data(group),
                                              orderings_.Row(group));
        if (kMin ? order > 0 : order < 0) continue;
      }
      values_.Set(group, row);
      orderings_.Set(group, row);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Update(context, group_ids, buffers);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, values_.ToArray());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> orderings, orderings_.ToArray());
    return arrow::ArrayVector{std::move(values), std::move(orderings)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return values_.ToArray(); }

 private:
  DataTypePtr ordering_type_;
  RowStore values_;
  RowStore orderings_;
};

template <bool kMin>
arrow::Result<ExpressionPtr> BindExtremeBy(const BindInput& input) {
  if (input.arguments.size() == 3) return BindExtremesBy(input, kMin);
  DataTypePtr value = input.arguments[0]->type(), ordering = input.arguments[1]->type();
  if (!expression::IsOrderable(*ordering)) {
    return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                 {"functionName", QuoteIdentifier(input.def.name)},
                                                                 {"dataType", QuoteSqlType(ordering->Sql())}});
  }
  return MakeAggregate(
      input,
      {.type = value,
       .buffer = {{"valueWithExtremumOrdering", value, true, {}}, {"extremumOrdering", ordering, true, {}}},
       .new_state = [value, ordering](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
         return std::make_unique<ExtremeByState<kMin>>(value, ordering, pool);
       }},
      input.arguments);
}

}  // namespace

extern const FunctionDef kMaxBy{
    .name = "max_by",
    .kind = FunctionKind::kAggregate,
    .family = "aggregate",
    .description = "The value of the row where the second argument is largest; with a third argument, of so many rows.",
    .example = "max_by(x, y)",
    .example_result = "",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = BindExtremeBy<false>};

extern const FunctionDef kMinBy{
    .name = "min_by",
    .kind = FunctionKind::kAggregate,
    .family = "aggregate",
    .description =
        "The value of the row where the second argument is smallest; with a third argument, of so many rows.",
    .example = "min_by(x, y)",
    .example_result = "",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = BindExtremeBy<true>};

}  // namespace millrace::function
