#include "connect/connect_service.h"

#include <spdlog/spdlog.h>

#include <new>
#include <thread>

#include "base/error.h"

namespace millrace::connect {

ConnectService::ConnectService(std::shared_ptr<session::Engine> engine, std::map<std::string, std::string> conf)
    : engine_(std::move(engine)), conf_(std::move(conf)), sessions_([this] { return NewSession(); }) {}

ConnectService::~ConnectService() { Shutdown(); }

std::shared_ptr<session::Session> ConnectService::NewSession() {
  auto session = session::Session::Create(engine_);
  for (const auto& [key, value] : conf_) {
    arrow::Status status = session->SetAtStart(key, value);
    if (!status.ok()) status.Warn();
  }
  return session;
}

void ConnectService::Start(std::shared_ptr<ClientSession> session, std::shared_ptr<Operation> operation,
                           std::function<arrow::Status()> execute) {
  {
    std::lock_guard lock(mutex_);
    ++num_running_;
  }
  std::thread([this, session = std::move(session), operation = std::move(operation),
               execute = std::move(execute)]() mutable {
    arrow::Status status;
    try {
      status = execute();
    } catch (const std::bad_alloc&) {
      status = arrow::Status::OutOfMemory("The query needs more memory than there is");
    } catch (const std::exception& error) {
      status = InternalError(error.what());
    }
    operation->Finish(std::move(status));
    execute = nullptr;
    operation.reset();
    session.reset();
    std::lock_guard lock(mutex_);
    --num_running_;
    changed_.notify_all();
  }).detach();
}

void ConnectService::Shutdown() {
  sessions_.CloseAll();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return num_running_ == 0; });
}

}  // namespace millrace::connect
