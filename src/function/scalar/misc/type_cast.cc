#include "base/error.h"
#include "expression/cast.h"
#include "function/bind.h"

/// The types as functions: int('1') is CAST('1' AS INT).

namespace millrace::function {

using expression::CastMode;

namespace {

template <DataTypePtr (*kType)()>
arrow::Result<ExpressionPtr> BindCast(const BindInput& input) {
  DataTypePtr type = kType();
  const ExpressionPtr& value = input.arguments[0];
  CastMode mode = input.context.ansi ? CastMode::kAnsi : CastMode::kLegacy;
  if (!expression::CanCast(*value->type(), *type, mode)) {
    return UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
                     {{"sqlExpr", QuoteSqlExpression("CAST(" + value->Sql(true) + " AS " + type->Sql() + ")")},
                      {"srcType", QuoteSqlType(value->type()->Sql())},
                      {"targetType", QuoteSqlType(type->Sql())}});
  }
  return std::make_shared<expression::Cast>(value, std::move(type), mode, /*user_specified=*/false);
}

DataTypePtr DefaultDecimal() { return types::Decimal(10, 0); }
DataTypePtr DefaultTime() { return types::Time(types::kMicrosPrecision); }

template <DataTypePtr (*kType)()>
constexpr FunctionDef CastDef(std::string_view name, std::string_view example, std::string_view result) {
  return {.name = name,
          .family = "conversion",
          .description = "The value cast to the type of this name.",
          .example = example,
          .example_result = result,
          .min_arguments = 1,
          .max_arguments = 1,
          .bind = BindCast<kType>};
}

}  // namespace

extern const FunctionDef kCastBoolean = CastDef<types::Boolean>("boolean", "boolean('true')", "true");
extern const FunctionDef kCastTinyInt = CastDef<types::Byte>("tinyint", "tinyint('1')", "1");
extern const FunctionDef kCastSmallInt = CastDef<types::Short>("smallint", "smallint('1')", "1");
extern const FunctionDef kCastInt = CastDef<types::Integer>("int", "int('1')", "1");
extern const FunctionDef kCastBigInt = CastDef<types::Long>("bigint", "bigint('1')", "1");
extern const FunctionDef kCastFloat = CastDef<types::Float>("float", "float('1.5')", "1.5");
extern const FunctionDef kCastDouble = CastDef<types::Double>("double", "double('1.5')", "1.5");
extern const FunctionDef kCastDecimal = CastDef<DefaultDecimal>("decimal", "decimal('2.5')", "3");
extern const FunctionDef kCastDate = CastDef<types::Date>("date", "date('2020-01-01')", "2020-01-01");
extern const FunctionDef kCastTimestamp =
    CastDef<types::Timestamp>("timestamp", "timestamp('2020-01-01')", "2020-01-01 00:00:00");
extern const FunctionDef kCastTime = CastDef<DefaultTime>("time", "time('12:25:13.45')", "12:25:13.45");
extern const FunctionDef kCastBinary = CastDef<types::Binary>("binary", "hex(binary('a'))", "61");
extern const FunctionDef kCastString = CastDef<types::String>("string", "string(1)", "1");

}  // namespace millrace::function
