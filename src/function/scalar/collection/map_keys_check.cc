#include "function/scalar/collection/map_keys_check.h"

#include "base/error.h"
#include "expression/cast.h"
#include "function/scalar/collection/element_set.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

// The map type inside `type`, or null.
const types::DataType* FindMap(const types::DataType& type) {
  switch (type.id()) {
    case types::TypeId::kMap:
      return &type;
    case types::TypeId::kArray:
      return FindMap(*type.element());
    case types::TypeId::kStruct:
      for (const types::StructField& field : type.fields()) {
        if (const types::DataType* map = FindMap(*field.type)) return map;
      }
      return nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

arrow::Status CheckMapKeys(const EvalContext& context, const types::DataType& key_type, const arrow::Array& keys,
                           int64_t begin, int64_t end) {
  if (key_type.id() == types::TypeId::kNull) return end > begin ? UserError("NULL_MAP_KEY") : arrow::Status::OK();
  ElementSet seen(key_type, *keys.data());
  for (int64_t i = begin; i < end; ++i) {
    if (keys.IsNull(i)) return UserError("NULL_MAP_KEY");
    if (seen.Insert(i)) continue;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> shown,
                          expression::ToPrettyStrings(context, *keys.Slice(i, 1), key_type));
    return UserError("DUPLICATED_MAP_KEY", {{"key", static_cast<const arrow::StringArray&>(*shown).GetString(0)},
                                            {"mapKeyDedupPolicy", QuoteConf("spark.sql.mapKeyDedupPolicy")}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> FinishMaps(const EvalContext&, const types::DataType& type,
                                                        ListMaker* maker, const std::shared_ptr<arrow::Array>& keys,
                                                        const std::shared_ptr<arrow::Array>& values) {
  std::shared_ptr<arrow::DataType> map = types::ToArrow(type);
  std::shared_ptr<arrow::DataType> entry = map->field(0)->type();
  std::shared_ptr<arrow::ArrayData> key_data = expression::WithType(keys->data(), entry->field(0)->type());
  std::shared_ptr<arrow::ArrayData> value_data = expression::WithType(values->data(), entry->field(1)->type());
  auto entries =
      arrow::ArrayData::Make(entry, keys->length(), {nullptr}, {std::move(key_data), std::move(value_data)}, 0);
  return maker->FinishWith(type, arrow::MakeArray(entries));
}

arrow::Status ExpectMapKeyType(const BindInput& input, const DataTypePtr& key) {
  const types::DataType* map = FindMap(*key);
  if (map == nullptr) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"keyType", QuoteSqlType(map->Sql())}});
}

}  // namespace millrace::function
