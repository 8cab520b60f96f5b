#include <arrow/array/util.h>
#include <arrow/util/byte_size.h>

#include <algorithm>

#include "expression/python/group_state.h"
#include "expression/python/pickled_rows.h"
#include "expression/python/worker_rows.h"
#include "physical/stateful/group_function.h"
#include "python/task_stream.h"

namespace millrace::physical {

namespace {

using expression::ArrowPieces;
using expression::GroupStateColumn;
using expression::GroupStateSetting;

// Groups as a worker takes them.
struct WorkerGroups {
  const StateGroups* groups = nullptr;
  std::shared_ptr<arrow::RecordBatch> rows;
  /// A group that timed out has one row of its keys and NULLs.
  bool one_row_each = false;
  /// Pickled; empty: none.
  std::vector<std::string> states;

  int64_t length(size_t group) const { return one_row_each ? 1 : groups->lengths[group]; }
  size_t size() const { return groups->lengths.size(); }
};

// Makes a worker's input of groups: their rows in batches of at most so many, cut where Spark cuts them.
class GroupWriter {
 public:
  GroupWriter(const WorkerGroups* groups, const GroupStateSetting& setting, int64_t max_rows)
      : groups_(groups), states_(setting), max_rows_(max_rows), pieces_(Schema(*groups->rows->schema())) {}

  arrow::Result<bool> Next(std::string* out) {
    if (group_ == groups_->size()) {
      ARROW_RETURN_NOT_OK(pieces_.End(out));
      return false;
    }
    int64_t begin = row_, num_rows = 0;
    // Spark has a run, and so batches, for each partition.
    const std::vector<int32_t>& partitions = groups_->groups->partitions;
    int32_t partition = partitions[group_];
    while (group_ < groups_->size() && partitions[group_] == partition && num_rows < max_rows_) {
      int64_t left = groups_->length(group_) - row_in_group_;
      int64_t taken = std::min(left, max_rows_ - num_rows);
      const std::string& state = groups_->states[group_];
      GroupStateColumn::Piece piece{
          groups_->groups->keys[static_cast<int64_t>(group_)], {}, num_rows, taken, taken == left};
      if (!state.empty()) piece.pickle = state;
      ARROW_RETURN_NOT_OK(states_.Append(piece));
      num_rows += taken;
      row_in_group_ += taken;
      if (piece.last) {
        ++group_;
        row_in_group_ = 0;
      }
    }
    row_ += num_rows;
    arrow::ArrayVector columns = groups_->rows->Slice(begin, num_rows)->columns();
    ARROW_ASSIGN_OR_RAISE(auto states, states_.Finish(num_rows));
    columns.push_back(std::move(states));
    ARROW_RETURN_NOT_OK(pieces_.Write(*arrow::RecordBatch::Make(pieces_.schema(), num_rows, std::move(columns)), out));
    return true;
  }

 private:
  static std::shared_ptr<arrow::Schema> Schema(const arrow::Schema& rows) {
    arrow::FieldVector fields = rows.fields();
    fields.push_back(arrow::field("__state", GroupStateColumn::Type()));
    return arrow::schema(std::move(fields));
  }

  const WorkerGroups* groups_;
  GroupStateColumn states_;
  int64_t max_rows_;
  ArrowPieces pieces_;
  size_t group_ = 0;
  int64_t row_in_group_ = 0;
  int64_t row_ = 0;
};

class GroupFunctionInPython final : public GroupFunction {
 public:
  python::EnvironmentPtr environment;
  python::TaskSpec task;
  GroupedInput input;
  types::DataTypePtr state_type;
  std::vector<types::DataTypePtr> output_types;
  std::shared_ptr<arrow::Schema> output;

  arrow::Status Run(const StateGroups& groups, const GroupStateSetting& setting, const ExecutionContext& context,
                    const TakeRows& take_rows, const TakeChanges& take_changes) const override {
    arrow::MemoryPool* pool = context.eval.memory_pool;
    ARROW_ASSIGN_OR_RAISE(WorkerGroups sent, ToWorker(groups, setting.has_timed_out, pool));
    GroupWriter writer(&sent, setting, MaxRows(*sent.rows));
    python::TaskSpec run = task;
    run.partition = groups.partitions[0];
    auto write = [&writer](std::string* out) { return writer.Next(out); };
    ARROW_ASSIGN_OR_RAISE(auto stream, python::TaskStream::Start(environment, run, write, context.cancelled, pool));
    size_t next_group = 0;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, stream->NextBatch());
      if (batch == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(auto answer, expression::ReadGroupStateAnswer(*batch));
      if (answer.num_rows > 0) {
        ARROW_ASSIGN_OR_RAISE(auto rows, expression::RowsOfStruct(batch, output, output_types, task.eval_type, pool,
                                                                  expression::kAnswerRowsColumn));
        take_rows(rows->Slice(0, answer.num_rows));
      }
      if (next_group + static_cast<size_t>(answer.num_states) > groups.lengths.size()) {
        return arrow::Status::IOError("Python worker: states of more groups than there are");
      }
      ARROW_RETURN_NOT_OK(TakeStates(answer, next_group, pool, take_changes));
      next_group += static_cast<size_t>(answer.num_states);
    }
    if (next_group != groups.lengths.size()) return arrow::Status::IOError("Python worker: groups without their state");
    return arrow::Status::OK();
  }

 private:
  arrow::Result<WorkerGroups> ToWorker(const StateGroups& groups, bool timed_out, arrow::MemoryPool* pool) const {
    WorkerGroups sent;
    sent.groups = &groups;
    sent.one_row_each = timed_out;
    sent.states.resize(groups.lengths.size());
    for (int64_t i = 0; i < groups.states->length(); ++i) {
      if (groups.states->IsNull(i)) continue;
      ARROW_RETURN_NOT_OK(
          expression::AppendPickledStruct(*groups.states, i, *state_type, &sent.states[static_cast<size_t>(i)]));
    }
    arrow::ArrayVector columns;
    auto num_groups = static_cast<int64_t>(groups.lengths.size());
    for (size_t i = 0; i < input.columns.size(); ++i) {
      if (!timed_out) {
        columns.push_back(groups.columns[static_cast<size_t>(input.columns[i])]);
        continue;
      }
      auto key = std::find(input.keys.begin(), input.keys.end(), input.columns[i]);
      if (key != input.keys.end()) {
        columns.push_back(groups.key_columns[static_cast<size_t>(key - input.keys.begin())]);
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto none,
                            arrow::MakeArrayOfNull(input.schema->field(static_cast<int>(i))->type(), num_groups, pool));
      columns.push_back(std::move(none));
    }
    sent.rows = expression::ForWorker(input.schema, columns, timed_out ? num_groups : groups.num_rows);
    return sent;
  }

  int64_t MaxRows(const arrow::RecordBatch& rows) const {
    int64_t bytes = arrow::util::ReferencedBufferSize(rows).ValueOr(1) / rows.num_rows();
    return std::clamp<int64_t>(environment->max_bytes_per_batch / std::max<int64_t>(1, bytes), 1,
                               environment->max_records_per_batch);
  }

  arrow::Status TakeStates(const expression::GroupStateAnswer& answer, size_t first_group, arrow::MemoryPool* pool,
                           const TakeChanges& take_changes) const {
    std::vector<std::string_view> pickles;
    std::vector<StateChange> changes;
    for (int64_t i = 0; i < answer.num_states; ++i) {
      ARROW_ASSIGN_OR_RAISE(expression::GroupStateUpdate update, answer.StateAt(i));
      changes.push_back({first_group + static_cast<size_t>(i), update.exists, update.updated, update.removed,
                         update.timeout_ms, update.old_timeout_ms});
      pickles.push_back(changes.back().writes() ? update.pickle : std::string_view());
    }
    ARROW_ASSIGN_OR_RAISE(auto states, expression::UnpickleValues(pickles, *state_type, pool));
    return take_changes(changes, std::static_pointer_cast<arrow::StructArray>(states));
  }
};

}  // namespace

arrow::Result<std::unique_ptr<GroupFunction>> MakeGroupFunctionInPython(const logical::GroupsWithState& node,
                                                                        const Operator& child,
                                                                        std::shared_ptr<arrow::Schema> output,
                                                                        GroupedInput* input) {
  auto made = std::make_unique<GroupFunctionInPython>();
  const logical::GroupsWithState::Function& function = node.function();
  made->environment = function.environment;
  made->state_type = function.state_type;
  made->task = TaskOf(function.function, *function.environment);
  made->task.eval_conf["state_value_schema"] = expression::SchemaForWorker(*function.state_type);
  ARROW_ASSIGN_OR_RAISE(made->input,
                        MakeGroupedInput(node.columns(), child, *function.environment, &made->task.calls[0].arguments));
  // Groups that time out have rows of NULLs.
  arrow::FieldVector sent = made->input.schema->fields();
  for (auto& field : sent) field = field->WithNullable(true);
  made->input.schema = arrow::schema(std::move(sent));
  for (const auto& column : node.output()) made->output_types.push_back(column->type());
  made->output = std::move(output);
  *input = made->input;
  return made;
}

}  // namespace millrace::physical
