#include "connect/session_registry.h"

#include <chrono>

#include "base/error.h"
#include "connect/python_client.h"

namespace millrace::connect {

namespace {

// Spark's defaults: spark.connect.session.manager.defaultSessionTimeout and closedSessionsTombstonesSize,
// spark.connect.execute.manager.detachedTimeout.
constexpr auto kSessionTimeout = std::chrono::minutes(60);
constexpr auto kDetachedTimeout = std::chrono::minutes(5);
constexpr size_t kMaxClosed = 1000;

arrow::Status CheckObserved(const ClientSession& session, const std::optional<std::string>& observed) {
  if (!observed || *observed == session.server_side_id()) return arrow::Status::OK();
  return UserError("INVALID_HANDLE.SESSION_CHANGED", {{"handle", session.key().session_id}});
}

}  // namespace

bool SessionRegistry::WasClosed(const SessionKey& key) const { return closed_.count(key) > 0; }

arrow::Result<std::shared_ptr<ClientSession>> SessionRegistry::GetOrCreate(const SessionKey& key,
                                                                           const std::optional<std::string>& observed) {
  std::shared_ptr<ClientSession> session;
  {
    std::lock_guard lock(mutex_);
    auto it = sessions_.find(key);
    if (it != sessions_.end()) {
      session = it->second;
    } else {
      if (!IsUuid(key.session_id)) return UserError("INVALID_HANDLE.FORMAT", {{"handle", key.session_id}});
      if (WasClosed(key)) return UserError("INVALID_HANDLE.SESSION_CLOSED", {{"handle", key.session_id}});
      session = std::make_shared<ClientSession>(key, make_session_());
      TellPython(*session);
      sessions_.emplace(key, session);
    }
  }
  session->Touch();
  ARROW_RETURN_NOT_OK(CheckObserved(*session, observed));
  return session;
}

arrow::Result<std::shared_ptr<ClientSession>> SessionRegistry::Get(const SessionKey& key,
                                                                   const std::optional<std::string>& observed) {
  std::shared_ptr<ClientSession> session = Find(key);
  if (session == nullptr) {
    std::lock_guard lock(mutex_);
    if (WasClosed(key)) return UserError("INVALID_HANDLE.SESSION_CLOSED", {{"handle", key.session_id}});
    return UserError("INVALID_HANDLE.SESSION_NOT_FOUND", {{"handle", key.session_id}});
  }
  session->Touch();
  ARROW_RETURN_NOT_OK(CheckObserved(*session, observed));
  return session;
}

std::shared_ptr<ClientSession> SessionRegistry::Find(const SessionKey& key) const {
  std::lock_guard lock(mutex_);
  auto it = sessions_.find(key);
  return it == sessions_.end() ? nullptr : it->second;
}

arrow::Result<std::shared_ptr<ClientSession>> SessionRegistry::Clone(const SessionKey& source,
                                                                     const std::string& new_session_id,
                                                                     const std::optional<std::string>& observed) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> original, Get(source, observed));
  ErrorParameters target{{"targetSessionId", new_session_id}};
  if (!IsUuid(new_session_id)) return UserError("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT", target);
  SessionKey key{source.user_id, new_session_id};
  std::lock_guard lock(mutex_);
  if (WasClosed(key)) return UserError("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_CLOSED", target);
  if (sessions_.count(key) > 0) {
    return UserError("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", target);
  }
  auto clone = std::make_shared<ClientSession>(key, original->engine().Clone());
  ARROW_RETURN_NOT_OK(clone->artifacts().CopyFrom(original->artifacts()));
  TellPython(*clone);
  sessions_.emplace(key, clone);
  return clone;
}

void SessionRegistry::Close(const SessionKey& key, bool allow_reconnect) {
  std::shared_ptr<ClientSession> session;
  {
    std::lock_guard lock(mutex_);
    auto it = sessions_.find(key);
    if (it == sessions_.end()) return;
    session = std::move(it->second);
    sessions_.erase(it);
    if (!allow_reconnect && closed_.insert(key).second) {
      closed_order_.push_back(key);
      if (closed_order_.size() > kMaxClosed) {
        closed_.erase(closed_order_.front());
        closed_order_.pop_front();
      }
    }
  }
  session->Close();
}

void SessionRegistry::CloseAll() {
  std::map<SessionKey, std::shared_ptr<ClientSession>> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(sessions_);
  }
  for (const auto& [key, session] : all) session->Close();
}

void SessionRegistry::Maintain() {
  std::vector<std::shared_ptr<ClientSession>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, session] : sessions_) all.push_back(session);
  }
  auto now = std::chrono::steady_clock::now();
  for (const auto& session : all) {
    session->DropDetachedOperations(kDetachedTimeout);
    // A query lives on without its client.
    if (!session->engine().streams().Active().empty()) session->Touch();
    if (now - session->last_access() > kSessionTimeout) Close(session->key(), /*allow_reconnect=*/false);
  }
}

size_t SessionRegistry::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace millrace::connect
