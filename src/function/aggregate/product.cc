#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"

/// product: the product of all numbers (pyspark.sql.functions.product).

namespace millrace::function {

namespace {

class ProductState final : public AggregateState {
 public:
  explicit ProductState(arrow::MemoryPool* pool) : pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    products_.resize(static_cast<size_t>(num_groups), 1.0);
    seen_.resize(static_cast<size_t>(num_groups), false);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<double> values{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      if (values.IsNull(static_cast<int64_t>(i))) continue;
      products_[group_ids[i]] *= values[static_cast<int64_t>(i)];
      seen_[group_ids[i]] = true;
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Update(context, group_ids, buffers);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(auto array, Build());
    return arrow::ArrayVector{std::move(array)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return Build(); }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> Build() {
    arrow::DoubleBuilder builder(pool_);
    for (size_t g = 0; g < products_.size(); ++g) {
      ARROW_RETURN_NOT_OK(seen_[g] ? builder.Append(products_[g]) : builder.AppendNull());
    }
    return builder.Finish();
  }

  arrow::MemoryPool* pool_;
  std::vector<double> products_;
  std::vector<bool> seen_;
};

}  // namespace

extern const FunctionDef kProduct{
    .name = "product",
    .kind = FunctionKind::kAggregate,
    .family = "aggregate",
    .description = "Product of all numbers.",
    .example = "product(x)",
    .example_result = "",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceArgument(input, 0, types::Double()));
      AggregateSpec spec{.type = types::Double()};
      spec.buffer = {{"product", types::Double(), true, {}}};
      spec.new_state = [](arrow::MemoryPool* pool) { return std::make_unique<ProductState>(pool); };
      return MakeAggregate(input, std::move(spec), {std::move(value)});
    }};

}  // namespace millrace::function
