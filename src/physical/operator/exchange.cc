#include "physical/operator/exchange.h"

#include <numeric>

#include "function/scalar/math/xor_shift_random.h"
#include "logical/node/repartition.h"
#include "physical/rows.h"
#include "physical/shuffle_order.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

namespace {

constexpr int64_t kRowsWorthAPartition = 100000;

struct ExchangeState final : OperatorState {
  std::vector<Batches> partitions;
};

// The child's partitions first … last - 1, one after another.
class RunStream final : public BatchStream {
 public:
  RunStream(const Operator* child, ExecutionContext* context, int first, int last)
      : child_(child), context_(context), next_(first), last_(last) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (input_ == nullptr) {
        if (next_ == last_) return nullptr;
        ARROW_ASSIGN_OR_RAISE(input_, child_->Open(next_++, *context_));
      }
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch != nullptr) return batch;
      input_ = nullptr;
    }
  }

 private:
  const Operator* child_;
  ExecutionContext* context_;
  std::unique_ptr<BatchStream> input_;
  int next_;
  int last_;
};

}  // namespace

Exchange::Exchange(Spec spec, OperatorPtr child) : Operator({child}, child->output()), spec_(std::move(spec)) {}

// The rows of one task in the order of the partitions that Spark would make.
arrow::Status Exchange::OrderByPartition(const ExecutionContext& context, Batches* rows) const {
  if (rows->empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto all, ConcatenateBatches(schema(), *rows, context.eval.memory_pool));
  ARROW_ASSIGN_OR_RAISE(auto ids, spec_.keys.PartitionIds(context.eval, all, context.shuffle_partitions));
  std::vector<int32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0);
  auto indices = IndexArray(ByPartition(order, ids, context.shuffle_partitions));
  ARROW_ASSIGN_OR_RAISE(auto columns, TakeRows(all->columns(), indices, context.eval.memory_pool));
  *rows = {arrow::RecordBatch::Make(schema(), all->num_rows(), std::move(columns))};
  return arrow::Status::OK();
}

// The rows of one task by the hashes of their bytes, so that a task that runs again deals them out in the same way.
// Source: Spark, ShuffleExchangeExec (spark.sql.execution.sortBeforeRepartition).
arrow::Status Exchange::OrderByHash(const ExecutionContext& context, Batches* rows) const {
  if (rows->empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto all, ConcatenateBatches(schema(), *rows, context.eval.memory_pool));
  std::vector<types::DataTypePtr> types;
  for (const auto& column : output()) types.push_back(types::WithoutUserClasses(column->type()));
  state::UnsafeRows bytes;
  state::UnsafeRowEncoder(std::move(types)).Encode(all->column_data(), all->num_rows(), &bytes);
  std::vector<int32_t> hashes(static_cast<size_t>(all->num_rows()));
  for (size_t i = 0; i < hashes.size(); ++i) {
    hashes[i] = static_cast<int32_t>(state::HashRow(bytes[static_cast<int64_t>(i)]));
  }
  std::vector<int32_t> order(hashes.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    int32_t x = hashes[static_cast<size_t>(a)];
    int32_t y = hashes[static_cast<size_t>(b)];
    return x != y ? x < y : a < b;
  });
  ARROW_ASSIGN_OR_RAISE(auto columns, TakeRows(all->columns(), IndexArray(std::move(order)), context.eval.memory_pool));
  *rows = {arrow::RecordBatch::Make(schema(), all->num_rows(), std::move(columns))};
  return arrow::Status::OK();
}

arrow::Status Exchange::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  ARROW_ASSIGN_OR_RAISE(std::vector<Batches> below, CollectPrepared(*children()[0], context));
  int64_t num_rows = 0;
  for (const Batches& batches : below) num_rows += CountRows(batches);
  int num_partitions = spec_.kind == Kind::kSingle ? 1 : spec_.num_partitions;
  if (followed_ != nullptr) num_partitions = followed_->num_partitions(context);
  if (num_partitions == 0) {
    num_partitions = static_cast<int>(
        std::clamp<int64_t>(num_rows / kRowsWorthAPartition, 1, std::max(1, context.shuffle_partitions)));
  }
  // By input partition, then output partition, so that tasks share nothing.
  std::vector<std::vector<Batches>> moved(below.size(), std::vector<Batches>(static_cast<size_t>(num_partitions)));
  auto split_one = [&](int partition) -> arrow::Status {
    auto p = static_cast<size_t>(partition);
    if (spec_.ordered && num_partitions == 1) ARROW_RETURN_NOT_OK(OrderByPartition(context, &below[p]));
    int32_t next = 0;
    if (spec_.kind == Kind::kRoundRobin && num_partitions > 1) {
      if (num_rows <= kMostOrderedRows) ARROW_RETURN_NOT_OK(OrderByHash(context, &below[p]));
      next = function::XorShiftRandom(partition).NextInt(num_partitions);
    }
    for (auto& batch : below[p]) {
      std::vector<int32_t> ids;
      if (num_partitions == 1) {
        moved[p][0].push_back(std::move(batch));
        continue;
      }
      if (spec_.kind == Kind::kHash) {
        int of_spark =
            spec_.num_partitions == 0 ? std::max(num_partitions, context.shuffle_partitions) : num_partitions;
        ARROW_ASSIGN_OR_RAISE(ids, spec_.keys.PartitionIds(context.eval, batch, of_spark));
        if (of_spark != num_partitions) {
          for (int32_t& id : ids) id = static_cast<int32_t>(static_cast<int64_t>(id) * num_partitions / of_spark);
        }
      } else {
        ids.resize(static_cast<size_t>(batch->num_rows()));
        for (int32_t& id : ids) id = next = (next + 1) % num_partitions;
      }
      ARROW_ASSIGN_OR_RAISE(Batches parts, SplitRows(batch, ids, num_partitions, context.eval.memory_pool));
      batch = nullptr;
      for (size_t to = 0; to < parts.size(); ++to) {
        if (parts[to] != nullptr) moved[p][to].push_back(std::move(parts[to]));
      }
    }
    return arrow::Status::OK();
  };
  if (context.pool != nullptr && num_rows > kRowsWorthAPartition) {
    ARROW_RETURN_NOT_OK(context.pool->RunAll(static_cast<int>(below.size()), split_one));
  } else {
    for (size_t p = 0; p < below.size(); ++p) ARROW_RETURN_NOT_OK(split_one(static_cast<int>(p)));
  }
  auto state = std::make_unique<ExchangeState>();
  state->partitions.resize(static_cast<size_t>(num_partitions));
  for (std::vector<Batches>& from : moved) {
    for (size_t to = 0; to < from.size(); ++to) {
      for (auto& batch : from[to]) state->partitions[to].push_back(std::move(batch));
    }
  }
  context.states[this] = std::move(state);
  return arrow::Status::OK();
}

int Exchange::num_partitions(const ExecutionContext& context) const {
  const ExchangeState* state = context.StateOf<ExchangeState>(*this);
  return state == nullptr ? 1 : static_cast<int>(state->partitions.size());
}

arrow::Result<std::unique_ptr<BatchStream>> Exchange::Open(int partition, ExecutionContext& context) const {
  Batches& rows = context.StateOf<ExchangeState>(*this)->partitions[static_cast<size_t>(partition)];
  return EvenBatches(StreamOf(std::move(rows), context.batch_rows), schema(), context.batch_rows,
                     context.eval.memory_pool);
}

Coalesce::Coalesce(int num_partitions, OperatorPtr child)
    : Operator({child}, child->output()), num_partitions_(num_partitions) {}

int Coalesce::num_partitions(const ExecutionContext& context) const {
  return std::min(num_partitions_, children()[0]->num_partitions(context));
}

arrow::Result<std::unique_ptr<BatchStream>> Coalesce::Open(int partition, ExecutionContext& context) const {
  int64_t below = children()[0]->num_partitions(context);
  int64_t here = num_partitions(context);
  return std::make_unique<RunStream>(children()[0].get(), &context, static_cast<int>(below * partition / here),
                                     static_cast<int>(below * (partition + 1) / here));
}

std::string Coalesce::Describe() const { return fmt::format("Coalesce {}", num_partitions_); }

bool MatchesExchange(const logical::Plan& node) { return node.kind() == logical::NodeKind::kRepartition; }

arrow::Result<OperatorPtr> PlanExchange(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner) {
  const auto& repartition = static_cast<const logical::Repartition&>(*node);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  if (!repartition.shuffle()) return std::make_shared<Coalesce>(repartition.num_partitions(), std::move(child));
  Exchange::Spec spec;
  spec.num_partitions = repartition.num_partitions();
  if (!repartition.keys().empty()) {
    spec.kind = Exchange::Kind::kHash;
    spec.ordered = spec.num_partitions == 0;
    ARROW_ASSIGN_OR_RAISE(spec.keys, HashPartitioning::Bind(repartition.keys(), child->output(), repartition.direct()));
    std::string keys = logical::DescribeExpressions(repartition.keys());
    spec.text = fmt::format("Exchange hashpartitioning({}{})", keys.substr(1, keys.size() - 2),
                            spec.num_partitions == 0 ? "" : fmt::format(", {}", spec.num_partitions));
  } else if (spec.num_partitions == 1) {
    spec.kind = Exchange::Kind::kSingle;
    spec.text = "Exchange SinglePartition";
  } else {
    spec.kind = Exchange::Kind::kRoundRobin;
    spec.text = fmt::format("Exchange RoundRobinPartitioning({})", spec.num_partitions);
  }
  return std::make_shared<Exchange>(std::move(spec), std::move(child));
}

}  // namespace millrace::physical
