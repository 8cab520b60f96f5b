#include "physical/operator/limit.h"

#include "logical/node/limit.h"
#include "physical/operator/local_scan.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

class HeadStream final : public BatchStream {
 public:
  /// `rows_of_others`: so many rows are read of each partition that is not needed any more.
  HeadStream(const Operator* child, ExecutionContext* context, int64_t skip, int64_t left, int64_t rows_of_others)
      : child_(child), context_(context), skip_(skip), left_(left), rows_of_others_(rows_of_others) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (left_ > 0) {
      if (input_ == nullptr) {
        if (next_partition_ == child_->num_partitions(*context_)) return nullptr;
        ARROW_ASSIGN_OR_RAISE(input_, child_->Open(next_partition_++, *context_));
      }
      ARROW_RETURN_NOT_OK(context_->CheckCancelled());
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) {
        input_ = nullptr;
        continue;
      }
      int64_t skipped = std::min(skip_, batch->num_rows());
      skip_ -= skipped;
      int64_t taken = std::min(left_, batch->num_rows() - skipped);
      if (taken == 0) continue;
      left_ -= taken;
      if (left_ == 0) {
        input_ = nullptr;
        ARROW_RETURN_NOT_OK(ReadOthers());
      }
      return taken == batch->num_rows() ? batch : batch->Slice(skipped, taken);
    }
    return nullptr;
  }

 private:
  arrow::Status ReadOthers() {
    if (rows_of_others_ == 0) return arrow::Status::OK();
    for (; next_partition_ < child_->num_partitions(*context_); ++next_partition_) {
      ARROW_ASSIGN_OR_RAISE(auto input, child_->Open(next_partition_, *context_));
      for (int64_t num_rows = 0; num_rows < rows_of_others_;) {
        ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input->Next());
        if (batch == nullptr) break;
        num_rows += batch->num_rows();
      }
    }
    return arrow::Status::OK();
  }

  const Operator* child_;
  ExecutionContext* context_;
  std::unique_ptr<BatchStream> input_;
  int next_partition_ = 0;
  int64_t skip_;
  int64_t left_;
  int64_t rows_of_others_;
};

// Rows of a micro-batch are below, and Spark cuts each of its partitions.
struct CutsEachPartition final : OperatorState {};

arrow::Result<Batches> LastRows(const Operator& child, ExecutionContext& context, int64_t wanted) {
  std::deque<std::shared_ptr<arrow::RecordBatch>> last;
  for (int partition = child.num_partitions(context); partition-- > 0 && wanted > 0;) {
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, child.Open(partition, context));
    std::deque<std::shared_ptr<arrow::RecordBatch>> window;
    int64_t num_rows = 0;
    while (true) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input->Next());
      if (batch == nullptr) break;
      num_rows += batch->num_rows();
      window.push_back(std::move(batch));
      while (num_rows - window.front()->num_rows() >= wanted) {
        num_rows -= window.front()->num_rows();
        window.pop_front();
      }
    }
    if (num_rows > wanted) {
      window.front() = window.front()->Slice(num_rows - wanted);
      num_rows = wanted;
    }
    wanted -= num_rows;
    last.insert(last.begin(), window.begin(), window.end());
  }
  return Batches(last.begin(), last.end());
}

}  // namespace

Limit::Limit(std::optional<int64_t> limit, int64_t offset, bool tail, bool is_collected, OperatorPtr child)
    : Operator({child}, child->output()), limit_(limit), offset_(offset), tail_(tail), is_collected_(is_collected) {}

arrow::Status Limit::Prepare(ExecutionContext& context) const {
  if (limit_ == 0) return arrow::Status::OK();  // nothing below need run
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  if (limit_.has_value() && !tail_ && BoundRowsRead(*children()[0], *limit_ + offset_, context) && !is_collected_) {
    context.states[this] = std::make_unique<CutsEachPartition>();
  }
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<BatchStream>> Limit::Open(int, ExecutionContext& context) const {
  if (limit_ == 0) return StreamOf({}, context.batch_rows);
  if (tail_) {
    ARROW_ASSIGN_OR_RAISE(Batches rows, LastRows(*children()[0], context, *limit_));
    return StreamOf(std::move(rows), context.batch_rows);
  }
  int64_t limit = limit_.value_or(std::numeric_limits<int64_t>::max());
  int64_t rows_of_others = context.StateOf<CutsEachPartition>(*this) == nullptr ? 0 : limit + offset_;
  return std::make_unique<HeadStream>(children()[0].get(), &context, offset_, limit, rows_of_others);
}

std::string Limit::Describe() const {
  if (tail_) return fmt::format("CollectTail {}", limit_.value_or(0));
  if (!limit_.has_value()) return fmt::format("GlobalLimit -1, {}", offset_);
  return offset_ == 0 ? fmt::format("CollectLimit {}", *limit_) : fmt::format("GlobalLimit {}, {}", *limit_, offset_);
}

bool MatchesLimit(const logical::Plan& node) { return node.kind() == logical::NodeKind::kLimit; }

arrow::Result<OperatorPtr> PlanLimit(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner) {
  const auto& limit = static_cast<const logical::Limit&>(*node);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), required));
  return std::make_shared<Limit>(limit.limit(), limit.offset(), limit.tail(), planner.is_collected(*node),
                                 std::move(child));
}

}  // namespace millrace::physical
