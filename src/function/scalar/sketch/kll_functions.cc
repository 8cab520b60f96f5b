#include <vector>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/sketch/kll_arguments.h"
#include "function/sketch/sketch_arguments.h"
#include "types/arrow_type.h"

/// What is asked of KLL sketches, and the union of two: each function once for BIGINT, FLOAT and DOUBLE.

namespace millrace::function {

namespace {

using types::TypeId;

arrow::Result<ExpressionPtr> BindText(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    std::string name(input.name);
    return MakeCall(
        input, input.arguments, types::String(), SomeNullable(input),
        BuiltKernel<arrow::StringBuilder, std::string_view>(
            arrow::utf8(),
            [name](const EvalContext&, std::string_view bytes, arrow::StringBuilder& builder) -> arrow::Status {
              ARROW_ASSIGN_OR_RAISE(auto sketch, ParseKll<Item>(name, bytes));
              return builder.Append(sketch.Text());
            }),
        {.can_fail = true});
  });
}

arrow::Result<ExpressionPtr> BindNumItems(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    std::string name(input.name);
    return MakeCall(input, input.arguments, types::Long(), SomeNullable(input),
                    FixedKernel<int64_t, std::string_view>(
                        arrow::int64(),
                        [name](const EvalContext&, std::string_view bytes, int64_t* out) -> arrow::Status {
                          ARROW_ASSIGN_OR_RAISE(auto sketch, ParseKll<Item>(name, bytes));
                          *out = sketch.num_items();
                          return arrow::Status::OK();
                        }),
                    {.can_fail = true});
  });
}

arrow::Result<ExpressionPtr> BindMerge(const BindInput& input) {
  for (size_t i = 0; i < 2; ++i) ARROW_RETURN_NOT_OK(CheckExactType(input, i, types::Binary()));
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    std::string name(input.name);
    return MakeCall(input, input.arguments, types::Binary(), SomeNullable(input),
                    BuiltKernel<arrow::BinaryBuilder, std::string_view, std::string_view>(
                        arrow::binary(),
                        [name](const EvalContext&, std::string_view left, std::string_view right,
                               arrow::BinaryBuilder& builder) -> arrow::Status {
                          ARROW_ASSIGN_OR_RAISE(auto sketch, ParseKll<Item>(name, left));
                          ARROW_ASSIGN_OR_RAISE(auto other, ParseKll<Item>(name, right));
                          sketch.Merge(other);
                          return builder.Append(sketch.Serialize());
                        }),
                    {.can_fail = true});
  });
}

/// A constant, or the constants of an array.
template <typename Value>
struct Constants {
  bool is_array = false;
  bool is_null = false;
  std::vector<Value> values;
};

template <typename Value>
arrow::Result<Constants<Value>> ConstantsOf(const BindInput& input, const char* name, const DataTypePtr& type) {
  const ExpressionPtr& argument = input.arguments[1];
  DataTypePtr wanted = argument->type()->id() == TypeId::kArray ? types::Array(type, /*contains_null=*/false) : type;
  bool fits = expression::CanImplicitCast(argument->type(), wanted) &&
              !(argument->type()->id() == TypeId::kArray && argument->type()->contains_null());
  if (!argument->foldable()) return NonFoldableInput(input, 1, name, fits ? wanted : argument->type());
  if (!fits) {
    return UnexpectedInputType(
        input, 1, "(" + QuoteSqlType(type->Sql()) + " or " + QuoteSqlType(types::Array(type)->Sql()) + ")");
  }
  ExpressionPtr cast = expression::ImplicitCast(argument, wanted);
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*cast, input.context));
  Constants<Value> constants{wanted->id() == TypeId::kArray, !scalar->is_valid, {}};
  if (constants.is_null) return constants;
  std::shared_ptr<arrow::Array> array;
  if (constants.is_array) {
    array = static_cast<const arrow::BaseListScalar&>(*scalar).value;
  } else {
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayFromScalar(*scalar, 1));
  }
  expression::FixedColumn<Value> column{arrow::Datum(array)};
  for (int64_t i = 0; i < array->length(); ++i) constants.values.push_back(column[i]);
  return constants;
}

template <typename Item>
arrow::Result<KllView<Item>> ItemsOf(const std::string& function, const KllSketch<Item>& sketch) {
  if (sketch.num_items() > 0) return sketch.Sorted();
  return UserError("KLL_INVALID_INPUT_SKETCH_BUFFER", {{"function", QuoteIdentifier(function)}});
}

/// A call of the sketch alone that gives a value, or an array, for the constants asked for.
/// `ask(items, constant) -> arrow::Result<Out>`.
template <typename Item, typename Out, typename Value, typename Ask>
ExpressionPtr MakeQuestion(const BindInput& input, const Constants<Value>& constants, const DataTypePtr& type,
                           Ask ask) {
  using Builder = typename arrow::CTypeTraits<Out>::BuilderType;
  std::string name(input.name);
  ScalarKernel kernel;
  if (constants.is_array) {
    DataTypePtr list = types::Array(type, /*contains_null=*/false);
    kernel = [name, constants, ask, list = types::ToArrow(*list)](
                 const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
      return expression::OneRowIfScalars({arguments[0]}, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
        expression::StringColumn sketches{arguments[0]};
        auto values = std::make_shared<Builder>(context.memory_pool);
        arrow::ListBuilder builder(context.memory_pool, values, list);
        for (int64_t i = 0; i < rows; ++i) {
          if (constants.is_null || sketches.IsNull(i)) {
            ARROW_RETURN_NOT_OK(builder.AppendNull());
            continue;
          }
          ARROW_ASSIGN_OR_RAISE(auto sketch, ParseKll<Item>(name, sketches[i]));
          ARROW_RETURN_NOT_OK(builder.Append());
          if (constants.values.empty()) continue;
          ARROW_ASSIGN_OR_RAISE(auto items, ItemsOf(name, sketch));
          for (Value constant : constants.values) {
            ARROW_ASSIGN_OR_RAISE(Out value, ask(items, constant));
            ARROW_RETURN_NOT_OK(values->Append(value));
          }
        }
        ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
        return arrow::Datum(std::move(array));
      });
    };
    return MakeCall(input, input.arguments, list, SomeNullable(input), std::move(kernel), {.can_fail = true});
  }
  auto one = BuiltKernel<Builder, std::string_view>(
      types::ToArrow(*type),
      [name, constants, ask](const EvalContext&, std::string_view bytes, Builder& builder) -> arrow::Status {
        if (constants.is_null) return builder.AppendNull();
        ARROW_ASSIGN_OR_RAISE(auto sketch, ParseKll<Item>(name, bytes));
        ARROW_ASSIGN_OR_RAISE(auto items, ItemsOf(name, sketch));
        ARROW_ASSIGN_OR_RAISE(Out value, ask(items, constants.values[0]));
        return builder.Append(value);
      });
  kernel = [one](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return one(context, {arguments[0]}, num_rows);
  };
  return MakeCall(input, input.arguments, type, SomeNullable(input), std::move(kernel), {.can_fail = true});
}

DataTypePtr ItemType(std::string_view function) {
  return function.ends_with("_bigint")  ? types::Long()
         : function.ends_with("_float") ? types::Float()
                                        : types::Double();
}

arrow::Result<ExpressionPtr> BindQuantile(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  ARROW_ASSIGN_OR_RAISE(Constants<double> ranks, ConstantsOf<double>(input, "rank", types::Double()));
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    auto ask = [name = std::string(input.name)](const KllView<Item>& items, double rank) -> arrow::Result<Item> {
      if (!(rank >= 0 && rank <= 1)) {
        return UserError("KLL_SKETCH_INVALID_QUANTILE_RANGE", {{"functionName", QuoteIdentifier(name)}});
      }
      return items.Quantile(rank);
    };
    return MakeQuestion<Item, Item>(input, ranks, ItemType(input.name), ask);
  });
}

arrow::Result<ExpressionPtr> BindRank(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  return WithKllItem(input.name, [&](auto item) -> arrow::Result<ExpressionPtr> {
    using Item = decltype(item);
    ARROW_ASSIGN_OR_RAISE(Constants<Item> items, ConstantsOf<Item>(input, "quantile", ItemType(input.name)));
    auto ask = [](const KllView<Item>& view, Item value) -> arrow::Result<double> { return view.Rank(value); };
    return MakeQuestion<Item, double>(input, items, types::Double(), ask);
  });
}

constexpr FunctionDef Def(std::string_view name, std::string_view description, std::string_view example, int arguments,
                          decltype(FunctionDef::bind) bind) {
  return {.name = name,
          .family = "sketch",
          .description = description,
          .example = example,
          .example_result = "",
          .min_arguments = arguments,
          .max_arguments = arguments,
          .bind = bind};
}

}  // namespace

#define KLL_FUNCTIONS(Item, item)                                                                                   \
  extern const FunctionDef kKllSketchToString##Item =                                                               \
      Def("kll_sketch_to_string_" item, "A summary of a KLL sketch of " item " items.",                             \
          "kll_sketch_to_string_" item "(sketch)", 1, BindText);                                                    \
  extern const FunctionDef kKllSketchGetN##Item =                                                                   \
      Def("kll_sketch_get_n_" item, "How many " item " items a KLL sketch has seen.",                               \
          "kll_sketch_get_n_" item "(sketch)", 1, BindNumItems);                                                    \
  extern const FunctionDef kKllSketchMerge##Item =                                                                  \
      Def("kll_sketch_merge_" item, "The KLL sketch of the " item " items of either.",                              \
          "kll_sketch_merge_" item "(a, b)", 2, BindMerge);                                                         \
  extern const FunctionDef kKllSketchGetQuantile##Item = Def(                                                       \
      "kll_sketch_get_quantile_" item, "The " item " item at a rank of 0 to 1, or the items at an array of ranks.", \
      "kll_sketch_get_quantile_" item "(sketch, 0.5)", 2, BindQuantile);                                            \
  extern const FunctionDef kKllSketchGetRank##Item =                                                                \
      Def("kll_sketch_get_rank_" item, "The part of the " item " items up to a value, or to each of an array.",     \
          "kll_sketch_get_rank_" item "(sketch, 3)", 2, BindRank);

KLL_FUNCTIONS(Bigint, "bigint")
KLL_FUNCTIONS(Float, "float")
KLL_FUNCTIONS(Double, "double")

#undef KLL_FUNCTIONS

}  // namespace millrace::function
