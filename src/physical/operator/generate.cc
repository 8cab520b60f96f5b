#include "physical/operator/generate.h"

#include <arrow/array/array_primitive.h>

#include "base/error.h"
#include "expression/python/python_table.h"
#include "logical/node/generate.h"
#include "physical/operator/eval_python_table.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

class GenerateStream final : public BatchStream {
 public:
  GenerateStream(const Generate::Spec* spec, std::shared_ptr<arrow::Schema> schema, std::unique_ptr<BatchStream> input,
                 expression::EvalContext evaluation, int64_t batch_rows)
      : spec_(spec),
        schema_(std::move(schema)),
        input_(std::move(input)),
        evaluation_(evaluation),
        batch_rows_(batch_rows) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (made_ != nullptr) {
        ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> slice, made_->Next());
        if (slice != nullptr) return slice;
        made_ = nullptr;
      }
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) return nullptr;
      if (batch->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows, GenerateRows(batch));
      evaluation_.row_offset += batch->num_rows();
      if (rows->num_rows() > 0) made_ = StreamOf({std::move(rows)}, batch_rows_);
    }
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> GenerateRows(const std::shared_ptr<arrow::RecordBatch>& batch) {
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector arguments, spec_->arguments.Evaluate(evaluation_, batch));
    std::vector<arrow::Datum> data(arguments.begin(), arguments.end());
    ARROW_ASSIGN_OR_RAISE(expression::Generated generated,
                          spec_->generator->kernel()(evaluation_, data, batch->num_rows()));
    if (spec_->outer) ARROW_RETURN_NOT_OK(AddMissingRows(batch->num_rows(), &generated));
    arrow::ArrayVector columns;
    for (int column : spec_->kept) columns.push_back(batch->column(column));
    ARROW_ASSIGN_OR_RAISE(columns, TakeRows(columns, generated.input_rows, evaluation_.memory_pool));
    columns.insert(columns.end(), generated.columns.begin(), generated.columns.end());
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = Relabel(columns[i], schema_->field(static_cast<int>(i))->type());
    }
    return arrow::RecordBatch::Make(schema_, generated.input_rows->length(), std::move(columns));
  }

  // One row of NULLs for each input row that has none.
  arrow::Status AddMissingRows(int64_t num_rows, expression::Generated* generated) {
    const auto& made = static_cast<const arrow::Int32Array&>(*generated->input_rows);
    std::vector<int32_t> input_rows, taken;
    int64_t next = 0;
    for (int32_t row = 0; row < num_rows; ++row) {
      bool missing = next == made.length() || made.Value(next) != row;
      if (missing) {
        input_rows.push_back(row);
        taken.push_back(-1);
      }
      for (; next < made.length() && made.Value(next) == row; ++next) {
        input_rows.push_back(row);
        taken.push_back(static_cast<int32_t>(next));
      }
    }
    if (static_cast<int64_t>(input_rows.size()) == made.length()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices,
                          NullableIndexArray(std::move(taken), evaluation_.memory_pool));
    ARROW_ASSIGN_OR_RAISE(generated->columns, TakeRows(generated->columns, indices, evaluation_.memory_pool));
    generated->input_rows = IndexArray(std::move(input_rows));
    return arrow::Status::OK();
  }

  const Generate::Spec* spec_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  expression::EvalContext evaluation_;
  int64_t batch_rows_;
  std::unique_ptr<BatchStream> made_;
};

}  // namespace

Generate::Generate(Spec spec, AttributeVector output, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> Generate::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<GenerateStream>(&spec_, schema(), std::move(input), context.EvalContextOf(*this, partition),
                                          context.batch_rows);
}

bool MatchesGenerate(const logical::Plan& node) { return node.kind() == logical::NodeKind::kGenerate; }

arrow::Result<OperatorPtr> PlanGenerate(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner) {
  const auto& generate = static_cast<const logical::Generate&>(*node);
  if (generate.generator()->kind() != expression::ExpressionKind::kGeneratorCall) {
    return InternalError("not a generator: " + generate.generator()->Sql());
  }
  if (expression::PythonTableOf(static_cast<const expression::GeneratorCall&>(*generate.generator())) != nullptr) {
    return PlanEvalPythonTable(node, required, planner);
  }
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));

  Generate::Spec spec;
  spec.generator = std::static_pointer_cast<const expression::GeneratorCall>(generate.generator());
  ARROW_ASSIGN_OR_RAISE(spec.arguments, ExpressionSet::Bind(spec.generator->children(), child->output()));
  spec.outer = generate.outer();
  spec.text = node->Describe();
  KeptColumns kept = KeepRequired(child->output(), required);
  spec.kept = std::move(kept.indices);
  AttributeVector output = std::move(kept.columns);
  output.insert(output.end(), generate.generated().begin(), generate.generated().end());
  return std::make_shared<Generate>(std::move(spec), std::move(output), std::move(child));
}

}  // namespace millrace::physical
