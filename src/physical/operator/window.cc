#include "physical/operator/window.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "expression/node.h"
#include "physical/operator/exchange.h"
#include "physical/rows.h"
#include "physical/window_frames.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

using expression::ExpressionPtr;
using expression::ExpressionVector;

arrow::Result<Batches> Drain(BatchStream& input, const ExecutionContext& context) {
  Batches batches;
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckCancelled());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input.Next());
    if (batch == nullptr) return batches;
    if (batch->num_rows() > 0) batches.push_back(std::move(batch));
  }
}

// Sorts `batch` in place and finds its partitions and peers.
arrow::Status OrderRows(const Window::Spec& spec, const expression::EvalContext& context,
                        std::shared_ptr<arrow::RecordBatch>* batch, OrderedRows* rows) {
  int64_t num_rows = (*batch)->num_rows();
  rows->num_rows = static_cast<int32_t>(num_rows);
  ARROW_ASSIGN_OR_RAISE(rows->inputs, spec.inputs.Evaluate(context, *batch));
  size_t num_keys = spec.num_partition_keys + spec.order.size();
  std::vector<KeyOrder> directions(spec.num_partition_keys);
  directions.insert(directions.end(), spec.order.begin(), spec.order.end());
  auto keys = [&](size_t from, size_t to) {
    return arrow::ArrayVector(rows->inputs.begin() + static_cast<ptrdiff_t>(from),
                              rows->inputs.begin() + static_cast<ptrdiff_t>(to));
  };
  std::vector<int32_t> order(static_cast<size_t>(num_rows));
  if (num_keys == 0) {
    std::iota(order.begin(), order.end(), 0);
  } else {
    SortKeys sort_keys;
    ARROW_RETURN_NOT_OK(sort_keys.Encode(keys(0, num_keys), directions, num_rows));
    order = sort_keys.SortedRows(num_rows);
  }
  auto indices = IndexArray(std::move(order));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, TakeRows((*batch)->columns(), indices, context.memory_pool));
  *batch = arrow::RecordBatch::Make((*batch)->schema(), num_rows, std::move(columns));
  ARROW_ASSIGN_OR_RAISE(rows->inputs, TakeRows(rows->inputs, indices, context.memory_pool));

  SortKeys partition_keys;
  bool partitioned = spec.num_partition_keys > 0;
  bool ordered = !spec.order.empty();
  if (partitioned) {
    ARROW_RETURN_NOT_OK(partition_keys.Encode(keys(0, spec.num_partition_keys),
                                              std::vector<KeyOrder>(spec.num_partition_keys), num_rows));
  }
  if (ordered) {
    ARROW_RETURN_NOT_OK(rows->order_keys.Encode(keys(spec.num_partition_keys, num_keys), spec.order, num_rows));
  }
  auto size = static_cast<size_t>(num_rows);
  rows->partition.resize(size);
  rows->peers_begin.resize(size);
  rows->peers_end.resize(size);
  int32_t peers = 0;
  for (int32_t i = 0; i < rows->num_rows; ++i) {
    bool new_partition = i == 0 || (partitioned && partition_keys.Compare(i - 1, partition_keys, i) != 0);
    if (new_partition) rows->starts.push_back(i);
    bool new_peers = new_partition || (ordered && rows->order_keys.Compare(i - 1, rows->order_keys, i) != 0);
    if (new_peers) {
      std::fill(rows->peers_end.begin() + peers, rows->peers_end.begin() + i, i);
      peers = i;
    }
    rows->partition[static_cast<size_t>(i)] = static_cast<int32_t>(rows->starts.size()) - 1;
    rows->peers_begin[static_cast<size_t>(i)] = peers;
  }
  std::fill(rows->peers_end.begin() + peers, rows->peers_end.end(), rows->num_rows);
  rows->starts.push_back(rows->num_rows);
  return arrow::Status::OK();
}

}  // namespace

Window::Window(Spec spec, AttributeVector output, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> Window::Open(int partition, ExecutionContext& context) const {
  if (children()[0]->num_partitions(context) == 0) return StreamOf({}, context.batch_rows);
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  ARROW_ASSIGN_OR_RAISE(Batches batches, Drain(*input, context));
  if (batches.empty()) return StreamOf({}, context.batch_rows);
  if (CountRows(batches) > std::numeric_limits<int32_t>::max() / 2) {
    return arrow::Status::CapacityError("window functions over more than a billion rows of one partition");
  }
  expression::EvalContext evaluation = context.EvalContextOf(*this, partition);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows,
                        ConcatenateBatches(children()[0]->schema(), batches, evaluation.memory_pool));
  OrderedRows ordered;
  ARROW_RETURN_NOT_OK(OrderRows(spec_, evaluation, &rows, &ordered));
  arrow::ArrayVector columns = rows->columns();
  for (const Function& function : spec_.functions) {
    ARROW_RETURN_NOT_OK(context.CheckCancelled());
    ARROW_ASSIGN_OR_RAISE(auto results, EvaluateWindowFunction(function, ordered, spec_.order, evaluation));
    columns.push_back(Relabel(results, function.type));
  }
  return StreamOf({arrow::RecordBatch::Make(schema(), rows->num_rows(), std::move(columns))}, context.batch_rows);
}

bool MatchesWindow(const logical::Plan& node) { return node.kind() == logical::NodeKind::kWindow; }

arrow::Result<OperatorPtr> PlanWindow(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner) {
  const auto& window = static_cast<const logical::Window&>(*node);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));

  Exchange::Spec spread;
  const ExpressionVector& partition = window.spec().partition;
  if (partition.empty()) {
    spread.text = "Exchange SinglePartition";
  } else {
    spread.kind = Exchange::Kind::kHash;
    ARROW_ASSIGN_OR_RAISE(spread.keys, HashPartitioning::Bind(partition, child->output()));
    std::string keys = logical::DescribeExpressions(partition);
    spread.text = fmt::format("Exchange hashpartitioning({})", keys.substr(1, keys.size() - 2));
  }
  child = std::make_shared<Exchange>(std::move(spread), std::move(child));

  Window::Spec spec;
  spec.text = node->Describe();
  spec.num_partition_keys = partition.size();
  ExpressionVector inputs = partition;
  for (const expression::SortOrder& order : window.spec().order) {
    inputs.push_back(order.child);
    spec.order.push_back({order.ascending, order.nulls_first});
  }
  auto add_input = [&inputs](const expression::ExpressionPtr& input) {
    inputs.push_back(input);
    return static_cast<int>(inputs.size()) - 1;
  };
  auto bind_bound = [&](const logical::FrameBound& bound) {
    return Window::Bound{bound.kind, bound.rows, bound.key == nullptr ? -1 : add_input(bound.key)};
  };
  AttributeVector output = child->output();
  for (const logical::WindowFunction& function : window.functions()) {
    Window::Function bound;
    bound.kind = function.kind;
    bound.offset = function.offset;
    bound.ignore_nulls = function.ignore_nulls;
    bound.is_rows = function.frame.is_rows;
    bound.lower = bind_bound(function.frame.lower);
    bound.upper = bind_bound(function.frame.upper);
    if (function.kind == logical::WindowFunctionKind::kAggregate) {
      const auto& call = static_cast<const expression::AggregateCall&>(*function.arguments[0]);
      bound.aggregate = call.function();
      for (int i = 0; i < call.num_arguments(); ++i) {
        ExpressionPtr argument = call.children()[static_cast<size_t>(i)];
        // Rows that the filter drops cannot make it fail.
        if (call.filter() != nullptr && argument->can_fail()) {
          argument =
              std::make_shared<expression::CaseWhen>(ExpressionVector{call.filter(), std::move(argument)}, false);
        }
        bound.arguments.push_back(add_input(argument));
      }
      if (call.filter() != nullptr) bound.filter = add_input(call.filter());
    } else {
      for (const auto& argument : function.arguments) bound.arguments.push_back(add_input(argument));
    }
    bound.type = types::ToArrow(*function.column->type());
    output.push_back(function.column);
    spec.functions.push_back(std::move(bound));
  }
  ARROW_ASSIGN_OR_RAISE(spec.inputs, ExpressionSet::Bind(inputs, child->output()));
  return std::make_shared<Window>(std::move(spec), std::move(output), std::move(child));
}

}  // namespace millrace::physical
