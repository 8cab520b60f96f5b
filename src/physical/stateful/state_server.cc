#include "physical/stateful/state_server.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "expression/python/pickled_rows.h"
#include "org/apache/spark/sql/execution/streaming/StateMessage.pb.h"
#include "python/wire.h"

namespace millrace::physical {

namespace {

namespace message = org::apache::spark::sql::execution::streaming::state;
using arrow::Result;
using arrow::Status;

constexpr int32_t kMaxMessageBytes = 1 << 30;
// Status codes of answers.
constexpr int kDone = 0, kFailed = 1, kNothing = 2;

// UnsafeRows of a struct type, from pickles and back.
class RowCodec {
 public:
  explicit RowCodec(types::DataTypePtr type)
      : type_(std::move(type)), encoder_(state::FieldTypes(*type_)), decoder_(state::FieldTypes(*type_)) {}

  Result<std::shared_ptr<arrow::StructArray>> Unpickle(std::string_view pickle) const {
    std::string_view one[] = {pickle};
    ARROW_ASSIGN_OR_RAISE(auto array, expression::UnpickleValues(one, *type_, arrow::default_memory_pool()));
    if (array->IsNull(0)) return Status::Invalid("a state row that is no row");
    return std::static_pointer_cast<arrow::StructArray>(array);
  }
  std::string Encode(const arrow::StructArray& row) const {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int i = 0; i < row.num_fields(); ++i) columns.push_back(row.field(i)->data());
    state::UnsafeRows rows;
    encoder_.Encode(columns, 1, &rows);
    return std::string(rows.row(0));
  }
  Result<std::string> EncodePickle(std::string_view pickle) const {
    ARROW_ASSIGN_OR_RAISE(auto row, Unpickle(pickle));
    return Encode(*row);
  }
  Result<std::string> Pickle(std::string_view row) const {
    std::string_view one[] = {row};
    ARROW_ASSIGN_OR_RAISE(auto columns, decoder_.Decode(one));
    arrow::ArrayVector fields;
    arrow::FieldVector names;
    for (size_t i = 0; i < columns.size(); ++i) {
      fields.push_back(arrow::MakeArray(columns[i]));
      names.push_back(arrow::field(type_->fields()[i].name, fields.back()->type()));
    }
    auto array = std::make_shared<arrow::StructArray>(arrow::struct_(std::move(names)), 1, std::move(fields));
    std::string pickle;
    ARROW_RETURN_NOT_OK(expression::AppendPickledStruct(*array, 0, *type_, &pickle));
    return pickle;
  }

 private:
  types::DataTypePtr type_;
  state::UnsafeRowEncoder encoder_;
  state::UnsafeRowDecoder decoder_;
};

}  // namespace

class StateServer::Connection {
 public:
  Connection(StateServer* server, python::WorkerSocket socket)
      : server_(server),
        spec_(server->spec_),
        state_(server->state_),
        socket_(std::move(socket)),
        key_codec_(spec_.key_type) {}

  Status Run() {
    while (true) {
      char head[4];
      // The worker says when its task is over, or closes the connection.
      if (!socket_.Receive(head, sizeof(head), &server_->stop_).ok()) return Status::OK();
      if (python::LoadInt(head) != 0) return Status::IOError("Python worker: a state message of another version");
      ARROW_ASSIGN_OR_RAISE(int32_t size, socket_.ReceiveInt(&server_->stop_));
      if (size < 0 || size > kMaxMessageBytes) return Status::IOError("Python worker: ", size, " is no length");
      std::string bytes(static_cast<size_t>(size), '\0');
      ARROW_RETURN_NOT_OK(socket_.Receive(bytes.data(), bytes.size(), &server_->stop_));
      message::StateRequest request;
      if (!request.ParseFromString(bytes)) return Status::IOError("Python worker: a state message that cannot be read");
      Status status = Handle(request);
      if (status.ok() && handle_state_ != message::CLOSED) continue;
      if (status.ok()) return Status::OK();
      // As Spark: the function is told what went wrong, and no more is served.
      ARROW_RETURN_NOT_OK(Answer(kFailed, status.message()));
      return Status::OK();
    }
  }

 private:
  struct Variable {
    StateVariable declared;
    int number = -1;
    RowCodec value;
    std::unique_ptr<RowCodec> user_key;
  };
  // What is left of a list, the keys of a map … that goes out in several answers.
  struct Cursor {
    std::vector<std::string> first;
    std::vector<std::string> second;
    std::vector<int64_t> times;
    size_t next = 0;
  };

  template <typename Message>
  Status Send(const Message& answer) {
    std::string bytes = answer.SerializeAsString(), framed;
    python::AppendBytes(bytes, &framed);
    return socket_.Send(framed);
  }
  Status Answer(int code, const std::string& text = "", const std::string* value = nullptr) {
    message::StateResponse answer;
    answer.set_statuscode(code);
    if (code != kDone) answer.set_errormessage(text);
    if (value != nullptr) answer.set_value(*value);
    return Send(answer);
  }
  Status AnswerExists(bool exists, const std::string& name) {
    return exists ? Answer(kDone) : Answer(kNothing, "state " + name + " doesn't exist");
  }

  Status Handle(const message::StateRequest& request) {
    switch (request.method_case()) {
      case message::StateRequest::kImplicitGroupingKeyRequest:
        return HandleKey(request.implicitgroupingkeyrequest());
      case message::StateRequest::kStatefulProcessorCall:
        return HandleCall(request.statefulprocessorcall());
      case message::StateRequest::kStateVariableRequest:
        return HandleVariable(request.statevariablerequest());
      case message::StateRequest::kTimerRequest:
        return HandleTimes(request.timerrequest());
      case message::StateRequest::kUtilsRequest: {
        ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type,
                              types::ParseSchemaDdl(request.utilsrequest().parsestringschema().schema()));
        message::StateResponseWithStringTypeVal answer;
        answer.set_value(type->ToJson());
        return Send(answer);
      }
      default:
        return Status::Invalid("Invalid method call");
    }
  }

  Status HandleKey(const message::ImplicitGroupingKeyRequest& request) {
    cursors_.clear();
    if (request.has_setimplicitkey() && state_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto key, key_codec_.Unpickle(request.setimplicitkey().key()));
      std::vector<std::shared_ptr<arrow::ArrayData>> columns;
      for (int i = 0; i < key->num_fields(); ++i) columns.push_back(key->field(i)->data());
      state_->SetKey(key_codec_.Encode(*key), spec_.partition_of(columns));
    }
    return Answer(kDone);
  }

  Status CheckHandle(const char* operation, bool right) const {
    if (right) return Status::OK();
    static constexpr const char* kStates[] = {"PRE_INIT",       "CREATED",         "INITIALIZED",
                                              "DATA_PROCESSED", "TIMER_PROCESSED", "CLOSED"};
    return UserError("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE",
                     {{"operationType", operation}, {"handleState", kStates[handle_state_]}});
  }
  Status CheckTimers(const char* operation) const {
    if (spec_.time_mode == TimeMode::kNone) {
      return UserError("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE",
                       {{"operationType", operation}, {"timeMode", std::string(TimeModeName(spec_.time_mode))}});
    }
    return CheckHandle(operation, state_ != nullptr && handle_state_ >= message::INITIALIZED &&
                                      handle_state_ < message::TIMER_PROCESSED);
  }

  Status HandleCall(const message::StatefulProcessorCall& call) {
    using Kind = StateVariable::Kind;
    switch (call.method_case()) {
      case message::StatefulProcessorCall::kSetHandleState:
        handle_state_ = call.sethandlestate().state();
        return Answer(kDone);
      case message::StatefulProcessorCall::kGetValueState:
        return Declare(Kind::kValue, "get_value_state", call.getvaluestate());
      case message::StatefulProcessorCall::kGetListState:
        return Declare(Kind::kList, "get_list_state", call.getliststate());
      case message::StatefulProcessorCall::kGetMapState:
        return Declare(Kind::kMap, "get_map_state", call.getmapstate());
      case message::StatefulProcessorCall::kTimerStateCall:
        return HandleTimer(call.timerstatecall());
      case message::StatefulProcessorCall::kDeleteIfExists:
        ARROW_RETURN_NOT_OK(CheckHandle("delete_if_exists", handle_state_ <= message::CREATED));
        if (state_ != nullptr) ARROW_RETURN_NOT_OK(state_->Drop(call.deleteifexists().statename()));
        variables_.erase(call.deleteifexists().statename());
        return Answer(kDone);
      default:
        return Status::Invalid("Invalid method call");
    }
  }

  Status Declare(StateVariable::Kind kind, const char* operation, const message::StateCallCommand& command) {
    ARROW_RETURN_NOT_OK(
        CheckHandle(operation, handle_state_ == (state_ == nullptr ? message::PRE_INIT : message::CREATED)));
    StateVariable variable;
    variable.name = command.statename();
    variable.kind = kind;
    bool is_map = kind == StateVariable::Kind::kMap;
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, types::ParseTypeJson(command.schema()));
    ARROW_ASSIGN_OR_RAISE(variable.value, is_map ? types::ParseTypeJson(command.mapstatevalueschema())
                                                 : Result<types::DataTypePtr>(schema));
    if (is_map) variable.user_key = schema;
    if (command.has_ttl() && command.ttl().durationms() != 0) variable.ttl_ms = command.ttl().durationms();
    if (variables_.contains(variable.name)) {
      if (state_ == nullptr) {
        return UserError("STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED", {{"stateVarName", variable.name}});
      }
      static constexpr const char* kNames[] = {"Value", "List", "Map"};
      return Answer(kFailed,
                    std::string(kNames[static_cast<size_t>(kind)]) + " state " + variable.name + " already exists");
    }
    Variable known{variable, -1, RowCodec(variable.value), nullptr};
    if (is_map) known.user_key = std::make_unique<RowCodec>(variable.user_key);
    if (state_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(known.number, state_->Declare(variable));
    } else {
      server_->declared_.push_back(variable);
    }
    variables_.emplace(variable.name, std::move(known));
    return Answer(kDone);
  }

  // Null when it was not declared, which the worker is told.
  Result<Variable*> Known(const std::string& name, const char* kind) {
    auto it = variables_.find(name);
    if (it != variables_.end() && state_ != nullptr) return &it->second;
    ARROW_RETURN_NOT_OK(Answer(kFailed, std::string(kind) + " state " + name + " is not initialized."));
    return nullptr;
  }

  Status HandleVariable(const message::StateVariableRequest& request) {
    switch (request.method_case()) {
      case message::StateVariableRequest::kValueStateCall:
        return HandleValue(request.valuestatecall());
      case message::StateVariableRequest::kListStateCall:
        return HandleList(request.liststatecall());
      case message::StateVariableRequest::kMapStateCall:
        return HandleMap(request.mapstatecall());
      default:
        return Status::Invalid("Invalid method call");
    }
  }

  Status AnswerRow(const RowCodec& codec, std::string_view row) {
    if (row.data() == nullptr) return Answer(kDone);
    ARROW_ASSIGN_OR_RAISE(std::string pickle, codec.Pickle(row));
    return Answer(kDone, "", &pickle);
  }

  Status HandleValue(const message::ValueStateCall& call) {
    ARROW_ASSIGN_OR_RAISE(Variable * variable, Known(call.statename(), "Value"));
    if (variable == nullptr) return Status::OK();
    switch (call.method_case()) {
      case message::ValueStateCall::kExists: {
        ARROW_ASSIGN_OR_RAISE(std::string_view row, state_->Value(variable->number));
        return AnswerExists(row.data() != nullptr, call.statename());
      }
      case message::ValueStateCall::kGet: {
        ARROW_ASSIGN_OR_RAISE(std::string_view row, state_->Value(variable->number));
        return AnswerRow(variable->value, row);
      }
      case message::ValueStateCall::kValueStateUpdate: {
        ARROW_ASSIGN_OR_RAISE(std::string row, variable->value.EncodePickle(call.valuestateupdate().value()));
        ARROW_RETURN_NOT_OK(state_->SetValue(variable->number, row));
        return Answer(kDone);
      }
      case message::ValueStateCall::kClear:
        ARROW_RETURN_NOT_OK(state_->ClearValue(variable->number));
        return Answer(kDone);
      default:
        return Status::Invalid("Invalid method call");
    }
  }

  template <typename Values>
  Status AddToList(const Variable& variable, const Values& pickles, bool with_arrow, bool replaces) {
    if (with_arrow) return Status::NotImplemented("list state in Arrow, which PySpark before 4.2 sends");
    std::vector<std::string> rows;
    for (const std::string& pickle : pickles) {
      ARROW_ASSIGN_OR_RAISE(std::string row, variable.value.EncodePickle(pickle));
      rows.push_back(std::move(row));
    }
    ARROW_RETURN_NOT_OK(state_->AddToList(variable.number, rows, replaces));
    return Answer(kDone);
  }

  Status HandleList(const message::ListStateCall& call) {
    ARROW_ASSIGN_OR_RAISE(Variable * variable, Known(call.statename(), "List"));
    if (variable == nullptr) return Status::OK();
    switch (call.method_case()) {
      case message::ListStateCall::kExists: {
        ARROW_ASSIGN_OR_RAISE(auto rows, state_->List(variable->number));
        return AnswerExists(!rows.empty(), call.statename());
      }
      case message::ListStateCall::kListStateGet: {
        auto [cursor, is_new] = cursors_.try_emplace(call.liststateget().iteratorid());
        if (is_new) {
          ARROW_ASSIGN_OR_RAISE(cursor->second.first, state_->List(variable->number));
        }
        return SendRows<message::StateResponseWithListGet>(
            &cursor->second, variable->value, "List state " + call.statename() + " doesn't contain any value.");
      }
      case message::ListStateCall::kListStatePut:
        return AddToList(*variable, call.liststateput().value(), call.liststateput().fetchwitharrow(), true);
      case message::ListStateCall::kAppendValue:
        return AddToList(*variable, std::vector<std::string>{call.appendvalue().value()}, false, false);
      case message::ListStateCall::kAppendList:
        return AddToList(*variable, call.appendlist().value(), call.appendlist().fetchwitharrow(), false);
      case message::ListStateCall::kClear:
        ARROW_RETURN_NOT_OK(state_->ClearList(variable->number));
        return Answer(kDone);
      default:
        return Status::Invalid("Invalid method call");
    }
  }

  Status HandleMap(const message::MapStateCall& call) {
    ARROW_ASSIGN_OR_RAISE(Variable * variable, Known(call.statename(), "Map"));
    if (variable == nullptr) return Status::OK();
    int number = variable->number;
    const RowCodec& keys = *variable->user_key;
    switch (call.method_case()) {
      case message::MapStateCall::kExists: {
        ARROW_ASSIGN_OR_RAISE(auto pairs, state_->Map(number));
        return AnswerExists(!pairs.empty(), call.statename());
      }
      case message::MapStateCall::kGetValue: {
        ARROW_ASSIGN_OR_RAISE(std::string key, keys.EncodePickle(call.getvalue().userkey()));
        ARROW_ASSIGN_OR_RAISE(std::string_view row, state_->MapValue(number, key));
        return AnswerRow(variable->value, row);
      }
      case message::MapStateCall::kContainsKey: {
        ARROW_ASSIGN_OR_RAISE(std::string key, keys.EncodePickle(call.containskey().userkey()));
        ARROW_ASSIGN_OR_RAISE(std::string_view row, state_->MapValue(number, key));
        if (row.data() != nullptr) return Answer(kDone);
        return Answer(kNothing, "Map state " + call.statename() + " doesn't contain key");
      }
      case message::MapStateCall::kUpdateValue: {
        ARROW_ASSIGN_OR_RAISE(std::string key, keys.EncodePickle(call.updatevalue().userkey()));
        ARROW_ASSIGN_OR_RAISE(std::string row, variable->value.EncodePickle(call.updatevalue().value()));
        ARROW_RETURN_NOT_OK(state_->SetMapValue(number, key, row));
        return Answer(kDone);
      }
      case message::MapStateCall::kIterator:
        return SendPairs(call.iterator().iteratorid(), *variable);
      case message::MapStateCall::kKeys: {
        ARROW_ASSIGN_OR_RAISE(Cursor * cursor, MapCursor(call.keys().iteratorid(), number));
        return SendRows<message::StateResponseWithMapKeysOrValues>(
            cursor, keys, "Map state " + call.statename() + " doesn't contain any key.");
      }
      case message::MapStateCall::kValues: {
        ARROW_ASSIGN_OR_RAISE(Cursor * cursor, MapCursor(call.values().iteratorid(), number));
        std::swap(cursor->first, cursor->second);
        Status sent = SendRows<message::StateResponseWithMapKeysOrValues>(
            cursor, variable->value, "Map state " + call.statename() + " doesn't contain any value.");
        std::swap(cursor->first, cursor->second);
        return sent;
      }
      case message::MapStateCall::kRemoveKey: {
        ARROW_ASSIGN_OR_RAISE(std::string key, keys.EncodePickle(call.removekey().userkey()));
        ARROW_RETURN_NOT_OK(state_->RemoveFromMap(number, key));
        return Answer(kDone);
      }
      case message::MapStateCall::kClear:
        ARROW_RETURN_NOT_OK(state_->ClearMap(number));
        return Answer(kDone);
      default:
        return Status::Invalid("Invalid method call");
    }
  }

  Result<Cursor*> MapCursor(const std::string& id, int number) {
    auto [cursor, is_new] = cursors_.try_emplace(id);
    if (is_new) {
      ARROW_ASSIGN_OR_RAISE(auto pairs, state_->Map(number));
      for (auto& [key, value] : pairs) {
        cursor->second.first.push_back(std::move(key));
        cursor->second.second.push_back(std::move(value));
      }
    }
    return &cursor->second;
  }

  // As many rows as go into one answer; a code for nothing at the end.
  template <typename Message>
  Status SendRows(Cursor* cursor, const RowCodec& codec, const std::string& nothing) {
    Message answer;
    size_t end = std::min(cursor->first.size(), cursor->next + spec_.max_rows);
    if (cursor->next == end) {
      answer.set_statuscode(kNothing);
      answer.set_errormessage(nothing);
      return Send(answer);
    }
    for (; cursor->next < end; ++cursor->next) {
      ARROW_ASSIGN_OR_RAISE(std::string pickle, codec.Pickle(cursor->first[cursor->next]));
      answer.add_value(std::move(pickle));
    }
    answer.set_requirenextfetch(cursor->next < cursor->first.size());
    return Send(answer);
  }

  Status SendPairs(const std::string& id, const Variable& variable) {
    ARROW_ASSIGN_OR_RAISE(Cursor * cursor, MapCursor(id, variable.number));
    message::StateResponseWithMapIterator answer;
    size_t end = std::min(cursor->first.size(), cursor->next + spec_.max_rows);
    if (cursor->next == end) {
      answer.set_statuscode(kNothing);
      answer.set_errormessage("Map state " + variable.declared.name + " doesn't contain any entry.");
      return Send(answer);
    }
    for (; cursor->next < end; ++cursor->next) {
      auto* pair = answer.add_kvpair();
      ARROW_ASSIGN_OR_RAISE(*pair->mutable_key(), variable.user_key->Pickle(cursor->first[cursor->next]));
      ARROW_ASSIGN_OR_RAISE(*pair->mutable_value(), variable.value.Pickle(cursor->second[cursor->next]));
    }
    answer.set_requirenextfetch(cursor->next < cursor->first.size());
    return Send(answer);
  }

  Status SendTimers(Cursor* cursor, const char* nothing) {
    message::StateResponseWithTimer answer;
    size_t end = std::min(cursor->times.size(), cursor->next + spec_.max_rows);
    if (cursor->next == end) {
      answer.set_statuscode(kNothing);
      answer.set_errormessage(nothing);
      return Send(answer);
    }
    for (; cursor->next < end; ++cursor->next) {
      auto* timer = answer.add_timer();
      timer->set_timestampms(cursor->times[cursor->next]);
      if (cursor->first.empty()) continue;
      ARROW_ASSIGN_OR_RAISE(std::string pickle, key_codec_.Pickle(cursor->first[cursor->next]));
      timer->set_key(std::move(pickle));
    }
    answer.set_requirenextfetch(cursor->next < cursor->times.size());
    return Send(answer);
  }

  Status HandleTimer(const message::TimerStateCallCommand& call) {
    switch (call.method_case()) {
      case message::TimerStateCallCommand::kRegister:
        ARROW_RETURN_NOT_OK(CheckTimers("register_timer"));
        ARROW_RETURN_NOT_OK(state_->RegisterTimer(call.register_().expirytimestampms()));
        return Answer(kDone);
      case message::TimerStateCallCommand::kDelete:
        ARROW_RETURN_NOT_OK(CheckTimers("delete_timer"));
        ARROW_RETURN_NOT_OK(state_->DeleteTimer(call.delete_().expirytimestampms()));
        return Answer(kDone);
      case message::TimerStateCallCommand::kList: {
        ARROW_RETURN_NOT_OK(CheckTimers("list_timers"));
        auto [cursor, is_new] = cursors_.try_emplace(call.list().iteratorid());
        if (is_new) {
          ARROW_ASSIGN_OR_RAISE(cursor->second.times, state_->Timers());
        }
        return SendTimers(&cursor->second, "List timer iterator doesn't contain any value.");
      }
      default:
        return Status::Invalid("Invalid timer state method call");
    }
  }

  Status HandleTimes(const message::TimerRequest& request) {
    if (request.has_timervaluerequest()) {
      message::StateResponseWithLongTypeVal answer;
      answer.set_value(request.timervaluerequest().has_getwatermark() ? spec_.watermark_ms : spec_.batch_time_ms);
      return Send(answer);
    }
    ARROW_RETURN_NOT_OK(CheckTimers("get_expired_timers"));
    auto [cursor, is_new] = due_.try_emplace(request.expirytimerrequest().iteratorid());
    if (is_new) {
      int64_t time_ms = request.expirytimerrequest().expirytimestampms();
      for (int p = spec_.first_partition; p < spec_.last_partition; ++p) {
        ARROW_ASSIGN_OR_RAISE(auto timers, state_->DueTimers(p, time_ms));
        for (auto& [key, time] : timers) {
          cursor->second.first.push_back(std::move(key));
          cursor->second.times.push_back(time);
        }
      }
    }
    return SendTimers(&cursor->second, "No expired timer.");
  }

  StateServer* server_;
  const StateServerSpec& spec_;
  ProcessorState* state_;
  python::WorkerSocket socket_;
  RowCodec key_codec_;
  int handle_state_ = message::CREATED;
  std::map<std::string, Variable> variables_;
  /// Of the current key, by the worker's iterator id; and of timers that are due.
  std::map<std::string, Cursor> cursors_;
  std::map<std::string, Cursor> due_;
};

StateServer::StateServer(StateServerSpec spec, ProcessorState* state, std::unique_ptr<python::LocalListener> listener)
    : spec_(std::move(spec)), state_(state), listener_(std::move(listener)) {}

Result<std::unique_ptr<StateServer>> StateServer::Start(StateServerSpec spec, ProcessorState* state) {
  ARROW_ASSIGN_OR_RAISE(auto listener, python::LocalListener::Make());
  std::unique_ptr<StateServer> server(new StateServer(std::move(spec), state, std::move(listener)));
  server->thread_ = std::thread([raw = server.get()] { raw->status_ = raw->Serve(); });
  return server;
}

StateServer::~StateServer() { (void)Finish(true); }

Status StateServer::Serve() {
  auto socket = listener_->Accept(stop_);
  if (socket.status().IsCancelled()) return Status::OK();
  ARROW_RETURN_NOT_OK(socket);
  return Connection(this, std::move(*socket)).Run();
}

Status StateServer::Finish(bool now) {
  if (now) stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
  return status_;
}

}  // namespace millrace::physical
