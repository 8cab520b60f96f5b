#include "base/error.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/group_values.h"
#include "function/aggregate/row_store.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

// Buffer (value, valueSet).
template <bool kFirst>
class FirstLastState final : public AggregateState {
 public:
  FirstLastState(const DataTypePtr& type, bool ignore_nulls, arrow::MemoryPool* pool)
      : ignore_nulls_(ignore_nulls), pool_(pool), values_(types::ToArrow(*type), pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    values_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    const arrow::Array& array = *arguments[0];
    ARROW_RETURN_NOT_OK(values_.Begin(arguments[0]));
    bool may_skip = ignore_nulls_ && array.null_count() > 0;
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (may_skip && array.IsNull(row)) continue;
      if (!kFirst || !values_.Has(group_ids[i])) values_.Set(group_ids[i], row);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    ARROW_RETURN_NOT_OK(values_.Begin(buffers[0]));
    expression::BooleanColumn set{arrow::Datum(buffers[1])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (set[row] && (!kFirst || !values_.Has(group_ids[i]))) values_.Set(group_ids[i], row);
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, values_.ToArray());
    GroupValues<bool> set(false, true);
    set.Resize(static_cast<int64_t>(values_.size()));
    for (size_t group = 0; group < values_.size(); ++group) set[group] = values_.Has(group);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> flags, set.ToArray(arrow::boolean(), pool_));
    return arrow::ArrayVector{std::move(values), std::move(flags)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return values_.ToArray(); }

 private:
  bool ignore_nulls_;
  arrow::MemoryPool* pool_;
  RowStore values_;
};

template <bool kFirst>
arrow::Result<ExpressionPtr> BindFirstLast(const BindInput& input) {
  bool ignore_nulls = input.ignore_nulls;
  if (input.arguments.size() == 2) {
    const ExpressionPtr& flag = input.arguments[1];
    if (!flag->foldable() || flag->type()->id() != types::TypeId::kBoolean) {
      return UserError("_LEGACY_ERROR_TEMP_1210", {{"funcName", kFirst ? "first" : "last"}});
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> value, expression::EvaluateFoldable(*flag, input.context));
    ignore_nulls = value->is_valid && static_cast<const arrow::BooleanScalar&>(*value).value;
  }
  DataTypePtr type = input.arguments[0]->type();
  return MakeAggregate(
      input,
      {.type = type,
       .buffer = {{kFirst ? "first" : "last", type, true, {}}, {"valueSet", types::Boolean(), true, {}}},
       .new_state = [type, ignore_nulls](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
         return std::make_unique<FirstLastState<kFirst>>(type, ignore_nulls, pool);
       }},
      {input.arguments[0]});
}

}  // namespace

extern const FunctionDef kFirst{.name = "first",
                                .aliases = "first_value any_value",
                                .kind = FunctionKind::kAggregate,
                                .family = "aggregate",
                                .description = "The first value; with true, the first that is not NULL.",
                                .example = "first(col)",
                                .example_result = "",
                                .min_arguments = 1,
                                .max_arguments = 2,
                                .bind = BindFirstLast<true>};

extern const FunctionDef kLast{.name = "last",
                               .aliases = "last_value",
                               .kind = FunctionKind::kAggregate,
                               .family = "aggregate",
                               .description = "The last value; with true, the last that is not NULL.",
                               .example = "last(col)",
                               .example_result = "",
                               .min_arguments = 1,
                               .max_arguments = 2,
                               .bind = BindFirstLast<false>};

}  // namespace millrace::function
