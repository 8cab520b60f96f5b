#include "expression/variant_column.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/scalar/variant/variant_get.h"
#include "function/scalar/variant/variant_schema.h"

namespace millrace::function {

namespace {

/// The type that all variants of a group have; in state its schema JSON, as Spark keeps it.
class SchemaState final : public AggregateState {
 public:
  explicit SchemaState(arrow::MemoryPool* pool) : pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    schemas_.resize(static_cast<size_t>(num_groups), types::Null());
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    ARROW_ASSIGN_OR_RAISE(auto column, expression::VariantColumn::Make(arrow::Datum(arguments[0]), pool_));
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (column.IsNull(row)) continue;
      ARROW_ASSIGN_OR_RAISE(variant::Variant value, column[row]);
      ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, SchemaOfVariant(value));
      DataTypePtr& held = schemas_[group_ids[i]];
      held = MergeVariantSchemas(held, schema);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    const auto& texts = static_cast<const arrow::BinaryArray&>(*buffers[0]);
    for (size_t i = 0; i < group_ids.size(); ++i) {
      if (texts.IsNull(static_cast<int64_t>(i))) continue;
      ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, types::ParseTypeJson(texts.GetView(static_cast<int64_t>(i))));
      DataTypePtr& held = schemas_[group_ids[i]];
      held = MergeVariantSchemas(held, schema);
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::BinaryBuilder builder(pool_);
    for (const DataTypePtr& schema : schemas_) ARROW_RETURN_NOT_OK(builder.Append(schema->ToJson()));
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return arrow::ArrayVector{std::move(array)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    arrow::StringBuilder builder(pool_);
    for (const DataTypePtr& schema : schemas_) ARROW_RETURN_NOT_OK(builder.Append(VariantSchemaText(*schema)));
    return builder.Finish();
  }

 private:
  arrow::MemoryPool* pool_;
  std::vector<DataTypePtr> schemas_;
};

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ExactArgument(input, 0, types::Variant()));
  return MakeAggregate(input,
                       {.type = types::String(),
                        .nullable = false,
                        .buffer = {{"buf", types::Binary(), true, ""}},
                        .opaque = true,
                        .new_state = [](arrow::MemoryPool* pool) { return std::make_unique<SchemaState>(pool); }},
                       {std::move(value)});
}

}  // namespace

extern const FunctionDef kSchemaOfVariantAgg{.name = "schema_of_variant_agg",
                                             .kind = FunctionKind::kAggregate,
                                             .family = "aggregate",
                                             .description = "The type that holds all variants of a column, as SQL.",
                                             .example = "schema_of_variant_agg(v)",
                                             .example_result = "",
                                             .min_arguments = 1,
                                             .max_arguments = 1,
                                             .bind = Bind};

}  // namespace millrace::function
