#pragma once

#include <cstdint>
#include <vector>

#include "logical/node/local_relation.h"

namespace millrace::analyzer {

struct AnalyzerContext;

/// How many partitions leaves have that can choose: spark.sql.leafNodeDefaultParallelism, else Spark's default
/// parallelism.
int LeafParallelism(const AnalyzerContext& context);

/// Where `num_rows` rows are cut: the number of the row after the last of each partition.
/// In as many slices as there are rows, `parallelism` at most. Source: Spark, LocalTableScanExec.
std::vector<int64_t> SliceEnds(int64_t num_rows, int parallelism);
/// As a Python driver cuts a list: it makes batches of rows, and `parallelism` slices of the batches, so that the first
/// may be empty. Source: PySpark, SparkContext.parallelize.
std::vector<int64_t> PythonSliceEnds(int64_t num_rows, int parallelism);

/// `rows` cut after each of `ends`, of which the last is the number of rows. Nothing is copied.
std::shared_ptr<const std::vector<logical::LocalRelation::Partition>> CutRows(
    const logical::LocalRelation::Partition& rows, const std::vector<int64_t>& ends);

}  // namespace millrace::analyzer
