#include "function/scalar/avro/avro_arguments.h"

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Status Mismatch(const BindInput& input, std::string message) {
  return UserError("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"msg", std::move(message)}, {"hint", ""}});
}

}  // namespace

BindInput WithAllArguments(BindInput input, size_t count) {
  while (input.arguments.size() < count) {
    input.arguments.push_back(expression::Literal::Null(types::Null()));
  }
  return input;
}

arrow::Result<std::string> AvroSchemaArgument(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  auto wrong = [&] {
    return Mismatch(input,
                    std::string(index == 0 ? "The first" : "The second") + " argument of the " +
                        ToUpperAscii(input.def.name) +
                        " SQL function must be a constant string containing the JSON representation of the schema "
                        "to use for converting the value " +
                        (input.def.name == "to_avro" ? "to" : "from") + " AVRO format");
  };
  if (!argument->foldable() || argument->type()->id() != TypeId::kString) return wrong();
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*argument, input.context));
  if (!scalar->is_valid) return wrong();
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
}

arrow::Result<format::OptionMap> AvroOptionsArgument(const BindInput& input, size_t index) {
  if (index >= input.arguments.size() || input.arguments[index]->type()->id() == TypeId::kNull) {
    return format::OptionMap();
  }
  const types::DataType& type = *input.arguments[index]->type();
  if (type.id() != TypeId::kMap || !input.arguments[index]->foldable() || type.key()->id() != TypeId::kString ||
      type.value()->id() != TypeId::kString) {
    // map() is a map of nothing yet.
    if (type.id() == TypeId::kMap && type.key()->id() == TypeId::kNull) return format::OptionMap();
    return Mismatch(input,
                    "The third argument of the " + ToUpperAscii(input.def.name) +
                        " SQL function must be a constant map of strings to strings containing the options to use for "
                        "converting the value from AVRO format");
  }
  return BindOptions(input, index);
}

}  // namespace millrace::function
