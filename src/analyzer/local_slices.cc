#include "analyzer/local_slices.h"

#include <algorithm>
#include <cstdlib>

#include "analyzer/analyzer.h"
#include "connector/source.h"

namespace millrace::analyzer {

using Partition = logical::LocalRelation::Partition;

int LeafParallelism(const AnalyzerContext& context) {
  std::optional<std::string> set = context.conf ? context.conf("spark.sql.leafNodeDefaultParallelism") : std::nullopt;
  int parallelism = set ? std::atoi(set->c_str()) : 0;
  return parallelism > 0 ? parallelism : std::max(1, context.connector->parallelism);
}

std::vector<int64_t> SliceEnds(int64_t num_rows, int parallelism) {
  int64_t num_slices = std::clamp<int64_t>(num_rows, 1, parallelism);
  std::vector<int64_t> ends;
  for (int64_t i = 1; i <= num_slices; ++i) ends.push_back(i * num_rows / num_slices);
  return ends;
}

std::vector<int64_t> PythonSliceEnds(int64_t num_rows, int parallelism) {
  constexpr int64_t kMaxBatchRows = 1024;
  int64_t batch_rows = std::clamp<int64_t>(num_rows / parallelism, 1, kMaxBatchRows);
  int64_t num_batches = (num_rows + batch_rows - 1) / batch_rows;
  std::vector<int64_t> ends;
  for (int64_t i = 1; i <= parallelism; ++i) {
    ends.push_back(std::min(num_rows, i * num_batches / parallelism * batch_rows));
  }
  return ends;
}

std::shared_ptr<const std::vector<Partition>> CutRows(const Partition& rows, const std::vector<int64_t>& ends) {
  auto partitions = std::make_shared<std::vector<Partition>>(ends.size());
  size_t here = 0;
  int64_t first = 0;  // of the batch, among all rows
  for (const auto& batch : rows) {
    for (int64_t from = 0; from < batch->num_rows();) {
      while (ends[here] <= first + from) ++here;
      int64_t length = std::min(batch->num_rows() - from, ends[here] - first - from);
      (*partitions)[here].push_back(length == batch->num_rows() ? batch : batch->Slice(from, length));
      from += length;
    }
    first += batch->num_rows();
  }
  return partitions;
}

}  // namespace millrace::analyzer
