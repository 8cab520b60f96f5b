#include "session/streaming_query_manager.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::session {

using streaming::StreamingQuery;

StreamingQueryManager::~StreamingQueryManager() { (void)StopAll(); }

arrow::Result<std::shared_ptr<StreamingQuery>> StreamingQueryManager::Start(streaming::StreamingQuerySpec spec) {
  std::lock_guard start_lock(start_mutex_);
  if (!spec.name.empty()) {
    for (const auto& query : Active()) {
      if (query->name() == spec.name) {
        return arrow::Status::Invalid("Cannot start query with name ", spec.name,
                                      " as a query with that name is already active in this SparkSession");
      }
    }
  }
  std::weak_ptr<Shared> weak = shared_;
  auto listeners = [weak]() -> std::vector<Listener> {
    std::vector<Listener> found;
    if (auto shared = weak.lock()) {
      std::lock_guard lock(shared->mutex);
      for (const auto& [id, listener] : shared->listeners) found.push_back(listener);
    }
    return found;
  };
  spec.on_started = [listeners](const StreamingQuery& query) {
    for (const Listener& listener : listeners()) {
      if (listener.on_started) listener.on_started(query);
    }
  };
  spec.on_progress = [listeners](const JsonValue& progress) {
    for (const Listener& listener : listeners()) {
      if (listener.on_progress) listener.on_progress(progress);
    }
  };
  spec.on_idle = [listeners](const StreamingQuery& query, int64_t timestamp_ms) {
    for (const Listener& listener : listeners()) {
      if (listener.on_idle) listener.on_idle(query, timestamp_ms);
    }
  };
  spec.on_terminated = [listeners, weak](const StreamingQuery& query, const arrow::Status& reason) {
    for (const Listener& listener : listeners()) {
      if (listener.on_terminated) listener.on_terminated(query, reason);
    }
    if (auto shared = weak.lock()) {
      {
        std::lock_guard lock(shared->mutex);
        ++shared->num_ended;
        if (!reason.ok() && shared->first_failure.ok()) shared->first_failure = reason;
      }
      shared->ended.notify_all();
    }
  };
  // A new start on a checkpoint takes over from a run that is still active here.
  const bool takes_over =
      !EqualsIgnoreCase(spec.conf("spark.sql.streaming.stopActiveRunOnRestart").value_or("true"), "false");
  if (!spec.temporary_checkpoint) {
    ARROW_ASSIGN_OR_RAISE(auto id, streaming::ReadQueryId(*spec.file_system, spec.checkpoint_location));
    for (const auto& query : Active()) {
      if (!id || query->id() != *id) continue;
      if (!takes_over) {
        return arrow::Status::UnknownError(
            "Cannot start query with id ", *id,
            " as another query with same id is already active. Perhaps you are attempting to restart a query from "
            "checkpoint that is already active. You may stop the old query by setting the SQL configuration: "
            "spark.conf.set(\"spark.sql.streaming.stopActiveRunOnRestart\", true) and retry.");
      }
      ARROW_RETURN_NOT_OK(query->Stop());
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<StreamingQuery> query, streaming::Start(std::move(spec)));
  std::lock_guard lock(shared_->mutex);
  shared_->queries.push_back(query);
  return query;
}

std::vector<std::shared_ptr<StreamingQuery>> StreamingQueryManager::Active() const {
  std::lock_guard lock(shared_->mutex);
  std::vector<std::shared_ptr<StreamingQuery>> active;
  for (const auto& query : shared_->queries) {
    if (query->is_active()) active.push_back(query);
  }
  return active;
}

std::shared_ptr<StreamingQuery> StreamingQueryManager::Find(const std::string& id) const {
  std::lock_guard lock(shared_->mutex);
  for (auto it = shared_->queries.rbegin(); it != shared_->queries.rend(); ++it) {
    if ((*it)->id() == id || (*it)->run_id() == id) return *it;
  }
  return nullptr;
}

arrow::Result<bool> StreamingQueryManager::AwaitAnyTermination(std::chrono::milliseconds timeout) {
  std::unique_lock lock(shared_->mutex);
  auto ended = [this] { return shared_->num_ended > 0; };
  if (timeout.count() < 0) {
    shared_->ended.wait(lock, ended);
  } else if (!shared_->ended.wait_for(lock, timeout, ended)) {
    return false;
  }
  ARROW_RETURN_NOT_OK(shared_->first_failure);
  return true;
}

void StreamingQueryManager::ResetTerminated() {
  std::lock_guard lock(shared_->mutex);
  shared_->num_ended = 0;
  shared_->first_failure = arrow::Status::OK();
  std::erase_if(shared_->queries, [](const auto& query) { return !query->is_active(); });
}

arrow::Status StreamingQueryManager::StopAll() {
  arrow::Status first;
  for (const auto& query : Active()) {
    arrow::Status stopped = query->Stop();
    if (first.ok()) first = stopped;
  }
  return first;
}

int StreamingQueryManager::AddListener(Listener listener) {
  std::lock_guard lock(shared_->mutex);
  int id = shared_->next_listener++;
  shared_->listeners.emplace(id, std::move(listener));
  return id;
}

void StreamingQueryManager::RemoveListener(int id) {
  std::lock_guard lock(shared_->mutex);
  shared_->listeners.erase(id);
}

}  // namespace millrace::session
