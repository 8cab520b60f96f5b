#include "analyzer/shared_table.h"

#include <mutex>
#include <set>

#include "analyzer/named_table.h"
#include "expression/vector.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "types/arrow_type.h"

namespace millrace::analyzer {

namespace {

using logical::PlanPtr;
using RowBatches = std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>;

struct SharedRequest : connector::SourceRequest {
  PlanPtr plan;
  std::function<arrow::Result<RowBatches>(const PlanPtr&)> run;

  /// Thread-safe: every scan of one query gets the same rows.
  arrow::Result<std::shared_ptr<const RowBatches>> Rows() const {
    std::lock_guard lock(mutex);
    if (rows != nullptr) return rows;
    ARROW_ASSIGN_OR_RAISE(RowBatches made, run(plan));
    auto arrow_schema = types::ToArrowSchema(*schema);
    for (auto& partition : made) {
      for (auto& batch : partition) {
        arrow::ArrayVector columns;
        for (int i = 0; i < batch->num_columns(); ++i) {
          columns.push_back(
              arrow::MakeArray(expression::WithType(batch->column_data(i), arrow_schema->field(i)->type())));
        }
        batch = arrow::RecordBatch::Make(arrow_schema, batch->num_rows(), std::move(columns));
      }
    }
    rows = std::make_shared<const RowBatches>(std::move(made));
    return rows;
  }

  mutable std::mutex mutex;
  mutable std::shared_ptr<const RowBatches> rows;
};

class SharedReader final : public connector::BatchReader {
 public:
  SharedReader(std::shared_ptr<const RowBatches> rows, size_t partition, std::vector<int> columns)
      : rows_(std::move(rows)), partition_(partition), columns_(std::move(columns)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    const auto& batches = (*rows_)[partition_];
    if (next_ >= batches.size()) return nullptr;
    return batches[next_++]->SelectColumns(columns_);
  }

 private:
  std::shared_ptr<const RowBatches> rows_;
  size_t partition_;
  std::vector<int> columns_;
  size_t next_ = 0;
};

class SharedPartition final : public connector::InputPartition {
 public:
  SharedPartition(std::shared_ptr<const RowBatches> rows, size_t partition, std::vector<int> columns)
      : rows_(std::move(rows)), partition_(partition), columns_(std::move(columns)) {}
  arrow::Result<std::unique_ptr<connector::BatchReader>> Open(arrow::MemoryPool*) const override {
    return std::make_unique<SharedReader>(rows_, partition_, columns_);
  }

 private:
  std::shared_ptr<const RowBatches> rows_;
  size_t partition_;
  std::vector<int> columns_;
};

class SharedScan final : public connector::BatchScan {
 public:
  explicit SharedScan(const SharedRequest* request) : request_(request) {}
  arrow::Result<connector::InputPartitions> PlanPartitions(const connector::ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(auto rows, request_->Rows());
    connector::InputPartitions partitions;
    for (size_t i = 0; i < rows->size(); ++i) {
      partitions.push_back(std::make_shared<SharedPartition>(rows, i, columns.indices));
    }
    return partitions;
  }
  std::string Description() const override { return "CTERelationRef"; }

 private:
  const SharedRequest* request_;
};

// The request belongs to the plan, which outlives what is opened with it.
const connector::SourceDef kShared{
    .name = "CTERelationRef",
    .description = "A table of WITH that is computed once.",
    .schema = [](const connector::SourceRequest& request) -> arrow::Result<types::DataTypePtr> {
      return request.schema;
    },
    .open_batch = [](const connector::SourceRequest& request) -> arrow::Result<std::unique_ptr<connector::BatchScan>> {
      return std::make_unique<SharedScan>(&static_cast<const SharedRequest&>(request));
    },
};

bool Draws(const logical::Plan& plan) {
  bool found = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    for (const auto& value : node.expressions()) found = found || !value->deterministic();
  });
  return found;
}

// Whether it reads columns that none of its own nodes has.
bool ReadsAround(const logical::Plan& plan) {
  std::set<int64_t> own;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    for (const auto& column : node.output()) own.insert(column->id().value);
  });
  bool found = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    for (const auto& value : node.expressions()) {
      for (expression::AttributeId id : expression::References(*value)) found = found || !own.contains(id.value);
    }
  });
  return found;
}

}  // namespace

arrow::Result<PlanPtr> SharedIfDrawn(const AnalyzerContext& context, PlanPtr plan) {
  if (!context.run_plan || plan->is_streaming() || !Draws(*plan) || ReadsAround(*plan)) return plan;
  auto request = std::make_shared<SharedRequest>();
  request->schema = plan->Schema();
  request->user_schema = request->schema;
  request->run = context.run_plan;
  request->plan = plan;
  ARROW_ASSIGN_OR_RAISE(PlanPtr scan, ScanSource(context, &kShared, std::move(request), /*streaming=*/false));
  // Under the ids and names that the query knows.
  expression::ExpressionVector items;
  for (size_t i = 0; i < plan->output().size(); ++i) {
    const auto& column = plan->output()[i];
    items.push_back(
        std::make_shared<expression::Alias>(scan->output()[i], column->name(), column->id(), column->metadata_json()));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(scan));
}

}  // namespace millrace::analyzer
