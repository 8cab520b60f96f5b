#include "physical/operator/source_scan.h"

#include "base/error.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

struct ScanState final : OperatorState {
  // Kept while its partitions are read.
  std::unique_ptr<connector::BatchScan> scan;
  connector::InputPartitions partitions;
};

class ReaderStream final : public BatchStream {
 public:
  ReaderStream(std::unique_ptr<connector::BatchReader> reader, std::shared_ptr<arrow::Schema> schema,
               int64_t source_key, ExecutionContext* context)
      : reader_(std::move(reader)), schema_(std::move(schema)), source_key_(source_key), context_(context) {}

  // A limit above may stop pulling before the end: what was read counts all the same.
  ~ReaderStream() override {
    std::lock_guard lock(context_->metrics_mutex);
    context_->rows_read[source_key_] += num_rows_;
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, reader_->Next());
    if (batch == nullptr) return nullptr;
    num_rows_ += batch->num_rows();
    return WithSchema(batch, schema_);
  }

 private:
  std::unique_ptr<connector::BatchReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t source_key_;
  ExecutionContext* context_;
  int64_t num_rows_ = 0;
};

}  // namespace

ConnectorScan::ConnectorScan(const logical::SourceScan& node)
    : Operator({}, node.output()),
      def_(&node.def()),
      request_(node.request()),
      columns_(node.columns()),
      streaming_(node.is_streaming()),
      source_key_(node.source_key()) {}

arrow::Status ConnectorScan::Prepare(ExecutionContext& context) const {
  if (streaming_) return arrow::Status::OK();
  if (def_->open_batch == nullptr) {
    return UserError("DATA_SOURCE_BATCH_SCAN_NOT_SUPPORTED", {{"description", std::string(def_->name)}});
  }
  auto state = std::make_unique<ScanState>();
  ARROW_ASSIGN_OR_RAISE(state->scan, def_->open_batch(*request_));
  ARROW_ASSIGN_OR_RAISE(state->partitions, state->scan->PlanPartitions(columns_));
  context.states[this] = std::move(state);
  return arrow::Status::OK();
}

const connector::InputPartitions* ConnectorScan::PartitionsIn(const ExecutionContext& context) const {
  if (!streaming_) {
    const ScanState* state = context.StateOf<ScanState>(*this);
    return state == nullptr ? nullptr : &state->partitions;
  }
  auto it = context.stream_partitions.find(source_key_);
  return it == context.stream_partitions.end() ? nullptr : &it->second;
}

int ConnectorScan::num_partitions(const ExecutionContext& context) const {
  const connector::InputPartitions* partitions = PartitionsIn(context);
  return partitions == nullptr ? 0 : static_cast<int>(partitions->size());
}

arrow::Result<std::unique_ptr<BatchStream>> ConnectorScan::Open(int partition, ExecutionContext& context) const {
  const connector::InputPartitions& partitions = *PartitionsIn(context);
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<connector::BatchReader> reader,
                        partitions[static_cast<size_t>(partition)]->Open(context.eval.memory_pool));
  auto stream = std::make_unique<ReaderStream>(std::move(reader), schema(), source_key_, &context);
  return EvenBatches(std::move(stream), schema(), context.batch_rows, context.eval.memory_pool);
}

std::string ConnectorScan::Describe() const {
  return fmt::format("{}{} {}", streaming_ ? "MicroBatchScan" : "BatchScan", logical::DescribeAttributes(output()),
                     def_->name);
}

bool MatchesConnectorScan(const logical::Plan& node) { return node.kind() == logical::NodeKind::kSourceScan; }

arrow::Result<OperatorPtr> PlanConnectorScan(const logical::PlanPtr& node, const RequiredColumns&, Planner&) {
  return std::make_shared<ConnectorScan>(static_cast<const logical::SourceScan&>(*node));
}

}  // namespace millrace::physical
