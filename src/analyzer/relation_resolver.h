#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analyzer/expression_resolver.h"
#include "analyzer/known_frame.h"
#include "logical/plan.h"

namespace millrace::analyzer {

/// Resolves one tree of relation messages, children first. Confined to one call of ResolveRelation.
class RelationResolver {
 public:
  explicit RelationResolver(const AnalyzerContext& context) : context_(context) {}

  /// The plan of `relation`; remembers its columns under its plan id.
  arrow::Result<PlanPtr> Resolve(const spark::connect::Relation& relation);

  const AnalyzerContext& context() const { return context_; }
  /// Whether what is resolved comes from a program of the classic API (`millrace submit`).
  bool IsClassic() const;
  /// For expressions over the columns of `input`. `input` must outlive it.
  ExpressionResolver Expressions(const AttributeVector& input, OperatorInput* below = nullptr) {
    return ExpressionResolver(context_, input, plan_columns_, this, below);
  }
  arrow::Result<ExpressionPtr> ResolveColumn(const std::string& name, const AttributeVector& input) const;

  /// The SQL text that the message being resolved was parsed from; null for none.
  const std::shared_ptr<const std::string>& sql_text() const { return sql_text_; }
  void set_sql_text(std::shared_ptr<const std::string> text) { sql_text_ = std::move(text); }

  /// Two inputs of one node: when they share columns (a self-join) the right one is renumbered.
  struct Pair {
    PlanPtr left;
    PlanPtr right;
  };
  arrow::Result<Pair> ResolvePair(const spark::connect::Relation& left, const spark::connect::Relation& right);

  /// `plan`, which reads the one frame of `plan_id`. In a program of the classic API a frame is one plan wherever it
  /// stands, so its stream is one source, however often the query reads it.
  PlanPtr ShareStream(int64_t plan_id, PlanPtr plan);

  /// Whether a frame stands somewhere in what is resolved.
  bool KnowsFrame(int64_t plan_id) const { return plan_columns_.find(plan_id) != plan_columns_.end(); }
  /// The frames below a union are no places of its columns any more. In a program of the classic API, whose columns
  /// know their attributes, the union's columns still are those of its first input.
  void LeaveUnion(const AttributeVector& first, const AttributeVector& output);

  /// What is left of `plan`, which has just been resolved; and a leaf that stands for such a frame.
  KnownFrame Known(const PlanPtr& plan);
  PlanPtr StandFor(const KnownFrame& known);

  /// Common table expressions and frames referred to by plan id (WithRelations).
  void DefineRelation(const std::string& name, PlanPtr plan);
  const PlanPtr* FindRelation(const std::string& name) const;

  /// Columns that `plan`, a projection, leaves out but can show (see OperatorInput::hidden). Those of its sources
  /// (metadata_columns.h) need not be told. Operators over it hand them up.
  void Hide(const PlanPtr& plan, AttributeVector columns) { hidden_.emplace_back(plan, std::move(columns)); }
  /// Null when there are none.
  const AttributeVector* HiddenOf(const PlanPtr& plan);
  /// Whether it hides keys of joins, or hands some up.
  bool HidesKeys(const PlanPtr& plan) const;
  /// `plan` with its hidden columns, when the expressions over it read one.
  PlanPtr WithHidden(const PlanPtr& plan, const OperatorInput& below);
  /// Common table expressions and subqueries are seen within their WithRelations only.
  struct Scope {
    size_t num_definitions = 0;
    std::map<int64_t, const spark::connect::Relation*> subqueries;
  };
  Scope EnterScope() const { return {definitions_.size(), subqueries_}; }
  void LeaveScope(Scope scope);
  /// Plans of subquery expressions, by plan id. `relation` must outlive the resolving of what refers to it.
  void DefineSubquery(int64_t plan_id, const spark::connect::Relation* relation);
  /// Null when there is none.
  const spark::connect::Relation* FindSubquery(int64_t plan_id) const;
  /// Where the WHERE of a subquery puts the aggregates of the query around it that it reads (HAVING EXISTS (SELECT …
  /// WHERE a < min(outer.b))), as aliases; null where the query around it does not aggregate.
  ExpressionVector* outer_aggregates() const { return outer_aggregates_; }
  void set_outer_aggregates(ExpressionVector* aggregates) { outer_aggregates_ = aggregates; }
  /// Whether `value` reads columns of the queries around this one, and nothing else.
  bool ReadsOnlyOuter(const expression::Expression& value) const;
  /// The plan of a subquery of an expression over `outer`; it may read columns of `outer` (see Decorrelate). `inside`,
  /// if any, gets it while the frames in it can be named.
  arrow::Result<PlanPtr> ResolveSubqueryPlan(int64_t plan_id, const AttributeVector& outer,
                                             const std::function<arrow::Status(const PlanPtr&)>& inside = {});
  /// The same for a relation that stands beside `outer` (LATERAL).
  arrow::Result<PlanPtr> ResolveBeside(const spark::connect::Relation& relation, const AttributeVector& outer);
  /// The value called `parts` in the queries around this one, innermost first.
  arrow::Result<std::optional<ExpressionPtr>> ResolveOuter(const std::vector<std::string>& parts) const;
  /// What `table.*` shows of the innermost outer query that has such a table.
  ExpressionVector OuterColumnsOf(const std::vector<std::string>& table) const;

 private:
  AttributeVector KeysBelow(const PlanPtr& plan) const;
  PlanPtr WithKeys(const PlanPtr& plan, const AttributeVector& keys);
  const AnalyzerContext& context_;
  PlanColumns plan_columns_;
  /// Ids of the frames whose place is an input at the moment.
  std::vector<int64_t> input_frames_;
  /// The source key of the stream that a frame reads, by the frame's id.
  std::map<int64_t, int64_t> stream_keys_;
  std::vector<std::pair<std::string, PlanPtr>> definitions_;
  std::map<int64_t, const spark::connect::Relation*> subqueries_;
  std::vector<const AttributeVector*> outer_scopes_;
  ExpressionVector* outer_aggregates_ = nullptr;
  /// A deque: OperatorInput points into it.
  std::deque<std::pair<PlanPtr, AttributeVector>> hidden_;
  /// What HiddenOf found to be handed up to a plan.
  std::deque<std::pair<PlanPtr, AttributeVector>> passed_;
  std::deque<std::pair<PlanPtr, AttributeVector>> metadata_;
  std::shared_ptr<const std::string> sql_text_;
  int depth_ = 0;
};

/// VALUES, with the column names of its alias (empty: col1, col2, …).
arrow::Result<PlanPtr> ResolveInlineTable(RelationResolver&, const spark::connect::Relation&,
                                          const std::vector<std::string>& names);

/// groupBy(keys).pivot(column, values).agg(items), and PIVOT of SQL.
arrow::Result<PlanPtr> ResolvePivot(RelationResolver&, const spark::connect::Aggregate&, PlanPtr child);

/// The columns that a message gives as text, DDL or JSON; one column "value" for a type that is no struct.
arrow::Result<types::DataTypePtr> ParseSchemaText(std::string_view text);

using ResolveFunction = arrow::Result<PlanPtr> (*)(RelationResolver&, const spark::connect::Relation&);

// One relation (or a tight family) a file under relation/.
arrow::Result<PlanPtr> ResolveProject(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveWithColumns(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveWithColumnsRenamed(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveDrop(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveToDf(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveToSchema(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveFilter(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSort(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveLimit(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveOffset(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveTail(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveJoin(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSetOperation(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveAggregate(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveDeduplicate(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSubqueryAlias(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveRepartition(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveRepartitionByExpression(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSample(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveHint(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveWithWatermark(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveRead(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveNamedTable(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveRange(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveLocalRelation(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCachedRemoteRelation(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSql(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveWithRelations(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveTableFunction(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveFillNa(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveDropNa(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveReplace(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveUnpivot(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveDescribe(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSummary(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCorrelation(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCovariance(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveMapPartitions(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveGroupMap(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCoGroupMap(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveApplyInPandasWithState(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveLateralJoin(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCachedLocalRelation(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveChunkedCachedLocalRelation(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCrosstab(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveApproxQuantile(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveFrequentItems(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveSampleBy(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveTranspose(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveParse(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveCollectMetrics(RelationResolver&, const spark::connect::Relation&);
/// Messages of others: Delta's.
arrow::Result<PlanPtr> ResolveExtension(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveAsOfJoin(RelationResolver&, const spark::connect::Relation&);
arrow::Result<PlanPtr> ResolveNearestByJoin(RelationResolver&, const spark::connect::Relation&);

}  // namespace millrace::analyzer
