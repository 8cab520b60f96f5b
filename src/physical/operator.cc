#include "physical/operator.h"

#include "logical/plan.h"
#include "types/arrow_type.h"

namespace millrace::physical {

arrow::Status ExecutionContext::CheckCancelled() const {
  if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
    return arrow::Status::Cancelled("the run was asked to end");
  }
  return arrow::Status::OK();
}

expression::EvalContext ExecutionContext::EvalContextOf(const Operator& op, int partition) const {
  expression::EvalContext evaluation = eval;
  evaluation.partition_index = partition;
  evaluation.row_offset = 0;
  if (!partition_bases.empty()) {
    auto it = partition_bases.find(&op);
    if (it != partition_bases.end()) evaluation.partition_index += it->second;
  }
  return evaluation;
}

namespace {

std::shared_ptr<arrow::Schema> SchemaOf(const AttributeVector& output) {
  arrow::FieldVector fields;
  fields.reserve(output.size());
  for (const auto& column : output) fields.push_back(types::ToArrow(column->ToField()));
  return arrow::schema(std::move(fields));
}

}  // namespace

Operator::Operator(std::vector<OperatorPtr> children, AttributeVector output)
    : children_(std::move(children)), output_(std::move(output)), schema_(SchemaOf(output_)) {}

arrow::Status Operator::Prepare(ExecutionContext& context) const {
  for (const OperatorPtr& child : children_) ARROW_RETURN_NOT_OK(child->Prepare(context));
  return arrow::Status::OK();
}

int Operator::num_partitions(const ExecutionContext& context) const {
  return children_.empty() ? 1 : children_[0]->num_partitions(context);
}

namespace {

void Flatten(const Operator& op, std::vector<logical::TreeLine>* lines) {
  std::vector<std::string> own = op.DescribeStack();
  // One without a line of its own is shown as what is below it.
  if (own.empty() && op.children().size() == 1) return Flatten(*op.children()[0], lines);
  for (std::string& line : own) lines->push_back({std::move(line), 1});
  lines->back().num_children = static_cast<int>(op.children().size());
  for (const OperatorPtr& child : op.children()) Flatten(*child, lines);
}

}  // namespace

std::string TreeString(const Operator& root) {
  std::vector<logical::TreeLine> lines;
  Flatten(root, &lines);
  // As Spark shows a plan before it runs: one with exchanges is adaptive, any other is marked with its stage of fused
  // operators.
  auto starts_with_any = [](const std::string& text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.starts_with(word); });
  };
  bool adaptive = std::any_of(lines.begin(), lines.end(), [&](const logical::TreeLine& line) {
    return starts_with_any(line.text, {"Exchange", "Broadcast"});
  });
  if (adaptive) {
    std::vector<logical::TreeLine> below = std::move(lines);
    lines.assign(1, {"AdaptiveSparkPlan isFinalPlan=false", 1});
    lines.insert(lines.end(), below.begin(), below.end());
  } else if (lines.size() > 1) {
    for (logical::TreeLine& line : lines) {
      if (starts_with_any(line.text, {"Project", "Filter", "Range", "LocalTableScan"})) line.text = "*(1) " + line.text;
    }
  }
  return logical::DrawTree(lines);
}

arrow::Status RunPrepared(const Operator& root, ExecutionContext& context, const BatchConsumer& consume) {
  auto task = [&](int partition) -> arrow::Status {
    ARROW_RETURN_NOT_OK(context.CheckCancelled());
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> stream, root.Open(partition, context));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, stream->Next());
      if (batch == nullptr) return arrow::Status::OK();
      if (batch->num_rows() > 0) ARROW_RETURN_NOT_OK(consume(partition, batch));
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
    }
  };
  int num_partitions = root.num_partitions(context);
  if (num_partitions > 1 && context.pool != nullptr) return context.pool->RunAll(num_partitions, task);
  for (int partition = 0; partition < num_partitions; ++partition) ARROW_RETURN_NOT_OK(task(partition));
  return arrow::Status::OK();
}

arrow::Status Run(const Operator& root, ExecutionContext& context, const BatchConsumer& consume) {
  ARROW_RETURN_NOT_OK(root.Prepare(context));
  return RunPrepared(root, context, consume);
}

arrow::Result<std::vector<Batches>> CollectPrepared(const Operator& root, ExecutionContext& context) {
  std::vector<Batches> rows(static_cast<size_t>(root.num_partitions(context)));
  ARROW_RETURN_NOT_OK(RunPrepared(root, context, [&](int partition, const std::shared_ptr<arrow::RecordBatch>& batch) {
    rows[static_cast<size_t>(partition)].push_back(batch);
    return arrow::Status::OK();
  }));
  return rows;
}

arrow::Result<std::vector<Batches>> Collect(const Operator& root, ExecutionContext& context) {
  ARROW_RETURN_NOT_OK(root.Prepare(context));
  return CollectPrepared(root, context);
}

}  // namespace millrace::physical
