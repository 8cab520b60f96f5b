#include "function/aggregate/bound_aggregate.h"

#include "base/error.h"
#include "expression/type_coercion.h"

namespace millrace::function {

namespace {

class BoundAggregate final : public expression::AggregateFunction {
 public:
  explicit BoundAggregate(AggregateSpec spec) : spec_(std::move(spec)) {}
  const std::string& name() const override { return spec_.name; }
  const DataTypePtr& result_type() const override { return spec_.type; }
  bool result_nullable() const override { return spec_.nullable; }
  const std::vector<types::StructField>& buffer_fields() const override { return spec_.buffer; }
  bool opaque_buffer() const override { return spec_.opaque; }
  bool distinct_matters() const override { return spec_.distinct_matters; }
  std::unique_ptr<AggregateState> NewState(arrow::MemoryPool* pool) const override { return spec_.new_state(pool); }

 private:
  AggregateSpec spec_;
};

}  // namespace

ExpressionPtr MakeAggregate(const BindInput& input, AggregateSpec spec, ExpressionVector arguments) {
  if (spec.name.empty()) spec.name = input.name;
  return std::make_shared<expression::AggregateCall>(std::make_shared<const BoundAggregate>(std::move(spec)),
                                                     std::move(arguments), input.distinct, input.filter);
}

arrow::Result<ExpressionPtr> CoerceArgument(const BindInput& input, size_t index, const DataTypePtr& type) {
  const ExpressionPtr& argument = input.arguments[index];
  if (!expression::CanImplicitCast(argument->type(), type)) {
    return UnexpectedInputType(input, index, QuoteSqlType(type->Sql()));
  }
  return expression::ImplicitCast(argument, type);
}

arrow::Result<ExpressionPtr> CoerceSummable(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  const DataTypePtr& type = argument->type();
  if (type->is_numeric() || type->is_ansi_interval()) return argument;
  if (type->id() == types::TypeId::kString || type->id() == types::TypeId::kNull) {
    return expression::ImplicitCast(argument, types::Double());
  }
  return UnexpectedInputType(input, index, "\"NUMERIC\" or \"ANSI INTERVAL\"");
}

}  // namespace millrace::function
