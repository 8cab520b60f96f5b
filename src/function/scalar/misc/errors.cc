#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"

/// typeof, assert_true, raise_error.

namespace millrace::function {

using arrow::Datum;
using expression::CaseWhen;
using expression::Literal;
using expression::ShownCall;

namespace {

arrow::Status Raised(std::string message) {
  return UserError("USER_RAISED_EXCEPTION", {{"errorMessage", std::move(message)}});
}

arrow::Result<ExpressionPtr> BindTypeOf(const BindInput& input) {
  // The argument is never computed.
  ExpressionPtr name = Literal::String(input.arguments[0]->type()->CatalogString());
  ExpressionVector children{Literal::Boolean(true), name, name};
  return std::make_shared<CaseWhen>(std::move(children), false,
                                    std::make_shared<ShownCall>(ShownCall{"typeof", input.arguments}));
}

arrow::Result<ExpressionPtr> BindAssertTrue(const BindInput& input) {
  ExpressionVector arguments = input.arguments;
  if (arguments.size() == 1) arguments.push_back(Literal::String("'" + arguments[0]->Sql(true) + "' is not true!"));
  if (!expression::CanImplicitCast(arguments[0]->type(), types::Boolean())) {
    return UnexpectedInputType(input, 0, QuoteSqlType("BOOLEAN"));
  }
  arguments[0] = expression::ImplicitCast(arguments[0], types::Boolean());
  arguments[1] = expression::ImplicitCast(arguments[1], types::String());
  ScalarKernel kernel = [](const EvalContext&, const std::vector<Datum>& values,
                           int64_t num_rows) -> arrow::Result<Datum> {
    expression::BooleanColumn conditions(values[0]);
    expression::StringColumn messages(values[1]);
    for (int64_t i = 0; i < num_rows; ++i) {
      if (!conditions.IsNull(i) && conditions[i]) continue;
      return Raised(std::string(messages.IsNull(i) ? "null" : messages[i]));
    }
    return Datum(std::make_shared<arrow::NullScalar>());
  };
  return MakeCall(input, std::move(arguments), types::Null(), true, std::move(kernel),
                  {.can_fail = true, .foldable = false});
}

arrow::Result<ExpressionPtr> BindRaiseError(const BindInput& input) {
  ScalarKernel kernel = [](const EvalContext&, const std::vector<Datum>& values,
                           int64_t num_rows) -> arrow::Result<Datum> {
    if (num_rows == 0) return Datum(std::make_shared<arrow::NullScalar>());
    expression::StringColumn messages(values[0]);
    return Raised(std::string(messages.IsNull(0) ? "null" : messages[0]));
  };
  return BindSimple(input, {types::String()}, types::Null(), std::move(kernel),
                    {.can_fail = true, .may_null = true, .foldable = false});
}

}  // namespace

extern const FunctionDef kTypeOf{.name = "typeof",
                                 .family = "misc",
                                 .description = "Name of the value's type.",
                                 .example = "typeof(1)",
                                 .example_result = "int",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindTypeOf};

extern const FunctionDef kAssertTrue{
    .name = "assert_true",
    .family = "misc",
    .description = "NULL, or an error with the message when the condition does not hold.",
    .example = "assert_true(0 < 1)",
    .example_result = "NULL",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = BindAssertTrue};

extern const FunctionDef kRaiseError{.name = "raise_error",
                                     .family = "misc",
                                     .description = "An error with the message.",
                                     .example = "if(true, 1, raise_error('never'))",
                                     .example_result = "1",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindRaiseError};

}  // namespace millrace::function
