#include <optional>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/sketch_state.h"
#include "function/sketch/kll_arguments.h"
#include "function/sketch/sketch_arguments.h"

/// kll_sketch_agg_… of numbers, kll_merge_agg_… of sketches.

namespace millrace::function {

namespace {

using types::TypeId;

constexpr int kDefaultK = 200, kLeastK = 8, kGreatestK = 65535;

struct KllCall {
  std::string name;
  /// Of a merge without one the size is that of the first sketch.
  std::optional<int> k;
};

template <typename Item>
class KllState : public SketchPerGroup<KllSketch<Item>> {
 public:
  KllState(KllCall call, arrow::MemoryPool* pool) : SketchPerGroup<KllSketch<Item>>(pool), call_(std::move(call)) {}

 protected:
  using Sketch = KllSketch<Item>;

  Sketch Empty() const override { return Sketch(call_.k.value_or(kDefaultK)); }
  arrow::Status Combine(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& sketches) override {
    expression::StringColumn values{arrow::Datum(sketches)};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (values.IsNull(row)) continue;
      ARROW_ASSIGN_OR_RAISE(Sketch sketch, ParseKll<Item>(call_.name, values[row]));
      std::optional<Sketch>& group = this->groups_[group_ids[i]];
      if (!group) group.emplace(call_.k.value_or(sketch.k()));
      group->Merge(sketch);
    }
    return arrow::Status::OK();
  }

  KllCall call_;
};

template <typename Item>
class KllItemState final : public KllState<Item> {
 public:
  using KllState<Item>::KllState;

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<Item> items{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (items.IsNull(row)) continue;
      auto& group = this->groups_[group_ids[i]];
      if (!group) group.emplace(*this->call_.k);
      group->Update(items[row]);
    }
    return arrow::Status::OK();
  }
};

// Errors: UserError DATATYPE_MISMATCH.…, and in it KLL_SKETCH_K_OUT_OF_RANGE.
arrow::Result<int> SizeOf(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 1, types::Integer()));
  const ExpressionPtr& argument = input.arguments[1];
  std::string sql = QuoteSqlExpression(CallSql(input));
  if (!argument->foldable()) {
    return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                     {{"sqlExpr", sql}, {"inputName", "k"}, {"inputType", "int"}, {"inputExpr", argument->Sql(false)}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*argument, input.context));
  if (!scalar->is_valid) return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL", {{"sqlExpr", sql}, {"exprName", "k"}});
  int k = static_cast<const arrow::Int32Scalar&>(*scalar).value;
  if (k >= kLeastK && k <= kGreatestK) return k;
  arrow::Status range =
      UserError("KLL_SKETCH_K_OUT_OF_RANGE", {{"functionName", QuoteIdentifier(input.name)}, {"k", std::to_string(k)}});
  return UserError("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT",
                   {{"sqlExpr", sql}, {"msg", range.message()}, {"hint", ""}});
}

/// The types that Spark takes as they are; all of them become items without loss.
arrow::Status CheckItems(const BindInput& input) {
  TypeId id = input.arguments[0]->type()->id();
  bool null = id == TypeId::kNull;
  if (input.name.ends_with("_bigint")) {
    bool whole = id == TypeId::kByte || id == TypeId::kShort || id == TypeId::kInteger || id == TypeId::kLong;
    if (null || whole) return arrow::Status::OK();
    return UnexpectedInputType(input, 0, R"(("TINYINT" or "INT" or "BIGINT" or "SMALLINT"))");
  }
  bool of_doubles = input.name.ends_with("_double");
  if (null || id == TypeId::kFloat || (of_doubles && id == TypeId::kDouble)) return arrow::Status::OK();
  return UnexpectedInputType(input, 0, of_doubles ? R"(("FLOAT" or "DOUBLE"))" : R"("FLOAT")");
}

arrow::Result<ExpressionPtr> BindSketch(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckItems(input));
  KllCall call{std::string(input.name), kDefaultK};
  if (input.arguments.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(call.k, SizeOf(input));
  }
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    DataTypePtr type = std::is_same_v<Item, int64_t> ? types::Long()
                       : std::is_same_v<Item, float> ? types::Float()
                                                     : types::Double();
    ExpressionVector arguments = input.arguments;
    arguments[0] = expression::ImplicitCast(arguments[0], type);
    return MakeSketchAggregate<KllItemState<Item>>(input, call, std::move(arguments), /*nullable_buffer=*/true);
  });
}

arrow::Result<ExpressionPtr> BindMerge(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  KllCall call{std::string(input.name), std::nullopt};
  if (input.arguments.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(call.k, SizeOf(input));
  }
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    return MakeSketchAggregate<CombiningState<KllState<Item>>>(input, call, input.arguments,
                                                               /*nullable_buffer=*/true);
  });
}

constexpr FunctionDef Def(std::string_view name, std::string_view description, std::string_view example,
                          decltype(FunctionDef::bind) bind) {
  return {.name = name,
          .kind = FunctionKind::kAggregate,
          .family = "aggregate",
          .description = description,
          .example = example,
          .example_result = "",
          .min_arguments = 1,
          .max_arguments = 2,
          .bind = bind};
}

}  // namespace

#define KLL_AGGREGATES(Item, item)                                                                      \
  extern const FunctionDef kKllSketchAgg##Item =                                                        \
      Def("kll_sketch_agg_" item, "A KLL sketch of " item " items, from which quantiles can be asked.", \
          "kll_sketch_agg_" item "(x)", BindSketch);                                                    \
  extern const FunctionDef kKllMergeAgg##Item =                                                         \
      Def("kll_merge_agg_" item, "One KLL sketch of all " item " items.", "kll_merge_agg_" item "(x)", BindMerge);

KLL_AGGREGATES(Bigint, "bigint")
KLL_AGGREGATES(Float, "float")
KLL_AGGREGATES(Double, "double")

#undef KLL_AGGREGATES

}  // namespace millrace::function
