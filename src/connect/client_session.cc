#include "connect/client_session.h"

#include <algorithm>

#include "base/error.h"
#include "base/ids.h"

namespace millrace::connect {

namespace {

using std::chrono::steady_clock;

constexpr size_t kMaxErrors = 20;
constexpr size_t kMaxGoneOperations = 1000;
constexpr size_t kMaxEndedQueries = 100;

}  // namespace

bool IsUuid(const std::string& text) {
  // As java.util.UUID reads it: five groups of hexadecimal digits.
  int dashes = 0;
  bool digit = false;
  for (char c : text) {
    if (c == '-') {
      if (!digit) return false;
      ++dashes;
      digit = false;
    } else if (std::isxdigit(static_cast<unsigned char>(c)) != 0) {
      digit = true;
    } else {
      return false;
    }
  }
  return dashes == 4 && digit && text.size() <= 36;
}

ClientSession::ClientSession(SessionKey key, std::shared_ptr<session::Session> engine_session)
    : key_(std::move(key)),
      engine_session_(std::move(engine_session)),
      artifacts_(engine_session_->id()),
      last_access_(steady_clock::now()) {
  engine_session_->set_find_block([this](const std::string& hash) { return artifacts_.FindBlock(hash); });
}

ClientSession::~ClientSession() {
  Close();
  engine_session_->set_find_block(nullptr);
}

arrow::Status ClientSession::AddOperation(const std::shared_ptr<Operation>& operation) {
  const std::string& id = operation->id();
  if (!IsUuid(id)) return UserError("INVALID_HANDLE.FORMAT", {{"handle", id}});
  std::lock_guard lock(mutex_);
  for (const Gone& gone : gone_operations_) {
    if (gone.id == id) return UserError("INVALID_HANDLE.OPERATION_ABANDONED", {{"handle", id}});
  }
  if (!operations_.emplace(id, operation).second) {
    return UserError("INVALID_HANDLE.OPERATION_ALREADY_EXISTS", {{"handle", id}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<Operation>> ClientSession::FindOperation(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto it = operations_.find(id);
  if (it != operations_.end()) return it->second;
  for (const Gone& gone : gone_operations_) {
    if (gone.id == id) return UserError("INVALID_HANDLE.OPERATION_ABANDONED", {{"handle", id}});
  }
  return UserError("INVALID_HANDLE.OPERATION_NOT_FOUND", {{"handle", id}});
}

bool ClientSession::RemoveOperation(const std::string& id, bool abandoned) {
  std::shared_ptr<Operation> removed;
  {
    std::lock_guard lock(mutex_);
    auto it = operations_.find(id);
    if (it == operations_.end()) return false;
    removed = std::move(it->second);
    operations_.erase(it);
  }
  removed->Interrupt();
  std::lock_guard lock(mutex_);
  gone_operations_.push_back({id, removed->state(), abandoned});
  if (gone_operations_.size() > kMaxGoneOperations) gone_operations_.pop_front();
  return true;
}

std::vector<std::shared_ptr<Operation>> ClientSession::Operations() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Operation>> all;
  for (const auto& [id, operation] : operations_) all.push_back(operation);
  return all;
}

std::vector<std::string> ClientSession::OperationIds() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, operation] : operations_) ids.push_back(id);
  for (const Gone& gone : gone_operations_) ids.push_back(gone.id);
  return ids;
}

std::optional<OperationState> ClientSession::StateOf(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto it = operations_.find(id);
  if (it != operations_.end()) return it->second->state();
  for (const Gone& gone : gone_operations_) {
    if (gone.id == id) return gone.state == OperationState::kTerminating ? OperationState::kCancelled : gone.state;
  }
  return std::nullopt;
}

void ClientSession::DropDetachedOperations(steady_clock::duration limit) {
  auto now = steady_clock::now();
  for (const auto& operation : Operations()) {
    auto since = operation->detached_since();
    if (since && now - *since > limit) RemoveOperation(operation->id(), /*abandoned=*/true);
  }
}

std::string ClientSession::RememberError(const arrow::Status& status) {
  std::string id = RandomUuid();
  std::lock_guard lock(mutex_);
  errors_.emplace_back(id, status);
  if (errors_.size() > kMaxErrors) errors_.pop_front();
  return id;
}

std::optional<arrow::Status> ClientSession::TakeError(const std::string& error_id) {
  std::lock_guard lock(mutex_);
  for (auto it = errors_.begin(); it != errors_.end(); ++it) {
    if (it->first != error_id) continue;
    arrow::Status status = std::move(it->second);
    errors_.erase(it);
    return status;
  }
  return std::nullopt;
}

void ClientSession::RememberQuery(const std::shared_ptr<streaming::StreamingQuery>& query,
                                  const OperationOptions& start) {
  std::lock_guard lock(mutex_);
  queries_.push_back({query, start});
  if (queries_.size() <= kMaxEndedQueries) return;
  auto ended = std::find_if(queries_.begin(), queries_.end(), [](const auto& one) { return !one.query->is_active(); });
  if (ended != queries_.end()) queries_.erase(ended);
}

std::vector<std::string> ClientSession::StopQueries(const std::function<bool(const OperationOptions& start)>& meant) {
  std::vector<StartedQuery> stopping;
  {
    std::lock_guard lock(mutex_);
    for (const StartedQuery& one : queries_) {
      if (one.query->is_active() && meant(one.start)) stopping.push_back(one);
    }
  }
  std::vector<std::string> ids;
  for (const StartedQuery& one : stopping) {
    if (one.query->Stop().ok()) ids.push_back(one.start.id);
  }
  return ids;
}

std::shared_ptr<streaming::StreamingQuery> ClientSession::FindQuery(const std::string& id, const std::string& run_id) {
  {
    std::lock_guard lock(mutex_);
    for (const StartedQuery& one : queries_) {
      if (one.query->id() == id && one.query->run_id() == run_id) return one.query;
    }
  }
  return engine_session_->streams().Find(id);
}

void ClientSession::Touch() {
  std::lock_guard lock(mutex_);
  last_access_ = steady_clock::now();
}

steady_clock::time_point ClientSession::last_access() const {
  std::lock_guard lock(mutex_);
  return last_access_;
}

bool ClientSession::has_listener_bus() const {
  std::lock_guard lock(mutex_);
  return listener_bus_ != nullptr;
}

bool ClientSession::IsListenerBus(const Operation& operation) const {
  std::lock_guard lock(mutex_);
  return listener_bus_.get() == &operation;
}

void ClientSession::Close() {
  StopListenerBus();
  for (const auto& operation : Operations()) operation->Interrupt();
  (void)engine_session_->streams().StopAll();
}

}  // namespace millrace::connect
