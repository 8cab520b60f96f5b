#include "physical/operator/event_time_watermark.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>

#include "base/error.h"
#include "physical/rows.h"
#include "physical/stateful/stateful_operator.h"

namespace millrace::physical {

namespace {

constexpr int64_t kMicrosPerMilli = 1000;

int64_t FloorMillis(int64_t micros) {
  int64_t millis = micros / kMicrosPerMilli;
  return micros % kMicrosPerMilli < 0 ? millis - 1 : millis;
}

void Observe(const arrow::Array& times, EventTimeStats* stats) {
  const int64_t* values = times.data()->GetValues<int64_t>(1);
  bool nulls = times.null_count() > 0;
  for (int64_t row = 0; row < times.length(); ++row) {
    stats->Add(nulls && times.IsNull(row) ? 0 : FloorMillis(values[row]));
  }
}

class ObservingStream final : public BatchStream {
 public:
  ObservingStream(int event_time, const Operator* owner, ExecutionContext* context, std::unique_ptr<BatchStream> input)
      : event_time_(event_time), owner_(owner), context_(context), input_(std::move(input)) {}

  ~ObservingStream() override {
    // A limit above may have had enough: what was seen counts.
    if (context_->streaming == nullptr || stats_.count == 0) return;
    std::lock_guard lock(context_->metrics_mutex);
    context_->streaming->event_times[owner_].Merge(stats_);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
    if (batch == nullptr) return nullptr;
    std::shared_ptr<arrow::Array> times = batch->column(event_time_);
    if (times->type_id() == arrow::Type::STRUCT) {
      ARROW_ASSIGN_OR_RAISE(times, static_cast<const arrow::StructArray&>(*times).GetFlattenedField(1));
    }
    Observe(*times, &stats_);
    return WithSchema(batch, owner_->schema());
  }

 private:
  int event_time_;
  const Operator* owner_;
  ExecutionContext* context_;
  std::unique_ptr<BatchStream> input_;
  EventTimeStats stats_;
};

void Collect(const Operator& node, std::vector<const EventTimeWatermark*>* found) {
  if (const auto* watermark = dynamic_cast<const EventTimeWatermark*>(&node)) found->push_back(watermark);
  for (const OperatorPtr& child : node.children()) Collect(*child, found);
}

}  // namespace

EventTimeWatermark::EventTimeWatermark(int event_time, const logical::Watermark& node, AttributeVector output,
                                       OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)),
      event_time_(event_time),
      event_time_attribute_(node.event_time()),
      delay_ms_(node.delay_us() / kMicrosPerMilli),
      key_(node.key()),
      text_(node.Describe()) {}

arrow::Result<std::unique_ptr<BatchStream>> EventTimeWatermark::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<ObservingStream>(event_time_, this, &context, std::move(input));
}

bool MatchesEventTimeWatermark(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kWatermark && node.is_streaming();
}

arrow::Result<OperatorPtr> PlanEventTimeWatermark(const logical::PlanPtr& node, const RequiredColumns& required,
                                                  Planner& planner) {
  const auto& watermark = static_cast<const logical::Watermark&>(*node);
  RequiredColumns needed = required;
  if (needed.has_value()) needed->insert(watermark.event_time()->id());
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  int event_time = -1;
  AttributeVector output;
  for (const auto& column : child->output()) {
    if (column->id() == watermark.event_time()->id()) event_time = static_cast<int>(output.size());
    auto same = [&](const auto& marked) { return marked->id() == column->id(); };
    auto it = std::find_if(node->output().begin(), node->output().end(), same);
    output.push_back(it == node->output().end() ? column : *it);
  }
  if (event_time < 0) return InternalError("no column " + watermark.event_time()->name() + " below its watermark");
  return std::make_shared<EventTimeWatermark>(event_time, watermark, std::move(output), std::move(child));
}

std::vector<const EventTimeWatermark*> EventTimeWatermarks(const Operator& root) {
  std::vector<const EventTimeWatermark*> found;
  Collect(root, &found);
  return found;
}

}  // namespace millrace::physical
