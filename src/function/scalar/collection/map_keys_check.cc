#include "function/scalar/collection/map_keys_check.h"

#include "base/error.h"
#include "expression/cast.h"
#include "expression/query_settings.h"
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

MapKeyPolicy CurrentMapKeyPolicy() {
  return expression::CurrentQuerySettings().map_keys_last_win ? MapKeyPolicy::kLastWins : MapKeyPolicy::kException;
}

arrow::Status CheckMapKeys(const EvalContext& context, const types::DataType& key_type, const arrow::Array& keys,
                           int64_t begin, int64_t end, MapKeyPolicy policy) {
  if (key_type.id() == types::TypeId::kNull) return end > begin ? UserError("NULL_MAP_KEY") : arrow::Status::OK();
  ElementSet seen(key_type, *keys.data());
  for (int64_t i = begin; i < end; ++i) {
    if (keys.IsNull(i)) return UserError("NULL_MAP_KEY");
    if (policy == MapKeyPolicy::kLastWins) continue;
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

// Source: Spark, ArrayBasedMapBuilder.put.
arrow::Result<std::shared_ptr<arrow::Array>> DistinctKeys(const EvalContext& context, const types::DataType& type,
                                                          std::shared_ptr<arrow::Array> maps, MapKeyPolicy policy) {
  const types::DataType& key_type = *type.key();
  if (policy == MapKeyPolicy::kException || key_type.id() == types::TypeId::kNull) return maps;
  arrow::MemoryPool* pool = context.memory_pool;
  int64_t n = maps->length();
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arrow::Datum(std::move(maps)), n, pool));
  std::shared_ptr<arrow::Array> keys = lists.keys();
  const arrow::ArrayData& data = *keys->data();
  ListMaker maker(n, pool);
  arrow::Int64Builder first_places(pool), last_places(pool);
  std::vector<std::pair<int64_t, int64_t>> entries;
  for (int64_t row = 0; row < n; ++row) {
    entries.clear();
    ElementSet seen(key_type, data);
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
      if (seen.Insert(i)) {
        entries.emplace_back(i, i);
        continue;
      }
      for (auto& [first, last] : entries) {
        if (expression::SameOrBothNull(key_type, data, first, data, i)) last = i;
      }
    }
    for (const auto& [first, last] : entries) {
      ARROW_RETURN_NOT_OK(first_places.Append(first));
      ARROW_RETURN_NOT_OK(last_places.Append(last));
    }
    maker.SetAdded(first_places.length());
    lists.IsNull(row) ? maker.NullRow() : maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> firsts, first_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lasts, last_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> kept_keys, Gather(*keys, *firsts, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> kept_values, Gather(*lists.items(), *lasts, pool));
  return FinishMaps(context, type, &maker, kept_keys, kept_values);
}

arrow::Status ExpectMapKeyType(const BindInput& input, const DataTypePtr& key) {
  const types::DataType* map = FindMap(*key);
  if (map == nullptr) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"keyType", QuoteSqlType(map->Sql())}});
}

}  // namespace millrace::function
