#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/group_values.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

enum class BitOp : uint8_t { kAnd, kOr, kXor };

template <typename T>
class BitState final : public AggregateState {
 public:
  BitState(BitOp op, std::shared_ptr<arrow::DataType> type, arrow::MemoryPool* pool)
      : op_(op), type_(std::move(type)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    values_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<T> column{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (column.IsNull(row)) continue;
      size_t group = group_ids[i];
      T value = column[row], held = values_[group];
      if (values_.IsValid(group)) {
        value = static_cast<T>(op_ == BitOp::kAnd ? held & value : op_ == BitOp::kOr ? held | value : held ^ value);
      }
      values_.Set(group, value);
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
  BitOp op_;
  std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* pool_;
  GroupValues<T> values_;
};

template <BitOp kOp>
arrow::Result<ExpressionPtr> BindBit(const BindInput& input) {
  ExpressionPtr argument = input.arguments[0];
  DataTypePtr type = argument->type();
  if (type->id() == types::TypeId::kString || type->id() == types::TypeId::kNull) {
    argument = expression::ImplicitCast(argument, types::Long());
    type = types::Long();
  }
  if (!type->is_integral()) return UnexpectedInputType(input, 0, QuoteSqlType("INTEGRAL"));
  AggregateSpec spec{.type = type, .buffer = {{std::string(input.def.name), type, true, {}}}};
  spec.new_state = [type](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
    std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
    switch (type->id()) {
      case types::TypeId::kByte:
        return std::make_unique<BitState<int8_t>>(kOp, arrow_type, pool);
      case types::TypeId::kShort:
        return std::make_unique<BitState<int16_t>>(kOp, arrow_type, pool);
      case types::TypeId::kInteger:
        return std::make_unique<BitState<int32_t>>(kOp, arrow_type, pool);
      default:
        return std::make_unique<BitState<int64_t>>(kOp, arrow_type, pool);
    }
  };
  return MakeAggregate(input, std::move(spec), {std::move(argument)});
}

}  // namespace

extern const FunctionDef kBitAndAggregate{.name = "bit_and",
                                          .kind = FunctionKind::kAggregate,
                                          .family = "aggregate",
                                          .description = "Bitwise AND of the values that are not NULL.",
                                          .example = "bit_and(col)",
                                          .example_result = "",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = BindBit<BitOp::kAnd>};

extern const FunctionDef kBitOrAggregate{.name = "bit_or",
                                         .kind = FunctionKind::kAggregate,
                                         .family = "aggregate",
                                         .description = "Bitwise OR of the values that are not NULL.",
                                         .example = "bit_or(col)",
                                         .example_result = "",
                                         .min_arguments = 1,
                                         .max_arguments = 1,
                                         .bind = BindBit<BitOp::kOr>};

extern const FunctionDef kBitXorAggregate{.name = "bit_xor",
                                          .kind = FunctionKind::kAggregate,
                                          .family = "aggregate",
                                          .description = "Bitwise XOR of the values that are not NULL.",
                                          .example = "bit_xor(col)",
                                          .example_result = "",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = BindBit<BitOp::kXor>};

}  // namespace millrace::function
