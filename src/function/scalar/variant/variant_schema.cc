#include "function/scalar/variant/variant_schema.h"

#include "expression/variant_column.h"
#include "format/json/json_infer_schema.h"
#include "function/scalar/variant/variant_get.h"

namespace millrace::function {

using types::TypeId;
using variant::Kind;

namespace {

arrow::Result<DataTypePtr> SchemaOf(const variant::Variant& value, int depth) {
  if (depth > variant::kDepthMax) return variant::Malformed();
  ARROW_ASSIGN_OR_RAISE(Kind kind, value.kind());
  switch (kind) {
    case Kind::kObject: {
      ARROW_ASSIGN_OR_RAISE(variant::Variant::Members members, value.members());
      std::vector<types::StructField> fields;
      for (int64_t i = 0; i < members.size(); ++i) {
        ARROW_ASSIGN_OR_RAISE(std::string_view name, members.Name(i));
        if (i > 0 && variant::CompareNames(fields.back().name, name) >= 0) return variant::Malformed();
        ARROW_ASSIGN_OR_RAISE(variant::Variant member, members.Value(i));
        ARROW_ASSIGN_OR_RAISE(DataTypePtr type, SchemaOf(member, depth + 1));
        fields.push_back({std::string(name), std::move(type), true, ""});
      }
      return types::Struct(std::move(fields));
    }
    case Kind::kArray: {
      ARROW_ASSIGN_OR_RAISE(variant::Variant::Members members, value.members());
      DataTypePtr element = types::Null();
      for (int64_t i = 0; i < members.size(); ++i) {
        ARROW_ASSIGN_OR_RAISE(variant::Variant member, members.Value(i));
        ARROW_ASSIGN_OR_RAISE(DataTypePtr type, SchemaOf(member, depth + 1));
        element = MergeVariantSchemas(element, type);
      }
      return types::Array(std::move(element));
    }
    case Kind::kNull:
      return types::Null();
    case Kind::kBoolean:
      return types::Boolean();
    case Kind::kLong:
      return types::Long();
    case Kind::kString:
      return types::String();
    case Kind::kDouble:
      return types::Double();
    case Kind::kDecimal: {
      ARROW_ASSIGN_OR_RAISE(variant::VariantDecimal decimal, value.decimal());
      return types::Decimal(decimal.precision(), decimal.scale);
    }
    case Kind::kDate:
      return types::Date();
    case Kind::kTimestamp:
    case Kind::kTimestampNanos:
      return types::Timestamp();
    case Kind::kTimestampNtz:
    case Kind::kTimestampNtzNanos:
      return types::TimestampNtz();
    case Kind::kFloat:
      return types::Float();
    case Kind::kBinary:
      return types::Binary();
    case Kind::kUuid:
      return types::String();
  }
  return variant::Malformed();
}

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  auto kernel = [](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto column, expression::VariantColumn::Make(arguments[0], context.memory_pool));
      arrow::StringBuilder builder(context.memory_pool);
      for (int64_t i = 0; i < rows; ++i) {
        if (column.IsNull(i)) {
          ARROW_RETURN_NOT_OK(builder.AppendNull());
          continue;
        }
        ARROW_ASSIGN_OR_RAISE(variant::Variant value, column[i]);
        ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, SchemaOfVariant(value));
        ARROW_RETURN_NOT_OK(builder.Append(VariantSchemaText(*schema)));
      }
      ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
      return arrow::Datum(std::move(array));
    });
  };
  return BindExact(input, types::Variant(), types::String(), kernel, {.can_fail = true});
}

}  // namespace

arrow::Result<DataTypePtr> SchemaOfVariant(const variant::Variant& value) { return SchemaOf(value, 0); }

DataTypePtr MergeVariantSchemas(const DataTypePtr& a, const DataTypePtr& b) {
  return format::MergeInferredTypes(a, b, types::Variant());
}

std::string VariantSchemaText(const types::DataType& schema) {
  if (schema.id() == TypeId::kArray) return "ARRAY<" + VariantSchemaText(*schema.element()) + ">";
  if (schema.id() != TypeId::kStruct) return schema.Sql();
  std::string text = "OBJECT<";
  bool first = true;
  for (const types::StructField& field : schema.fields()) {
    text += (first ? "" : ", ") + types::QuoteIfNeeded(field.name) + ": " + VariantSchemaText(*field.type);
    first = false;
  }
  return text + ">";
}

extern const FunctionDef kSchemaOfVariant{.name = "schema_of_variant",
                                          .family = "variant",
                                          .description = "The type of a variant, as SQL.",
                                          .example = "schema_of_variant(parse_json('[{\"b\":true,\"a\":0}]'))",
                                          .example_result = "ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = Bind};

}  // namespace millrace::function
