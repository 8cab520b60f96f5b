#include "physical/operator/groups_once.h"

#include <arrow/array/util.h>

#include "base/clock.h"
#include "physical/key/sort_keys.h"
#include "physical/rows.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/group_function.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

// The rows of one sorted partition, cut into groups.
struct Side {
  std::shared_ptr<arrow::RecordBatch> rows;
  SortKeys order;
  std::vector<int64_t> begins;  // and the end

  size_t num_groups() const { return begins.size() - 1; }
};

arrow::Result<Side> ReadSide(const Operator& child, const GroupedInput& input, int partition,
                             ExecutionContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto stream, child.Open(partition, context));
  Batches batches;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, stream->Next());
    if (batch == nullptr) break;
    if (batch->num_rows() > 0) batches.push_back(std::move(batch));
  }
  Side side;
  ARROW_ASSIGN_OR_RAISE(side.rows, ConcatenateBatches(child.schema(), batches, context.eval.memory_pool));
  arrow::ArrayVector keys;
  for (int key : input.keys) keys.push_back(side.rows->column(key));
  int64_t num_rows = side.rows->num_rows();
  ARROW_RETURN_NOT_OK(side.order.Encode(keys, std::vector<KeyOrder>(keys.size()), num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    if (i == 0 || side.order.Compare(i - 1, side.order, i) != 0) side.begins.push_back(i);
  }
  side.begins.push_back(num_rows);
  return side;
}

class GroupsOnceStream final : public BatchStream {
 public:
  GroupsOnceStream(const GroupsOnce::Spec* spec, const GroupsOnce* op, int partition, ExecutionContext* context)
      : spec_(spec), op_(op), partition_(partition), context_(context) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (done_) return nullptr;
    done_ = true;
    ARROW_ASSIGN_OR_RAISE(Side side, ReadSide(*op_->children()[0], spec_->inputs[0], partition_, *context_));
    Side initial;
    initial.begins = {0};
    if (spec_->inputs.size() == 2) {
      ARROW_ASSIGN_OR_RAISE(initial, ReadSide(*op_->children()[1], spec_->inputs[1], partition_, *context_));
    }
    expression::NativeGroups call;
    ARROW_RETURN_NOT_OK(Pair(side, initial, &call));
    if (call.lengths.empty()) return nullptr;
    call.setting.batch_time_ms = SystemClock().NowMillis();
    call.setting.watermark_ms = expression::kNoTimeout;
    call.setting.timeout_name = logical::GroupStateTimeoutName(spec_->timeout);
    call.setting.has_watermark = spec_->has_watermark;
    arrow::ArrayVector columns;
    for (int column : spec_->inputs[0].columns) columns.push_back(side.rows->column(column));
    call.rows = arrow::RecordBatch::Make(spec_->inputs[0].schema, side.rows->num_rows(), std::move(columns));
    ARROW_ASSIGN_OR_RAISE(expression::NativeResults results, spec_->function->over_groups(call));
    return WithSchema(results.rows, op_->schema());
  }

 private:
  // Groups of both sides in the order of their keys, with keys and states.
  arrow::Status Pair(const Side& side, const Side& initial, expression::NativeGroups* call) const {
    std::vector<int32_t> keys, states;
    size_t g = 0, i = 0;
    while (g < side.num_groups() || i < initial.num_groups()) {
      int compared = g == side.num_groups()      ? 1
                     : i == initial.num_groups() ? -1
                                                 : side.order.Compare(side.begins[g], initial.order, initial.begins[i]);
      call->lengths.push_back(compared <= 0 ? side.begins[g + 1] - side.begins[g] : 0);
      keys.push_back(static_cast<int32_t>(compared <= 0 ? side.begins[g] : side.rows->num_rows() + initial.begins[i]));
      states.push_back(compared >= 0 ? static_cast<int32_t>(initial.begins[i]) : -1);
      if (compared >= 0 && initial.begins[i + 1] - initial.begins[i] > 1) {
        return arrow::Status::Invalid(
            "The initial state provided contained multiple rows(state) with the same key. Make sure to de-duplicate "
            "the initial state before passing it.");
      }
      if (compared >= 0) ++i;
      if (compared <= 0) ++g;
    }
    arrow::MemoryPool* pool = context_->eval.memory_pool;
    for (int key : spec_->key_order) {
      auto at = static_cast<size_t>(key);
      arrow::ArrayVector parts{side.rows->column(spec_->inputs[0].keys[at])};
      if (spec_->inputs.size() == 2) parts.push_back(initial.rows->column(spec_->inputs[1].keys[at]));
      auto type = parts[0]->type();
      ARROW_ASSIGN_OR_RAISE(auto column, ConcatenateArrays(std::move(parts), type, pool));
      ARROW_ASSIGN_OR_RAISE(auto taken, TakeRows({column}, IndexArray(keys), pool));
      call->keys.push_back(std::move(taken[0]));
    }
    const types::DataType& state_type = *spec_->function->state;
    auto num_groups = static_cast<int64_t>(states.size());
    if (spec_->inputs.size() < 2) {
      ARROW_ASSIGN_OR_RAISE(auto none, arrow::MakeArrayOfNull(types::ToArrow(state_type), num_groups, pool));
      call->states = std::static_pointer_cast<arrow::StructArray>(none);
      return arrow::Status::OK();
    }
    arrow::ArrayVector columns;
    for (int column : spec_->inputs[1].columns) columns.push_back(initial.rows->column(column));
    std::shared_ptr<arrow::Array> all = std::make_shared<arrow::StructArray>(
        arrow::struct_(spec_->inputs[1].schema->fields()), initial.rows->num_rows(), std::move(columns));
    ARROW_ASSIGN_OR_RAISE(auto indices, NullableIndexArray(std::move(states), pool));
    ARROW_ASSIGN_OR_RAISE(auto taken, TakeRows({all}, indices, pool));
    call->states = std::static_pointer_cast<arrow::StructArray>(taken[0]);
    return arrow::Status::OK();
  }

  const GroupsOnce::Spec* spec_;
  const GroupsOnce* op_;
  int partition_;
  ExecutionContext* context_;
  bool done_ = false;
};

}  // namespace

arrow::Result<std::unique_ptr<BatchStream>> GroupsOnce::Open(int partition, ExecutionContext& context) const {
  return std::make_unique<GroupsOnceStream>(&spec_, this, partition, &context);
}

arrow::Result<OperatorPtr> PlanGroupsOnce(const logical::GroupsWithState& node, Planner& planner) {
  GroupsOnce::Spec spec;
  spec.function = node.function().native;
  spec.key_order = node.function().key_order;
  spec.timeout = node.function().timeout;
  for (const auto& column : node.child()->output()) {
    spec.has_watermark = spec.has_watermark || WatermarkDelayMs(*column).has_value();
  }
  spec.text = node.Describe();
  int num_partitions = node.children().size() == 2 ? planner.parallelism() : 0;
  std::vector<OperatorPtr> children;
  for (size_t i = 0; i < node.children().size(); ++i) {
    const logical::GroupedColumns& columns = node.inputs()[i];
    std::set<expression::AttributeId> needed;
    AddReferences({columns.keys.begin(), columns.keys.end()}, &needed);
    AddReferences({columns.values.begin(), columns.values.end()}, &needed);
    ARROW_ASSIGN_OR_RAISE(OperatorPtr child,
                          PlanSortedGroups(columns, node.children()[i], num_partitions, needed, planner));
    ARROW_ASSIGN_OR_RAISE(GroupedInput input, MakeNativeInput(columns, *child));
    spec.inputs.push_back(std::move(input));
    children.push_back(std::move(child));
  }
  return std::make_shared<GroupsOnce>(std::move(spec), node.output(), std::move(children));
}

}  // namespace millrace::physical
