#include "physical/operator/local_scan.h"

#include "physical/operator/project_filter.h"
#include "physical/operator/union.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

/// So many rows are handed out one by one where a filter stands between them and a limit: Spark stops at the row that
/// fills the limit.
constexpr int64_t kRowsOneByOne = 1024;

struct ReadingState final : OperatorState {
  std::shared_ptr<connector::MicroBatchRows::Reading> reading;
  int64_t rows_a_partition = INT64_MAX;
  bool one_by_one = false;
};

std::shared_ptr<arrow::RecordBatch> Chosen(const arrow::RecordBatch& batch, const std::vector<int>& columns,
                                           const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector chosen;
  chosen.reserve(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    chosen.push_back(Relabel(batch.column(columns[c]), schema->field(static_cast<int>(c))->type()));
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(chosen));
}

class ReaderStream final : public BatchStream {
 public:
  ReaderStream(std::unique_ptr<connector::BatchReader> reader, const std::vector<int>* columns,
               std::shared_ptr<arrow::Schema> schema)
      : reader_(std::move(reader)), columns_(columns), schema_(std::move(schema)) {}
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader_->Next());
    return batch == nullptr ? batch : Chosen(*batch, *columns_, schema_);
  }

 private:
  std::unique_ptr<connector::BatchReader> reader_;
  const std::vector<int>* columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// Hands out no more rows than will be used, and tells the micro-batch how many.
class CountingStream final : public BatchStream {
 public:
  CountingStream(std::unique_ptr<BatchStream> input, const ReadingState& state)
      : input_(std::move(input)), reading_(state.reading), left_(state.rows_a_partition) {
    if (state.one_by_one) singles_left_ = kRowsOneByOne;
  }
  // A limit above may stop pulling before the end.
  ~CountingStream() override { reading_->HandedOut(num_rows_); }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (left_ == 0) return nullptr;
    if (batch_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(batch_, input_->Next());
      if (batch_ == nullptr) return nullptr;
    }
    int64_t wanted = std::min(batch_->num_rows(), left_);
    if (singles_left_ > 0) {
      wanted = std::min<int64_t>(wanted, 1);
      --singles_left_;
    }
    std::shared_ptr<arrow::RecordBatch> out = wanted == batch_->num_rows() ? batch_ : batch_->Slice(0, wanted);
    batch_ = out == batch_ ? nullptr : batch_->Slice(wanted);
    left_ -= wanted;
    num_rows_ += wanted;
    return out;
  }

 private:
  std::unique_ptr<BatchStream> input_;
  std::shared_ptr<connector::MicroBatchRows::Reading> reading_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t left_;
  int64_t singles_left_ = 0;
  int64_t num_rows_ = 0;
};

}  // namespace

LocalScan::LocalScan(AttributeVector output, std::vector<int> columns, std::shared_ptr<const Partitions> partitions,
                     const logical::LocalRelation& relation)
    : Operator({}, std::move(output)),
      columns_(std::move(columns)),
      partitions_(relation.all_held() ? std::move(partitions) : nullptr),
      cached_as_(relation.cached_as()),
      micro_batch_(relation.micro_batch()) {}

arrow::Status LocalScan::Prepare(ExecutionContext& context) const {
  if (micro_batch_ == nullptr) return arrow::Status::OK();
  auto state = std::make_unique<ReadingState>();
  ARROW_ASSIGN_OR_RAISE(state->reading, micro_batch_->Begin());
  context.states[this] = std::move(state);
  return arrow::Status::OK();
}

int LocalScan::num_partitions(const ExecutionContext& context) const {
  if (partitions_ != nullptr) return static_cast<int>(partitions_->size());
  return context.StateOf<ReadingState>(*this)->reading->num_partitions();
}

arrow::Result<std::unique_ptr<BatchStream>> LocalScan::Open(int partition, ExecutionContext& context) const {
  auto* state = context.StateOf<ReadingState>(*this);
  std::unique_ptr<BatchStream> stream;
  if (partitions_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto reader, state->reading->Open(partition));
    stream = std::make_unique<ReaderStream>(std::move(reader), &columns_, schema());
  } else {
    Batches batches;
    for (const auto& batch : (*partitions_)[static_cast<size_t>(partition)]) {
      if (batch->num_rows() > 0) batches.push_back(Chosen(*batch, columns_, schema()));
    }
    stream = StreamOf(std::move(batches), context.batch_rows);
  }
  if (state == nullptr) return stream;
  return std::make_unique<CountingStream>(std::move(stream), *state);
}

bool BoundRowsRead(const Operator& root, int64_t num_rows, ExecutionContext& context) {
  const Operator* below = &root;
  bool one_by_one = false;
  while (const auto* row_by_row = dynamic_cast<const ProjectFilter*>(below)) {
    one_by_one = one_by_one || row_by_row->filters();
    below = below->children()[0].get();
  }
  if (dynamic_cast<const Union*>(below) != nullptr) {
    bool any = false;
    for (const OperatorPtr& input : below->children()) any = BoundRowsRead(*input, num_rows, context) || any;
    return any;
  }
  if (dynamic_cast<const LocalScan*>(below) == nullptr) return false;
  auto* state = context.StateOf<ReadingState>(*below);
  if (state == nullptr) return false;
  state->one_by_one = one_by_one;
  if (!one_by_one) state->rows_a_partition = num_rows;
  return true;
}

std::string LocalScan::Describe() const {
  if (!cached_as_.empty()) return "InMemoryTableScan " + logical::DescribeAttributes(output()) + cached_as_;
  if (output().empty()) return "Scan OneRowRelation[]";
  return "LocalTableScan " + logical::DescribeAttributes(output());
}

bool MatchesLocalScan(const logical::Plan& node) { return node.kind() == logical::NodeKind::kLocalRelation; }

namespace {

constexpr int64_t kRowsWorthATask = 100000;

std::shared_ptr<const LocalScan::Partitions> SpreadOver(std::shared_ptr<const LocalScan::Partitions> partitions,
                                                        int parallelism) {
  if (static_cast<int>(partitions->size()) >= parallelism) return partitions;
  int64_t num_rows = 0;
  for (const auto& partition : *partitions) num_rows += CountRows(partition);
  int64_t num_tasks = std::min<int64_t>(parallelism, num_rows / kRowsWorthATask);
  if (num_tasks <= static_cast<int64_t>(partitions->size())) return partitions;
  auto spread = std::make_shared<LocalScan::Partitions>(1);
  int64_t rows_a_task = (num_rows + num_tasks - 1) / num_tasks;
  int64_t in_last = 0;
  for (const auto& partition : *partitions) {
    for (const auto& batch : partition) {
      for (int64_t row = 0; row < batch->num_rows();) {
        if (in_last == rows_a_task) {
          spread->emplace_back();
          in_last = 0;
        }
        int64_t length = std::min(batch->num_rows() - row, rows_a_task - in_last);
        spread->back().push_back(batch->Slice(row, length));
        in_last += length;
        row += length;
      }
    }
  }
  return spread;
}

}  // namespace

arrow::Result<OperatorPtr> PlanLocalScan(const logical::PlanPtr& node, const RequiredColumns& required,
                                         Planner& planner) {
  const auto& relation = static_cast<const logical::LocalRelation&>(*node);
  KeptColumns kept = KeepRequired(relation.output(), required);
  return std::make_shared<LocalScan>(std::move(kept.columns), std::move(kept.indices),
                                     SpreadOver(relation.partitions(), planner.parallelism()), relation);
}

}  // namespace millrace::physical
