#include "analyzer/analyzer.h"

namespace millrace::analyzer {

arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> AnalyzerContext::RowsOf(
    const logical::PlanPtr& plan) const {
  ARROW_ASSIGN_OR_RAISE(auto partitions, run_plan(plan));
  std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
  for (auto& partition : partitions) {
    for (auto& batch : partition) {
      if (batch->num_rows() > 0) rows.push_back(std::move(batch));
    }
  }
  return rows;
}

}  // namespace millrace::analyzer
