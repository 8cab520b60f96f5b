#include <cmath>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/group_values.h"
#include "function/aggregate/row_store.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

using types::TypeId;

// Spark's order: NaN is larger than every number.
template <typename T>
bool Less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a)) return false;
    if (std::isnan(b)) return true;
  }
  return a < b;
}

template <typename T, bool kMin>
class FixedExtremeState final : public AggregateState {
 public:
  FixedExtremeState(std::shared_ptr<arrow::DataType> type, arrow::MemoryPool* pool)
      : type_(std::move(type)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    values_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::ColumnOf<T> column{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (column.IsNull(row)) continue;
      size_t group = group_ids[i];
      T value = column[row], held = static_cast<T>(values_[group]);
      if (!values_.IsValid(group) || (kMin ? Less(value, held) : Less(held, value))) values_.Set(group, value);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Update(context, group_ids, buffers);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, values_.ToArray(type_, pool_));
    return arrow::ArrayVector{std::move(values)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    return values_.ToArray(type_, pool_);
  }

 private:
  std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* pool_;
  GroupValues<T> values_;
};

// Strings and nested types.
template <bool kMin>
class AnyExtremeState final : public AggregateState {
 public:
  AnyExtremeState(DataTypePtr type, arrow::MemoryPool* pool) : type_(type), values_(types::ToArrow(*type), pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    values_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    const std::shared_ptr<arrow::Array>& array = arguments[0];
    if (type_->id() == TypeId::kNull) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(values_.Begin(array));
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (array->IsNull(row)) continue;
      size_t group = group_ids[i];
      bool take = !values_.Has(group);
      if (!take) {
        int order = expression::CompareValues(*type_, *array->data(), row, values_.Data(group), values_.Row(group));
        take = kMin ? order < 0 : order > 0;
      }
      if (take) values_.Set(group, row);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Update(context, group_ids, buffers);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, values_.ToArray());
    return arrow::ArrayVector{std::move(values)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return values_.ToArray(); }

 private:
  DataTypePtr type_;
  RowStore values_;
};

template <bool kMin>
std::unique_ptr<AggregateState> NewExtreme(const DataTypePtr& type, arrow::MemoryPool* pool) {
  auto state = WithStorageType(type->id(), std::unique_ptr<AggregateState>(),
                               [&]<typename T>(std::type_identity<T>) -> std::unique_ptr<AggregateState> {
                                 return std::make_unique<FixedExtremeState<T, kMin>>(types::ToArrow(*type), pool);
                               });
  if (state == nullptr) state = std::make_unique<AnyExtremeState<kMin>>(type, pool);
  return state;
}

template <bool kMin>
ExpressionPtr MakeExtreme(const BindInput& input, ExpressionPtr argument) {
  DataTypePtr type = argument->type();
  return MakeAggregate(input,
                       {.type = type,
                        .buffer = {{kMin ? "min" : "max", type, true, {}}},
                        .distinct_matters = false,
                        .new_state = [type](arrow::MemoryPool* pool) { return NewExtreme<kMin>(type, pool); }},
                       {std::move(argument)});
}

template <bool kMin>
arrow::Result<ExpressionPtr> BindExtreme(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  if (!expression::IsOrderable(*type)) {
    return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                 {"functionName", QuoteIdentifier(input.def.name)},
                                                                 {"dataType", QuoteSqlType(type->Sql())}});
  }
  return MakeExtreme<kMin>(input, input.arguments[0]);
}

template <bool kAnd>
arrow::Result<ExpressionPtr> BindBoolean(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition, CoerceArgument(input, 0, types::Boolean()));
  return MakeExtreme<kAnd>(input, std::move(condition));
}

}  // namespace

extern const FunctionDef kMin{.name = "min",
                              .kind = FunctionKind::kAggregate,
                              .family = "aggregate",
                              .description = "Smallest value.",
                              .example = "min(col)",
                              .example_result = "",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindExtreme<true>};

extern const FunctionDef kMax{.name = "max",
                              .kind = FunctionKind::kAggregate,
                              .family = "aggregate",
                              .description = "Largest value.",
                              .example = "max(col)",
                              .example_result = "",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindExtreme<false>};

extern const FunctionDef kBoolAnd{.name = "bool_and",
                                  .aliases = "every",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "True when no value is false.",
                                  .example = "bool_and(col)",
                                  .example_result = "",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindBoolean<true>};

extern const FunctionDef kBoolOr{.name = "bool_or",
                                 .aliases = "any some",
                                 .kind = FunctionKind::kAggregate,
                                 .family = "aggregate",
                                 .description = "True when a value is true.",
                                 .example = "bool_or(col)",
                                 .example_result = "",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindBoolean<false>};

}  // namespace millrace::function
