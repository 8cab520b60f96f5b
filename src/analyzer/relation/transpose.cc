#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>

#include <algorithm>

#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "logical/node/filter.h"
#include "logical/node/limit.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/sort.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"
#include "types/scala_text.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributeReference;
using expression::Cast;
using expression::CastMode;
using spark::connect::Relation;

arrow::Result<types::DataTypePtr> CommonType(const AttributeVector& columns) {
  if (columns.empty()) return types::String();
  types::DataTypePtr common = columns[0]->type();
  for (const AttributePtr& column : columns) {
    std::optional<types::DataTypePtr> wider = expression::WiderType(common, column->type());
    bool text_and_other = (common->id() == types::TypeId::kString) != (column->type()->id() == types::TypeId::kString);
    bool null = common->id() == types::TypeId::kNull || column->type()->id() == types::TypeId::kNull;
    if (!wider || (text_and_other && !null)) {
      return UserError("TRANSPOSE_NO_LEAST_COMMON_TYPE",
                       {{"dt1", QuoteSqlType(common->Sql())}, {"dt2", QuoteSqlType(column->type()->Sql())}});
    }
    common = *wider;
  }
  return common;
}

arrow::Status AppendRow(arrow::ArrayBuilder& builder, const arrow::Array& column) {
  return builder.AppendArraySlice(*column.data(), 0, column.length());
}

// Column i of `rows` (the index aside) becomes row i; the index's values become the names of the columns.
arrow::Result<PlanPtr> Transposed(const arrow::RecordBatch& rows, const AttributeVector& columns,
                                  const types::DataTypePtr& common) {
  AttributeVector output{
      std::make_shared<AttributeReference>(expression::NextAttributeId(), "key", types::String(), false)};
  arrow::ArrayVector arrays;
  arrow::StringBuilder keys;
  for (const AttributePtr& column : columns) ARROW_RETURN_NOT_OK(keys.Append(column->name()));
  ARROW_ASSIGN_OR_RAISE(auto key_array, keys.Finish());
  arrays.push_back(std::move(key_array));
  const auto& names = static_cast<const arrow::StringArray&>(*rows.column(0));
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    output.push_back(
        std::make_shared<AttributeReference>(expression::NextAttributeId(), names.GetString(row), common, true));
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*common)));
    for (int i = 1; i < rows.num_columns(); ++i) {
      ARROW_RETURN_NOT_OK(AppendRow(*builder, *rows.column(i)->Slice(row, 1)));
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
    arrays.push_back(std::move(array));
  }
  std::vector<types::StructField> fields;
  for (const AttributePtr& column : output) fields.push_back(column->ToField());
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  (*partitions)[0].push_back(arrow::RecordBatch::Make(types::ToArrowSchema(*types::Struct(std::move(fields))),
                                                      static_cast<int64_t>(columns.size()), std::move(arrays)));
  return std::make_shared<logical::LocalRelation>(std::move(output), std::move(partitions));
}

}  // namespace

// Source: Spark, ResolveTranspose.
arrow::Result<PlanPtr> ResolveTranspose(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.transpose();
  if (!resolver.context().run_plan) return NotSupported("transpose where no query may run");
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  if (child->output().empty()) {
    return std::make_shared<logical::LocalRelation>(AttributeVector{},
                                                    std::make_shared<std::vector<logical::LocalRelation::Partition>>());
  }
  ExpressionPtr index = child->output()[0];
  if (message.index_columns_size() > 0) {
    ARROW_ASSIGN_OR_RAISE(index, resolver.Expressions(child->output()).Resolve(message.index_columns(0)));
  }
  if (index->kind() != expression::ExpressionKind::kAttribute) {
    return UserError("TRANSPOSE_INVALID_INDEX_COLUMN", {{"reason", "Index column must be an atomic attribute"}});
  }
  if (index->type()->is_nested()) {
    return UserError("TRANSPOSE_INVALID_INDEX_COLUMN", {{"reason", "Index column must be of atomic type, but found: " +
                                                                       types::ScalaText(*index->type())}});
  }
  AttributePtr index_column = expression::ToAttribute(index);
  AttributeVector columns = child->output();
  std::erase_if(columns, [&](const AttributePtr& column) { return column->id() == index_column->id(); });
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr common, CommonType(columns));

  ARROW_ASSIGN_OR_RAISE(ExpressionPtr present, function::BindCall("isnotnull", {index}, resolver.context().eval));
  PlanPtr plan = std::make_shared<logical::Filter>(std::move(present), child);
  plan =
      std::make_shared<logical::Sort>(std::vector<expression::SortOrder>{{index, true, true}}, true, std::move(plan));
  ExpressionVector items{std::make_shared<Alias>(std::make_shared<Cast>(index, types::String(), CastMode::kAnsi, false),
                                                 index_column->name())};
  for (const AttributePtr& column : columns) {
    items.push_back(
        std::make_shared<Alias>(std::make_shared<Cast>(column, common, CastMode::kAnsi, false), column->name()));
  }
  plan = std::make_shared<logical::Project>(std::move(items), std::move(plan));
  int64_t max_rows = 500;
  if (resolver.context().conf) {
    if (auto set = resolver.context().conf("spark.sql.transposeMaxValues")) max_rows = std::atoll(set->c_str());
  }
  types::DataTypePtr schema = plan->Schema();
  plan = std::make_shared<logical::Limit>(max_rows + 1, 0, false, std::move(plan));
  ARROW_ASSIGN_OR_RAISE(auto batches, resolver.context().RowsOf(plan));
  std::shared_ptr<arrow::RecordBatch> rows;
  if (batches.empty()) {
    ARROW_ASSIGN_OR_RAISE(rows, arrow::RecordBatch::MakeEmpty(types::ToArrowSchema(*schema)));
  } else {
    ARROW_ASSIGN_OR_RAISE(rows, arrow::ConcatenateRecordBatches(batches));
  }
  if (rows->num_rows() > max_rows) {
    return UserError("TRANSPOSE_EXCEED_ROW_LIMIT",
                     {{"maxValues", std::to_string(max_rows)}, {"config", "spark.sql.transposeMaxValues"}});
  }
  return Transposed(*rows, columns, common);
}

}  // namespace millrace::analyzer
