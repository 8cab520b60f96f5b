#include <optional>

#include "base/error.h"
#include "expression/vector.h"
#include "function/aggregate/sketch_state.h"
#include "function/sketch/hll_arguments.h"
#include "function/sketch/hll_tables.h"
#include "function/sketch/murmur_hash_128.h"
#include "function/sketch/sketch_arguments.h"

/// hll_sketch_agg of keys, hll_union_agg of sketches.

namespace millrace::function {

namespace {

using types::TypeId;

struct HllCall {
  std::string name;
  /// Of a union the size is that of the first sketch.
  std::optional<int> log2_size;
  bool any_size = false;
};

class HllState : public SketchPerGroup<HllSketch> {
 public:
  HllState(HllCall call, arrow::MemoryPool* pool) : SketchPerGroup(pool), call_(std::move(call)) {}

  arrow::Status Resize(int64_t num_groups) override {
    std::optional<HllSketch> first;
    if (call_.log2_size) first.emplace(*call_.log2_size);
    groups_.resize(static_cast<size_t>(num_groups), first);
    return arrow::Status::OK();
  }

 protected:
  HllSketch Empty() const override { return HllSketch(kDefaultLog2Size); }
  arrow::Status Combine(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& sketches) override {
    expression::StringColumn values{arrow::Datum(sketches)};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (values.IsNull(row)) continue;
      ARROW_ASSIGN_OR_RAISE(HllSketch sketch, ParseHll(call_.name, values[row]));
      std::optional<HllSketch>& group = groups_[group_ids[i]];
      if (!group) group.emplace(sketch.log2_size());
      ARROW_RETURN_NOT_OK(CheckHllSizes(call_.name, group->log2_size(), sketch.log2_size(), call_.any_size));
      group->Merge(sketch, group->log2_size());
    }
    return arrow::Status::OK();
  }

  HllCall call_;
};

class HllKeyState final : public HllState {
 public:
  using HllState::HllState;

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    const arrow::Array& keys = *arguments[0];
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (keys.IsNull(row)) continue;
      HllSketch& sketch = *groups_[group_ids[i]];
      switch (keys.type_id()) {
        case arrow::Type::INT32:
          sketch.Update(BytesOf(int64_t{static_cast<const arrow::Int32Array&>(keys).Value(row)}));
          break;
        case arrow::Type::INT64:
          sketch.Update(BytesOf(static_cast<const arrow::Int64Array&>(keys).Value(row)));
          break;
        case arrow::Type::NA:
          break;
        default: {
          std::string_view bytes = static_cast<const arrow::BinaryArray&>(keys).GetView(row);
          if (!bytes.empty()) sketch.Update(bytes);
        }
      }
    }
    return arrow::Status::OK();
  }
};

arrow::Result<ExpressionPtr> BindSketch(const BindInput& given) {
  BindInput input = WithDefaults(given, 2, {expression::Literal::Integer(kDefaultLog2Size)});
  switch (input.arguments[0]->type()->id()) {
    case TypeId::kNull:
    case TypeId::kInteger:
    case TypeId::kLong:
    case TypeId::kString:
    case TypeId::kBinary:
      break;
    default:
      return UnexpectedInputType(input, 0, R"(("INT" or "BIGINT" or "STRING" or "BINARY"))");
  }
  ARROW_RETURN_NOT_OK(CheckExactType(input, 1, types::Integer()));
  std::string function = QuoteIdentifier(input.name);
  if (!input.arguments[1]->foldable()) return UserError("HLL_K_MUST_BE_CONSTANT", {{"function", function}});
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*input.arguments[1], input.context));
  int log2_size = scalar->is_valid ? static_cast<const arrow::Int32Scalar&>(*scalar).value : 0;
  if (log2_size < kMinHllLog2 || log2_size > kMaxHllLog2) {
    return UserError("HLL_INVALID_LG_K", {{"function", function},
                                          {"min", std::to_string(kMinHllLog2)},
                                          {"max", std::to_string(kMaxHllLog2)},
                                          {"value", std::to_string(log2_size)}});
  }
  return MakeSketchAggregate<HllKeyState>(input, HllCall{.name = std::string(input.name), .log2_size = log2_size},
                                          input.arguments, /*nullable_buffer=*/true);
}

arrow::Result<ExpressionPtr> BindUnion(const BindInput& given) {
  BindInput input = WithDefaults(given, 2, {expression::Literal::Boolean(false)});
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  ARROW_RETURN_NOT_OK(CheckExactType(input, 1, types::Boolean()));
  bool any_size = false;
  if (input.arguments[1]->foldable()) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*input.arguments[1], input.context));
    any_size = scalar->is_valid && static_cast<const arrow::BooleanScalar&>(*scalar).value;
  }
  return MakeSketchAggregate<CombiningState<HllState>>(
      input, HllCall{.name = std::string(input.name), .log2_size = std::nullopt, .any_size = any_size}, input.arguments,
      /*nullable_buffer=*/true);
}

}  // namespace

extern const FunctionDef kHllSketchAgg{.name = "hll_sketch_agg",
                                       .kind = FunctionKind::kAggregate,
                                       .family = "aggregate",
                                       .description = "A HyperLogLog sketch of the keys.",
                                       .example = "hll_sketch_agg(x)",
                                       .example_result = "",
                                       .min_arguments = 1,
                                       .max_arguments = 2,
                                       .bind = BindSketch};

extern const FunctionDef kHllUnionAgg{.name = "hll_union_agg",
                                      .kind = FunctionKind::kAggregate,
                                      .family = "aggregate",
                                      .description = "One HyperLogLog sketch of all.",
                                      .example = "hll_union_agg(x)",
                                      .example_result = "",
                                      .min_arguments = 1,
                                      .max_arguments = 2,
                                      .bind = BindUnion};

}  // namespace millrace::function
