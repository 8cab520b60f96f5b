#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/aggregate/bound_aggregate.h"

/// regr_count, regr_avgx, regr_avgy: count and avg of the pairs (y, x) without a NULL. The others are in covariance.cc.

namespace millrace::function {

namespace {

arrow::Status ExpectNumbers(const BindInput& input) {
  for (size_t i = 0; i < 2; ++i) {
    const DataTypePtr& type = input.arguments[i]->type();
    bool fits = type->is_numeric() || type->id() == types::TypeId::kNull || type->id() == types::TypeId::kString;
    if (!fits) return UnexpectedInputType(input, i, "\"NUMERIC\"");
  }
  return arrow::Status::OK();
}

ExpressionPtr Number(const ExpressionPtr& value) {
  return value->type()->is_numeric() ? value : expression::ImplicitCast(value, types::Double());
}

// Another aggregate over one of two arguments, of the rows where neither is NULL.
class PairedState final : public AggregateState {
 public:
  PairedState(std::unique_ptr<AggregateState> inner, size_t index, arrow::MemoryPool* pool)
      : inner_(std::move(inner)), index_(index), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override { return inner_->Resize(num_groups); }
  arrow::Status Update(const EvalContext& context, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    if (arguments[1 - index_]->null_count() == 0 && arguments[1 - index_]->type_id() != arrow::Type::NA) {
      return inner_->Update(context, group_ids, {arguments[index_]});
    }
    arrow::Int64Builder rows(pool_);
    for (int64_t i = 0; i < arguments[0]->length(); ++i) {
      bool both = arguments[0]->IsValid(i) && arguments[1]->IsValid(i);
      ARROW_RETURN_NOT_OK(both ? rows.Append(i) : rows.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, rows.Finish());
    arrow::compute::ExecContext exec(pool_);
    ARROW_ASSIGN_OR_RAISE(auto paired, arrow::compute::Take(*arguments[index_], *indices,
                                                            arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return inner_->Update(context, group_ids, {std::move(paired)});
  }
  arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return inner_->Merge(context, group_ids, buffers);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override { return inner_->Buffers(); }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override {
    return inner_->Finish(context);
  }

 private:
  std::unique_ptr<AggregateState> inner_;
  size_t index_;
  arrow::MemoryPool* pool_;
};

template <size_t kIndex>
arrow::Result<ExpressionPtr> BindAverage(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectNumbers(input));
  ExpressionVector arguments = input.arguments;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr average, BindCall("avg", {Number(arguments[kIndex])}, input.context));
  auto function = static_cast<const expression::AggregateCall&>(*average).function();
  arguments[kIndex] = average->children()[0];
  return MakeAggregate(input,
                       {.type = function->result_type(),
                        .buffer = function->buffer_fields(),
                        .new_state = [function](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<PairedState>(function->NewState(pool), kIndex, pool);
                        }},
                       std::move(arguments));
}

arrow::Result<ExpressionPtr> BindCount(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectNumbers(input));
  const FunctionDef* count = FindFunction("count");
  return count->bind(BindInput{*count, input.name, input.arguments, input.context, input.distinct, input.filter});
}

}  // namespace

extern const FunctionDef kRegrCount{.name = "regr_count",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Number of pairs (y, x) without a NULL.",
                                    .example = "regr_count(y, x)",
                                    .example_result = "",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = BindCount};

extern const FunctionDef kRegrAvgX{.name = "regr_avgx",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Average of x over the pairs (y, x) without a NULL.",
                                   .example = "regr_avgx(y, x)",
                                   .example_result = "",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindAverage<1>};

extern const FunctionDef kRegrAvgY{.name = "regr_avgy",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Average of y over the pairs (y, x) without a NULL.",
                                   .example = "regr_avgy(y, x)",
                                   .example_result = "",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindAverage<0>};

}  // namespace millrace::function
