#include "physical/operator/map_in_python.h"

#include "base/error.h"
#include "expression/python/worker_rows.h"
#include "logical/node/map_in_python.h"
#include "physical/rows.h"
#include "python/task_stream.h"

namespace millrace::physical {

namespace {

using expression::ArrowPieces;
using expression::AsStruct;
using expression::BatchCutter;
using expression::ForWorker;
using expression::RowsOfStruct;
using expression::WorkerSchema;

class MapInPythonStream final : public BatchStream {
 public:
  MapInPythonStream(const MapInPython::Spec* spec, std::shared_ptr<arrow::Schema> schema,
                    std::unique_ptr<BatchStream> input, int partition, const ExecutionContext& context)
      : spec_(spec),
        schema_(std::move(schema)),
        input_(std::move(input)),
        partition_(partition),
        cancelled_(context.cancelled),
        memory_(context.eval.memory_pool),
        cutter_(spec->input_schema, *spec->environment) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (task_ == nullptr) {
      python::TaskSpec task = spec_->task;
      task.partition = partition_;
      auto write = [this](std::string* out) { return WriteInput(out); };
      ARROW_ASSIGN_OR_RAISE(task_, python::TaskStream::Start(spec_->environment, task, write, cancelled_, memory_));
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, task_->NextBatch());
      if (batch == nullptr) return nullptr;
      if (batch->num_rows() == 0) continue;
      return RowsOfStruct(batch, schema_, spec_->output_types, spec_->task.eval_type, memory_);
    }
  }

 private:
  arrow::Result<bool> WriteInput(std::string* out) {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, cutter_.Next(input_ended_, memory_));
      if (batch != nullptr) {
        ARROW_ASSIGN_OR_RAISE(auto wrapped, AsStruct(batch));
        if (pieces_ == nullptr) pieces_ = std::make_unique<ArrowPieces>(wrapped->schema());
        ARROW_RETURN_NOT_OK(pieces_->Write(*wrapped, out));
        return true;
      }
      if (input_ended_) {
        if (pieces_ == nullptr) {
          ARROW_ASSIGN_OR_RAISE(auto none, arrow::RecordBatch::MakeEmpty(spec_->input_schema, memory_));
          ARROW_ASSIGN_OR_RAISE(auto wrapped, AsStruct(none));
          pieces_ = std::make_unique<ArrowPieces>(wrapped->schema());
        }
        ARROW_RETURN_NOT_OK(pieces_->End(out));
        return false;
      }
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows, input_->Next());
      if (rows == nullptr) {
        input_ended_ = true;
        continue;
      }
      arrow::ArrayVector columns;
      for (int column : spec_->columns) columns.push_back(rows->column(column));
      cutter_.Add(ForWorker(spec_->input_schema, columns, rows->num_rows()));
    }
  }

  const MapInPython::Spec* spec_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  int partition_;
  const std::atomic<bool>* cancelled_;
  arrow::MemoryPool* memory_;
  bool input_ended_ = false;
  BatchCutter cutter_;
  std::unique_ptr<ArrowPieces> pieces_;
  std::unique_ptr<python::TaskStream> task_;
};

}  // namespace

MapInPython::MapInPython(Spec spec, AttributeVector output, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> MapInPython::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<MapInPythonStream>(&spec_, schema(), std::move(input), partition, context);
}

arrow::Result<int> ColumnIndex(const Operator& child, expression::AttributeId id) {
  for (size_t i = 0; i < child.output().size(); ++i) {
    if (child.output()[i]->id() == id) return static_cast<int>(i);
  }
  return InternalError("a column that a Python function reads is not there");
}

bool MatchesMapInPython(const logical::Plan& node) { return node.kind() == logical::NodeKind::kMapInPython; }

arrow::Result<OperatorPtr> PlanMapInPython(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  const auto& map = static_cast<const logical::MapInPython&>(*node);
  std::set<expression::AttributeId> needed;
  AddReferences(map.expressions(), &needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  MapInPython::Spec spec;
  spec.environment = map.environment();
  spec.task.eval_type = map.function()->eval_type;
  spec.task.conf = spec.environment->conf;
  spec.task.calls = {{{map.function()}, {{0, ""}}}};
  std::vector<types::StructField> fields;
  for (const auto& column : map.input()) {
    fields.push_back(column->ToField());
    ARROW_ASSIGN_OR_RAISE(int index, ColumnIndex(*child, column->id()));
    spec.columns.push_back(index);
  }
  ARROW_ASSIGN_OR_RAISE(spec.input_schema, WorkerSchema(fields, *spec.environment));
  for (const auto& column : map.output()) spec.output_types.push_back(column->type());
  spec.text = node->Describe();
  return std::make_shared<MapInPython>(std::move(spec), map.output(), std::move(child));
}

}  // namespace millrace::physical
