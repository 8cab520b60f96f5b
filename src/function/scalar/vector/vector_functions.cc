#include "function/scalar/vector/vector_functions.h"

#include <cfloat>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "function/scalar/collection/list_column.h"
#include "types/arrow_type.h"
#include "types/number_text.h"

/// Norms, products and distances of vectors, which are arrays of FLOAT. Sums are of single precision and taken eight
/// terms at a time, as Spark takes them (VectorFunctionImplUtils), so that the last digit is the same.

namespace millrace::function {

using types::TypeId;

arrow::Status ExpectVector(const BindInput& input, size_t index) {
  const DataTypePtr& type = input.arguments[index]->type();
  if (type->id() == TypeId::kArray && type->element()->id() == TypeId::kFloat) return arrow::Status::OK();
  return UnexpectedInputType(input, index, QuoteSqlType("ARRAY<FLOAT>"));
}

namespace {

template <typename Term>
float SumByEight(int64_t length, Term term) {
  float sum = 0;
  int64_t i = 0;
  for (; i + 8 <= length; i += 8) {
    float part = term(i);
    for (int64_t k = 1; k < 8; ++k) part += term(i + k);
    sum += part;
  }
  for (; i < length; ++i) sum += term(i);
  return sum;
}

/// The vectors of a column.
class VectorColumn {
 public:
  static arrow::Result<VectorColumn> Make(const std::shared_ptr<arrow::Array>& column, arrow::MemoryPool* pool) {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arrow::Datum(column), column->length(), pool));
    return VectorColumn(std::move(lists));
  }
  bool IsNull(int64_t row) const { return lists_.IsNull(row); }
  int64_t Length(int64_t row) const { return lists_.Length(row); }
  const float* Values(int64_t row) const { return elements_->raw_values() + lists_.Begin(row); }
  bool HasNullElement(int64_t row) const {
    if (elements_->null_count() == 0) return false;
    for (int64_t i = lists_.Begin(row); i < lists_.End(row); ++i) {
      if (elements_->IsNull(i)) return true;
    }
    return false;
  }

 private:
  explicit VectorColumn(ListColumn lists)
      : lists_(std::move(lists)), elements_(std::static_pointer_cast<arrow::FloatArray>(lists_.values())) {}
  ListColumn lists_;
  std::shared_ptr<arrow::FloatArray> elements_;
};

// Functions of two vectors; nullopt for NULL.
using OfTwo = std::optional<float> (*)(const float* a, const float* b, int64_t length);

std::optional<float> InnerProduct(const float* a, const float* b, int64_t length) {
  return SumByEight(length, [=](int64_t i) { return a[i] * b[i]; });
}

std::optional<float> Distance(const float* a, const float* b, int64_t length) {
  float squares = SumByEight(length, [=](int64_t i) {
    float difference = a[i] - b[i];
    return difference * difference;
  });
  return static_cast<float>(std::sqrt(static_cast<double>(squares)));
}

std::optional<float> CosineSimilarity(const float* a, const float* b, int64_t length) {
  if (length == 0) return std::nullopt;
  float squares = *InnerProduct(a, a, length) * *InnerProduct(b, b, length);
  auto norms = static_cast<float>(std::sqrt(static_cast<double>(squares)));
  if (norms < FLT_MIN) return std::nullopt;
  return *InnerProduct(a, b, length) / norms;
}

template <OfTwo kFunction>
arrow::Result<ExpressionPtr> BindOfTwo(const BindInput& input) {
  for (size_t i = 0; i < 2; ++i) ARROW_RETURN_NOT_OK(ExpectVector(input, i));
  auto kernel = ArrayKernel(
      [name = std::string(input.def.name)](const EvalContext& context, const arrow::ArrayVector& columns,
                                           int64_t num_rows) -> arrow::Result<std::shared_ptr<arrow::Array>> {
        ARROW_ASSIGN_OR_RAISE(VectorColumn left, VectorColumn::Make(columns[0], context.memory_pool));
        ARROW_ASSIGN_OR_RAISE(VectorColumn right, VectorColumn::Make(columns[1], context.memory_pool));
        arrow::FloatBuilder builder(context.memory_pool);
        ARROW_RETURN_NOT_OK(builder.Reserve(num_rows));
        for (int64_t row = 0; row < num_rows; ++row) {
          if (left.IsNull(row) || right.IsNull(row)) {
            builder.UnsafeAppendNull();
            continue;
          }
          if (left.Length(row) != right.Length(row)) {
            return UserError("VECTOR_DIMENSION_MISMATCH", {{"functionName", QuoteIdentifier(name)},
                                                           {"leftDim", std::to_string(left.Length(row))},
                                                           {"rightDim", std::to_string(right.Length(row))}});
          }
          std::optional<float> value;
          if (!left.HasNullElement(row) && !right.HasNullElement(row)) {
            value = kFunction(left.Values(row), right.Values(row), left.Length(row));
          }
          value ? builder.UnsafeAppend(*value) : builder.UnsafeAppendNull();
        }
        return builder.Finish();
      });
  return MakeCall(input, input.arguments, types::Float(), true, std::move(kernel), {.can_fail = true});
}

arrow::Status Norm(const float* values, int64_t length, float degree, std::string_view name, float* norm) {
  if (degree == 1.0f) {
    *norm = SumByEight(length, [=](int64_t i) { return std::abs(values[i]); });
  } else if (degree == 2.0f) {
    *norm = static_cast<float>(std::sqrt(static_cast<double>(*InnerProduct(values, values, length))));
  } else if (std::isinf(degree) && degree > 0) {
    *norm = 0;
    for (int64_t i = 0; i < length; ++i) *norm = std::abs(values[i]) > *norm ? std::abs(values[i]) : *norm;
  } else {
    std::string shown;
    types::AppendFloat(degree, &shown);
    return UserError("INVALID_VECTOR_NORM_DEGREE", {{"functionName", QuoteIdentifier(name)}, {"degree", shown}});
  }
  return arrow::Status::OK();
}

// Kernel over (vector, degree): `append(values, length, norm)`.
template <typename Builder, typename Append>
arrow::Status ForEachNorm(const arrow::ArrayVector& columns, std::string_view name, arrow::MemoryPool* pool,
                          Builder* builder, Append append) {
  ARROW_ASSIGN_OR_RAISE(VectorColumn vectors, VectorColumn::Make(columns[0], pool));
  const auto& degrees = static_cast<const arrow::FloatArray&>(*columns[1]);
  for (int64_t row = 0; row < degrees.length(); ++row) {
    if (vectors.IsNull(row) || degrees.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    float norm = 0;
    ARROW_RETURN_NOT_OK(Norm(vectors.Values(row), vectors.Length(row), degrees.Value(row), name, &norm));
    if (vectors.HasNullElement(row)) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(append(vectors.Values(row), vectors.Length(row), norm));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<ExpressionVector> VectorAndDegree(const BindInput& input) {
  BindInput full = input;
  if (full.arguments.size() == 1) {
    full.arguments.push_back(
        std::make_shared<expression::Literal>(types::Float(), std::make_shared<arrow::FloatScalar>(2.0f)));
  }
  ARROW_RETURN_NOT_OK(ExpectVector(full, 0));
  if (full.arguments[1]->type()->id() != TypeId::kFloat) return UnexpectedInputType(full, 1, QuoteSqlType("FLOAT"));
  return full.arguments;
}

arrow::Result<ExpressionPtr> BindNorm(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments, VectorAndDegree(input));
  auto kernel = ArrayKernel([name = input.def.name](const EvalContext& context, const arrow::ArrayVector& columns,
                                                    int64_t) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    arrow::FloatBuilder builder(context.memory_pool);
    ARROW_RETURN_NOT_OK(ForEachNorm(columns, name, context.memory_pool, &builder,
                                    [&](const float*, int64_t, float norm) { return builder.Append(norm); }));
    return builder.Finish();
  });
  return MakeCall(input, std::move(arguments), types::Float(), true, std::move(kernel), {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindNormalize(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments, VectorAndDegree(input));
  DataTypePtr type = types::Array(types::Float(), false);
  auto kernel = ArrayKernel([name = input.def.name, type](const EvalContext& context, const arrow::ArrayVector& columns,
                                                          int64_t) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    auto elements = std::make_shared<arrow::FloatBuilder>(context.memory_pool);
    arrow::ListBuilder builder(context.memory_pool, elements, types::ToArrow(*type));
    ARROW_RETURN_NOT_OK(ForEachNorm(columns, name, context.memory_pool, &builder,
                                    [&](const float* values, int64_t length, float norm) -> arrow::Status {
                                      if (length > 0 && norm < FLT_MIN) return builder.AppendNull();
                                      ARROW_RETURN_NOT_OK(builder.Append());
                                      for (int64_t i = 0; i < length; ++i) {
                                        ARROW_RETURN_NOT_OK(elements->Append(values[i] / norm));
                                      }
                                      return arrow::Status::OK();
                                    }));
    return builder.Finish();
  });
  return MakeCall(input, std::move(arguments), type, true, std::move(kernel), {.can_fail = true});
}

template <BindFunction kBind>
constexpr FunctionDef VectorDef(std::string_view name, std::string_view description, std::string_view example,
                                std::string_view result, int min_arguments = 2) {
  return {.name = name,
          .family = "vector",
          .description = description,
          .example = example,
          .example_result = result,
          .min_arguments = min_arguments,
          .max_arguments = 2,
          .bind = kBind};
}

}  // namespace

extern const FunctionDef kVectorCosineSimilarity = VectorDef<BindOfTwo<CosineSimilarity>>(
    "vector_cosine_similarity", "Cosine of the angle between two vectors.",
    "vector_cosine_similarity(array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F))", "0.9746319");
extern const FunctionDef kVectorInnerProduct =
    VectorDef<BindOfTwo<InnerProduct>>("vector_inner_product", "Sum of the products of two vectors' elements.",
                                       "vector_inner_product(array(1.0F, 2.0F), array(4.0F, 5.0F))", "14.0");
extern const FunctionDef kVectorL2Distance =
    VectorDef<BindOfTwo<Distance>>("vector_l2_distance", "Euclidean distance of two vectors.",
                                   "vector_l2_distance(array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F))", "5.196152");
extern const FunctionDef kVectorNorm =
    VectorDef<BindNorm>("vector_norm", "Norm of a vector: of degree 1, 2 (without one) or infinity.",
                        "vector_norm(array(3.0F, 4.0F), 2.0F)", "5.0", 1);
extern const FunctionDef kVectorNormalize =
    VectorDef<BindNormalize>("vector_normalize", "The vector divided by its norm.",
                             "vector_normalize(array(3.0F, 4.0F), 2.0F)", "[0.6, 0.8]", 1);

}  // namespace millrace::function
