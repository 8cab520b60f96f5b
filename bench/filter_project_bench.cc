// Rows a second through a filter and a projection, and the cost of a run of one row (a micro-batch's floor).

#include <arrow/builder.h>
#include <benchmark/benchmark.h>

#include "function/function_def.h"
#include "logical/node/filter.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "optimizer/optimizer.h"
#include "physical/planner.h"

namespace millrace {
namespace {

using expression::AttributePtr;
using expression::ExpressionPtr;

struct Table {
  AttributePtr k = Column("k", types::Long());
  AttributePtr v = Column("v", types::Long());
  AttributePtr s = Column("s", types::String());
  logical::PlanPtr relation;

  explicit Table(int64_t num_rows) {
    arrow::Int64Builder keys, values;
    arrow::StringBuilder texts;
    for (int64_t i = 0; i < num_rows; ++i) {
      bool ok = keys.Append(i).ok() && values.Append(i * 7919 % 1000).ok() &&
                texts.Append("value-" + std::to_string(i % 1000)).ok();
      if (!ok) std::abort();
    }
    auto schema = arrow::schema(
        {arrow::field("k", arrow::int64()), arrow::field("v", arrow::int64()), arrow::field("s", arrow::utf8())});
    auto rows = arrow::RecordBatch::Make(
        schema, num_rows, {keys.Finish().ValueOrDie(), values.Finish().ValueOrDie(), texts.Finish().ValueOrDie()});
    relation = std::make_shared<logical::LocalRelation>(
        expression::AttributeVector{k, v, s}, std::make_shared<const std::vector<logical::LocalRelation::Partition>>(
                                                  1, logical::LocalRelation::Partition{rows}));
  }

  static AttributePtr Column(const char* name, types::DataTypePtr type) {
    return std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), name, std::move(type), true);
  }
};

ExpressionPtr Call(const char* name, ExpressionPtr a, ExpressionPtr b) {
  return function::BindCall(name, {std::move(a), std::move(b)}, {}).ValueOrDie();
}

// SELECT k + v AS sum, s FROM t WHERE v < `limit`
physical::OperatorPtr Plan(const Table& table, int64_t limit) {
  auto filter = std::make_shared<logical::Filter>(Call("<", table.v, expression::Literal::Long(limit)), table.relation);
  auto sum = std::make_shared<expression::Alias>(Call("+", table.k, table.v), "sum");
  logical::PlanPtr plan = std::make_shared<logical::Project>(expression::ExpressionVector{sum, table.s}, filter);
  return physical::PlanOperators(optimizer::Optimize(plan, {}).ValueOrDie(), 1).ValueOrDie();
}

void RunOnce(const physical::Operator& root, benchmark::State& state) {
  physical::ExecutionContext context;
  arrow::Status status = physical::Run(root, context, [](int, const std::shared_ptr<arrow::RecordBatch>& batch) {
    benchmark::DoNotOptimize(batch.get());
    return arrow::Status::OK();
  });
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
}

// Argument: rows of a thousand that pass.
void FilterProject(benchmark::State& state) {
  constexpr int64_t kRows = 1000000;
  Table table(kRows);
  physical::OperatorPtr root = Plan(table, state.range(0));
  for (auto _ : state) RunOnce(*root, state);
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(FilterProject)->Arg(10)->Arg(500)->Arg(1000);

void OneRow(benchmark::State& state) {
  Table table(1);
  physical::OperatorPtr root = Plan(table, 1000);
  for (auto _ : state) RunOnce(*root, state);
}
BENCHMARK(OneRow);

}  // namespace
}  // namespace millrace
