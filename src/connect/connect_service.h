#pragma once

#include <arrow/status.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "connect/operation.h"
#include "connect/session_registry.h"

namespace millrace::connect {

/// What all calls share: the engine, the sessions, the threads of executions. Thread-safe.
class ConnectService {
 public:
  /// `conf`: settings that every session starts with.
  ConnectService(std::shared_ptr<session::Engine> engine, std::map<std::string, std::string> conf);
  ~ConnectService();

  SessionRegistry& sessions() { return sessions_; }
  session::Engine& engine() { return *engine_; }

  /// Runs `execute` on a thread of its own and finishes the operation with its status.
  void Start(std::shared_ptr<ClientSession> session, std::shared_ptr<Operation> operation,
             std::function<arrow::Status()> execute);

  /// Ends all sessions and waits for their executions.
  void Shutdown();

 private:
  std::shared_ptr<session::Session> NewSession();

  std::shared_ptr<session::Engine> engine_;
  std::map<std::string, std::string> conf_;
  SessionRegistry sessions_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int num_running_ = 0;
};

}  // namespace millrace::connect
