#include "session/row_expressions.h"

#include <algorithm>

#include "base/ids.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "optimizer/simplify.h"
#include "physical/expression_set.h"
#include "session/session.h"
#include "spark/connect/relations.pb.h"

namespace millrace::session {

namespace {

// Messages tell a condition without the casts that its types brought.
std::string WrittenSql(const expression::ExpressionPtr& value) {
  auto without_cast = [](const expression::ExpressionPtr& node) -> expression::ExpressionPtr {
    if (node->kind() != expression::ExpressionKind::kCast) return nullptr;
    const auto& cast = static_cast<const expression::Cast&>(*node);
    return cast.user_specified() ? nullptr : cast.child();
  };
  return expression::Transform(value, without_cast)->Sql();
}

class BoundRowExpressions final : public connector::RowExpressions {
 public:
  BoundRowExpressions(const expression::ExpressionVector& items, const expression::AttributeVector& input,
                      physical::ExpressionSet bound, expression::EvalContext context)
      : bound_(std::move(bound)), context_(context) {
    for (const expression::ExpressionPtr& item : items) {
      fields_.push_back(expression::ToAttribute(item)->ToField());
      const expression::ExpressionPtr& value =
          item->kind() == expression::ExpressionKind::kAlias ? item->children()[0] : item;
      sql_.push_back(WrittenSql(value));
      deterministic_.push_back(value->deterministic());
      std::vector<int> columns;
      for (expression::AttributeId id : expression::References(*item)) {
        for (size_t i = 0; i < input.size(); ++i) {
          if (input[i]->id() == id) columns.push_back(static_cast<int>(i));
        }
      }
      std::sort(columns.begin(), columns.end());
      input_columns_.push_back(std::move(columns));
    }
  }

  arrow::Result<arrow::ArrayVector> Evaluate(const std::shared_ptr<arrow::RecordBatch>& rows) const override {
    return bound_.Evaluate(context_, rows);
  }
  const std::vector<types::StructField>& fields() const override { return fields_; }
  std::string Sql(size_t index) const override { return sql_[index]; }
  std::vector<int> InputColumns(size_t index) const override { return input_columns_[index]; }
  bool deterministic(size_t index) const override { return deterministic_[index]; }

 private:
  physical::ExpressionSet bound_;
  expression::EvalContext context_;
  std::vector<types::StructField> fields_;
  std::vector<std::string> sql_;
  std::vector<bool> deterministic_;
  std::vector<std::vector<int>> input_columns_;
};

}  // namespace

arrow::Result<connector::RowExpressionsPtr> BindRowExpressions(Session& session,
                                                               const expression::ExpressionVector& expressions,
                                                               const expression::AttributeVector& columns) {
  expression::ExpressionVector items;
  for (const expression::ExpressionPtr& value : expressions) {
    items.push_back(std::make_shared<expression::Alias>(value, "_" + std::to_string(items.size())));
  }
  ARROW_ASSIGN_OR_RAISE(auto bound, physical::ExpressionSet::Bind(items, columns));
  return std::make_shared<BoundRowExpressions>(items, columns, std::move(bound), session.MakeEvalContext());
}

arrow::Result<connector::RowExpressionsPtr> CompileRowExpressions(Session& session, const types::DataTypePtr& schema,
                                                                  const std::vector<std::string>& sql) {
  std::vector<spark::connect::Expression> expressions(sql.size());
  for (size_t i = 0; i < sql.size(); ++i) expressions[i].mutable_expression_string()->set_expression(sql[i]);
  return CompileRowExpressions(session, schema, expressions);
}

// A projection of rows of `schema`.
static arrow::Result<logical::PlanPtr> AnalyzeItems(Session& session, const types::DataTypePtr& schema,
                                                    const std::vector<spark::connect::Expression>& expressions) {
  expression::AttributeVector columns;
  for (const types::StructField& field : schema->fields()) {
    columns.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), field.name,
                                                                       field.type, field.nullable));
  }
  auto no_rows = std::make_shared<const std::vector<logical::LocalRelation::Partition>>();
  std::string relation_id = RandomUuid();
  session.PutRelation(relation_id, std::make_shared<logical::LocalRelation>(columns, std::move(no_rows)));
  spark::connect::Relation relation;
  relation.mutable_project()->mutable_input()->mutable_cached_remote_relation()->set_relation_id(relation_id);
  for (size_t i = 0; i < expressions.size(); ++i) {
    auto* alias = relation.mutable_project()->add_expressions()->mutable_alias();
    alias->add_name("_" + std::to_string(i));
    *alias->mutable_expr() = expressions[i];
  }
  auto analyzed = session.Analyze(relation);
  session.RemoveRelation(relation_id);
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, std::move(analyzed));
  if (plan->kind() != logical::NodeKind::kProject || plan->child()->kind() != logical::NodeKind::kLocalRelation) {
    return analyzer::NotSupported("Subqueries, generators, aggregates and windows in the expressions of a table");
  }
  return plan;
}

arrow::Result<connector::RowExpressionsPtr> CompileRowExpressions(
    Session& session, const types::DataTypePtr& schema, const std::vector<spark::connect::Expression>& expressions) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, AnalyzeItems(session, schema, expressions));
  const auto& items = static_cast<const logical::Project&>(*plan).items();
  ARROW_ASSIGN_OR_RAISE(auto bound, physical::ExpressionSet::Bind(items, plan->child()->output()));
  return std::make_shared<BoundRowExpressions>(items, plan->child()->output(), std::move(bound),
                                               session.MakeEvalContext());
}

arrow::Result<std::string> SimplifiedSql(Session& session, const types::DataTypePtr& schema, const std::string& sql) {
  std::vector<spark::connect::Expression> expressions(1);
  expressions[0].mutable_expression_string()->set_expression(sql);
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, AnalyzeItems(session, schema, expressions));
  const expression::ExpressionPtr item = plan->expressions().front();
  bool named = item->kind() == expression::ExpressionKind::kAlias;
  ARROW_ASSIGN_OR_RAISE(auto simplified,
                        optimizer::Simplify(named ? item->children()[0] : item, session.MakeEvalContext()));
  return simplified->Sql();
}

}  // namespace millrace::session
