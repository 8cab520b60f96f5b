#include "physical/operator/transform_with_state.h"

#include <arrow/array/util.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/elapsed.h"
#include "base/error.h"
#include "base/json_value.h"
#include "expression/murmur3.h"
#include "expression/python/group_state.h"
#include "expression/python/worker_rows.h"
#include "physical/operator/map_in_python.h"
#include "physical/stateful/partitioned_output.h"
#include "physical/stateful/processor_variables.h"
#include "physical/stateful/state_partition_keys.h"
#include "physical/stateful/state_server.h"
#include "python/task_stream.h"
#include "state/state_stores.h"

namespace millrace::physical {

namespace {

using arrow::Result;
using arrow::Status;
using expression::ArrowPieces;

// A row in a worker, which asks for its state, costs what so many cost elsewhere.
constexpr int64_t kPythonRowWeight = 100;

// The rows of a range of groups, as the worker takes them.
std::shared_ptr<arrow::RecordBatch> RowsOf(const SortedGroups& sorted, const GroupedInput& input, size_t begin,
                                           size_t end) {
  if (begin == end) return nullptr;
  int64_t first = sorted.groups[begin].begin;
  int64_t num_rows = sorted.groups[end - 1].begin + sorted.groups[end - 1].length - first;
  arrow::ArrayVector columns;
  for (int column : input.columns) columns.push_back(sorted.rows->column(column)->Slice(first, num_rows));
  return expression::ForWorker(input.schema, columns, num_rows);
}

// Makes a worker's input: rows in batches of at most so many. With an initial state each row is a pair of structs, the
// other one NULL, and a batch has rows of one kind.
class RowsWriter {
 public:
  RowsWriter(std::shared_ptr<arrow::RecordBatch> initial, std::shared_ptr<arrow::RecordBatch> rows,
             const std::vector<GroupedInput>& inputs, int64_t max_rows)
      : parts_{std::move(initial), std::move(rows)},
        in_pairs_(inputs.size() == 2),
        max_rows_(max_rows),
        pieces_(in_pairs_ ? PairSchema(inputs) : inputs[0].schema) {}

  Result<bool> Next(std::string* out) {
    for (size_t part : {size_t{0}, size_t{1}}) {
      if (parts_[part] == nullptr || parts_[part]->num_rows() == 0) continue;
      int64_t taken = std::min(max_rows_, parts_[part]->num_rows());
      auto batch = parts_[part]->Slice(0, taken);
      parts_[part] = parts_[part]->Slice(taken);
      if (in_pairs_) {
        ARROW_ASSIGN_OR_RAISE(batch, AsPairs(*batch, part == 0));
      }
      ARROW_RETURN_NOT_OK(pieces_.Write(*batch, out));
      return true;
    }
    ARROW_RETURN_NOT_OK(pieces_.End(out));
    return false;
  }

 private:
  static std::shared_ptr<arrow::Schema> PairSchema(const std::vector<GroupedInput>& inputs) {
    return arrow::schema({arrow::field("inputData", arrow::struct_(inputs[0].schema->fields())),
                          arrow::field("initState", arrow::struct_(inputs[1].schema->fields()))});
  }
  Result<std::shared_ptr<arrow::RecordBatch>> AsPairs(const arrow::RecordBatch& rows, bool is_initial) const {
    const auto& schema = pieces_.schema();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> mine, rows.ToStructArray());
    int at = is_initial ? 1 : 0;
    ARROW_ASSIGN_OR_RAISE(auto other, arrow::MakeArrayOfNull(schema->field(1 - at)->type(), rows.num_rows()));
    arrow::ArrayVector columns(2);
    columns[static_cast<size_t>(at)] = std::move(mine);
    columns[static_cast<size_t>(1 - at)] = std::move(other);
    return arrow::RecordBatch::Make(schema, rows.num_rows(), std::move(columns));
  }

  std::array<std::shared_ptr<arrow::RecordBatch>, 2> parts_;
  bool in_pairs_;
  int64_t max_rows_;
  ArrowPieces pieces_;
};

}  // namespace

/// The state partitions [first, last) of one micro-batch.
class ProcessorTask {
 public:
  ProcessorTask(const TransformWithState& op, const StatefulBatch& batch, const SortedGroups& initial,
                const SortedGroups& sorted, const ExecutionContext& context, PartitionedOutput* output)
      : op_(op),
        spec_(op.spec_),
        batch_(batch),
        initial_(initial),
        sorted_(sorted),
        context_(context),
        output_(output),
        state_(batch, spec_.time_mode, context.streaming->timestamp_ms) {}

  Status Run(int first, int last) {
    ARROW_RETURN_NOT_OK(state_.Open(first, last, spec_.variables));
    std::vector<bool> due(static_cast<size_t>(last - first), false);
    for (int p = first; p < last && spec_.time_mode != TimeMode::kNone; ++p) {
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
    return spec_.time_mode == TimeMode::kEventTime ? batch_.eviction_watermark_ms : context_.streaming->timestamp_ms;
  }

  static bool HasRows(const SortedGroups& sorted, int first, int last) {
    auto [begin, end] = sorted.OfPartitions(first, last);
    return begin < end;
  }

  int PartitionOf(const std::vector<std::shared_ptr<arrow::ArrayData>>& key) const {
    const GroupingKeys& keys = spec_.keys[0];
    if (keys.partition_keys.empty()) return 0;
    std::vector<std::shared_ptr<arrow::ArrayData>> hashed;
    for (int i : keys.partition_keys) hashed.push_back(key[static_cast<size_t>(i)]);
    return expression::Pmod(expression::Murmur3Hash(hashed, keys.partition_key_types, 1)[0], batch_.num_partitions());
  }

  // One run of the processor over the partitions [first, last).
  Status Call(int first, int last) {
    StateServerSpec server_spec;
    server_spec.key_type = spec_.key_type;
    server_spec.time_mode = spec_.time_mode;
    server_spec.batch_time_ms = context_.streaming->timestamp_ms;
    server_spec.watermark_ms = batch_.eviction_watermark_ms;
    server_spec.max_rows = spec_.max_state_rows;
    server_spec.partition_of = [this](const auto& key) { return PartitionOf(key); };
    server_spec.first_partition = first;
    server_spec.last_partition = last;
    ARROW_ASSIGN_OR_RAISE(auto server, StateServer::Start(std::move(server_spec), &state_));
    python::TaskSpec task = spec_.task;
    task.partition = first;
    task.eval_conf["state_server_socket_port"] = server->path();
    auto [begin, end] = sorted_.OfPartitions(first, last);
    std::shared_ptr<arrow::RecordBatch> initial;
    if (spec_.inputs.size() == 2) {
      auto [initial_begin, initial_end] = initial_.OfPartitions(first, last);
      initial = RowsOf(initial_, spec_.inputs[1], initial_begin, initial_end);
    }
    RowsWriter writer(std::move(initial), RowsOf(sorted_, spec_.inputs[0], begin, end), spec_.inputs,
                      spec_.environment->max_records_per_batch);
    auto write = [&writer](std::string* out) { return writer.Next(out); };
    arrow::MemoryPool* pool = context_.eval.memory_pool;
    ARROW_ASSIGN_OR_RAISE(auto stream,
                          python::TaskStream::Start(spec_.environment, task, write, context_.cancelled, pool));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto answer, stream->NextBatch());
      if (answer == nullptr) break;
      if (answer->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(
          auto rows, expression::RowsOfStruct(answer, op_.schema(), spec_.output_types, spec_.task.eval_type, pool));
      output_->Append(first, std::move(rows));
    }
    return server->Finish(true);
  }

  const TransformWithState& op_;
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
    : StatefulOperator(std::move(children), std::move(output)), spec_(std::move(spec)) {}

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
  if (spec_.time_mode != TimeMode::kNone) {
    add_variable(spec_.time_mode == TimeMode::kEventTime ? "$eventTimers_keyToTimestamp" : "$procTimers_keyToTimestamp",
                 "TimerState", false);
  }
  JsonValue properties = JsonValue::Object();
  properties.Set("timeMode", JsonValue::String(std::string(TimeModeName(spec_.time_mode))));
  properties.Set("outputMode", JsonValue::String(spec_.output_mode));
  properties.Set("stateVariables", JsonValue::Array(std::move(variables)));
  info->properties_json = properties.ToString();
  static constexpr std::string_view kEncoders[] = {
      R"({"keyStateEncoderType":"NoPrefixKeyStateEncoderSpec"})",
      R"({"keyStateEncoderType":"PrefixKeyScanStateEncoderSpec","numColsPrefixKey":1})",
      R"({"keyStateEncoderType":"RangeKeyScanStateEncoderSpec","orderingOrdinals":[0]})"};
  for (StateFamilySpec& family : StateFamilies(spec_.variables, spec_.time_mode, spec_.key_type)) {
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
    ARROW_ASSIGN_OR_RAISE(initial, SortGroups(*children()[1], spec_.keys[1], EventTimeColumn(), batch, context));
  }
  ARROW_ASSIGN_OR_RAISE(SortedGroups sorted, SortGroups(*children()[0], spec_.keys[0], spec_.late, batch, context));
  CountVariables(batch.num_partitions(), &batch.metrics);
  auto run = [&](int i, int num_tasks, PartitionedOutput* output) -> Result<StateMetrics> {
    ProcessorTask task(*this, batch, initial, sorted, context, output);
    auto begin_of = [&](int n) { return static_cast<int>(int64_t{batch.num_partitions()} * n / num_tasks); };
    ARROW_RETURN_NOT_OK(task.Run(begin_of(i), begin_of(i + 1)));
    return task.metrics();
  };
  return RunStateTasks(*this, sorted.rows->num_rows() * kPythonRowWeight, batch, context, run);
}

int TransformWithState::num_partitions(const ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->num_partitions();
}

Result<std::unique_ptr<BatchStream>> TransformWithState::Open(int partition, ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
}

bool MatchesTransformWithState(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kTransformWithState;
}

namespace {

GroupingKeys KeysOf(const logical::GroupedColumns& columns, const GroupedInput& input,
                    std::vector<int> partition_keys) {
  GroupingKeys keys;
  keys.columns = input.keys;
  keys.partition_keys = std::move(partition_keys);
  for (int key : keys.partition_keys) {
    keys.partition_key_types.push_back(columns.keys[static_cast<size_t>(key)]->type());
  }
  return keys;
}

Status CheckInitialState(const logical::TransformWithState& node) {
  if (node.inputs().size() < 2) return Status::OK();
  const auto& keys = node.inputs()[0].keys;
  const auto& initial_keys = node.inputs()[1].keys;
  auto same = [](const auto& a, const auto& b) { return a->type()->EqualsIgnoreNullability(*b->type()); };
  if (std::equal(keys.begin(), keys.end(), initial_keys.begin(), initial_keys.end(), same)) return Status::OK();
  return Status::Invalid("The grouping columns of the initial state are of other types than those of the input");
}

}  // namespace

Result<OperatorPtr> PlanTransformWithState(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  if (!planner.options().streaming || !node->child()->is_streaming()) {
    return Status::NotImplemented("transformWithState of a DataFrame that is no stream is not supported");
  }
  const StreamingPlan& query = *planner.options().streaming;
  const auto& transform = static_cast<const logical::TransformWithState&>(*node);
  std::string provider = query.conf("spark.sql.streaming.stateStore.providerClass").value_or("");
  if (provider != state::kRocksDbProvider) {
    return UserError("UNSUPPORTED_FEATURE.STORE_BACKEND_NOT_SUPPORTED_FOR_TWS", {{"stateStoreProvider", provider}});
  }
  if (query.conf("spark.sql.streaming.stateStore.encodingFormat").value_or("unsaferow") != "unsaferow") {
    return Status::NotImplemented("spark.sql.streaming.stateStore.encodingFormat = avro is not supported");
  }
  ARROW_RETURN_NOT_OK(CheckInitialState(transform));
  TransformWithState::Spec spec;
  spec.environment = transform.processor().environment;
  spec.output_mode = transform.processor().output_mode;
  spec.output_mode[0] = static_cast<char>(spec.output_mode[0] - 'a' + 'A');
  spec.time_mode = transform.processor().time_mode == "eventtime"        ? TimeMode::kEventTime
                   : transform.processor().time_mode == "processingtime" ? TimeMode::kProcessingTime
                                                                         : TimeMode::kNone;
  const python::UserFunctionPtr& function = transform.processor().function;
  spec.task.eval_type = function->eval_type;
  spec.in_pandas = function->eval_type == python::EvalType::kTransformWithStatePandas ||
                   function->eval_type == python::EvalType::kTransformWithStatePandasInitState;
  spec.task.conf = spec.environment->conf;
  spec.task.conf["spark.sql.execution.arrow.maxRecordsPerBatch"] =
      std::to_string(spec.environment->max_records_per_batch);
  spec.task.calls = {{{function}, {}}};
  std::vector<OperatorPtr> children;
  for (size_t i = 0; i < transform.inputs().size(); ++i) {
    // All columns of the first child: that an event time is among them decides what is late, as in Spark.
    ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->children()[i]));
    const logical::GroupedColumns& columns = transform.inputs()[i];
    ARROW_ASSIGN_OR_RAISE(GroupedInput input,
                          MakeGroupedInput(columns, *child, *spec.environment, &spec.task.calls[0].arguments));
    spec.keys.push_back(KeysOf(columns, input, StatePartitionKeys(*node->child(), transform.inputs()[0].keys, query)));
    spec.inputs.push_back(std::move(input));
    children.push_back(std::move(child));
  }
  std::vector<types::StructField> key_fields;
  for (const auto& key : transform.inputs()[0].keys)
    key_fields.push_back({key->name(), key->type(), key->nullable(), ""});
  spec.key_type = types::Struct(std::move(key_fields));
  spec.task.eval_conf["grouping_key_schema"] = expression::SchemaForWorker(*spec.key_type);
  bool allow_multiple = query.conf("spark.sql.streaming.statefulOperator.allowMultiple").value_or("true") != "false";
  ARROW_ASSIGN_OR_RAISE(EventTimeColumn event_time, EventTimeColumn::Find(children[0]->output(), !allow_multiple));
  if (spec.time_mode == TimeMode::kEventTime) spec.late = event_time;
  if (auto rows = query.conf("spark.sql.execution.arrow.transformWithStateInPySpark.maxStateRecordsPerBatch")) {
    spec.max_state_rows = static_cast<size_t>(std::max<int64_t>(1, std::strtoll(rows->c_str(), nullptr, 10)));
  }
  ARROW_ASSIGN_OR_RAISE(spec.variables, DeclaredVariables(*spec.environment, *function, spec.key_type, spec.time_mode));
  for (const auto& column : transform.output()) spec.output_types.push_back(column->type());
  spec.text = node->Describe();
  return std::make_shared<TransformWithState>(std::move(spec), transform.output(), std::move(children));
}

}  // namespace millrace::physical
