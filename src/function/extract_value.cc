#include "function/extract_value.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "types/arrow_type.h"

namespace millrace::function {

using arrow::Datum;
using expression::Call;
using expression::CallInfo;
using expression::CallStyle;
using expression::FixedColumn;
using types::TypeId;

namespace {

constexpr const char* kStructFieldName = "getstructfield";

struct StructFieldInfo : CallInfo {
  int ordinal = 0;
};

arrow::Result<Datum> FieldOf(const EvalContext& context, const Datum& value, int ordinal) {
  if (value.is_scalar()) {
    const auto& scalar = static_cast<const arrow::StructScalar&>(*value.scalar());
    if (!scalar.is_valid) return Datum(arrow::MakeNullScalar(scalar.type->field(ordinal)->type()));
    return Datum(scalar.value[static_cast<size_t>(ordinal)]);
  }
  const arrow::ArrayData& data = *value.array();
  if (data.GetNullCount() == 0) {
    return Datum(data.child_data[static_cast<size_t>(ordinal)]->Slice(data.offset, data.length));
  }
  arrow::StructArray array(value.array());
  ARROW_ASSIGN_OR_RAISE(auto field, array.GetFlattenedField(ordinal, context.memory_pool));
  return Datum(std::move(field));
}

arrow::Result<int> FindField(const types::DataType& type, const std::string& name, bool case_sensitive) {
  int ordinal = type.FieldIndex(name, case_sensitive);
  if (ordinal >= 0) return ordinal;
  if (ordinal == -1) {
    std::string fields;
    for (const auto& field : type.fields()) fields += (fields.empty() ? "" : ", ") + QuoteIdentifier(field.name);
    return UserError("FIELD_NOT_FOUND", {{"fieldName", QuoteIdentifier(name)}, {"fields", fields}});
  }
  int count = 0;
  for (const auto& field : type.fields())
    count += types::Struct({field})->FieldIndex(name, case_sensitive) == 0 ? 1 : 0;
  return UserError("AMBIGUOUS_REFERENCE_TO_FIELDS",
                   {{"field", QuoteIdentifier(name)}, {"count", std::to_string(count)}});
}

// `indices[i]` of the flattened elements for row i, null where there is none.
arrow::Result<Datum> TakeElements(const EvalContext& context, const std::shared_ptr<arrow::Array>& elements,
                                  arrow::Int32Builder& indices) {
  ARROW_ASSIGN_OR_RAISE(auto positions, indices.Finish());
  arrow::compute::ExecContext exec(context.memory_pool);
  return arrow::compute::Take(Datum(elements), Datum(positions), arrow::compute::TakeOptions::NoBoundsCheck(), &exec);
}

arrow::Result<Datum> ElementsAt(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(arguments[0], num_rows, context.memory_pool));
  const auto& lists = static_cast<const arrow::ListArray&>(*array);
  FixedColumn<int32_t> index(arguments[1]);
  arrow::Int32Builder positions(context.memory_pool);
  ARROW_RETURN_NOT_OK(positions.Reserve(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    if (lists.IsNull(i) || index.IsNull(i)) {
      positions.UnsafeAppendNull();
    } else if (index[i] >= 0 && index[i] < lists.value_length(i)) {
      positions.UnsafeAppend(lists.value_offset(i) + index[i]);
    } else if (context.ansi) {
      return UserError("INVALID_ARRAY_INDEX", {{"indexValue", std::to_string(index[i])},
                                               {"arraySize", std::to_string(lists.value_length(i))},
                                               {"ansiConfig", QuoteConf("spark.sql.ansi.enabled")}});
    } else {
      positions.UnsafeAppendNull();
    }
  }
  return TakeElements(context, lists.values(), positions);
}

arrow::Result<Datum> ValuesAt(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                              const types::DataType& key_type) {
  ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(arguments[0], num_rows, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(
      auto wanted, expression::ToArray(arguments[1], arguments[1].is_scalar() ? 1 : num_rows, context.memory_pool));
  const auto& maps = static_cast<const arrow::MapArray&>(*array);
  const arrow::ArrayData& keys = *maps.keys()->data();
  bool same_key = arguments[1].is_scalar();
  arrow::Int32Builder positions(context.memory_pool);
  ARROW_RETURN_NOT_OK(positions.Reserve(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    int64_t key_row = same_key ? 0 : i;
    int32_t found = -1;
    if (!maps.IsNull(i) && !wanted->IsNull(key_row)) {
      for (int32_t k = maps.value_offset(i); k < maps.value_offset(i + 1) && found < 0; ++k) {
        if (expression::ValuesEqual(key_type, keys, k, *wanted->data(), key_row)) found = k;
      }
    }
    if (found < 0) {
      positions.UnsafeAppendNull();
    } else {
      positions.UnsafeAppend(found);
    }
  }
  return TakeElements(context, maps.items(), positions);
}

// When all arguments are scalars, the one row as a scalar.
template <typename Kernel>
expression::ScalarKernel ScalarAware(Kernel kernel) {
  return
      [kernel = std::move(kernel)](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
        return expression::OneRowIfScalars(arguments, num_rows,
                                           [&](int64_t rows) { return kernel(context, arguments, rows); });
      };
}

std::string Subscript(const std::vector<std::string>& texts) { return texts[0] + "[" + texts[1] + "]"; }

ExpressionPtr FieldOfElements(const ExpressionPtr& child, int ordinal, const std::string& name) {
  const types::StructField& field = child->type()->element()->fields()[static_cast<size_t>(ordinal)];
  DataTypePtr type = types::Array(field.type, child->type()->contains_null() || field.nullable);
  auto info = std::make_shared<CallInfo>();
  info->name = "getarraystructfields";
  info->style = CallStyle::kCustom;
  info->render = [name](const std::vector<std::string>& texts) { return texts[0] + "." + types::QuoteIfNeeded(name); };
  info->kernel = ScalarAware([ordinal, type](const EvalContext& context, const std::vector<Datum>& arguments,
                                             int64_t num_rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(arguments[0], num_rows, context.memory_pool));
    std::shared_ptr<arrow::ArrayData> data = array->data()->Copy();
    ARROW_ASSIGN_OR_RAISE(Datum field_values, FieldOf(context, Datum(data->child_data[0]), ordinal));
    data->type = types::ToArrow(*type);
    data->child_data = {expression::WithType(field_values.array(), data->type->field(0)->type())};
    return Datum(std::move(data));
  });
  return std::make_shared<Call>(std::move(info), std::move(type), child->nullable(), ExpressionVector{child});
}

arrow::Result<ExpressionPtr> ElementOf(const ExpressionPtr& child, const ExpressionPtr& key) {
  if (!key->type()->is_integral() && key->type()->id() != TypeId::kNull) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                     {{"sqlExpr", QuoteSqlExpression(Subscript({child->Sql(true), key->Sql(true)}))},
                      {"paramIndex", "second"},
                      {"requiredType", QuoteSqlType("INTEGRAL")},
                      {"inputSql", QuoteSqlExpression(key->Sql(true))},
                      {"inputType", QuoteSqlType(key->type()->Sql())}});
  }
  auto info = std::make_shared<CallInfo>();
  info->name = "getarrayitem";
  info->style = CallStyle::kCustom;
  info->render = Subscript;
  info->can_fail = true;
  info->kernel = ScalarAware(ElementsAt);
  bool nullable = child->nullable() || key->nullable() || child->type()->contains_null();
  if (key->foldable() && !key->nullable()) {
    // A constant index is only known to be there in an array written out.
    nullable = true;
    bool written_out =
        child->kind() == expression::ExpressionKind::kCall && static_cast<const Call&>(*child).name() == "array";
    if (written_out && key->kind() == expression::ExpressionKind::kLiteral && key->type()->id() == TypeId::kInteger) {
      const auto& value = *static_cast<const expression::Literal&>(*key).value();
      auto index = static_cast<size_t>(static_cast<const arrow::Int32Scalar&>(value).value);
      nullable = index >= child->children().size() || child->children()[index]->nullable();
    }
  }
  ExpressionVector arguments{child, expression::ImplicitCast(key, types::Integer())};
  return std::make_shared<Call>(std::move(info), child->type()->element(), nullable, std::move(arguments));
}

arrow::Result<ExpressionPtr> MapValueOf(const ExpressionPtr& child, const ExpressionPtr& key) {
  const DataTypePtr& key_type = child->type()->key();
  if (!expression::CanImplicitCast(key->type(), key_type)) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                     {{"sqlExpr", QuoteSqlExpression(Subscript({child->Sql(true), key->Sql(true)}))},
                      {"paramIndex", "second"},
                      {"requiredType", QuoteSqlType(key_type->Sql())},
                      {"inputSql", QuoteSqlExpression(key->Sql(true))},
                      {"inputType", QuoteSqlType(key->type()->Sql())}});
  }
  auto info = std::make_shared<CallInfo>();
  info->name = "getmapvalue";
  info->style = CallStyle::kCustom;
  info->render = Subscript;
  info->kernel =
      ScalarAware([key_type](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
        return ValuesAt(context, arguments, num_rows, *key_type);
      });
  ExpressionVector arguments{child, expression::ImplicitCast(key, key_type)};
  return std::make_shared<Call>(std::move(info), child->type()->value(), true, std::move(arguments));
}

std::optional<std::string> FieldName(const ExpressionPtr& key) {
  if (key->kind() != expression::ExpressionKind::kLiteral || key->type()->id() != TypeId::kString) return std::nullopt;
  const auto& value = *static_cast<const expression::Literal&>(*key).value();
  if (!value.is_valid) return std::nullopt;
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(value).view());
}

}  // namespace

ExpressionPtr GetStructField(const ExpressionPtr& child, int ordinal, std::string name) {
  const types::StructField& field = child->type()->fields()[static_cast<size_t>(ordinal)];
  auto info = std::make_shared<StructFieldInfo>();
  info->name = kStructFieldName;
  info->ordinal = ordinal;
  info->style = CallStyle::kCustom;
  info->render = [name = std::move(name)](const std::vector<std::string>& texts) { return texts[0] + "." + name; };
  info->kernel = [ordinal](const EvalContext& context, const std::vector<Datum>& arguments, int64_t) {
    return FieldOf(context, arguments[0], ordinal);
  };
  return std::make_shared<Call>(std::move(info), field.type, child->nullable() || field.nullable,
                                ExpressionVector{child});
}

std::optional<int> StructFieldOrdinal(const expression::Expression& expression) {
  if (expression.kind() != expression::ExpressionKind::kCall) return std::nullopt;
  const auto& call = static_cast<const Call&>(expression);
  if (call.name() != kStructFieldName) return std::nullopt;
  return static_cast<const StructFieldInfo&>(call.info()).ordinal;
}

arrow::Result<ExpressionPtr> ExtractValue(const ExpressionPtr& child, const ExpressionPtr& key, bool case_sensitive) {
  const DataTypePtr& type = child->type();
  std::optional<std::string> name = FieldName(key);
  switch (type->id()) {
    case TypeId::kStruct: {
      if (!name) return UserError("INVALID_EXTRACT_FIELD_TYPE", {{"extraction", QuoteSqlExpression(key->Sql(true))}});
      ARROW_ASSIGN_OR_RAISE(int ordinal, FindField(*type, *name, case_sensitive));
      return GetStructField(child, ordinal, *name);
    }
    case TypeId::kArray: {
      if (!name || type->element()->id() != TypeId::kStruct) return ElementOf(child, key);
      ARROW_ASSIGN_OR_RAISE(int ordinal, FindField(*type->element(), *name, case_sensitive));
      return FieldOfElements(child, ordinal, *name);
    }
    case TypeId::kMap:
      return MapValueOf(child, key);
    case TypeId::kNull: {
      auto info = std::make_shared<CallInfo>();
      info->name = "extract";
      info->style = CallStyle::kCustom;
      info->render = [](const std::vector<std::string>& texts) { return texts[0] + "[" + texts[1] + "]"; };
      info->kernel = [](const EvalContext&, const std::vector<Datum>&, int64_t) -> arrow::Result<Datum> {
        return Datum(std::make_shared<arrow::NullScalar>());
      };
      return std::make_shared<Call>(std::move(info), types::Null(), true, ExpressionVector{child, key});
    }
    default:
      return UserError("INVALID_EXTRACT_BASE_FIELD_TYPE",
                       {{"base", QuoteSqlExpression(child->Sql(true))}, {"other", QuoteSqlType(type->Sql())}});
  }
}

}  // namespace millrace::function
