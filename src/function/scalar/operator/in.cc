#include <unordered_set>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

bool AllScalars(const std::vector<Datum>& arguments) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].is_scalar()) return false;
  }
  return true;
}

// One lookup a row in the set of constants.
template <typename T>
arrow::Result<Datum> Lookup(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  using Column = expression::ColumnOf<T>;
  std::unordered_set<T> constants;
  bool null_constant = false;
  for (size_t k = 1; k < arguments.size(); ++k) {
    if (!arguments[k].scalar()->is_valid) {
      null_constant = true;
      continue;
    }
    if constexpr (std::is_same_v<T, std::string_view>) {
      constants.insert(static_cast<const arrow::BaseBinaryScalar&>(*arguments[k].scalar()).view());
    } else {
      constants.insert(Column(arguments[k])[0]);
    }
  }
  Column values(arguments[0]);
  arrow::BooleanBuilder builder(context.memory_pool);
  auto append = [&](int64_t i) {
    bool found = constants.contains(values[i]);
    return !found && null_constant ? builder.AppendNull() : builder.Append(found);
  };
  return expression::MapBuilt(builder, num_rows, append, values);
}

arrow::Result<Datum> CompareAll(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                                const types::DataType& type) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const Datum& argument : arguments) {
    ARROW_ASSIGN_OR_RAISE(auto column,
                          expression::ToArray(argument, argument.is_scalar() ? 1 : num_rows, context.memory_pool));
    columns.push_back(std::move(column));
  }
  arrow::BooleanBuilder builder(context.memory_pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    auto row = [&](size_t k) { return arguments[k].is_scalar() ? 0 : i; };
    bool unknown = columns[0]->IsNull(row(0));
    bool found = false;
    for (size_t k = 1; k < columns.size() && !found && !columns[0]->IsNull(row(0)); ++k) {
      if (columns[k]->IsNull(row(k))) {
        unknown = true;
      } else {
        found = expression::ValuesEqual(type, *columns[0]->data(), row(0), *columns[k]->data(), row(k));
      }
    }
    if (!found && unknown) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(found);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  return Datum(std::move(array));
}

arrow::Result<Datum> In(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                        const types::DataType& type) {
  if (AllScalars(arguments)) {
    switch (type.id()) {
      case TypeId::kString:
        return Lookup<std::string_view>(context, arguments, num_rows);
      case TypeId::kInteger:
      case TypeId::kDate:
        return Lookup<int32_t>(context, arguments, num_rows);
      case TypeId::kLong:
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz:
      case TypeId::kTime:
        return Lookup<int64_t>(context, arguments, num_rows);
      default:
        break;
    }
  }
  return CompareAll(context, arguments, num_rows, type);
}

std::string Render(const std::vector<std::string>& texts) {
  std::string list;
  for (size_t i = 1; i < texts.size(); ++i) list += (i > 1 ? ", " : "") + texts[i];
  return "(" + texts[0] + " IN (" + list + "))";
}

// Structs are compared by place: the list's take the field names of what is looked for.
ExpressionVector WithNamesOfFirst(const ExpressionVector& arguments) {
  const DataTypePtr& first = arguments[0]->type();
  if (first->id() != TypeId::kStruct) return arguments;
  ExpressionVector renamed = arguments;
  for (ExpressionPtr& argument : renamed) {
    const DataTypePtr& type = argument->type();
    if (type->id() != TypeId::kStruct || type->fields().size() != first->fields().size()) continue;
    std::vector<types::StructField> fields = type->fields();
    bool differs = false;
    for (size_t i = 0; i < fields.size(); ++i) {
      differs = differs || fields[i].name != first->fields()[i].name;
      fields[i].name = first->fields()[i].name;
    }
    if (!differs) continue;
    argument = std::make_shared<expression::Cast>(argument, types::Struct(std::move(fields)),
                                                  expression::CastMode::kAnsi, /*user_specified=*/false);
  }
  return renamed;
}

arrow::Result<ExpressionPtr> BindIn(const BindInput& input) {
  // isin() of nothing, which SQL has no words for.
  if (input.arguments.size() == 1) return expression::Literal::Boolean(false);
  std::vector<std::string> texts;
  for (const ExpressionPtr& argument : input.arguments) texts.push_back(argument->Sql(true));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments,
                        expression::CoerceToCommonType("in", WithNamesOfFirst(input.arguments), Render(texts)));
  DataTypePtr type = arguments[0]->type();
  if (type->id() == TypeId::kNull) {
    for (ExpressionPtr& argument : arguments) argument = expression::ImplicitCast(argument, types::Boolean());
    type = types::Boolean();
  }
  if (!expression::IsOrderable(*type)) {
    return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(Render(texts))},
                                                                 {"functionName", QuoteIdentifier("in")},
                                                                 {"dataType", QuoteSqlType(type->Sql())}});
  }
  auto info = std::make_shared<CallInfo>();
  info->name = "in";
  info->style = CallStyle::kCustom;
  info->render = Render;
  info->kernel = [type](const EvalContext& context, const std::vector<Datum>& values, int64_t num_rows) {
    return expression::OneRowIfScalars(values, num_rows,
                                       [&](int64_t rows) { return In(context, values, rows, *type); });
  };
  bool nullable = false;
  for (const ExpressionPtr& argument : arguments) nullable = nullable || argument->nullable();
  return std::make_shared<Call>(std::move(info), types::Boolean(), nullable, std::move(arguments));
}

}  // namespace

extern const FunctionDef kIn{.name = "in",
                             .family = "predicate",
                             .description = "Whether the value equals one of the others; NULL when that is not known.",
                             .example = "1 IN (1, 2, 3)",
                             .example_result = "true",
                             .min_arguments = 1,
                             .max_arguments = -1,
                             .bind = BindIn};

}  // namespace millrace::function
