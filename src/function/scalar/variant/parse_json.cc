#include "base/error.h"
#include "expression/variant_column.h"
#include "format/variant/variant_json.h"
#include "function/scalar/variant/variant_get.h"

/// Functions that make variants, and tell what a value is: parse_json, try_parse_json, to_variant_object,
/// is_variant_null, is_valid_variant.

namespace millrace::function {

using expression::VariantColumn;
using expression::VariantColumnBuilder;

namespace {

template <bool kTry>
arrow::Result<arrow::Datum> ParseTexts(const EvalContext& context, const arrow::Datum& argument, int64_t num_rows) {
  expression::StringColumn texts(argument);
  VariantColumnBuilder rows(context.memory_pool);
  format::VariantJsonReader reader;
  variant::VariantBuilder builder;
  std::string_view value, metadata;
  auto one = [&](int64_t i) -> arrow::Status {
    builder.Reset();
    if (reader.Read(texts[i], &builder) != format::VariantJson::kOk) {
      if (kTry) return rows.AppendNull();
      return UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                       {{"badRecord", std::string(texts[i])}, {"failFastMode", "FAILFAST"}});
    }
    if (!builder.Finish(&value, &metadata)) {
      return kTry ? rows.AppendNull() : expression::VariantTooLarge("parse_json");
    }
    return rows.Append(value, metadata);
  };
  return expression::MapBuilt(rows, num_rows, one, texts);
}

template <bool kTry>
arrow::Result<ExpressionPtr> BindParseJson(const BindInput& input) {
  auto kernel = [](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows,
                                       [&](int64_t rows) { return ParseTexts<kTry>(context, arguments[0], rows); });
  };
  return BindExact(input, types::String(), types::Variant(), kernel, {.can_fail = !kTry, .may_null = kTry});
}

arrow::Result<ExpressionPtr> BindToVariantObject(const BindInput& input) {
  const ExpressionPtr& argument = input.arguments[0];
  const DataTypePtr& type = argument->type();
  if (!type->is_nested() || !expression::CanBeVariant(*type, /*structs_and_maps=*/true)) {
    return UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                      {"srcType", QuoteSqlType(type->Sql())},
                      {"targetType", QuoteSqlType(types::Variant()->Sql())}});
  }
  auto kernel = [type](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto column, expression::ToArray(arguments[0], rows, context.memory_pool));
      ARROW_ASSIGN_OR_RAISE(auto made, expression::ToVariants(context, *column->data(), *type, "to_variant_object"));
      return arrow::Datum(std::move(made));
    });
  };
  return MakeCall(input, {argument}, types::Variant(), argument->nullable(), kernel, {.can_fail = true});
}

/// A boolean of the bytes of each variant; `if_null` for NULL, or NULL.
template <typename Test>
ScalarKernel TestKernel(std::optional<bool> if_null, Test test) {
  return [=](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(VariantColumn column, VariantColumn::Make(arguments[0], context.memory_pool));
      arrow::BooleanBuilder builder(context.memory_pool);
      ARROW_RETURN_NOT_OK(builder.Reserve(rows));
      for (int64_t i = 0; i < rows; ++i) {
        if (!column.IsNull(i)) {
          bool holds = false;
          ARROW_RETURN_NOT_OK(test(column, i, &holds));
          builder.UnsafeAppend(holds);
        } else if (if_null) {
          builder.UnsafeAppend(*if_null);
        } else {
          builder.UnsafeAppendNull();
        }
      }
      ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
      return arrow::Datum(std::move(array));
    });
  };
}

arrow::Result<ExpressionPtr> BindIsVariantNull(const BindInput& input) {
  auto is_null = [](const VariantColumn& column, int64_t row, bool* holds) {
    std::string_view value = column.value(row);
    if (value.empty()) return variant::Malformed();
    *holds = value[0] == 0;
    return arrow::Status::OK();
  };
  return BindExact(input, types::Variant(), types::Boolean(), TestKernel(false, is_null),
                   {.can_fail = true, .never_null = true});
}

arrow::Result<ExpressionPtr> BindIsValidVariant(const BindInput& input) {
  auto is_valid = [](const VariantColumn& column, int64_t row, bool* holds) {
    *holds = variant::IsValid(column.value(row), column.metadata(row));
    return arrow::Status::OK();
  };
  return BindExact(input, types::Variant(), types::Boolean(), TestKernel(std::nullopt, is_valid));
}

}  // namespace

extern const FunctionDef kParseJson{.name = "parse_json",
                                    .family = "variant",
                                    .description = "Reads a JSON text as a variant; fails where it is none.",
                                    .example = "parse_json('{\"a\":1,\"b\":0.8}')",
                                    .example_result = "{\"a\":1,\"b\":0.8}",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindParseJson<false>};

extern const FunctionDef kTryParseJson{.name = "try_parse_json",
                                       .family = "variant",
                                       .description = "Reads a JSON text as a variant; NULL where it is none.",
                                       .example = "try_parse_json('{\"a\":1')",
                                       .example_result = "NULL",
                                       .min_arguments = 1,
                                       .max_arguments = 1,
                                       .bind = BindParseJson<true>};

extern const FunctionDef kToVariantObject{.name = "to_variant_object",
                                          .family = "variant",
                                          .description = "A struct, array or map as a variant; structs become objects.",
                                          .example = "to_variant_object(named_struct('a', 1, 'b', 2))",
                                          .example_result = "{\"a\":1,\"b\":2}",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = BindToVariantObject};

extern const FunctionDef kIsVariantNull{.name = "is_variant_null",
                                        .family = "variant",
                                        .description = "Whether a variant is JSON's null; false for NULL.",
                                        .example = "is_variant_null(parse_json('null'))",
                                        .example_result = "true",
                                        .min_arguments = 1,
                                        .max_arguments = 1,
                                        .bind = BindIsVariantNull};

extern const FunctionDef kIsValidVariant{.name = "is_valid_variant",
                                         .family = "variant",
                                         .description = "Whether the bytes of a variant are well-formed.",
                                         .example = "is_valid_variant(parse_json('[1]'))",
                                         .example_result = "true",
                                         .min_arguments = 1,
                                         .max_arguments = 1,
                                         .bind = BindIsValidVariant};

}  // namespace millrace::function
