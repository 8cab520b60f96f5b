#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "function/scalar/string/bytes_builder.h"
#include "types/arrow_type.h"

/// concat (also ||) of texts, binaries and arrays; concat_ws.

namespace millrace::function {

using arrow::Datum;
using expression::StringColumn;
using types::TypeId;

namespace {

arrow::Result<Datum> ConcatTexts(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                                 const std::shared_ptr<arrow::DataType>& type) {
  if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(type));
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    std::deque<StringColumn> columns;
    for (const Datum& argument : arguments) columns.emplace_back(argument);
    BytesBuilder builder(type, context.memory_pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(rows));
    std::string out;
    for (int64_t i = 0; i < rows; ++i) {
      out.clear();
      bool null = false;
      for (const StringColumn& column : columns) {
        null = null || column.IsNull(i);
        if (!null) out += column[i];
      }
      ARROW_RETURN_NOT_OK(null ? builder.AppendNull() : builder.Append(out));
    }
    // The builder makes binaries, whatever its type.
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return Datum(expression::WithType(array->data(), type));
  });
}

arrow::Result<Datum> ConcatLists(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                                 const std::shared_ptr<arrow::DataType>& type) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    std::vector<std::shared_ptr<arrow::ListArray>> lists;
    arrow::ArrayVector elements;
    std::vector<int64_t> bases;
    int64_t base = 0;
    const auto& element_type = static_cast<const arrow::ListType&>(*type).value_type();
    for (const Datum& argument : arguments) {
      ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(argument, rows, context.memory_pool));
      lists.push_back(std::static_pointer_cast<arrow::ListArray>(array));
      bases.push_back(base);
      base += lists.back()->values()->length();
      elements.push_back(arrow::MakeArray(expression::WithType(lists.back()->values()->data(), element_type)));
    }
    arrow::Int64Builder choice(context.memory_pool);
    arrow::TypedBufferBuilder<int32_t> offsets(context.memory_pool);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity,
                          arrow::AllocateEmptyBitmap(rows, context.memory_pool));
    for (int64_t i = 0; i < rows; ++i) {
      ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(choice.length())));
      bool null = false;
      for (const auto& list : lists) null = null || list->IsNull(i);
      if (null) continue;
      arrow::bit_util::SetBit(validity->mutable_data(), i);
      for (size_t k = 0; k < lists.size(); ++k) {
        for (int32_t e = lists[k]->value_offset(i); e < lists[k]->value_offset(i + 1); ++e) {
          ARROW_RETURN_NOT_OK(choice.Append(bases[k] + e));
        }
      }
    }
    ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(choice.length())));
    ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(elements, context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(auto indices, choice.Finish());
    arrow::compute::ExecContext exec(context.memory_pool);
    ARROW_ASSIGN_OR_RAISE(Datum taken, arrow::compute::Take(Datum(all), Datum(indices),
                                                            arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    ARROW_ASSIGN_OR_RAISE(auto offset_buffer, offsets.Finish());
    return Datum(arrow::ArrayData::Make(type, rows, {std::move(validity), std::move(offset_buffer)}, {taken.array()}));
  });
}

arrow::Result<ExpressionPtr> BindConcat(const BindInput& input) {
  if (input.arguments.empty()) return expression::Literal::String("");
  bool all_binary = true;
  bool any_array = false;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    const DataTypePtr& type = input.arguments[i]->type();
    all_binary = all_binary && type->id() == TypeId::kBinary;
    any_array = any_array || type->id() == TypeId::kArray;
    if (type->id() == TypeId::kMap || type->id() == TypeId::kStruct) {
      return UnexpectedInputType(input, i, R"(("STRING" or "BINARY" or "ARRAY"))");
    }
  }
  ExpressionVector arguments;
  DataTypePtr type = all_binary ? types::Binary() : types::String();
  if (any_array) {
    // Whatever is no array counts as a text here, which no array meets.
    for (const ExpressionPtr& argument : input.arguments) {
      bool is_array = argument->type()->id() == TypeId::kArray;
      arguments.push_back(is_array ? argument : expression::ImplicitCast(argument, types::String()));
    }
    ARROW_ASSIGN_OR_RAISE(arguments, expression::CoerceToCommonType("concat", arguments, CallSql(input),
                                                                    expression::TypeListStyle::kChoice));
    type = arguments[0]->type();
  } else {
    for (const ExpressionPtr& argument : input.arguments) arguments.push_back(expression::ImplicitCast(argument, type));
  }
  bool nullable = false;
  for (const ExpressionPtr& argument : arguments) nullable = nullable || argument->nullable();
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
  return MakeCall(
      input, std::move(arguments), type, nullable,
      [arrow_type, any_array](const EvalContext& context, const std::vector<Datum>& values, int64_t num_rows) {
        return any_array ? ConcatLists(context, values, num_rows, arrow_type)
                         : ConcatTexts(context, values, num_rows, arrow_type);
      });
}

// One operand of concat_ws: a text, or an array of them.
struct Joined {
  std::shared_ptr<arrow::Array> lists;  // null for a plain text
  std::unique_ptr<StringColumn> texts;
};

arrow::Result<Datum> Join(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  if (!arguments[0].is_scalar() || arguments[0].scalar()->is_valid) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
      StringColumn separator(arguments[0]);
      std::vector<Joined> operands;
      for (size_t k = 1; k < arguments.size(); ++k) {
        Joined operand;
        if (arguments[k].type()->id() == arrow::Type::LIST) {
          ARROW_ASSIGN_OR_RAISE(operand.lists, expression::ToArray(arguments[k], rows, context.memory_pool));
          const auto& list = static_cast<const arrow::ListArray&>(*operand.lists);
          operand.texts = std::make_unique<StringColumn>(Datum(list.values()->data()));
        } else {
          operand.texts = std::make_unique<StringColumn>(arguments[k]);
        }
        operands.push_back(std::move(operand));
      }
      arrow::StringBuilder builder(context.memory_pool);
      std::string out;
      for (int64_t i = 0; i < rows; ++i) {
        if (separator.IsNull(i)) {
          ARROW_RETURN_NOT_OK(builder.AppendNull());
          continue;
        }
        out.clear();
        bool first = true;
        auto add = [&](const StringColumn& texts, int64_t row) {
          if (texts.IsNull(row)) return;
          if (!first) out += separator[i];
          first = false;
          out += texts[row];
        };
        for (const Joined& operand : operands) {
          if (operand.lists == nullptr) {
            add(*operand.texts, i);
          } else if (!operand.lists->IsNull(i)) {
            const auto& list = static_cast<const arrow::ListArray&>(*operand.lists);
            for (int32_t e = list.value_offset(i); e < list.value_offset(i + 1); ++e) add(*operand.texts, e);
          }
        }
        ARROW_RETURN_NOT_OK(builder.Append(out));
      }
      ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
      return Datum(std::move(array));
    });
  }
  return Datum(arrow::MakeNullScalar(arrow::utf8()));
}

arrow::Result<ExpressionPtr> BindConcatWs(const BindInput& input) {
  ExpressionVector arguments;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    const ExpressionPtr& argument = input.arguments[i];
    bool is_array = i > 0 && argument->type()->id() == TypeId::kArray;
    DataTypePtr type = is_array ? types::Array(types::String()) : types::String();
    if (!expression::CanImplicitCast(argument->type(), type)) {
      return UnexpectedInputType(input, i, i == 0 ? R"("STRING")" : R"(("ARRAY<STRING>" or "STRING"))");
    }
    arguments.push_back(expression::ImplicitCast(argument, type));
  }
  bool nullable = arguments[0]->nullable();
  return MakeCall(input, std::move(arguments), types::String(), nullable, Join);
}

}  // namespace

extern const FunctionDef kConcat{.name = "concat",
                                 .aliases = "||",
                                 .family = "string",
                                 .description = "Texts, binaries or arrays one after the other.",
                                 .example = "concat('Spark', 'SQL')",
                                 .example_result = "SparkSQL",
                                 .min_arguments = 0,
                                 .max_arguments = -1,
                                 .bind = BindConcat};

extern const FunctionDef kConcatWs{.name = "concat_ws",
                                   .family = "string",
                                   .description = "The texts that are not NULL, with a separator between them.",
                                   .example = "concat_ws('/', 'foo', NULL, 'bar')",
                                   .example_result = "foo/bar",
                                   .min_arguments = 1,
                                   .max_arguments = -1,
                                   .bind = BindConcatWs};

}  // namespace millrace::function
