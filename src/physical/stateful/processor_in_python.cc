#include <arrow/array/util.h>

#include <algorithm>
#include <array>

#include "expression/murmur3.h"
#include "expression/python/group_state.h"
#include "expression/python/worker_rows.h"
#include "physical/stateful/processor_run.h"
#include "physical/stateful/processor_variables.h"
#include "physical/stateful/state_server.h"
#include "python/task_stream.h"

namespace millrace::physical {

namespace {

using arrow::Result;
using arrow::Status;
using expression::ArrowPieces;

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

class ProcessorInPython final : public GroupProcessor {
 public:
  python::EnvironmentPtr environment;
  python::UserFunctionPtr function;
  python::TaskSpec task;
  std::shared_ptr<const ProcessorPlan> plan;
  std::vector<GroupedInput> inputs;
  std::vector<types::DataTypePtr> output_types;
  size_t max_state_rows = 10000;

  Result<std::vector<StateVariable>> DeclaredVariables() const override {
    return physical::DeclaredVariables(*environment, *function, plan->key_type, plan->time_mode);
  }

  Status Run(const ProcessorRun& run) const override {
    StateServerSpec server_spec;
    server_spec.key_type = plan->key_type;
    server_spec.time_mode = plan->time_mode;
    server_spec.batch_time_ms = run.context->streaming->timestamp_ms;
    server_spec.watermark_ms = run.batch->eviction_watermark_ms;
    server_spec.max_rows = max_state_rows;
    server_spec.partition_of = [&](const auto& key) { return PartitionOf(key, run.batch->num_partitions()); };
    server_spec.first_partition = run.first;
    server_spec.last_partition = run.last;
    ARROW_ASSIGN_OR_RAISE(auto server, StateServer::Start(std::move(server_spec), run.state));
    python::TaskSpec started = task;
    started.partition = run.first;
    started.eval_conf["state_server_socket_port"] = server->path();
    auto [begin, end] = run.sorted->OfPartitions(run.first, run.last);
    std::shared_ptr<arrow::RecordBatch> initial;
    if (inputs.size() == 2) {
      auto [initial_begin, initial_end] = run.initial->OfPartitions(run.first, run.last);
      initial = RowsOf(*run.initial, inputs[1], initial_begin, initial_end);
    }
    RowsWriter writer(std::move(initial), RowsOf(*run.sorted, inputs[0], begin, end), inputs,
                      environment->max_records_per_batch);
    auto write = [&writer](std::string* out) { return writer.Next(out); };
    arrow::MemoryPool* pool = run.context->eval.memory_pool;
    ARROW_ASSIGN_OR_RAISE(auto stream,
                          python::TaskStream::Start(environment, started, write, run.context->cancelled, pool));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto answer, stream->NextBatch());
      if (answer == nullptr) break;
      if (answer->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(auto rows,
                            expression::RowsOfStruct(answer, plan->output, output_types, task.eval_type, pool));
      ARROW_RETURN_NOT_OK(run.take_rows(run.first, std::move(rows)));
    }
    return server->Finish(true);
  }

 private:
  int PartitionOf(const std::vector<std::shared_ptr<arrow::ArrayData>>& key, int num_partitions) const {
    const GroupingKeys& keys = plan->keys;
    if (keys.partition_keys.empty()) return 0;
    std::vector<std::shared_ptr<arrow::ArrayData>> hashed;
    for (int i : keys.partition_keys) hashed.push_back(key[static_cast<size_t>(i)]);
    return expression::Pmod(expression::Murmur3Hash(hashed, keys.partition_key_types, 1)[0], num_partitions);
  }
};

}  // namespace

Result<std::unique_ptr<GroupProcessor>> MakeProcessorInPython(const logical::TransformWithState& node,
                                                              const std::vector<OperatorPtr>& children,
                                                              const StreamingPlan& query,
                                                              std::shared_ptr<const ProcessorPlan> plan,
                                                              std::vector<GroupedInput>* inputs) {
  auto made = std::make_unique<ProcessorInPython>();
  made->environment = node.processor().environment;
  made->function = node.processor().function;
  made->task = TaskOf(made->function, *made->environment);
  for (size_t i = 0; i < children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(GroupedInput input, MakeGroupedInput(node.inputs()[i], *children[i], *made->environment,
                                                               &made->task.calls[0].arguments));
    made->inputs.push_back(std::move(input));
  }
  made->task.eval_conf["grouping_key_schema"] = expression::SchemaForWorker(*plan->key_type);
  if (auto rows = query.conf("spark.sql.execution.arrow.transformWithStateInPySpark.maxStateRecordsPerBatch")) {
    made->max_state_rows = static_cast<size_t>(std::max<int64_t>(1, std::strtoll(rows->c_str(), nullptr, 10)));
  }
  for (const auto& column : node.output()) made->output_types.push_back(column->type());
  made->plan = std::move(plan);
  *inputs = made->inputs;
  return made;
}

}  // namespace millrace::physical
