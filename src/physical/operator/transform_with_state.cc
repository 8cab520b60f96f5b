#include "physical/operator/transform_with_state.h"

#include <chrono>

#include "base/elapsed.h"
#include "base/error.h"
#include "base/json_value.h"
#include "physical/operator/transform_once.h"
#include "physical/stateful/state_partition_keys.h"
#include "state/state_stores.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

using arrow::Result;
using arrow::Status;

// A row in a worker that asks for its state, or in a processor of the user's own, costs what so many cost elsewhere.
constexpr int64_t kPythonRowWeight = 100;
constexpr int64_t kNativeRowWeight = 10;

}  // namespace

/// The state partitions [first, last) of one micro-batch.
class ProcessorTask {
 public:
  ProcessorTask(const TransformWithState& op, const StatefulBatch& batch, const SortedGroups& initial,
                const SortedGroups& sorted, const ExecutionContext& context, PartitionedOutput* output)
      : spec_(op.spec_),
        batch_(batch),
        initial_(initial),
        sorted_(sorted),
        context_(context),
        output_(output),
        state_(batch, spec_.plan->time_mode, context.streaming->timestamp_ms) {}

  Status Run(int first, int last) {
    ARROW_RETURN_NOT_OK(state_.Open(first, last, spec_.variables));
    std::vector<bool> due(static_cast<size_t>(last - first), false);
    for (int p = first; p < last && spec_.plan->time_mode != TimeMode::kNone; ++p) {
      ARROW_ASSIGN_OR_RAISE(auto timers, state_.DueTimers(p, threshold_ms(), 1));
      due[static_cast<size_t>(p - first)] = !timers.empty();
    }
    auto is_due = [&](int p) { return due[static_cast<size_t>(p - first)]; };
    auto has_rows = [&](int p) { return HasRows(sorted_, p, p + 1) || HasRows(initial_, p, p + 1); };
    auto start = std::chrono::steady_clock::now();
    for (int p = first, end = first; p < last; p = end) {
      ARROW_RETURN_NOT_OK(context_.CheckCancelled());
      // Data of partitions up to one with timers that are due, and the timers of those after it that have no data: the
      // worker gives all data first.
      bool any_due = false;
      for (end = p; end < last && !(any_due && has_rows(end)); ++end) any_due = any_due || is_due(end);
      if (any_due || HasRows(sorted_, p, end) || HasRows(initial_, p, end)) ARROW_RETURN_NOT_OK(Call(p, end));
    }
    metrics_.update_us += MicrosSince(start);
    start = std::chrono::steady_clock::now();
    for (int p = first; p < last; ++p) ARROW_RETURN_NOT_OK(state_.CleanUp(p));
    metrics_.Add(state_.metrics());
    metrics_.removal_us += MicrosSince(start);
    return Status::OK();
  }

  const StateMetrics& metrics() const { return metrics_; }

 private:
  int64_t threshold_ms() const {
    return spec_.plan->time_mode == TimeMode::kEventTime ? batch_.eviction_watermark_ms
                                                         : context_.streaming->timestamp_ms;
  }

  static bool HasRows(const SortedGroups& sorted, int first, int last) {
    auto [begin, end] = sorted.OfPartitions(first, last);
    return begin < end;
  }

  // One run of the processor over the partitions [first, last).
  Status Call(int first, int last) {
    ProcessorRun run;
    run.first = first;
    run.last = last;
    run.sorted = &sorted_;
    run.initial = &initial_;
    run.state = &state_;
    run.batch = &batch_;
    run.context = &context_;
    run.threshold_ms = threshold_ms();
    run.take_rows = [this](int partition, std::shared_ptr<arrow::RecordBatch> rows) -> Status {
      ARROW_RETURN_NOT_OK(CheckEmitted(*rows));
      output_->Append(partition, std::move(rows));
      return Status::OK();
    };
    return spec_.processor->Run(run);
  }

  // Source: Spark, UpdateEventTimeColumnExec.
  Status CheckEmitted(const arrow::RecordBatch& rows) const {
    if (!spec_.emitted.found()) return Status::OK();
    const arrow::Array& times = *rows.column(spec_.emitted.index());
    ARROW_ASSIGN_OR_RAISE(auto late, EventTimeColumn::FirstLate(times, batch_.late_watermark_ms));
    if (!late) return Status::OK();
    return UserError("EMITTING_ROWS_OLDER_THAN_WATERMARK_NOT_ALLOWED",
                     {{"currentWatermark", std::to_string(batch_.late_watermark_ms)},
                      {"emittedRowEventTime", std::to_string(*late)}});
  }

  const TransformWithState::Spec& spec_;
  const StatefulBatch& batch_;
  const SortedGroups& initial_;
  const SortedGroups& sorted_;
  const ExecutionContext& context_;
  PartitionedOutput* output_;
  ProcessorState state_;
  StateMetrics metrics_;
};

TransformWithState::TransformWithState(Spec spec, AttributeVector output, std::vector<OperatorPtr> children)
    : GroupedOperator(spec.text, std::move(output), std::move(children)), spec_(std::move(spec)) {}

void TransformWithState::DescribeFamilies(state::StatefulOperatorInfo* info) const {
  info->has_families = true;
  std::vector<JsonValue> variables;
  auto add_variable = [&](std::string name, std::string_view kind, bool has_ttl) {
    JsonValue variable = JsonValue::Object();
    variable.Set("stateName", JsonValue::String(std::move(name)));
    variable.Set("stateVariableType", JsonValue::String(std::string(kind)));
    variable.Set("ttlEnabled", JsonValue::Bool(has_ttl));
    variables.push_back(std::move(variable));
  };
  for (const StateVariable& variable : spec_.variables) {
    add_variable(variable.name, StateVariableKindName(variable.kind), variable.ttl_ms.has_value());
  }
  if (spec_.plan->time_mode != TimeMode::kNone) {
    add_variable(
        spec_.plan->time_mode == TimeMode::kEventTime ? "$eventTimers_keyToTimestamp" : "$procTimers_keyToTimestamp",
        "TimerState", false);
  }
  JsonValue properties = JsonValue::Object();
  properties.Set("timeMode", JsonValue::String(std::string(TimeModeName(spec_.plan->time_mode))));
  properties.Set("outputMode", JsonValue::String(spec_.output_mode));
  properties.Set("stateVariables", JsonValue::Array(std::move(variables)));
  info->properties_json = properties.ToString();
  constexpr std::string_view kWhole = R"({"keyStateEncoderType":"NoPrefixKeyStateEncoderSpec"})";
  if (spec_.is_native) {
    // Spark's Scala processors have it, its Python ones do not.
    info->families.push_back({"default", spec_.grouping_type, types::Struct({{"value", types::Binary(), true, ""}}),
                              std::string(kWhole), nullptr});
  }
  static constexpr std::string_view kEncoders[] = {
      kWhole, R"({"keyStateEncoderType":"PrefixKeyScanStateEncoderSpec","numColsPrefixKey":1})",
      R"({"keyStateEncoderType":"RangeKeyScanStateEncoderSpec","orderingOrdinals":[0]})"};
  for (StateFamilySpec& family : StateFamilies(spec_.variables, spec_.plan->time_mode, spec_.plan->key_type)) {
    info->families.push_back({std::move(family.name), std::move(family.key), std::move(family.value),
                              std::string(kEncoders[static_cast<size_t>(family.layout)]), std::move(family.user_key)});
  }
}

std::vector<std::string_view> TransformWithState::custom_metrics() const {
  return {"initialStateProcessingTimeMs",
          "numValueStateVars",
          "numListStateVars",
          "numMapStateVars",
          "numDeletedStateVars",
          "timerProcessingTimeMs",
          "numRegisteredTimers",
          "numDeletedTimers",
          "numExpiredTimers",
          "numValueStateWithTTLVars",
          "numListStateWithTTLVars",
          "numMapStateWithTTLVars",
          "numValuesRemovedDueToTTLExpiry"};
}

// Spark counts them in each task.
void TransformWithState::CountVariables(int num_partitions, StateMetrics* metrics) const {
  static constexpr const char* kNames[] = {"numValueState", "numListState", "numMapState"};
  for (const StateVariable& variable : spec_.variables) {
    std::string name = kNames[static_cast<size_t>(variable.kind)];
    metrics->custom[name + (variable.ttl_ms ? "WithTTLVars" : "Vars")] += num_partitions;
  }
}

Status TransformWithState::Prepare(ExecutionContext& context) const {
  StatefulBatch& batch = BatchOf(context);
  ARROW_RETURN_NOT_OK(children()[0]->Prepare(context));
  SortedGroups initial;
  if (children().size() == 2 && context.streaming->batch_id.value == 0) {
    ARROW_RETURN_NOT_OK(children()[1]->Prepare(context));
    ARROW_ASSIGN_OR_RAISE(initial, SortGroups(*children()[1], spec_.initial_keys, EventTimeColumn(), batch, context));
  }
  ARROW_ASSIGN_OR_RAISE(SortedGroups sorted, SortGroups(*children()[0], spec_.plan->keys, spec_.late, batch, context));
  CountVariables(batch.num_partitions(), &batch.metrics);
  auto run = [&](int first, int last, PartitionedOutput* output) -> Result<StateMetrics> {
    ProcessorTask task(*this, batch, initial, sorted, context, output);
    ARROW_RETURN_NOT_OK(task.Run(first, last));
    return task.metrics();
  };
  int64_t weight = spec_.is_native ? kNativeRowWeight : kPythonRowWeight;
  return RunRanges(sorted.rows->num_rows(), weight, batch, context, run);
}

bool MatchesTransformWithState(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kTransformWithState;
}

Result<OperatorPtr> PlanTransformWithState(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  bool once = !planner.options().streaming || !node->child()->is_streaming();
  StreamingPlan without_stream;
  without_stream.conf = [](std::string_view) { return std::nullopt; };
  const StreamingPlan& query = once ? without_stream : *planner.options().streaming;
  const auto& transform = static_cast<const logical::TransformWithState&>(*node);
  const logical::TransformWithState::Processor& processor = transform.processor();
  std::string provider = query.conf("spark.sql.streaming.stateStore.providerClass").value_or("");
  if (!once && provider != state::kRocksDbProvider) {
    return UserError("UNSUPPORTED_FEATURE.STORE_BACKEND_NOT_SUPPORTED_FOR_TWS", {{"stateStoreProvider", provider}});
  }
  if (query.conf("spark.sql.streaming.stateStore.encodingFormat").value_or("unsaferow") != "unsaferow") {
    return Status::NotImplemented("spark.sql.streaming.stateStore.encodingFormat = avro is not supported");
  }
  ARROW_RETURN_NOT_OK(CheckInitialState(transform.inputs()));
  TransformWithState::Spec spec;
  auto plan = std::make_shared<ProcessorPlan>();
  spec.is_native = processor.native != nullptr;
  spec.output_mode = processor.output_mode;
  spec.output_mode[0] = static_cast<char>(spec.output_mode[0] - 'a' + 'A');
  plan->time_mode = processor.time_mode == "eventtime"        ? TimeMode::kEventTime
                    : processor.time_mode == "processingtime" ? TimeMode::kProcessingTime
                                                              : TimeMode::kNone;
  if (!spec.is_native) {
    python::EvalType type = processor.function->eval_type;
    spec.in_pandas = type == python::EvalType::kTransformWithStatePandas ||
                     type == python::EvalType::kTransformWithStatePandasInitState;
  }
  std::vector<OperatorPtr> children;
  for (const auto& below : node->children()) {
    // All columns of the first child: that an event time is among them decides what is late, as in Spark.
    ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(below));
    children.push_back(std::move(child));
  }
  const logical::GroupedColumns& columns = transform.inputs()[0];
  spec.grouping_type = KeyStruct(columns.keys, false);
  plan->key_type = spec.is_native ? processor.native->key : spec.grouping_type;
  arrow::FieldVector fields;
  for (const auto& column : transform.output()) fields.push_back(types::ToArrow(column->ToField()));
  plan->output = arrow::schema(std::move(fields));
  std::vector<GroupedInput> inputs;
  auto make = spec.is_native ? MakeNativeProcessor : MakeProcessorInPython;
  ARROW_ASSIGN_OR_RAISE(spec.processor, make(transform, children, query, plan, &inputs));
  std::vector<int> partition_keys = StatePartitionKeys(*node->child(), columns.keys, query);
  plan->keys = MakeGroupingKeys(columns, inputs[0].keys, partition_keys);
  if (inputs.size() == 2) spec.initial_keys = MakeGroupingKeys(columns, inputs[1].keys, partition_keys);
  ARROW_ASSIGN_OR_RAISE(EventTimeColumn event_time, FindEventTime(children[0]->output(), query));
  if (plan->time_mode == TimeMode::kEventTime && !once) spec.late = event_time;
  if (!once) {
    ARROW_ASSIGN_OR_RAISE(spec.emitted, EventTimeColumn::Find(transform.output(), true));
  }
  spec.plan = std::move(plan);
  ARROW_ASSIGN_OR_RAISE(spec.variables, spec.processor->DeclaredVariables());
  spec.text = node->Describe();
  auto made = std::make_shared<TransformWithState>(std::move(spec), transform.output(), std::move(children));
  if (once) return std::make_shared<TransformOnce>(std::move(made));
  return made;
}

}  // namespace millrace::physical
