#include "base/json_value.h"
#include "connect/client_session.h"
#include "connect/encode/error.h"
#include "session/query_event.h"
#include "spark/connect/base.pb.h"
#include "spark/connect/commands.pb.h"

/// Events of streaming queries on their way to the client's listeners.

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

void Send(Operation& operation, std::string json, proto::StreamingQueryEventType type) {
  proto::ExecutePlanResponse response;
  auto* event = response.mutable_streaming_query_listener_events_result()->add_events();
  event->set_event_json(std::move(json));
  event->set_event_type(type);
  // A bus that was stopped takes no more events.
  (void)operation.Emit(std::move(response));
}

}  // namespace

void ClientSession::StartListenerBus(std::shared_ptr<Operation> operation) {
  std::weak_ptr<Operation> weak = operation;
  session::StreamingQueryManager::Listener listener;
  listener.on_progress = [weak](const JsonValue& progress) {
    if (auto bus = weak.lock()) Send(*bus, session::ProgressEventJson(progress), proto::QUERY_PROGRESS_EVENT);
  };
  listener.on_idle = [weak](const streaming::StreamingQuery& query, int64_t timestamp_ms) {
    auto bus = weak.lock();
    if (bus == nullptr) return;
    Send(*bus, session::IdleEventJson(query, timestamp_ms), proto::QUERY_IDLE_EVENT);
  };
  listener.on_terminated = [weak](const streaming::StreamingQuery& query, const arrow::Status& reason) {
    auto bus = weak.lock();
    if (bus == nullptr) return;
    std::string name = reason.ok() ? "" : ExceptionClasses(query.cause().ok() ? reason : query.cause())[0];
    Send(*bus, session::TerminatedEventJson(query, reason, name), proto::QUERY_TERMINATED_EVENT);
  };
  int id = engine_session_->streams().AddListener(std::move(listener));
  std::lock_guard lock(mutex_);
  listener_bus_ = std::move(operation);
  listener_id_ = id;
}

void ClientSession::StopListenerBus() {
  {
    std::lock_guard lock(mutex_);
    if (listener_bus_ == nullptr) return;
    engine_session_->streams().RemoveListener(listener_id_);
    listener_bus_ = nullptr;
  }
  bus_changed_.notify_all();
}

void ClientSession::AwaitListenerBusEnd(const Operation& operation) {
  std::unique_lock lock(mutex_);
  while (listener_bus_.get() == &operation && !operation.cancelled()) {
    bus_changed_.wait_for(lock, std::chrono::milliseconds(100));
  }
  if (listener_bus_.get() != &operation) return;
  engine_session_->streams().RemoveListener(listener_id_);
  listener_bus_ = nullptr;
}

}  // namespace millrace::connect
