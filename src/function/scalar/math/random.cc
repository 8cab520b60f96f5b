#include <cmath>
#include <mutex>
#include <random>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "function/scalar/math/partition_generators.h"
#include "function/scalar/math/xor_shift_random.h"

/// rand and randn: Spark's XORShiftRandom, seeded with seed + partition, a value a row.

namespace millrace::function {

using arrow::Datum;

namespace {

/// Where each partition's sequence stands, so that the next batch goes on without drawing the rows before it again.
class Sequences {
 public:
  Sequences(int64_t seed, bool gaussian) : gaussian_(gaussian), generators_(seed) {}

  void Fill(int32_t partition, int64_t first_row, double* out, int64_t count) {
    std::lock_guard lock(mutex_);
    auto& position = generators_.At(partition, first_row);
    if (position.row > first_row) position = generators_.Begin(partition);
    for (; position.row < first_row; ++position.row) Draw(&position.random);
    for (int64_t i = 0; i < count; ++i, ++position.row) out[i] = Draw(&position.random);
  }

 private:
  double Draw(XorShiftRandom* random) const { return gaussian_ ? random->NextGaussian() : random->NextDouble(); }

  const bool gaussian_;
  std::mutex mutex_;
  PartitionGenerators<XorShiftRandom> generators_;
};

arrow::Result<ExpressionPtr> BindRandom(const BindInput& input, bool gaussian) {
  int64_t seed = 0;
  if (input.arguments.empty()) {
    seed = static_cast<int64_t>(std::random_device{}()) << 16;
  } else {
    const ExpressionPtr& argument = input.arguments[0];
    if (!argument->foldable()) return NonFoldableInput(input, 0, "seed", types::Long());
    if (argument->type()->id() != types::TypeId::kInteger && argument->type()->id() != types::TypeId::kLong &&
        argument->type()->id() != types::TypeId::kNull) {
      return UnexpectedInputType(input, 0, R"(("INT" or "BIGINT"))");
    }
    ARROW_ASSIGN_OR_RAISE(
        auto value, expression::EvaluateFoldable(*expression::ImplicitCast(argument, types::Long()), input.context));
    if (value->is_valid) seed = static_cast<const arrow::Int64Scalar&>(*value).value;
  }
  auto sequences = std::make_shared<Sequences>(seed, gaussian);
  return MakeCall(
      input, input.arguments, types::Double(), false,
      [sequences](const EvalContext& context, const std::vector<Datum>&, int64_t num_rows) -> arrow::Result<Datum> {
        ARROW_ASSIGN_OR_RAISE(
            std::shared_ptr<arrow::Buffer> values,
            arrow::AllocateBuffer(num_rows * static_cast<int64_t>(sizeof(double)), context.memory_pool));
        sequences->Fill(context.partition_index, context.row_offset, reinterpret_cast<double*>(values->mutable_data()),
                        num_rows);
        return Datum(arrow::ArrayData::Make(arrow::float64(), num_rows, {nullptr, std::move(values)}, 0));
      },
      {.deterministic = false});
}

arrow::Status NotConstant(const BindInput& input, size_t index, const char* name, const char* type) {
  return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                    {"inputName", QuoteIdentifier(name)},
                    {"inputType", type},
                    {"inputExpr", QuoteSqlExpression(input.arguments[index]->Sql(true))}});
}

// uniform(min, max [, seed]): min + (max - min) * rand(seed), as the wider type of the two.
arrow::Result<ExpressionPtr> BindUniform(const BindInput& input) {
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    const DataTypePtr& type = input.arguments[i]->type();
    bool fits = type->id() == types::TypeId::kNull || (i < 2 ? type->is_numeric() : type->is_integral());
    if (!fits) return UnexpectedInputType(input, i, i < 2 ? "\"NUMERIC\"" : R"(("INT" or "BIGINT"))");
    if (!input.arguments[i]->foldable()) {
      static constexpr const char* kNames[] = {"min", "max", "seed"};
      return NotConstant(input, i, kNames[i], "integer or floating-point");
    }
  }
  const DataTypePtr& a = input.arguments[0]->type();
  const DataTypePtr& b = input.arguments[1]->type();
  DataTypePtr type = b;
  if (a->id() == types::TypeId::kNull || b->id() == types::TypeId::kNull) {
    return expression::Literal::Null(types::Double());
  }
  if (a->is_integral() && b->is_integral()) {
    type = static_cast<int>(a->id()) > static_cast<int>(b->id()) ? a : b;
  } else if (a->id() == types::TypeId::kDouble || b->id() == types::TypeId::kDouble) {
    type = types::Double();
  } else if (a->id() == types::TypeId::kFloat || b->id() == types::TypeId::kFloat) {
    type = types::Float();
  } else if (a->id() == types::TypeId::kDecimal && b->id() == types::TypeId::kDecimal) {
    bool wider = a->precision() - a->scale() >= b->precision() - b->scale() && a->scale() >= b->scale();
    type = wider ? a : b;
  } else if (a->id() == types::TypeId::kDecimal) {
    type = a;
  }
  ExpressionVector seed;
  if (input.arguments.size() > 2) seed.push_back(input.arguments[2]);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr draw, BindCall("rand", std::move(seed), input.context));
  ExpressionPtr low = expression::ImplicitCast(input.arguments[0], types::Double());
  ExpressionPtr high = expression::ImplicitCast(input.arguments[1], types::Double());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr width, BindCall("-", {std::move(high), low}, input.context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr offset, BindCall("*", {std::move(width), std::move(draw)}, input.context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, BindCall("+", {std::move(low), std::move(offset)}, input.context));
  ExpressionPtr cast = std::make_shared<expression::Cast>(std::move(value), type, expression::CastMode::kAnsi, false);
  // One argument that does the work; the name is the call as written.
  auto info = std::make_shared<CallInfo>();
  info->name = std::string(input.name);
  info->deterministic = false;
  info->style = CallStyle::kCustom;
  std::string pretty = "uniform(";
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    pretty += (i > 0 ? ", " : "") + input.arguments[i]->Sql(true);
  }
  info->render = [pretty](const std::vector<std::string>&) { return pretty + ")"; };
  info->kernel = [](const EvalContext&, const std::vector<Datum>& arguments, int64_t) -> arrow::Result<Datum> {
    return arguments[0];
  };
  return std::make_shared<expression::Call>(std::move(info), type, false, ExpressionVector{std::move(cast)});
}

class TextSequences {
 public:
  explicit TextSequences(int64_t seed) : generators_(seed) {}

  arrow::Status Fill(int32_t partition, int64_t first_row, int64_t count, int32_t length,
                     arrow::StringBuilder* builder) {
    std::lock_guard lock(mutex_);
    XorShiftRandom& random = generators_.At(partition, first_row).random;
    std::string text(static_cast<size_t>(length), ' ');
    for (int64_t i = 0; i < count; ++i) {
      for (char& c : text) {
        int32_t draw = random.NextInt() % 62;
        if (draw < 0) draw = -draw;
        c = static_cast<char>(draw < 10 ? '0' + draw : draw < 36 ? 'a' + (draw - 10) : 'A' + (draw - 36));
      }
      ARROW_RETURN_NOT_OK(builder->Append(text));
    }
    return arrow::Status::OK();
  }

 private:
  std::mutex mutex_;
  PartitionGenerators<XorShiftRandom> generators_;
};

arrow::Result<int64_t> FoldableInteger(const BindInput& input, size_t index, const char* name) {
  if (!input.arguments[index]->foldable()) return NotConstant(input, index, name, "integer");
  const DataTypePtr& type = input.arguments[index]->type();
  bool is_number = type->is_integral() || type->id() == types::TypeId::kNull;
  if (!expression::CanImplicitCast(type, types::Long()) || (index > 0 && !is_number)) {
    return UnexpectedInputType(input, index, index == 0 ? "\"INT\"" : R"(("INT" or "BIGINT"))");
  }
  ARROW_ASSIGN_OR_RAISE(
      auto value,
      expression::EvaluateFoldable(*expression::ImplicitCast(input.arguments[index], types::Long()), input.context));
  return value->is_valid ? static_cast<const arrow::Int64Scalar&>(*value).value : 0;
}

arrow::Result<ExpressionPtr> BindRandStr(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(int64_t length, FoldableInteger(input, 0, "length"));
  if (length < 0) {
    return UserError("INVALID_PARAMETER_VALUE.LENGTH",
                     {{"parameter", "`length`"}, {"functionName", "`randstr`"}, {"length", std::to_string(length)}});
  }
  int64_t seed = static_cast<int64_t>(std::random_device{}()) << 16;
  if (input.arguments.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(seed, FoldableInteger(input, 1, "seed"));
  }
  auto sequences = std::make_shared<TextSequences>(seed);
  return MakeCall(input, input.arguments, types::String(), false,
                  [sequences, length](const EvalContext& context, const std::vector<Datum>&,
                                      int64_t num_rows) -> arrow::Result<Datum> {
                    arrow::StringBuilder builder(context.memory_pool);
                    ARROW_RETURN_NOT_OK(sequences->Fill(context.partition_index, context.row_offset, num_rows,
                                                        static_cast<int32_t>(length), &builder));
                    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
                    return Datum(std::move(array));
                  },
                  {.deterministic = false});
}

}  // namespace

extern const FunctionDef kUniform{.name = "uniform",
                                  .family = "math",
                                  .description = "A random number between two numbers for each row.",
                                  .example = "uniform(10, 20, 0) BETWEEN 10 AND 20",
                                  .example_result = "true",
                                  .min_arguments = 2,
                                  .max_arguments = 3,
                                  .bind = BindUniform};

extern const FunctionDef kRandStr{.name = "randstr",
                                  .family = "string",
                                  .description = "A random text of letters and digits for each row.",
                                  .example = "length(randstr(3, 0))",
                                  .example_result = "3",
                                  .min_arguments = 1,
                                  .max_arguments = 2,
                                  .bind = BindRandStr};

extern const FunctionDef kRand{.name = "rand",
                               .aliases = "random",
                               .family = "math",
                               .description = "A random number in [0, 1) for each row.",
                               .example = "rand(0) < 1",
                               .example_result = "true",
                               .min_arguments = 0,
                               .max_arguments = 1,
                               .bind = [](const BindInput& input) { return BindRandom(input, false); }};

extern const FunctionDef kRandn{.name = "randn",
                                .family = "math",
                                .description = "A random number of the standard normal distribution for each row.",
                                .example = "randn(0) < 100",
                                .example_result = "true",
                                .min_arguments = 0,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) { return BindRandom(input, true); }};

}  // namespace millrace::function
