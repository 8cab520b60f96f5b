#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/sketch_state.h"
#include "function/sketch/murmur_hash_128.h"
#include "function/sketch/sketch_arguments.h"

/// theta_sketch_agg, tuple_sketch_agg_… of keys; …_union_agg, …_intersection_agg of sketches.

namespace millrace::function {

namespace {

using types::TypeId;

struct SketchCall {
  std::string name;
  SummaryKind kind = SummaryKind::kNone;
  SummaryMode mode = SummaryMode::kSum;
  int log2_size = kDefaultLog2Size;
  bool intersects = false;
};

/// The hashes of a column's keys. A key without bytes has none.
class KeyHashes {
 public:
  explicit KeyHashes(const std::shared_ptr<arrow::Array>& keys) : keys_(keys) {}

  std::optional<uint64_t> operator()(int64_t row) const {
    switch (keys_->type_id()) {
      case arrow::Type::INT32:
        return Number<int64_t>(static_cast<const arrow::Int32Array&>(*keys_).Value(row));
      case arrow::Type::INT64:
        return Number<int64_t>(static_cast<const arrow::Int64Array&>(*keys_).Value(row));
      case arrow::Type::FLOAT:
        return Real(static_cast<const arrow::FloatArray&>(*keys_).Value(row));
      case arrow::Type::DOUBLE:
        return Real(static_cast<const arrow::DoubleArray&>(*keys_).Value(row));
      case arrow::Type::LIST:
        return List(static_cast<const arrow::ListArray&>(*keys_), row);
      default:
        return Bytes(static_cast<const arrow::BinaryArray&>(*keys_).GetView(row));
    }
  }

 private:
  template <typename T>
  static std::optional<uint64_t> Number(T value) {
    return HashSketch::HashOf(BytesOf(value));
  }
  static std::optional<uint64_t> Real(double value) {
    if (value == 0) value = 0;  // -0.0
    if (value != value) value = std::numeric_limits<double>::quiet_NaN();
    return Number(value);
  }
  static std::optional<uint64_t> Bytes(std::string_view bytes) {
    if (bytes.empty()) return std::nullopt;
    return HashSketch::HashOf(bytes);
  }
  // NULL elements are zeros.
  static std::optional<uint64_t> List(const arrow::ListArray& lists, int64_t row) {
    std::string bytes;
    const arrow::Array& values = *lists.values();
    for (int64_t i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) {
      if (values.type_id() == arrow::Type::INT32) {
        int32_t value = values.IsNull(i) ? 0 : static_cast<const arrow::Int32Array&>(values).Value(i);
        bytes += BytesOf(value);
      } else {
        int64_t value = values.IsNull(i) ? 0 : static_cast<const arrow::Int64Array&>(values).Value(i);
        bytes += BytesOf(value);
      }
    }
    return Bytes(bytes);
  }

  const std::shared_ptr<arrow::Array>& keys_;
};

/// A sketch a group.
class SketchState : public AggregateState {
 public:
  SketchState(SketchCall call, arrow::MemoryPool* pool) : call_(std::move(call)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups), HashSketch(call_.kind));
    seen_.resize(static_cast<size_t>(num_groups), false);
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Combine(group_ids, buffers[0]);
  }
  // An intersection of nothing yet is no sketch.
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::BinaryBuilder builder(pool_);
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (call_.intersects && !seen_[i]) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(Append(i, builder));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return arrow::ArrayVector{std::move(array)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    arrow::BinaryBuilder builder(pool_);
    for (size_t i = 0; i < groups_.size(); ++i) ARROW_RETURN_NOT_OK(Append(i, builder));
    return builder.Finish();
  }

 protected:
  arrow::Status Combine(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& sketches) {
    expression::StringColumn values{arrow::Datum(sketches)};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (values.IsNull(row)) continue;
      ARROW_ASSIGN_OR_RAISE(HashSketch sketch, ParseSketch(call_.name, values[row], call_.kind));
      uint32_t group = group_ids[i];
      if (!call_.intersects) {
        groups_[group].UnionWith(sketch, call_.mode, call_.log2_size);
      } else if (seen_[group]) {
        groups_[group].IntersectWith(sketch, call_.mode);
      } else {
        groups_[group] = std::move(sketch);
      }
      seen_[group] = true;
    }
    return arrow::Status::OK();
  }

  arrow::Status Append(size_t group, arrow::BinaryBuilder& builder) {
    if (!call_.intersects) groups_[group].Trim(call_.log2_size);
    return builder.Append(groups_[group].Serialize());
  }

  SketchCall call_;
  arrow::MemoryPool* pool_;
  std::vector<HashSketch> groups_;
  std::vector<bool> seen_;
};

class KeyState final : public SketchState {
 public:
  using SketchState::SketchState;

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    if (arguments[0]->type_id() == arrow::Type::NA) return arrow::Status::OK();
    KeyHashes hashes(arguments[0]);
    const arrow::Array* summaries = call_.kind == SummaryKind::kNone ? nullptr : arguments[1].get();
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (arguments[0]->IsNull(row) || (summaries != nullptr && summaries->IsNull(row))) continue;
      std::optional<uint64_t> hash = hashes(row);
      if (!hash) continue;
      Summary summary{.real = 0};
      if (call_.kind == SummaryKind::kDouble) {
        summary.real = static_cast<const arrow::DoubleArray&>(*summaries).Value(row);
      } else if (call_.kind == SummaryKind::kInteger) {
        summary.integer = static_cast<const arrow::Int32Array&>(*summaries).Value(row);
      }
      groups_[group_ids[i]].Update(*hash, summary, call_.mode, call_.log2_size);
    }
    return arrow::Status::OK();
  }
};

bool IsKeyType(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kNull:
    case TypeId::kInteger:
    case TypeId::kLong:
    case TypeId::kFloat:
    case TypeId::kDouble:
    case TypeId::kString:
    case TypeId::kBinary:
      return true;
    case TypeId::kArray:
      return type.element()->id() == TypeId::kInteger || type.element()->id() == TypeId::kLong;
    default:
      return false;
  }
}

constexpr const char* kKeyTypes =
    R"(("ARRAY<INT>" or "ARRAY<BIGINT>" or "BINARY" or "DOUBLE" or "FLOAT" or "INT" or "BIGINT" or "STRING"))";

// theta's size. Errors: UserError THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT, SKETCH_INVALID_LG_NOM_ENTRIES.
arrow::Result<int> ThetaLog2Size(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 1, types::Integer()));
  if (!input.arguments[1]->foldable()) {
    return UserError("THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", {{"function", QuoteIdentifier(input.name)}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*input.arguments[1], input.context));
  int log2_size = scalar->is_valid ? static_cast<const arrow::Int32Scalar&>(*scalar).value : 0;
  ARROW_RETURN_NOT_OK(CheckLog2Size(input.name, log2_size));
  return log2_size;
}

arrow::Result<ExpressionPtr> BindThetaSketchAgg(const BindInput& given) {
  BindInput input = WithDefaults(given, 2, {expression::Literal::Integer(kDefaultLog2Size)});
  ExpressionPtr key = input.arguments[0];
  if (key->type()->id() == TypeId::kArray && key->type()->element()->id() == TypeId::kNull) {
    key = expression::ImplicitCast(key, types::Array(types::Integer()));
  }
  if (!IsKeyType(*key->type())) return UnexpectedInputType(input, 0, kKeyTypes);
  SketchCall call{.name = std::string(input.name)};
  ARROW_ASSIGN_OR_RAISE(call.log2_size, ThetaLog2Size(input));
  return MakeSketchAggregate<KeyState>(input, std::move(call), {key, input.arguments[1]}, /*nullable_buffer=*/false);
}

arrow::Result<ExpressionPtr> BindThetaCombine(const BindInput& given) {
  SketchCall call{.name = std::string(given.name)};
  call.intersects = given.name == "theta_intersection_agg";
  BindInput input = call.intersects ? given : WithDefaults(given, 2, {expression::Literal::Integer(kDefaultLog2Size)});
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  if (!call.intersects) {
    ARROW_ASSIGN_OR_RAISE(call.log2_size, ThetaLog2Size(input));
  }
  return MakeSketchAggregate<CombiningState<SketchState>>(input, std::move(call), input.arguments,
                                                          /*nullable_buffer=*/false);
}

ExpressionVector TupleDefaults() {
  return {expression::Literal::Integer(kDefaultLog2Size), expression::Literal::String("sum")};
}

arrow::Result<ExpressionPtr> BindTupleSketchAgg(const BindInput& given) {
  BindInput input = WithDefaults(given, 4, TupleDefaults());
  SketchCall call{.name = std::string(input.name), .kind = SummaryKindOf(input.name)};
  ExpressionPtr key = input.arguments[0];
  if (!IsKeyType(*key->type())) {
    // The first of the types above that the key's can become.
    DataTypePtr wanted = key->type()->is_numeric() ? types::Double() : types::String();
    if (key->type()->is_nested() || !expression::CanImplicitCast(key->type(), wanted)) {
      return UnexpectedInputType(input, 0, kKeyTypes);
    }
    key = expression::ImplicitCast(key, wanted);
  }
  DataTypePtr summary_type = call.kind == SummaryKind::kDouble ? types::Double() : types::Integer();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr summary, CoerceArgument(input, 1, summary_type));
  ARROW_ASSIGN_OR_RAISE(call.log2_size, TupleLog2Size(input, 2));
  ARROW_ASSIGN_OR_RAISE(call.mode, TupleMode(input, 3));
  return MakeSketchAggregate<KeyState>(input, std::move(call), {key, summary, input.arguments[2], input.arguments[3]},
                                       /*nullable_buffer=*/false);
}

arrow::Result<ExpressionPtr> BindTupleCombine(const BindInput& given) {
  SketchCall call{.name = std::string(given.name), .kind = SummaryKindOf(given.name)};
  call.intersects = given.name.find("_intersection") != std::string_view::npos;
  BindInput input = call.intersects ? WithDefaults(given, 2, {expression::Literal::String("sum")})
                                    : WithDefaults(given, 3, TupleDefaults());
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  if (!call.intersects) {
    ARROW_ASSIGN_OR_RAISE(call.log2_size, TupleLog2Size(input, 1));
  }
  ARROW_ASSIGN_OR_RAISE(call.mode, TupleMode(input, input.arguments.size() - 1));
  return MakeSketchAggregate<CombiningState<SketchState>>(input, std::move(call), input.arguments,
                                                          /*nullable_buffer=*/false);
}

constexpr FunctionDef SketchAggregate(std::string_view name, std::string_view description, std::string_view example,
                                      int min_arguments, int max_arguments, BindFunction bind) {
  return {.name = name,
          .kind = FunctionKind::kAggregate,
          .family = "aggregate",
          .description = description,
          .example = example,
          .example_result = "",
          .min_arguments = min_arguments,
          .max_arguments = max_arguments,
          .bind = bind};
}

}  // namespace

extern const FunctionDef kThetaSketchAgg =
    SketchAggregate("theta_sketch_agg", "A theta sketch of the keys.", "theta_sketch_agg(x)", 1, 2, BindThetaSketchAgg);
extern const FunctionDef kThetaUnionAgg =
    SketchAggregate("theta_union_agg", "One theta sketch of all.", "theta_union_agg(x)", 1, 2, BindThetaCombine);
extern const FunctionDef kThetaIntersectionAgg =
    SketchAggregate("theta_intersection_agg", "The theta sketch of what all have in common.",
                    "theta_intersection_agg(x)", 1, 1, BindThetaCombine);
extern const FunctionDef kTupleSketchAggDouble =
    SketchAggregate("tuple_sketch_agg_double", "A tuple sketch of keys with numbers.", "tuple_sketch_agg_double(x, y)",
                    2, 4, BindTupleSketchAgg);
extern const FunctionDef kTupleSketchAggInteger =
    SketchAggregate("tuple_sketch_agg_integer", "A tuple sketch of keys with whole numbers.",
                    "tuple_sketch_agg_integer(x, y)", 2, 4, BindTupleSketchAgg);
extern const FunctionDef kTupleUnionAggDouble = SketchAggregate("tuple_union_agg_double", "One tuple sketch of all.",
                                                                "tuple_union_agg_double(x)", 1, 3, BindTupleCombine);
extern const FunctionDef kTupleUnionAggInteger = SketchAggregate("tuple_union_agg_integer", "One tuple sketch of all.",
                                                                 "tuple_union_agg_integer(x)", 1, 3, BindTupleCombine);
extern const FunctionDef kTupleIntersectionAggDouble =
    SketchAggregate("tuple_intersection_agg_double", "The tuple sketch of what all have in common.",
                    "tuple_intersection_agg_double(x)", 1, 2, BindTupleCombine);
extern const FunctionDef kTupleIntersectionAggInteger =
    SketchAggregate("tuple_intersection_agg_integer", "The tuple sketch of what all have in common.",
                    "tuple_intersection_agg_integer(x)", 1, 2, BindTupleCombine);

}  // namespace millrace::function
