#include "millrace/streaming_query_manager.h"

#include "api/connection.h"
#include "streaming/streaming_query.h"

namespace millrace {

arrow::Result<std::vector<StreamingQuery>> StreamingQueryManager::Active() const {
  ARROW_ASSIGN_OR_RAISE(auto queries, connection_->ActiveQueries());
  std::vector<StreamingQuery> active;
  for (auto& query : queries) active.emplace_back(std::move(query));
  return active;
}

arrow::Result<std::optional<StreamingQuery>> StreamingQueryManager::Get(std::string_view id) const {
  ARROW_ASSIGN_OR_RAISE(auto active, Active());
  for (StreamingQuery& query : active) {
    if (query.Id() == id) return std::move(query);
  }
  return std::nullopt;
}

arrow::Status StreamingQueryManager::AwaitAnyTermination() const {
  return connection_->AwaitAnyTermination(std::chrono::milliseconds(-1)).status();
}

arrow::Result<bool> StreamingQueryManager::AwaitAnyTermination(std::chrono::milliseconds timeout) const {
  return connection_->AwaitAnyTermination(timeout);
}

arrow::Status StreamingQueryManager::ResetTerminated() const { return connection_->ResetTerminated(); }

arrow::Status StreamingQueryManager::AddListener(std::shared_ptr<StreamingQueryListener> listener) const {
  return connection_->AddListener(std::move(listener));
}

arrow::Status StreamingQueryManager::RemoveListener(const std::shared_ptr<StreamingQueryListener>& listener) const {
  return connection_->RemoveListener(listener);
}

}  // namespace millrace
