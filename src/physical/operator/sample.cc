#include "physical/operator/sample.h"

#include <cmath>

#include "logical/node/sample.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

uint32_t RotateLeft(uint32_t value, int by) { return value << by | value >> (32 - by); }

// MurmurHash3 of 8 bytes in big-endian order: how the generator of rand() is seeded.
uint32_t HashLong(uint64_t value, uint32_t seed) {
  uint32_t hash = seed;
  for (int half = 0; half < 2; ++half) {
    auto word = static_cast<uint32_t>(half == 0 ? value >> 32 : value);
    word = __builtin_bswap32(word) * 0xCC9E2D51u;
    hash ^= RotateLeft(word, 15) * 0x1B873593u;
    hash = RotateLeft(hash, 13) * 5 + 0xE6546B64u;
  }
  hash ^= 8;
  hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
  return hash ^ hash >> 16;
}

// The generator of rand(): xorshift over a hashed seed.
class Draws {
 public:
  explicit Draws(int64_t seed) {
    uint32_t low = HashLong(static_cast<uint64_t>(seed), 0x3C074A61u);
    uint32_t high = HashLong(static_cast<uint64_t>(seed), low);
    state_ = uint64_t{high} << 32 | low;
  }

  double NextDouble() {
    uint64_t high = NextBits(26);
    return static_cast<double>((high << 27) + NextBits(27)) * 0x1.0p-53;
  }

  int64_t NextPoisson(double mean) {
    double limit = std::exp(-mean);
    double product = NextDouble();
    int64_t count = 0;
    for (; product > limit; product *= NextDouble()) ++count;
    return count;
  }

 private:
  uint64_t NextBits(int bits) {
    state_ ^= state_ << 21;
    state_ ^= state_ >> 35;
    state_ ^= state_ << 4;
    return state_ & ((uint64_t{1} << bits) - 1);
  }

  uint64_t state_;
};

class SampleStream final : public BatchStream {
 public:
  SampleStream(const Sample::Spec* spec, std::unique_ptr<BatchStream> input, int partition, arrow::MemoryPool* pool)
      : spec_(spec), input_(std::move(input)), draws_(spec->seed + partition), pool_(pool) {}

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
    if (spec_->with_replacement) return draws_.NextPoisson(spec_->upper - spec_->lower);
    if (spec_->upper - spec_->lower <= 0) return 0;
    double draw = draws_.NextDouble();
    return draw >= spec_->lower && draw < spec_->upper ? 1 : 0;
  }

  const Sample::Spec* spec_;
  std::unique_ptr<BatchStream> input_;
  Draws draws_;
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
