#include "physical/operator/local_scan.h"

#include "physical/rows.h"

namespace millrace::physical {

LocalScan::LocalScan(AttributeVector output, std::vector<int> columns, std::shared_ptr<const Partitions> partitions,
                     std::string cached_as, std::shared_ptr<std::atomic<int64_t>> reads, arrow::Status failure)
    : Operator({}, std::move(output)),
      columns_(std::move(columns)),
      partitions_(std::move(partitions)),
      cached_as_(std::move(cached_as)),
      reads_(std::move(reads)),
      failure_(std::move(failure)) {}

arrow::Status LocalScan::Prepare(ExecutionContext&) const {
  if (reads_ != nullptr) reads_->fetch_add(1, std::memory_order_relaxed);
  return failure_;
}

arrow::Result<std::unique_ptr<BatchStream>> LocalScan::Open(int partition, ExecutionContext& context) const {
  Batches batches;
  for (const auto& batch : (*partitions_)[static_cast<size_t>(partition)]) {
    if (batch->num_rows() == 0) continue;
    arrow::ArrayVector columns;
    columns.reserve(columns_.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
      columns.push_back(Relabel(batch->column(columns_[c]), schema()->field(static_cast<int>(c))->type()));
    }
    batches.push_back(arrow::RecordBatch::Make(schema(), batch->num_rows(), std::move(columns)));
  }
  return StreamOf(std::move(batches), context.batch_rows);
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
                                     SpreadOver(relation.partitions(), planner.parallelism()), relation.cached_as(),
                                     relation.reads(), relation.failure());
}

}  // namespace millrace::physical
