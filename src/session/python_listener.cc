#include "session/python_listener.h"

#include <spdlog/spdlog.h>

#include "analyzer/analyzer.h"
#include "base/clock.h"
#include "session/python_streaming.h"
#include "session/query_event.h"
#include "session/session.h"

namespace millrace::session {

namespace {

constexpr char kListenerModule[] = "pyspark.sql.connect.streaming.worker.listener_worker";

// The numbers of listener_worker.py.
enum EventType : int32_t { kStarted = 0, kProgress = 1, kIdle = 2, kTerminated = 3 };

}  // namespace

PythonListener::PythonListener(std::shared_ptr<python::StreamingWorker> worker)
    : worker_(std::move(worker)), thread_([this] { Deliver(); }) {}

PythonListener::~PythonListener() { Stop(); }

void PythonListener::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  worker_->Stop();
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
    worker_->End();
  }
}

StreamingQueryManager::Listener PythonListener::Callbacks(const Clock* clock) {
  auto self = shared_from_this();
  StreamingQueryManager::Listener callbacks;
  callbacks.on_started = [self, clock](const streaming::StreamingQuery& query) {
    self->Post({StartedEventJson(query, clock->NowMillis()), kStarted}, /*wait=*/true);
  };
  callbacks.on_progress = [self](const JsonValue& progress) {
    self->Post({ProgressEventJson(progress), kProgress}, /*wait=*/false);
  };
  callbacks.on_idle = [self](const streaming::StreamingQuery& query, int64_t timestamp_ms) {
    self->Post({IdleEventJson(query, timestamp_ms), kIdle}, /*wait=*/false);
  };
  callbacks.on_terminated = [self](const streaming::StreamingQuery& query, const arrow::Status& reason) {
    self->Post({TerminatedEventJson(query, reason, ""), kTerminated}, /*wait=*/false);
  };
  return callbacks;
}

void PythonListener::Post(Event event, bool wait) {
  std::unique_lock lock(mutex_);
  if (stopped_) return;
  queue_.push_back(std::move(event));
  changed_.notify_all();
  if (wait) changed_.wait(lock, [this] { return stopped_ || (queue_.empty() && !busy_); });
}

void PythonListener::Deliver() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (stopped_) return;
    Event event = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    arrow::Status status = worker_->ProcessEvent(event.json, event.type);
    if (!status.ok() && !status.IsCancelled()) spdlog::error("Listener threw an exception: {}", status.message());
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

arrow::Result<PythonClient> Session::StreamingPythonClient(const std::string& what) {
  PythonClient client;
  {
    std::lock_guard lock(mutex_);
    client = python_client_;
  }
  if (client.connect_url.empty()) client.connect_url = engine_->python_workers->ConnectUrlFor(client.user_id);
  if (client.connect_url.empty() || client.session_id.empty())
    return analyzer::NotSupported(what + " in Python without a Spark Connect server");
  return client;
}

arrow::Status Session::AddPythonListener(const std::string& id, python::UserFunction listener) {
  ARROW_ASSIGN_OR_RAISE(PythonClient client, StreamingPythonClient("a StreamingQueryListener"));
  ARROW_ASSIGN_OR_RAISE(
      auto worker, StartStreamingWorker(MakeAnalyzerContext().python, client, kListenerModule, std::move(listener)));
  auto added = std::make_shared<PythonListener>(std::move(worker));
  int number = streams_.AddListener(added->Callbacks(engine_->clock));
  std::lock_guard lock(mutex_);
  python_listeners_.insert_or_assign(id, std::pair(number, std::move(added)));
  return arrow::Status::OK();
}

bool Session::RemovePythonListener(const std::string& id) {
  std::shared_ptr<PythonListener> removed;
  {
    std::lock_guard lock(mutex_);
    auto it = python_listeners_.find(id);
    if (it == python_listeners_.end()) return false;
    streams_.RemoveListener(it->second.first);
    removed = std::move(it->second.second);
    python_listeners_.erase(it);
  }
  removed->Stop();
  return true;
}

std::vector<std::string> Session::PythonListenerIds() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, listener] : python_listeners_) ids.push_back(id);
  return ids;
}

}  // namespace millrace::session
