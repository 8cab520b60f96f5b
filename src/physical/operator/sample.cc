#include "physical/operator/sample.h"

#include "function/scalar/math/xor_shift_random.h"
#include "logical/node/sample.h"
#include "physical/poisson_draws.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

class SampleStream final : public BatchStream {
 public:
  SampleStream(const Sample::Spec* spec, std::unique_ptr<BatchStream> input, int partition, arrow::MemoryPool* pool)
      : spec_(spec),
        input_(std::move(input)),
        random_(spec->seed + partition),
        poisson_(spec->upper - spec->lower, spec->seed, partition),
        pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) return nullptr;
      std::vector<int32_t> rows;
      for (int32_t row = 0; row < batch->num_rows(); ++row) {
        int64_t count = Draw();
        for (int64_t i = 0; i < count; ++i) rows.push_back(row);
      }
      if (rows.empty()) continue;
      auto num_rows = static_cast<int64_t>(rows.size());
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, TakeRows(batch->columns(), IndexArray(std::move(rows)), pool_));
      return arrow::RecordBatch::Make(batch->schema(), num_rows, std::move(columns));
    }
  }

 private:
  int64_t Draw() {
    if (spec_->upper - spec_->lower <= 0) return 0;
    if (spec_->with_replacement) return poisson_.Next();
    double draw = random_.NextDouble();
    return draw >= spec_->lower && draw < spec_->upper ? 1 : 0;
  }

  const Sample::Spec* spec_;
  std::unique_ptr<BatchStream> input_;
  function::XorShiftRandom random_;
  PoissonDraws poisson_;
  arrow::MemoryPool* pool_;
};

}  // namespace

Sample::Sample(Spec spec, OperatorPtr child) : Operator({child}, child->output()), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> Sample::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  int task = context.EvalContextOf(*this, partition).partition_index;
  return std::make_unique<SampleStream>(&spec_, std::move(input), task, context.eval.memory_pool);
}

bool MatchesSample(const logical::Plan& node) { return node.kind() == logical::NodeKind::kSample; }

arrow::Result<OperatorPtr> PlanSample(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner) {
  const auto& sample = static_cast<const logical::Sample&>(*node);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), required));
  Sample::Spec spec{sample.lower(), sample.upper(), sample.with_replacement(), sample.seed(), node->Describe()};
  return std::make_shared<Sample>(std::move(spec), std::move(child));
}

}  // namespace millrace::physical
