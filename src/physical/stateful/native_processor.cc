#include <arrow/array/util.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "physical/rows.h"
#include "physical/stateful/group_function.h"
#include "physical/stateful/processor_run.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

namespace {

using arrow::Result;
using arrow::Status;
using expression::NativeStateHandle;
using Rows = NativeStateHandle::Rows;

// Structs as UnsafeRows, and back.
class StructCodec {
 public:
  explicit StructCodec(types::DataTypePtr type)
      : type_(std::move(type)), encoder_(state::FieldTypes(*type_)), decoder_(state::FieldTypes(*type_)) {}

  void Encode(const Rows& structs, state::UnsafeRows* rows) const {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int i = 0; i < structs->num_fields(); ++i) columns.push_back(structs->field(i)->data());
    encoder_.Encode(columns, structs->length(), rows);
  }
  std::string EncodeOne(const Rows& row) const {
    state::UnsafeRows rows;
    Encode(row, &rows);
    return std::string(rows.row(0));
  }
  Result<Rows> Decode(std::span<const std::string_view> rows) const {
    ARROW_ASSIGN_OR_RAISE(auto columns, decoder_.Decode(rows));
    arrow::ArrayVector fields;
    arrow::FieldVector names;
    for (size_t i = 0; i < columns.size(); ++i) {
      fields.push_back(arrow::MakeArray(columns[i]));
      names.push_back(arrow::field(type_->fields()[i].name, fields.back()->type()));
    }
    return std::make_shared<arrow::StructArray>(arrow::struct_(std::move(names)), static_cast<int64_t>(rows.size()),
                                                std::move(fields));
  }
  /// Null for a row that is not there.
  Result<Rows> DecodeOne(std::string_view row) const {
    if (row.data() == nullptr) return Rows();
    std::string_view one[] = {row};
    return Decode(one);
  }

 private:
  types::DataTypePtr type_;
  state::UnsafeRowEncoder encoder_;
  state::UnsafeRowDecoder decoder_;
};

enum class HandleState : uint8_t { kCreated, kPreInit, kInitialized, kDataProcessed, kTimerProcessed, kClosed };

// With a run it reads and writes state; without one it only takes down what is declared.
class StateHandle final : public NativeStateHandle {
 public:
  StateHandle(const ProcessorPlan& plan, const ProcessorRun* run)
      : plan_(plan), run_(run), state_(run == nullptr ? HandleState::kPreInit : HandleState::kCreated) {}

  void set_state(HandleState state) { state_ = state; }
  std::vector<StateVariable> TakeDeclared() { return std::move(declared_); }

  Result<int> Declare(const Variable& variable) override {
    static constexpr const char* kOperations[] = {"get_value_state", "get_list_state", "get_map_state"};
    auto kind = static_cast<size_t>(variable.kind);
    ARROW_RETURN_NOT_OK(CheckState(kOperations[kind], run_ == nullptr ? HandleState::kPreInit : HandleState::kCreated));
    StateVariable declared;
    declared.name = variable.name;
    declared.kind = static_cast<StateVariable::Kind>(kind);
    declared.value = variable.value;
    declared.user_key = variable.user_key;
    if (variable.ttl_ms != 0) declared.ttl_ms = variable.ttl_ms;
    if (run_ == nullptr) {
      auto same = [&](const StateVariable& known) { return known.name == declared.name; };
      if (std::any_of(declared_.begin(), declared_.end(), same)) {
        return UserError("STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED", {{"stateVarName", declared.name}});
      }
      declared_.push_back(std::move(declared));
      return static_cast<int>(declared_.size()) - 1;
    }
    ARROW_ASSIGN_OR_RAISE(int number, run_->state->Declare(declared));
    Codecs codecs{std::make_unique<StructCodec>(variable.value), nullptr};
    if (variable.user_key != nullptr) codecs.user_key = std::make_unique<StructCodec>(variable.user_key);
    codecs_[number] = std::move(codecs);
    return number;
  }

  Status DeleteIfExists(const std::string& name) override {
    ARROW_RETURN_NOT_OK(
        CheckState("delete_if_exists", run_ == nullptr ? HandleState::kPreInit : HandleState::kCreated));
    return run_ == nullptr ? Status::OK() : run_->state->Drop(name);
  }

  Result<Rows> Value(int v) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    ARROW_ASSIGN_OR_RAISE(std::string_view row, run_->state->Value(v));
    return codecs_.at(v).value->DecodeOne(row);
  }
  Status SetValue(int v, const Rows& row) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    return run_->state->SetValue(v, codecs_.at(v).value->EncodeOne(row));
  }
  Status Clear(int v) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    switch (run_->state->variable(v).kind) {
      case StateVariable::Kind::kValue:
        return run_->state->ClearValue(v);
      case StateVariable::Kind::kList:
        return run_->state->ClearList(v);
      case StateVariable::Kind::kMap:
        return run_->state->ClearMap(v);
    }
    return Status::OK();
  }

  Result<Rows> List(int v) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> rows, run_->state->List(v));
    std::vector<std::string_view> views(rows.begin(), rows.end());
    return codecs_.at(v).value->Decode(views);
  }
  Status AddToList(int v, const Rows& rows, bool replaces) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    state::UnsafeRows encoded;
    codecs_.at(v).value->Encode(rows, &encoded);
    std::vector<std::string> bytes;
    for (int64_t i = 0; i < encoded.num_rows(); ++i) bytes.emplace_back(encoded.row(i));
    return run_->state->AddToList(v, bytes, replaces);
  }

  Result<Rows> MapValue(int v, const Rows& user_key) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    ARROW_ASSIGN_OR_RAISE(std::string_view row, run_->state->MapValue(v, codecs_.at(v).user_key->EncodeOne(user_key)));
    return codecs_.at(v).value->DecodeOne(row);
  }
  Status SetMapValue(int v, const Rows& user_key, const Rows& row) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    return run_->state->SetMapValue(v, codecs_.at(v).user_key->EncodeOne(user_key),
                                    codecs_.at(v).value->EncodeOne(row));
  }
  Status RemoveFromMap(int v, const Rows& user_key) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    return run_->state->RemoveFromMap(v, codecs_.at(v).user_key->EncodeOne(user_key));
  }
  Result<std::pair<Rows, Rows>> Map(int v) override {
    ARROW_RETURN_NOT_OK(CheckRuns(v));
    ARROW_ASSIGN_OR_RAISE(auto pairs, run_->state->Map(v));
    std::vector<std::string_view> keys, values;
    for (const auto& [key, value] : pairs) {
      keys.push_back(key);
      values.push_back(value);
    }
    std::pair<Rows, Rows> decoded;
    ARROW_ASSIGN_OR_RAISE(decoded.first, codecs_.at(v).user_key->Decode(keys));
    ARROW_ASSIGN_OR_RAISE(decoded.second, codecs_.at(v).value->Decode(values));
    return decoded;
  }

  Status RegisterTimer(int64_t time_ms) override {
    ARROW_RETURN_NOT_OK(CheckTimers("register_timer"));
    return run_->state->RegisterTimer(time_ms);
  }
  Status DeleteTimer(int64_t time_ms) override {
    ARROW_RETURN_NOT_OK(CheckTimers("delete_timer"));
    return run_->state->DeleteTimer(time_ms);
  }
  Result<std::vector<int64_t>> Timers() override {
    ARROW_RETURN_NOT_OK(CheckTimers("list_timers"));
    return run_->state->Timers();
  }
  int64_t batch_time_ms() const override { return run_ == nullptr ? -1 : run_->context->streaming->timestamp_ms; }
  int64_t watermark_ms() const override { return run_ == nullptr ? -1 : run_->batch->eviction_watermark_ms; }
  int64_t batch_id() const override { return run_ == nullptr ? 0 : run_->context->streaming->batch_id.value; }

 private:
  struct Codecs {
    std::unique_ptr<StructCodec> value;
    std::unique_ptr<StructCodec> user_key;
  };

  Status WrongState(const std::string& operation) const {
    static constexpr const char* kStates[] = {"CREATED",        "PRE_INIT",        "INITIALIZED",
                                              "DATA_PROCESSED", "TIMER_PROCESSED", "CLOSED"};
    return UserError("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE",
                     {{"operationType", operation}, {"handleState", kStates[static_cast<size_t>(state_)]}});
  }
  Status CheckState(const char* operation, HandleState right) const {
    return state_ == right ? Status::OK() : WrongState(operation);
  }
  // Variables belong to keys: there is none before the first group.
  Status CheckRuns(int variable) const {
    if (run_ != nullptr && state_ >= HandleState::kInitialized) return Status::OK();
    return WrongState(
        (run_ == nullptr ? declared_[static_cast<size_t>(variable)].name : run_->state->variable(variable).name) +
        ".access");
  }
  Status CheckTimers(const char* operation) const {
    if (plan_.time_mode == TimeMode::kNone) {
      return UserError("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE",
                       {{"operationType", operation}, {"timeMode", std::string(TimeModeName(plan_.time_mode))}});
    }
    bool right = state_ == HandleState::kInitialized || state_ == HandleState::kDataProcessed;
    return right ? Status::OK() : WrongState(operation);
  }

  const ProcessorPlan& plan_;
  const ProcessorRun* run_;
  HandleState state_;
  std::vector<StateVariable> declared_;
  std::map<int, Codecs> codecs_;
};

class NativeGroupProcessor final : public GroupProcessor {
 public:
  NativeGroupProcessor(expression::NativeFunctionPtr function, std::vector<int> key_order,
                       std::vector<GroupedInput> inputs, std::shared_ptr<const ProcessorPlan> plan)
      : function_(std::move(function)),
        key_order_(std::move(key_order)),
        inputs_(std::move(inputs)),
        plan_(std::move(plan)),
        key_codec_(plan_->key_type) {}

  Result<std::vector<StateVariable>> DeclaredVariables() const override {
    StateHandle handle(*plan_, nullptr);
    std::unique_ptr<expression::NativeProcessor> processor = function_->make_processor();
    ARROW_RETURN_NOT_OK(processor->Init(&handle));
    ARROW_RETURN_NOT_OK(processor->Close());
    return handle.TakeDeclared();
  }

  // As Spark: a processor of its own for each partition.
  Status Run(const ProcessorRun& run) const override {
    for (int p = run.first; p < run.last; ++p) ARROW_RETURN_NOT_OK(RunPartition(p, run));
    return Status::OK();
  }

 private:
  Status RunPartition(int p, const ProcessorRun& run) const {
    StateHandle handle(*plan_, &run);
    std::unique_ptr<expression::NativeProcessor> processor = function_->make_processor();
    ARROW_RETURN_NOT_OK(processor->Init(&handle));
    handle.set_state(HandleState::kInitialized);
    if (inputs_.size() == 2) {
      ARROW_RETURN_NOT_OK(ForEachGroup(p, run, *run.initial, inputs_[1], [&](const auto& key, const auto& rows) {
        return processor->HandleInitialState(key, rows);
      }));
    }
    ARROW_RETURN_NOT_OK(ForEachGroup(p, run, *run.sorted, inputs_[0], [&](const auto& key, const auto& rows) {
      return processor->HandleInputRows(key, rows);
    }));
    handle.set_state(HandleState::kDataProcessed);
    if (plan_->time_mode != TimeMode::kNone) ARROW_RETURN_NOT_OK(RunTimers(p, run, processor.get()));
    handle.set_state(HandleState::kTimerProcessed);
    ARROW_RETURN_NOT_OK(processor->Close());
    ARROW_ASSIGN_OR_RAISE(auto rows, processor->TakeRows());
    return rows->num_rows() == 0 ? Status::OK() : run.take_rows(p, WithSchema(rows, plan_->output));
  }

  using Visit = std::function<Status(const arrow::ArrayVector& key, const std::shared_ptr<arrow::RecordBatch>& rows)>;
  Status ForEachGroup(int p, const ProcessorRun& run, const SortedGroups& sorted, const GroupedInput& input,
                      const Visit& visit) const {
    auto [begin, end] = sorted.OfPartitions(p, p + 1);
    if (begin == end) return Status::OK();
    int64_t first = sorted.groups[begin].begin;
    int64_t num_rows = sorted.groups[end - 1].begin + sorted.groups[end - 1].length - first;
    arrow::ArrayVector columns, keys;
    for (int column : input.columns) columns.push_back(sorted.rows->column(column)->Slice(first, num_rows));
    auto rows = arrow::RecordBatch::Make(input.schema, num_rows, std::move(columns));
    for (int key : key_order_) keys.push_back(sorted.rows->column(input.keys[static_cast<size_t>(key)]));
    for (size_t g = begin; g < end; ++g) {
      const SortedGroups::Group& group = sorted.groups[g];
      arrow::ArrayVector key;
      for (const auto& column : keys) key.push_back(column->Slice(group.begin, 1));
      SetKey(key, p, run);
      ARROW_RETURN_NOT_OK(visit(key, rows->Slice(group.begin - first, group.length)));
    }
    return Status::OK();
  }

  void SetKey(const arrow::ArrayVector& key, int p, const ProcessorRun& run) const {
    arrow::FieldVector fields;
    for (const auto& column : key) fields.push_back(arrow::field("", column->type()));
    auto one = std::make_shared<arrow::StructArray>(arrow::struct_(std::move(fields)), 1, key);
    run.state->SetKey(key_codec_.EncodeOne(one), p);
  }

  Status RunTimers(int p, const ProcessorRun& run, expression::NativeProcessor* processor) const {
    ARROW_ASSIGN_OR_RAISE(auto timers, run.state->DueTimers(p, run.threshold_ms));
    for (const auto& [key_row, time_ms] : timers) {
      ARROW_ASSIGN_OR_RAISE(Rows key, key_codec_.DecodeOne(key_row));
      run.state->SetKey(key_row, p);
      run.state->CountExpiredTimer();
      ARROW_RETURN_NOT_OK(processor->HandleExpiredTimer(key->fields(), time_ms));
      ARROW_RETURN_NOT_OK(run.state->DeleteTimer(time_ms));
    }
    return Status::OK();
  }

  expression::NativeFunctionPtr function_;
  std::vector<int> key_order_;
  std::vector<GroupedInput> inputs_;
  std::shared_ptr<const ProcessorPlan> plan_;
  StructCodec key_codec_;
};

}  // namespace

Result<std::unique_ptr<GroupProcessor>> MakeNativeProcessor(const logical::TransformWithState& node,
                                                            const std::vector<OperatorPtr>& children,
                                                            const StreamingPlan&,
                                                            std::shared_ptr<const ProcessorPlan> plan,
                                                            std::vector<GroupedInput>* inputs) {
  for (size_t i = 0; i < children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(GroupedInput input, MakeNativeInput(node.inputs()[i], *children[i]));
    inputs->push_back(std::move(input));
  }
  return std::make_unique<NativeGroupProcessor>(node.processor().native, node.processor().key_order, *inputs,
                                                std::move(plan));
}

}  // namespace millrace::physical
