#include "physical/operator/deduplicate.h"

#include "base/error.h"
#include "logical/node/deduplicate.h"
#include "physical/key/group_table.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

struct DeduplicateRun final : OperatorState {
  std::vector<Batches> partitions;
};

// Lets the first row of each key through.
class FirstRows {
 public:
  FirstRows(const std::vector<int>* keys, const std::vector<std::shared_ptr<arrow::DataType>>& key_types,
            arrow::MemoryPool* pool)
      : keys_(keys), pool_(pool), seen_(key_types, pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Select(const std::shared_ptr<arrow::RecordBatch>& batch) {
    arrow::ArrayVector keys;
    for (int key : *keys_) keys.push_back(batch->column(key));
    auto next_group = static_cast<uint32_t>(seen_.num_groups());
    ARROW_RETURN_NOT_OK(seen_.Map(keys, batch->num_rows(), &group_ids_));
    std::vector<int32_t> rows;
    for (size_t i = 0; i < group_ids_.size(); ++i) {
      if (group_ids_[i] != next_group) continue;
      rows.push_back(static_cast<int32_t>(i));
      ++next_group;
    }
    auto num_rows = static_cast<int64_t>(rows.size());
    arrow::ArrayVector columns = batch->columns();
    if (num_rows < batch->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(columns, TakeRows(columns, IndexArray(std::move(rows)), pool_));
    }
    for (int key : *keys_) {
      auto& column = columns[static_cast<size_t>(key)];
      ARROW_ASSIGN_OR_RAISE(column, WithoutNegativeZero(column, pool_));
    }
    return arrow::RecordBatch::Make(batch->schema(), num_rows, std::move(columns));
  }

 private:
  const std::vector<int>* keys_;
  arrow::MemoryPool* pool_;
  GroupTable seen_;
  std::vector<uint32_t> group_ids_;
};

class FirstRowsStream final : public BatchStream {
 public:
  FirstRowsStream(FirstRows first, std::unique_ptr<BatchStream> input)
      : first_(std::move(first)), input_(std::move(input)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) return nullptr;
      ARROW_ASSIGN_OR_RAISE(batch, first_.Select(batch));
      if (batch->num_rows() > 0) return batch;
    }
  }

 private:
  FirstRows first_;
  std::unique_ptr<BatchStream> input_;
};

// Batches read already, then the rest of a stream.
class RestStream final : public BatchStream {
 public:
  RestStream(Batches read, std::unique_ptr<BatchStream> rest) : read_(std::move(read)), rest_(std::move(rest)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ < read_.size()) return std::move(read_[next_++]);
    return rest_->Next();
  }

 private:
  Batches read_;
  size_t next_ = 0;
  std::unique_ptr<BatchStream> rest_;
};

}  // namespace

Deduplicate::Deduplicate(std::vector<int> keys, ShuffleOrder order, OperatorPtr child)
    : Operator({child}, child->output()), keys_(std::move(keys)), order_(std::move(order)) {
  for (int key : keys_) key_types_.push_back(schema()->field(key)->type());
}

arrow::Status Deduplicate::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  const Operator& child = *children()[0];
  int num_inputs = child.num_partitions(context);
  if (num_inputs <= 1) return arrow::Status::OK();
  auto run = std::make_unique<DeduplicateRun>();
  run->partitions.resize(static_cast<size_t>(num_inputs));
  std::vector<std::unique_ptr<FirstRows>> first(static_cast<size_t>(num_inputs));
  ARROW_RETURN_NOT_OK(RunPrepared(
      child, context, [&](int partition, const std::shared_ptr<arrow::RecordBatch>& batch) -> arrow::Status {
        auto p = static_cast<size_t>(partition);
        if (first[p] == nullptr) first[p] = std::make_unique<FirstRows>(&keys_, key_types_, context.eval.memory_pool);
        ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> kept, first[p]->Select(batch));
        if (kept->num_rows() > 0) run->partitions[p].push_back(std::move(kept));
        return arrow::Status::OK();
      }));
  context.states[this] = std::move(run);
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<BatchStream>> Deduplicate::Open(int partition, ExecutionContext& context) const {
  std::unique_ptr<BatchStream> input;
  if (DeduplicateRun* run = context.StateOf<DeduplicateRun>(*this)) {
    int64_t num_rows = 0;
    for (const Batches& batches : run->partitions) num_rows += CountRows(batches);
    Batches all;
    for (Batches& batches : run->partitions) {
      // The rows are held already; few are looked at.
      if (!order_.sorted && num_rows <= kMostOrderedRows) {
        ARROW_ASSIGN_OR_RAISE(batches, Ordered(std::move(batches), context));
      }
      for (auto& batch : batches) all.push_back(std::move(batch));
    }
    input = StreamOf(std::move(all), context.batch_rows);
  } else if (children()[0]->num_partitions(context) == 0) {
    return StreamOf({}, context.batch_rows);
  } else {
    ARROW_ASSIGN_OR_RAISE(input, children()[0]->Open(partition, context));
  }
  auto first =
      std::make_unique<FirstRowsStream>(FirstRows(&keys_, key_types_, context.eval.memory_pool), std::move(input));
  // Rows of several tasks come in the tasks' order, unless Spark would sort them.
  bool one_task = context.StateOf<DeduplicateRun>(*this) == nullptr;
  if (!order_.sorted && !one_task) return first;
  Batches kept;
  int64_t num_rows = 0;
  while (num_rows <= kMostOrderedRows) {
    ARROW_ASSIGN_OR_RAISE(auto batch, first->Next());
    if (batch == nullptr) break;
    num_rows += batch->num_rows();
    kept.push_back(std::move(batch));
  }
  if (num_rows > kMostOrderedRows) return std::make_unique<RestStream>(std::move(kept), std::move(first));
  ARROW_ASSIGN_OR_RAISE(kept, Ordered(std::move(kept), context));
  return StreamOf(std::move(kept), context.batch_rows);
}

// The rows of one task, or all, in the order of their partitions.
arrow::Result<Batches> Deduplicate::Ordered(Batches batches, const ExecutionContext& context) const {
  if (batches.empty()) return batches;
  ARROW_ASSIGN_OR_RAISE(auto rows, ConcatenateBatches(schema(), batches, context.eval.memory_pool));
  arrow::ArrayVector keys;
  for (int key : keys_) keys.push_back(rows->column(key));
  ARROW_ASSIGN_OR_RAISE(auto order, order_.Rows(keys, {rows->num_rows()}, context.shuffle_partitions));
  ARROW_ASSIGN_OR_RAISE(auto columns,
                        TakeRows(rows->columns(), IndexArray(std::move(order)), context.eval.memory_pool));
  return Batches{arrow::RecordBatch::Make(schema(), rows->num_rows(), std::move(columns))};
}

std::string Deduplicate::Describe() const {
  AttributeVector keys;
  for (int key : keys_) keys.push_back(output()[static_cast<size_t>(key)]);
  return fmt::format("HashAggregate(keys={}, functions=[])", logical::DescribeAttributes(keys));
}

// As Spark does it: an aggregate without functions.
std::vector<std::string> Deduplicate::DescribeStack() const {
  std::string aggregate = Describe();
  size_t begin = aggregate.find('[') + 1;
  std::string keys = aggregate.substr(begin, aggregate.rfind("], functions") - begin);
  return {aggregate, fmt::format("Exchange hashpartitioning({})", keys), aggregate};
}

bool MatchesDeduplicate(const logical::Plan& node) { return node.kind() == logical::NodeKind::kDeduplicate; }

arrow::Result<OperatorPtr> PlanDeduplicate(const logical::PlanPtr& node, const RequiredColumns& required,
                                           Planner& planner) {
  const auto& deduplicate = static_cast<const logical::Deduplicate&>(*node);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  std::vector<int> keys;
  for (const auto& key : deduplicate.keys()) {
    auto same = [&](const auto& column) { return column->id() == key->id(); };
    auto it = std::find_if(child->output().begin(), child->output().end(), same);
    if (it == child->output().end()) return InternalError("no column " + key->name() + " to deduplicate by");
    keys.push_back(static_cast<int>(it - child->output().begin()));
  }
  ShuffleOrder order = ShuffleOrderOf(*node->child(), {deduplicate.keys().begin(), deduplicate.keys().end()});
  // Spark keeps the first value of every other column, and sorts where that cannot be changed in place.
  for (size_t i = 0; i < child->output().size(); ++i) {
    bool is_key = std::find(keys.begin(), keys.end(), static_cast<int>(i)) != keys.end();
    order.sorted = order.sorted || (!is_key && !IsMutableInPlace(*child->output()[i]->type()));
  }
  return std::make_shared<Deduplicate>(std::move(keys), std::move(order), std::move(child));
}

}  // namespace millrace::physical
