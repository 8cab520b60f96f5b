// Rows a second of GROUP BY over few, many and as many groups as rows, by a number and by a text.

#include <arrow/builder.h>
#include <benchmark/benchmark.h>

#include "base/task_pool.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/local_relation.h"
#include "physical/planner.h"

namespace millrace {
namespace {

constexpr int64_t kRows = 2000000;
constexpr int64_t kRowsABatch = 65536;

expression::AttributePtr Column(const char* name, types::DataTypePtr type) {
  return std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), name, std::move(type), true);
}

expression::ExpressionPtr Named(const char* function, expression::ExpressionPtr argument) {
  return std::make_shared<expression::Alias>(function::BindCall(function, {std::move(argument)}, {}).ValueOrDie(),
                                             function);
}

// SELECT key, count(v), sum(v) … GROUP BY key. Arguments: groups, partitions, 1 for text keys.
void GroupBy(benchmark::State& state) {
  int64_t num_groups = state.range(0);
  auto num_partitions = static_cast<size_t>(state.range(1));
  bool text = state.range(2) == 1;
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(num_partitions);
  auto schema =
      arrow::schema({arrow::field("key", text ? arrow::utf8() : arrow::int64()), arrow::field("v", arrow::int64())});
  for (int64_t row = 0; row < kRows; row += kRowsABatch) {
    arrow::Int64Builder numbers, values;
    arrow::StringBuilder texts;
    int64_t end = std::min(kRows, row + kRowsABatch);
    for (int64_t i = row; i < end; ++i) {
      int64_t key = i * 1000003 % num_groups;
      bool ok =
          (text ? texts.Append("customer-" + std::to_string(key)) : numbers.Append(key)).ok() && values.Append(i).ok();
      if (!ok) std::abort();
    }
    std::shared_ptr<arrow::Array> keys = text ? texts.Finish().ValueOrDie() : numbers.Finish().ValueOrDie();
    auto batch = arrow::RecordBatch::Make(schema, end - row, {keys, values.Finish().ValueOrDie()});
    (*partitions)[static_cast<size_t>(row / kRowsABatch) % num_partitions].push_back(std::move(batch));
  }
  expression::AttributePtr key = Column("key", text ? types::String() : types::Long());
  expression::AttributePtr v = Column("v", types::Long());
  auto relation = std::make_shared<logical::LocalRelation>(expression::AttributeVector{key, v}, partitions);
  auto plan = std::make_shared<logical::Aggregate>(
      expression::ExpressionVector{key}, expression::ExpressionVector{key, Named("count", v), Named("sum", v)},
      relation);
  physical::OperatorPtr root = physical::PlanOperators(plan, static_cast<int>(num_partitions)).ValueOrDie();
  TaskPool pool(static_cast<int>(num_partitions));
  for (auto _ : state) {
    physical::ExecutionContext context;
    context.pool = &pool;
    arrow::Status status = physical::Run(*root, context, [](int, const auto&) { return arrow::Status::OK(); });
    if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(GroupBy)
    ->Args({10, 1, 0})
    ->Args({10000, 1, 0})
    ->Args({kRows, 1, 0})
    ->Args({10000, 1, 1})
    ->Args({10000, 2, 0})
    ->Args({kRows, 2, 0})
    ->UseRealTime();

}  // namespace
}  // namespace millrace
