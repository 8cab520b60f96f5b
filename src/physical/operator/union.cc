#include "physical/operator/union.h"

#include "physical/rows.h"

namespace millrace::physical {

namespace {

class RelabelledStream final : public BatchStream {
 public:
  RelabelledStream(std::unique_ptr<BatchStream> input, std::shared_ptr<arrow::Schema> schema)
      : input_(std::move(input)), schema_(std::move(schema)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
    return batch == nullptr ? nullptr : WithSchema(batch, schema_);
  }

 private:
  std::unique_ptr<BatchStream> input_;
  std::shared_ptr<arrow::Schema> schema_;
};

void ShiftPartitions(const Operator& op, int by, ExecutionContext* context) {
  context->partition_bases[&op] += by;
  if (op.starts_stage()) return;
  for (const OperatorPtr& child : op.children()) ShiftPartitions(*child, by, context);
}

}  // namespace

Union::Union(AttributeVector output, std::vector<OperatorPtr> children)
    : Operator(std::move(children), std::move(output)) {}

arrow::Status Union::Prepare(ExecutionContext& context) const {
  int before = 0;
  for (const OperatorPtr& child : children()) {
    ARROW_RETURN_NOT_OK(child->Prepare(context));
    if (before > 0) ShiftPartitions(*child, before, &context);
    before += child->num_partitions(context);
  }
  return arrow::Status::OK();
}

int Union::num_partitions(const ExecutionContext& context) const {
  int total = 0;
  for (const OperatorPtr& child : children()) total += child->num_partitions(context);
  return total;
}

arrow::Result<std::unique_ptr<BatchStream>> Union::Open(int partition, ExecutionContext& context) const {
  for (const OperatorPtr& child : children()) {
    int num_partitions = child->num_partitions(context);
    if (partition < num_partitions) {
      ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, child->Open(partition, context));
      return std::make_unique<RelabelledStream>(std::move(input), schema());
    }
    partition -= num_partitions;
  }
  return arrow::Status::IndexError("no such partition");
}

bool MatchesUnion(const logical::Plan& node) { return node.kind() == logical::NodeKind::kUnion; }

arrow::Result<OperatorPtr> PlanUnion(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  std::vector<OperatorPtr> children;
  for (const logical::PlanPtr& child : node->children()) {
    // By position, so exactly the columns of each child.
    ARROW_ASSIGN_OR_RAISE(OperatorPtr planned, planner.Plan(child));
    children.push_back(std::move(planned));
  }
  return std::make_shared<Union>(node->output(), std::move(children));
}

}  // namespace millrace::physical
