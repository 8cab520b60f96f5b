#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include "api/connection.h"
#include "api/message.h"
#include "base/error.h"
#include "expression/native_function.h"
#include "millrace/key_value_grouped_dataset.h"
#include "types/arrow_type.h"

namespace millrace::api {

using arrow::Result;
using arrow::Status;
using expression::NativeGroups;
using expression::NativeResults;

struct GroupCalls::Impl {
  const NativeGroups& in;
  GroupStateTimeout timeout;
  std::shared_ptr<arrow::StructArray> keys;
  std::shared_ptr<arrow::StructArray> rows;
  std::vector<int64_t> begins;
  std::unique_ptr<arrow::ArrayBuilder> out;
  std::unique_ptr<arrow::ArrayBuilder> states;
  std::vector<expression::NativeStateChange> changes;
};

int64_t GroupCalls::num_groups() const { return static_cast<int64_t>(impl_->in.lengths.size()); }
ValueReader GroupCalls::key(int64_t group) const { return ValueReader(impl_->keys.get(), group); }
int64_t GroupCalls::num_rows(int64_t group) const { return impl_->in.lengths[static_cast<size_t>(group)]; }
ValueReader GroupCalls::row(int64_t group, int64_t i) const {
  return ValueReader(impl_->rows.get(), impl_->begins[static_cast<size_t>(group)] + i);
}
Row GroupCalls::row_view(int64_t group, int64_t i) const {
  return Row(impl_->in.rows, impl_->begins[static_cast<size_t>(group)] + i);
}
ValueReader GroupCalls::state(int64_t group) const { return ValueReader(impl_->in.states.get(), group); }
ValueWriter GroupCalls::NewRow() { return ValueWriter(impl_->out.get()); }

void GroupCalls::Prepare(GroupStateBase* state) const {
  const expression::GroupStateSetting& setting = impl_->in.setting;
  state->timeout_ = impl_->timeout;
  state->has_timed_out_ = setting.has_timed_out;
  state->has_watermark_ = setting.has_watermark;
  state->batch_time_ms_ = setting.batch_time_ms;
  state->watermark_ms_ = setting.watermark_ms;
}

ValueWriter GroupCalls::TakeFlags(const GroupStateBase& state, bool exists) {
  impl_->changes.push_back({exists, state.updated_, state.removed_, state.timeout_ms_});
  return ValueWriter(impl_->states.get());
}

namespace {

// What the function says is told as Spark tells what its functions throw; Spark's own errors pass.
template <typename Call>
Status InUserFunction(const char* condition, const char* function, const Call& call) {
  auto failed = [&](const std::string& reason) {
    ErrorParameters parameters{{"reason", reason}};
    if (function != nullptr) parameters["function"] = function;
    return UserError(condition, std::move(parameters));
  };
  // Only the program's own code throws.
  try {
    Status status = call();
    return status.ok() || GetErrorDetail(status) != nullptr ? status : failed(status.message());
  } catch (const std::exception& thrown) {
    return failed(thrown.what());
  }
}

Result<std::shared_ptr<arrow::StructArray>> StructOf(const arrow::ArrayVector& columns, int64_t num_rows) {
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(arrow::field("", column->type()));
  return std::make_shared<arrow::StructArray>(arrow::struct_(std::move(fields)), num_rows, columns);
}

Result<std::shared_ptr<arrow::RecordBatch>> FinishRows(arrow::ArrayBuilder* builder,
                                                       const std::shared_ptr<arrow::Schema>& schema) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> rows, builder->Finish());
  return arrow::RecordBatch::Make(schema, rows->length(), static_cast<const arrow::StructArray&>(*rows).fields());
}

struct Erased {
  GroupFunction function;
  GroupStateTimeout timeout;
  std::shared_ptr<arrow::DataType> state;
  std::shared_ptr<arrow::DataType> output;
  std::shared_ptr<arrow::Schema> output_schema;
};

Result<NativeResults> RunOverGroups(const Erased& erased, const NativeGroups& groups) {
  auto num_groups = static_cast<int64_t>(groups.lengths.size());
  GroupCalls::Impl impl{groups, erased.timeout, nullptr, nullptr, {}, nullptr, nullptr, {}};
  ARROW_ASSIGN_OR_RAISE(impl.keys, StructOf(groups.keys, num_groups));
  ARROW_ASSIGN_OR_RAISE(impl.rows, StructOf(groups.rows->columns(), groups.rows->num_rows()));
  int64_t begin = 0;
  for (int64_t length : groups.lengths) {
    impl.begins.push_back(begin);
    begin += length;
  }
  ARROW_ASSIGN_OR_RAISE(impl.out, arrow::MakeBuilder(erased.output));
  ARROW_ASSIGN_OR_RAISE(impl.states, arrow::MakeBuilder(erased.state));
  GroupCalls calls(&impl);
  ARROW_RETURN_NOT_OK(InUserFunction("FLATMAPGROUPSWITHSTATE_USER_FUNCTION_ERROR", nullptr,
                                     [&] { return erased.function.over_groups(calls); }));
  NativeResults results;
  ARROW_ASSIGN_OR_RAISE(results.rows, FinishRows(impl.out.get(), erased.output_schema));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> states, impl.states->Finish());
  results.states = std::static_pointer_cast<arrow::StructArray>(states);
  results.changes = std::move(impl.changes);
  return results;
}

class Processor final : public expression::NativeProcessor {
 public:
  Processor(std::shared_ptr<const Erased> erased, std::unique_ptr<ErasedProcessor> processor)
      : erased_(std::move(erased)), processor_(std::move(processor)) {}

  Status Init(expression::NativeStateHandle* handle) override {
    ARROW_ASSIGN_OR_RAISE(out_, arrow::MakeBuilder(erased_->output));
    return Call("init", [&] { return processor_->Init(std::make_shared<Variables>(handle)); });
  }
  Status HandleInitialState(const arrow::ArrayVector& key, const std::shared_ptr<arrow::RecordBatch>& batch) override {
    ARROW_ASSIGN_OR_RAISE(auto keys, StructOf(key, 1));
    ARROW_ASSIGN_OR_RAISE(auto structs, StructOf(batch->columns(), batch->num_rows()));
    ErasedProcessor::Rows rows{structs.get(), batch, batch->num_rows()};
    return Call("handleInitialState", [&] { return processor_->HandleInitialState(ValueReader(keys.get(), 0), rows); });
  }
  Status HandleInputRows(const arrow::ArrayVector& key, const std::shared_ptr<arrow::RecordBatch>& batch) override {
    ARROW_ASSIGN_OR_RAISE(auto keys, StructOf(key, 1));
    ARROW_ASSIGN_OR_RAISE(auto structs, StructOf(batch->columns(), batch->num_rows()));
    ErasedProcessor::Rows rows{structs.get(), batch, batch->num_rows()};
    return Call("handleInputRows",
                [&] { return processor_->HandleInputRows(ValueReader(keys.get(), 0), rows, ValueWriter(out_.get())); });
  }
  Status HandleExpiredTimer(const arrow::ArrayVector& key, int64_t time_ms) override {
    ARROW_ASSIGN_OR_RAISE(auto keys, StructOf(key, 1));
    return Call("handleExpiredTimer", [&] {
      return processor_->HandleExpiredTimer(ValueReader(keys.get(), 0), time_ms, ValueWriter(out_.get()));
    });
  }
  Status Close() override {
    return Call("close", [&] { return processor_->Close(); });
  }
  Result<std::shared_ptr<arrow::RecordBatch>> TakeRows() override {
    return FinishRows(out_.get(), erased_->output_schema);
  }

 private:
  template <typename Function>
  static Status Call(const char* function, const Function& call) {
    return InUserFunction("TRANSFORM_WITH_STATE_USER_FUNCTION_ERROR", function, call);
  }

  std::shared_ptr<const Erased> erased_;
  std::unique_ptr<ErasedProcessor> processor_;
  std::unique_ptr<arrow::ArrayBuilder> out_;
};

Result<types::DataTypePtr> TypeOf(const std::string& json) {
  if (json.empty()) return types::DataTypePtr();
  return types::ParseTypeJson(json);
}

Result<expression::NativeFunctionPtr> ToNative(GroupFunction function, GroupStateTimeout timeout) {
  auto native = std::make_shared<expression::NativeFunction>();
  ARROW_ASSIGN_OR_RAISE(native->key, TypeOf(function.key));
  ARROW_ASSIGN_OR_RAISE(native->value, TypeOf(function.value));
  ARROW_ASSIGN_OR_RAISE(native->state, TypeOf(function.state));
  ARROW_ASSIGN_OR_RAISE(native->output, TypeOf(function.output));
  ARROW_ASSIGN_OR_RAISE(native->initial, TypeOf(function.initial));
  auto erased = std::make_shared<Erased>();
  erased->timeout = timeout;
  if (native->state != nullptr) erased->state = types::ToArrow(*native->state);
  erased->output = types::ToArrow(*native->output);
  erased->output_schema = types::ToArrowSchema(*native->output);
  erased->function = std::move(function);
  if (erased->function.make_processor) {
    native->make_processor = [erased] {
      return std::make_unique<Processor>(erased, erased->function.make_processor());
    };
  } else {
    native->over_groups = [erased](const NativeGroups& groups) { return RunOverGroups(*erased, groups); };
  }
  return native;
}

}  // namespace

DataFrame ApplyToGroups(const GroupedFrame& grouped, GroupFunction function, const GroupOptions& options,
                        const GroupedFrame* initial) {
  static constexpr const char* kModes[] = {"append", "update", "complete"};
  static constexpr const char* kTimeouts[] = {"NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout"};
  static constexpr const char* kTimes[] = {"none", "processingTime", "eventTime"};
  const std::shared_ptr<Connection>& connection = grouped.frame.connection();
  bool transforms = static_cast<bool>(function.make_processor);
  std::string output = function.output;
  // The types are well-formed: they are made from C++ types.
  expression::NativeFunctionPtr native = ToNative(std::move(function), options.timeout).ValueOrDie();
  std::string name = transforms ? "TransformWithState" : options.maps ? "MapGroupsWithState" : "FlatMapGroupsWithState";
  std::string id = connection->RegisterFunction(name, std::move(native));
  return MakeFrame(connection, [&](spark::connect::Relation* relation) {
    auto* map = relation->mutable_group_map();
    *map->mutable_input() = grouped.frame.message();
    AddMessages(grouped.keys, map->mutable_grouping_expressions());
    if (initial != nullptr) {
      *map->mutable_initial_input() = initial->frame.message();
      AddMessages(initial->keys, map->mutable_initial_grouping_expressions());
    }
    map->mutable_func()->set_function_name(name);
    map->mutable_func()->mutable_scalar_scala_udf()->set_payload(id);
    map->set_output_mode(kModes[static_cast<size_t>(options.output_mode)]);
    if (transforms) {
      map->mutable_transform_with_state_info()->set_time_mode(kTimes[static_cast<size_t>(options.time_mode)]);
      if (!options.event_time_column.empty()) {
        map->mutable_transform_with_state_info()->set_event_time_column_name(options.event_time_column);
      }
    } else {
      map->set_is_map_groups_with_state(options.maps);
      map->set_timeout_conf(kTimeouts[static_cast<size_t>(options.timeout)]);
    }
  });
}

}  // namespace millrace::api
