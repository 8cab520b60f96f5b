#include "physical/operator/groups_in_python.h"

#include "base/error.h"
#include "expression/python/worker_rows.h"
#include "logical/node/repartition.h"
#include "logical/node/sort.h"
#include "physical/key/sort_keys.h"
#include "physical/operator/exchange.h"
#include "physical/operator/map_in_python.h"
#include "physical/rows.h"
#include "python/task_stream.h"
#include "python/wire.h"

namespace millrace::physical {

namespace {

using expression::ArrowPieces;
using expression::AsStruct;
using expression::ForWorker;
using python::EvalType;

// Sent at once when it has this size; a task's input is made in such pieces.
constexpr size_t kPieceBytes = 256 << 10;

// The groups of one sorted partition, one after another.
class GroupCursor {
 public:
  GroupCursor(const GroupedInput* input, std::unique_ptr<BatchStream> rows)
      : input_(input), orders_(input->keys.size()), rows_(std::move(rows)) {}

  // Moves to the first row of the next group, past what is left of this one. False at the end.
  arrow::Result<bool> NextGroup() {
    while (in_group_) {
      ARROW_ASSIGN_OR_RAISE(auto rest, NextRows(std::numeric_limits<int64_t>::max()));
      if (rest == nullptr) break;
    }
    ARROW_ASSIGN_OR_RAISE(bool any, Fill());
    in_group_ = any;
    if (any) {
      group_ = keys_;
      group_row_ = row_;
    }
    return any;
  }

  // Up to `limit` rows of the group as the worker takes them; null at its end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextRows(int64_t limit) {
    if (!in_group_) return nullptr;
    ARROW_ASSIGN_OR_RAISE(bool any, Fill());
    if (!any || group_->Compare(group_row_, *keys_, row_) != 0) {
      in_group_ = false;
      return nullptr;
    }
    int64_t end = row_ + 1;
    int64_t last = std::min(batch_->num_rows(), limit < batch_->num_rows() - row_ ? row_ + limit : batch_->num_rows());
    while (end < last && group_->Compare(group_row_, *keys_, end) == 0) ++end;
    arrow::ArrayVector columns;
    for (int column : input_->columns) columns.push_back(batch_->column(column)->Slice(row_, end - row_));
    auto rows = ForWorker(input_->schema, columns, end - row_);
    row_ = end;
    return rows;
  }

  // Below 0, 0, above 0: this group against the group of `other`, by their keys.
  int Compare(const GroupCursor& other) const { return group_->Compare(group_row_, *other.group_, other.group_row_); }
  bool in_group() const { return in_group_; }

 private:
  arrow::Result<bool> Fill() {
    while (batch_ == nullptr || row_ == batch_->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(batch_, rows_->Next());
      row_ = 0;
      if (batch_ == nullptr) return false;
      arrow::ArrayVector columns;
      for (int column : input_->keys) columns.push_back(batch_->column(column));
      auto keys = std::make_shared<SortKeys>();
      ARROW_RETURN_NOT_OK(keys->Encode(columns, orders_, batch_->num_rows()));
      keys_ = std::move(keys);
    }
    return true;
  }

  const GroupedInput* input_;
  std::vector<KeyOrder> orders_;
  std::unique_ptr<BatchStream> rows_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::shared_ptr<const SortKeys> keys_;
  int64_t row_ = 0;
  std::shared_ptr<const SortKeys> group_;
  int64_t group_row_ = 0;
  bool in_group_ = false;
};

class GroupsInPythonStream final : public BatchStream {
 public:
  GroupsInPythonStream(const GroupsInPython::Spec* spec, std::shared_ptr<arrow::Schema> schema,
                       std::vector<std::unique_ptr<BatchStream>> inputs, int partition, const ExecutionContext& context)
      : spec_(spec),
        schema_(std::move(schema)),
        partition_(partition),
        cancelled_(context.cancelled),
        memory_(context.eval.memory_pool) {
    for (size_t i = 0; i < inputs.size(); ++i) cursors_.emplace_back(&spec->inputs[i], std::move(inputs[i]));
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!started_) {
      started_ = true;
      bool any = false;
      for (GroupCursor& cursor : cursors_) {
        ARROW_ASSIGN_OR_RAISE(bool one, cursor.NextGroup());
        any = any || one;
      }
      if (!any) return nullptr;
      python::TaskSpec task = spec_->task;
      task.partition = partition_;
      auto write = [this](std::string* out) { return cursors_.size() == 2 ? WriteCogroups(out) : WriteGroups(out); };
      ARROW_ASSIGN_OR_RAISE(task_, python::TaskStream::Start(spec_->environment, task, write, cancelled_, memory_));
    }
    while (task_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto batch, task_->NextBatch());
      if (batch == nullptr) break;
      if (batch->num_rows() == 0) continue;
      return expression::RowsOfStruct(batch, schema_, spec_->output_types, spec_->task.eval_type, memory_);
    }
    return nullptr;
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Shaped(std::shared_ptr<arrow::RecordBatch> rows) const {
    return spec_->as_struct ? AsStruct(rows) : arrow::Result<std::shared_ptr<arrow::RecordBatch>>(std::move(rows));
  }

  // The rest of the cursor's group as an Arrow stream of its own; an empty one when it is in no group.
  arrow::Status WriteStream(size_t side, bool has_group, std::string* out) {
    ARROW_ASSIGN_OR_RAISE(auto none, arrow::RecordBatch::MakeEmpty(spec_->inputs[side].schema, memory_));
    ARROW_ASSIGN_OR_RAISE(none, Shaped(std::move(none)));
    ArrowPieces pieces(none->schema());
    bool wrote = false;
    while (has_group) {
      ARROW_ASSIGN_OR_RAISE(auto rows, cursors_[side].NextRows(spec_->environment->max_records_per_batch));
      if (rows == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(rows, Shaped(std::move(rows)));
      ARROW_RETURN_NOT_OK(pieces.Write(*rows, out));
      wrote = true;
    }
    if (!wrote) ARROW_RETURN_NOT_OK(pieces.Write(*none, out));
    return pieces.End(out);
  }

  arrow::Result<bool> WriteGroups(std::string* out) {
    if (!python::GroupsAreStreams(spec_->task.eval_type, task_->version())) return WriteGroupBatches(out);
    while (cursors_[0].in_group()) {
      python::AppendInt(1, out);
      ARROW_RETURN_NOT_OK(WriteStream(0, true, out));
      ARROW_RETURN_NOT_OK(cursors_[0].NextGroup().status());
      if (out->size() >= kPieceBytes) return true;
    }
    python::AppendInt(0, out);
    return false;
  }

  // Older workers: one stream, a batch a group.
  arrow::Result<bool> WriteGroupBatches(std::string* out) {
    while (cursors_[0].in_group()) {
      arrow::RecordBatchVector parts;
      while (true) {
        ARROW_ASSIGN_OR_RAISE(auto rows, cursors_[0].NextRows(std::numeric_limits<int64_t>::max()));
        if (rows == nullptr) break;
        parts.push_back(std::move(rows));
      }
      ARROW_ASSIGN_OR_RAISE(auto group, arrow::ConcatenateRecordBatches(parts, memory_));
      ARROW_ASSIGN_OR_RAISE(group, Shaped(std::move(group)));
      if (one_stream_ == nullptr) one_stream_ = std::make_unique<ArrowPieces>(group->schema());
      ARROW_RETURN_NOT_OK(one_stream_->Write(*group, out));
      ARROW_RETURN_NOT_OK(cursors_[0].NextGroup().status());
      if (out->size() >= kPieceBytes) return true;
    }
    ARROW_RETURN_NOT_OK(one_stream_->End(out));
    return false;
  }

  arrow::Result<bool> WriteCogroups(std::string* out) {
    GroupCursor& left = cursors_[0];
    GroupCursor& right = cursors_[1];
    while (left.in_group() || right.in_group()) {
      int order = !left.in_group() ? 1 : !right.in_group() ? -1 : left.Compare(right);
      python::AppendInt(2, out);
      ARROW_RETURN_NOT_OK(WriteStream(0, order <= 0, out));
      ARROW_RETURN_NOT_OK(WriteStream(1, order >= 0, out));
      if (order <= 0) ARROW_RETURN_NOT_OK(left.NextGroup().status());
      if (order >= 0) ARROW_RETURN_NOT_OK(right.NextGroup().status());
      if (out->size() >= kPieceBytes) return true;
    }
    python::AppendInt(0, out);
    return false;
  }

  const GroupsInPython::Spec* spec_;
  std::shared_ptr<arrow::Schema> schema_;
  int partition_;
  const std::atomic<bool>* cancelled_;
  arrow::MemoryPool* memory_;
  bool started_ = false;
  std::vector<GroupCursor> cursors_;
  std::unique_ptr<ArrowPieces> one_stream_;
  std::unique_ptr<python::TaskStream> task_;
};

// The nearest exchange of a chain of operators.
const Exchange* ExchangeBelow(const Operator& root) {
  for (const Operator* node = &root; node->children().size() == 1; node = node->children()[0].get()) {
    if (const auto* exchange = dynamic_cast<const Exchange*>(node)) return exchange;
  }
  return nullptr;
}

}  // namespace

// Source: Spark, FlatMapGroupsInBatchExec's required distribution and ordering.
arrow::Result<OperatorPtr> PlanSortedGroups(const logical::GroupedColumns& columns, const logical::PlanPtr& child,
                                            int num_partitions, const std::set<expression::AttributeId>& needed,
                                            Planner& planner) {
  expression::ExpressionVector keys(columns.keys.begin(), columns.keys.end());
  std::vector<expression::SortOrder> orders;
  for (const auto& key : keys) orders.push_back({key, true, true});
  logical::PlanPtr plan = std::make_shared<logical::Repartition>(keys.empty() ? 1 : num_partitions, true, keys, child);
  if (!orders.empty()) plan = std::make_shared<logical::Sort>(std::move(orders), false, std::move(plan));
  return planner.Plan(plan, needed);
}

python::TaskSpec TaskOf(const python::UserFunctionPtr& function, const python::Environment& environment) {
  python::TaskSpec task;
  task.eval_type = function->eval_type;
  task.conf = environment.conf;
  task.conf["spark.sql.execution.arrow.maxRecordsPerBatch"] = std::to_string(environment.max_records_per_batch);
  task.conf["spark.sql.execution.arrow.maxBytesPerBatch"] = std::to_string(environment.max_bytes_per_batch);
  task.calls = {{{function}, {}}};
  return task;
}

// Which of the columns sent are keys and which values. Source: Spark, PandasGroupUtils.resolveArgOffsets.
arrow::Result<GroupedInput> MakeGroupedInput(const logical::GroupedColumns& columns, const Operator& child,
                                             const python::Environment& environment,
                                             std::vector<python::TaskArgument>* arguments) {
  AttributeVector sent;
  std::vector<int32_t> key_offsets;
  std::vector<size_t> among_values;
  for (const auto& key : columns.keys) {
    size_t at = 0;
    while (at < columns.values.size() && columns.values[at]->id() != key->id()) ++at;
    among_values.push_back(at);
    if (at == columns.values.size()) sent.push_back(key);
  }
  auto num_extra = static_cast<int32_t>(sent.size());
  int32_t extra = 0;
  for (size_t at : among_values) {
    key_offsets.push_back(at == columns.values.size() ? extra++ : static_cast<int32_t>(at) + num_extra);
  }
  sent.insert(sent.end(), columns.values.begin(), columns.values.end());

  arguments->push_back({static_cast<int32_t>(columns.keys.size() + columns.values.size() + 1), ""});
  arguments->push_back({static_cast<int32_t>(columns.keys.size()), ""});
  for (int32_t offset : key_offsets) arguments->push_back({offset, ""});
  for (size_t i = 0; i < columns.values.size(); ++i) arguments->push_back({num_extra + static_cast<int32_t>(i), ""});

  GroupedInput input;
  std::vector<types::StructField> fields;
  for (const auto& column : sent) {
    ARROW_ASSIGN_OR_RAISE(int index, ColumnIndex(child, column->id()));
    input.columns.push_back(index);
    fields.push_back({column->name(), column->type(), column->nullable(), ""});
  }
  for (const auto& key : columns.keys) {
    ARROW_ASSIGN_OR_RAISE(int index, ColumnIndex(child, key->id()));
    input.keys.push_back(index);
  }
  ARROW_ASSIGN_OR_RAISE(input.schema, expression::WorkerSchema(fields, environment));
  return input;
}

GroupsInPython::GroupsInPython(Spec spec, AttributeVector output, std::vector<OperatorPtr> children)
    : Operator(std::move(children), std::move(output)), spec_(std::move(spec)) {}

arrow::Result<std::unique_ptr<BatchStream>> GroupsInPython::Open(int partition, ExecutionContext& context) const {
  std::vector<std::unique_ptr<BatchStream>> inputs;
  for (const OperatorPtr& child : children()) {
    ARROW_ASSIGN_OR_RAISE(auto input, child->Open(partition, context));
    inputs.push_back(std::move(input));
  }
  return std::make_unique<GroupsInPythonStream>(&spec_, schema(), std::move(inputs), partition, context);
}

bool MatchesGroupsInPython(const logical::Plan& node) { return node.kind() == logical::NodeKind::kGroupsInPython; }

arrow::Result<OperatorPtr> PlanGroupsInPython(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  const auto& groups = static_cast<const logical::GroupsInPython&>(*node);
  GroupsInPython::Spec spec;
  spec.environment = groups.environment();
  spec.task.eval_type = groups.function()->eval_type;
  spec.task.conf = spec.environment->conf;
  spec.task.calls = {{{groups.function()}, {}}};
  spec.as_struct =
      spec.task.eval_type == EvalType::kGroupedMapArrow || spec.task.eval_type == EvalType::kGroupedMapArrowIter;
  std::vector<OperatorPtr> children;
  for (size_t i = 0; i < node->children().size(); ++i) {
    const logical::GroupedColumns& columns = groups.inputs()[i];
    std::set<expression::AttributeId> needed;
    AddReferences({columns.keys.begin(), columns.keys.end()}, &needed);
    AddReferences({columns.values.begin(), columns.values.end()}, &needed);
    ARROW_ASSIGN_OR_RAISE(OperatorPtr child, PlanSortedGroups(columns, node->children()[i], 0, needed, planner));
    ARROW_ASSIGN_OR_RAISE(GroupedInput input,
                          MakeGroupedInput(columns, *child, *spec.environment, &spec.task.calls[0].arguments));
    spec.inputs.push_back(std::move(input));
    children.push_back(std::move(child));
  }
  // Both sides of a cogroup need the same number of partitions; the left one's rows say how many.
  if (children.size() == 2 && !groups.inputs()[0].keys.empty()) {
    const Exchange* left = ExchangeBelow(*children[0]);
    const Exchange* right = ExchangeBelow(*children[1]);
    if (left == nullptr || right == nullptr) return InternalError("a side of a cogroup is not spread by its keys");
    const_cast<Exchange*>(right)->FollowPartitionsOf(left);
  }
  for (const auto& column : groups.output()) spec.output_types.push_back(column->type());
  spec.text = node->Describe();
  return std::make_shared<GroupsInPython>(std::move(spec), groups.output(), std::move(children));
}

}  // namespace millrace::physical
