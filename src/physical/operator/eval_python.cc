#include "physical/operator/eval_python.h"

#include <deque>

#include "base/error.h"
#include "expression/python/pickled_rows.h"
#include "expression/python/python_udf.h"
#include "expression/python/worker_rows.h"
#include "logical/node/eval_python.h"
#include "physical/rows.h"
#include "python/task_stream.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

using expression::ArrowPieces;
using expression::BatchCutter;
using expression::ExpressionPtr;
using expression::ForWorker;
using expression::FromWorker;
using expression::PythonUdf;
using expression::WorkerSchema;

// Rows wait here while the worker has their arguments, so that they can be joined with its results.
class EvalPythonStream final : public BatchStream {
 public:
  EvalPythonStream(const EvalPython::Spec* spec, std::shared_ptr<arrow::Schema> schema,
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
      ARROW_ASSIGN_OR_RAISE(bool any, PullInput());
      if (!any) return nullptr;  // nobody to ask for nothing
      python::TaskSpec task = spec_->task;
      task.partition = partition_;
      auto write = [this](std::string* out) { return WriteInput(out); };
      ARROW_ASSIGN_OR_RAISE(
          task_, python::TaskStream::Start(spec_->environment, task, write, cancelled_, evaluation_.memory_pool));
    }
    while (results_ == nullptr || results_->num_rows() == 0) {
      ARROW_ASSIGN_OR_RAISE(results_, NextResults());
      if (results_ != nullptr) continue;
      if (waiting_.empty()) return nullptr;
      return InternalError("a Python worker gave fewer rows than it was sent");
    }
    return Join();
  }

 private:
  // Takes the next rows of the child that are any. False at the end.
  arrow::Result<bool> PullInput() {
    while (!input_ended_) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) {
        input_ended_ = true;
        break;
      }
      if (batch->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector arguments, spec_->arguments.Evaluate(evaluation_, batch));
      evaluation_.row_offset += batch->num_rows();
      cutter_.Add(ForWorker(spec_->argument_schema, arguments, batch->num_rows()));
      waiting_.push_back(std::move(batch));
      return true;
    }
    return false;
  }

  arrow::Result<bool> WriteInput(std::string* out) {
    bool pickled = spec_->task.eval_type == python::EvalType::kBatched;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, cutter_.Next(input_ended_, evaluation_.memory_pool));
      if (batch != nullptr && pickled) {
        ARROW_RETURN_NOT_OK(expression::AppendPickledRows(*batch, spec_->argument_types, out));
        return true;
      }
      if (batch != nullptr) {
        ARROW_RETURN_NOT_OK(pieces_.Write(*batch, out));
        return true;
      }
      if (input_ended_) {
        if (pickled) {
          expression::AppendEndOfPickles(out);
        } else {
          ARROW_RETURN_NOT_OK(pieces_.End(out));
        }
        return false;
      }
      ARROW_RETURN_NOT_OK(PullInput().status());
    }
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextResults() {
    if (spec_->task.eval_type == python::EvalType::kBatched) {
      ARROW_ASSIGN_OR_RAISE(std::optional<std::string> pickle, task_->NextPickle());
      if (!pickle) return nullptr;
      return expression::UnpickleResults(*pickle, spec_->result_types, evaluation_.memory_pool);
    }
    ARROW_ASSIGN_OR_RAISE(auto batch, task_->NextBatch());
    if (batch == nullptr) return nullptr;
    if (batch->num_columns() != static_cast<int>(spec_->result_types.size())) {
      return InternalError("a Python worker gave another number of columns");
    }
    arrow::ArrayVector columns;
    for (int c = 0; c < batch->num_columns(); ++c) {
      ARROW_ASSIGN_OR_RAISE(auto column, FromWorker(batch->column(c), *spec_->result_types[static_cast<size_t>(c)],
                                                    spec_->task.eval_type, evaluation_.memory_pool));
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(batch->schema(), batch->num_rows(), std::move(columns));
  }

  // As many rows as are both in the oldest waiting batch and in the results.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Join() {
    if (waiting_.empty()) return InternalError("a Python worker gave more rows than it was sent");
    std::shared_ptr<arrow::RecordBatch>& rows = waiting_.front();
    int64_t count = std::min(rows->num_rows(), results_->num_rows());
    arrow::ArrayVector columns;
    columns.reserve(static_cast<size_t>(schema_->num_fields()));
    for (int column : spec_->kept) {
      columns.push_back(count == rows->num_rows() ? rows->column(column) : rows->column(column)->Slice(0, count));
    }
    for (const auto& column : results_->columns()) {
      columns.push_back(count == results_->num_rows() ? column : column->Slice(0, count));
    }
    if (count == rows->num_rows()) {
      waiting_.pop_front();
    } else {
      rows = rows->Slice(count);
    }
    results_ = count == results_->num_rows() ? nullptr : results_->Slice(count);
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = Relabel(columns[i], schema_->field(static_cast<int>(i))->type());
    }
    return arrow::RecordBatch::Make(schema_, count, std::move(columns));
  }

  const EvalPython::Spec* spec_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  int partition_;
  const std::atomic<bool>* cancelled_;
  expression::EvalContext evaluation_;
  bool input_ended_ = false;
  ArrowPieces pieces_;
  BatchCutter cutter_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> waiting_;
  std::unique_ptr<python::TaskStream> task_;
  std::shared_ptr<arrow::RecordBatch> results_;
};

// A chain f(g(x)) as one call: its functions, innermost first, and the arguments of the innermost.
python::TaskCall CallOf(const PythonUdf& udf, expression::ExpressionVector* arguments) {
  python::TaskCall call;
  const PythonUdf* innermost = &udf;
  call.functions.push_back(udf.function());
  while (innermost->children().size() == 1 &&
         innermost->children()[0]->kind() == expression::ExpressionKind::kPythonUdf) {
    innermost = static_cast<const PythonUdf*>(innermost->children()[0].get());
    call.functions.insert(call.functions.begin(), innermost->function());
  }
  for (size_t i = 0; i < innermost->children().size(); ++i) {
    const ExpressionPtr& argument = innermost->children()[i];
    size_t column = 0;
    while (column < arguments->size() && !expression::SemanticallyEqual(*(*arguments)[column], *argument)) ++column;
    if (column == arguments->size()) arguments->push_back(argument);
    call.arguments.push_back({static_cast<int32_t>(column), innermost->argument_names()[i]});
  }
  return call;
}

}  // namespace

EvalPython::EvalPython(Spec spec, AttributeVector output, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> EvalPython::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<EvalPythonStream>(&spec_, schema(), std::move(input), partition, context,
                                            context.EvalContextOf(*this, partition));
}

bool MatchesEvalPython(const logical::Plan& node) { return node.kind() == logical::NodeKind::kEvalPython; }

arrow::Result<OperatorPtr> PlanEvalPython(const logical::PlanPtr& node, const RequiredColumns& required,
                                          Planner& planner) {
  const auto& eval = static_cast<const logical::EvalPython&>(*node);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(eval.calls(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));

  EvalPython::Spec spec;
  const auto& first = static_cast<const PythonUdf&>(*eval.calls()[0]);
  spec.environment = first.environment();
  spec.task.eval_type = first.function()->eval_type;
  spec.task.conf = spec.environment->conf;
  expression::ExpressionVector arguments;
  for (const ExpressionPtr& call : eval.calls()) {
    spec.task.calls.push_back(CallOf(static_cast<const PythonUdf&>(*call), &arguments));
    spec.result_types.push_back(call->type());
  }
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < arguments.size(); ++i) {
    fields.push_back({"_" + std::to_string(i), arguments[i]->type(), true, ""});
    spec.argument_types.push_back(arguments[i]->type());
  }
  if (spec.task.eval_type == python::EvalType::kArrowBatched) {
    spec.task.eval_conf["input_type"] = types::Struct(fields)->ToJson();
  }
  ARROW_ASSIGN_OR_RAISE(spec.argument_schema, WorkerSchema(fields, *spec.environment));
  ARROW_ASSIGN_OR_RAISE(spec.arguments, ExpressionSet::Bind(arguments, child->output()));
  spec.text = node->Describe();
  KeptColumns kept = KeepRequired(child->output(), required);
  spec.kept = std::move(kept.indices);
  AttributeVector output = std::move(kept.columns);
  output.insert(output.end(), eval.results().begin(), eval.results().end());
  return std::make_shared<EvalPython>(std::move(spec), std::move(output), std::move(child));
}

}  // namespace millrace::physical
