#pragma once

#include <arrow/result.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "connect/client_session.h"

namespace millrace::connect {

/// The sessions of all clients, by user and session id. Closed ones are remembered for a while, so that a client that
/// still holds one is told. Thread-safe. Source: Spark, SparkConnectSessionManager.
class SessionRegistry {
 public:
  using MakeSession = std::function<std::shared_ptr<session::Session>()>;
  explicit SessionRegistry(MakeSession make_session) : make_session_(std::move(make_session)) {}

  /// `observed`: the server-side id the client saw before.
  /// Errors: INVALID_HANDLE.FORMAT, SESSION_CLOSED, SESSION_CHANGED.
  arrow::Result<std::shared_ptr<ClientSession>> GetOrCreate(const SessionKey& key,
                                                            const std::optional<std::string>& observed);
  /// Errors: INVALID_HANDLE.SESSION_NOT_FOUND, SESSION_CLOSED, SESSION_CHANGED.
  arrow::Result<std::shared_ptr<ClientSession>> Get(const SessionKey& key, const std::optional<std::string>& observed);
  /// Null when there is none.
  std::shared_ptr<ClientSession> Find(const SessionKey& key) const;
  /// A session with the settings and views of another.
  /// Errors: INVALID_CLONE_SESSION_REQUEST.…, and Get's.
  arrow::Result<std::shared_ptr<ClientSession>> Clone(const SessionKey& source, const std::string& new_session_id,
                                                      const std::optional<std::string>& observed);
  /// `allow_reconnect`: the same id may be used again.
  void Close(const SessionKey& key, bool allow_reconnect);
  void CloseAll();

  /// Ends what nobody has asked for in a long time. To be called now and then.
  void Maintain();
  size_t size() const;

 private:
  bool WasClosed(const SessionKey& key) const;

  MakeSession make_session_;
  mutable std::mutex mutex_;
  std::map<SessionKey, std::shared_ptr<ClientSession>> sessions_;
  std::set<SessionKey> closed_;
  std::deque<SessionKey> closed_order_;
};

}  // namespace millrace::connect
