#include "physical/operator/eval_python_table.h"

#include <arrow/array.h>

#include <deque>
#include <optional>

#include "base/error.h"
#include "expression/python/pickled_rows.h"
#include "expression/python/python_table.h"
#include "expression/python/worker_rows.h"
#include "logical/node/generate.h"
#include "physical/rows.h"
#include "python/task_stream.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

class EvalPythonTableStream final : public BatchStream {
 public:
  EvalPythonTableStream(const EvalPythonTable::Spec* spec, std::shared_ptr<arrow::Schema> schema,
                        std::unique_ptr<BatchStream> input, int partition, const ExecutionContext& context,
                        expression::EvalContext evaluation)
      : spec_(spec),
        schema_(std::move(schema)),
        input_(std::move(input)),
        partition_(partition),
        cancelled_(context.cancelled),
        evaluation_(evaluation),
        pieces_(spec->argument_schema),
        cutter_(spec->argument_schema, *spec->environment) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (task_ == nullptr) {
      python::TaskSpec task = spec_->task;
      task.partition = partition_;
      auto write = [this](std::string* out) { return WriteInput(out); };
      ARROW_ASSIGN_OR_RAISE(task_, python::TaskStream::StartWith(python::TableTaskHeader, spec_->environment, task,
                                                                 write, cancelled_, evaluation_.memory_pool));
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto made, pickled() ? NextUnpickled() : NextMade());
      if (!made) return nullptr;
      if ((*made)->num_rows() == 0 || rows_ == nullptr) continue;
      return Beside(*made);
    }
  }

 private:
  using Made = std::optional<std::shared_ptr<arrow::RecordBatch>>;
  bool pickled() const { return spec_->task.eval_type == python::EvalType::kTable; }

  // What was made of the next row sent; what comes after all of them is of the end.
  arrow::Result<Made> NextMade() {
    ARROW_ASSIGN_OR_RAISE(auto batch, task_->NextBatch());
    if (batch == nullptr) return Made();
    AdvanceRow();
    if (batch->num_rows() == 0) return Made(std::move(batch));
    ARROW_ASSIGN_OR_RAISE(auto rows, expression::RowsOfStruct(batch, spec_->result_schema, spec_->result_types,
                                                              spec_->task.eval_type, evaluation_.memory_pool));
    return Made(std::move(rows));
  }

  // The same as a pickle: a list of one tuple, the rows.
  arrow::Result<Made> NextUnpickled() {
    ARROW_ASSIGN_OR_RAISE(auto pickle, task_->NextPickle());
    if (!pickle) return Made();
    AdvanceRow();
    ARROW_ASSIGN_OR_RAISE(auto results,
                          expression::UnpickleResults(*pickle, {spec_->pickled_type}, evaluation_.memory_pool));
    ARROW_ASSIGN_OR_RAISE(auto rows, static_cast<const arrow::ListArray&>(*results->column(0)).Flatten());
    ARROW_ASSIGN_OR_RAISE(auto columns, static_cast<const arrow::StructArray&>(*rows).Flatten());
    return Made(arrow::RecordBatch::Make(spec_->result_schema, rows->length(), std::move(columns)));
  }

  arrow::Result<bool> WriteInput(std::string* out) {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, cutter_.Next(input_ended_, evaluation_.memory_pool));
      if (batch != nullptr) {
        ARROW_RETURN_NOT_OK(pickled() ? expression::AppendPickledRows(*batch, spec_->argument_types, out)
                                      : pieces_.Write(*batch, out));
        return true;
      }
      if (input_ended_) {
        if (pickled()) {
          expression::AppendEndOfPickles(out);
        } else {
          ARROW_RETURN_NOT_OK(pieces_.End(out));
        }
        return false;
      }
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows, input_->Next());
      if (rows == nullptr) {
        input_ended_ = true;
        continue;
      }
      if (rows->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector arguments, spec_->arguments.Evaluate(evaluation_, rows));
      evaluation_.row_offset += rows->num_rows();
      cutter_.Add(expression::ForWorker(spec_->argument_schema, arguments, rows->num_rows()));
      waiting_.push_back(std::move(rows));
    }
  }

  // The next row sent becomes the one that results belong to; the last one stays.
  void AdvanceRow() {
    if (rows_ != nullptr && row_ + 1 < rows_->num_rows()) {
      ++row_;
    } else if (!waiting_.empty()) {
      rows_ = std::move(waiting_.front());
      waiting_.pop_front();
      row_ = 0;
    }
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Beside(const std::shared_ptr<arrow::RecordBatch>& made) {
    std::vector<int32_t> indices(static_cast<size_t>(made->num_rows()), static_cast<int32_t>(row_));
    arrow::ArrayVector columns;
    for (int column : spec_->kept) columns.push_back(rows_->column(column));
    ARROW_ASSIGN_OR_RAISE(columns, TakeRows(columns, IndexArray(std::move(indices)), evaluation_.memory_pool));
    for (const auto& column : made->columns()) columns.push_back(column);
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = Relabel(columns[i], schema_->field(static_cast<int>(i))->type());
    }
    return arrow::RecordBatch::Make(schema_, made->num_rows(), std::move(columns));
  }

  const EvalPythonTable::Spec* spec_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  int partition_;
  const std::atomic<bool>* cancelled_;
  expression::EvalContext evaluation_;
  bool input_ended_ = false;
  expression::ArrowPieces pieces_;
  expression::BatchCutter cutter_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> waiting_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  int64_t row_ = 0;
  std::unique_ptr<python::TaskStream> task_;
};

}  // namespace

EvalPythonTable::EvalPythonTable(Spec spec, AttributeVector output, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> EvalPythonTable::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<EvalPythonTableStream>(&spec_, schema(), std::move(input), partition, context,
                                                 context.EvalContextOf(*this, partition));
}

arrow::Result<OperatorPtr> PlanEvalPythonTable(const logical::PlanPtr& node, const RequiredColumns& required,
                                               Planner& planner) {
  const auto& generate = static_cast<const logical::Generate&>(*node);
  const auto& call = static_cast<const expression::GeneratorCall&>(*generate.generator());
  const expression::PythonTableKernel& table = *expression::PythonTableOf(call);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));

  EvalPythonTable::Spec spec;
  spec.environment = table.environment;
  spec.task.eval_type = table.function->eval_type;
  spec.task.conf = spec.environment->conf;
  spec.task.result_schema = call.type()->ToJson();
  python::TaskCall task_call;
  task_call.functions = {table.function};
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < call.children().size(); ++i) {
    task_call.arguments.push_back({static_cast<int32_t>(i), table.argument_names[i]});
    fields.push_back({"_" + std::to_string(i), call.children()[i]->type(), true, ""});
  }
  spec.task.calls = {std::move(task_call)};
  spec.task.analyze_result = table.analyze_result;
  spec.task.partition_columns = table.partition_columns;
  for (const types::StructField& field : fields) spec.argument_types.push_back(field.type);
  if (spec.task.eval_type == python::EvalType::kArrowTable) {
    spec.task.eval_conf["input_type"] = types::Struct(fields)->ToJson();
  } else {
    spec.task.eval_conf["table_arg_offsets"] = table.table_argument < 0 ? "" : std::to_string(table.table_argument);
  }
  ARROW_ASSIGN_OR_RAISE(spec.argument_schema, expression::WorkerSchema(fields, *spec.environment));
  ARROW_ASSIGN_OR_RAISE(spec.arguments, ExpressionSet::Bind(call.children(), child->output()));
  std::vector<types::StructField> result_fields;
  for (const auto& column : generate.generated()) {
    spec.result_types.push_back(column->type());
    result_fields.push_back({column->name(), column->type(), true, ""});
  }
  spec.result_schema = types::ToArrowSchema(*types::Struct(result_fields));
  spec.pickled_type = types::Array(types::Struct(result_fields), true);
  spec.text = node->Describe();
  KeptColumns kept = KeepRequired(child->output(), required);
  spec.kept = std::move(kept.indices);
  AttributeVector output = std::move(kept.columns);
  output.insert(output.end(), generate.generated().begin(), generate.generated().end());
  return std::make_shared<EvalPythonTable>(std::move(spec), std::move(output), std::move(child));
}

}  // namespace millrace::physical
