#include "catalog/catalog.h"

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::catalog {

std::string Catalog::current_database() const {
  std::lock_guard lock(mutex_);
  return current_database_;
}

arrow::Status Catalog::SetCurrentDatabase(const std::string& name) {
  if (!metastore_->HasDatabase(name)) return UserError("SCHEMA_NOT_FOUND", {{"schemaName", QuotedDatabase(name)}});
  std::lock_guard lock(mutex_);
  current_database_ = ToLowerAscii(name);
  return arrow::Status::OK();
}

std::optional<logical::PlanPtr> Catalog::FindView(const std::vector<std::string>& name) const {
  if (name.size() == 2 && EqualsIgnoreCase(name[0], kGlobalTempDatabase)) return metastore_->FindGlobalView(name[1]);
  if (name.size() != 1) return std::nullopt;
  std::lock_guard lock(mutex_);
  auto it = views_.find(ToLowerAscii(name[0]));
  if (it == views_.end()) return std::nullopt;
  return it->second;
}

arrow::Status Catalog::CreateView(const std::string& name, bool global, bool replace, logical::PlanPtr plan) {
  auto exists = [&] {
    return UserError("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteIdentifier(name)}});
  };
  if (global) {
    return metastore_->CreateGlobalView(name, replace, std::move(plan)) ? arrow::Status::OK() : exists();
  }
  std::lock_guard lock(mutex_);
  std::string key = ToLowerAscii(name);
  if (!replace && views_.count(key) > 0) return exists();
  views_[key] = std::move(plan);
  return arrow::Status::OK();
}

bool Catalog::DropView(const std::string& name, bool global) {
  if (global) return metastore_->DropGlobalView(name);
  std::lock_guard lock(mutex_);
  return views_.erase(ToLowerAscii(name)) > 0;
}

void Catalog::CopyFrom(const Catalog& other) {
  temporary_functions_.CopyFrom(other.temporary_functions_);
  std::map<std::string, logical::PlanPtr> views;
  std::string database;
  {
    std::lock_guard lock(other.mutex_);
    views = other.views_;
    database = other.current_database_;
  }
  std::lock_guard lock(mutex_);
  views_ = std::move(views);
  current_database_ = std::move(database);
}

std::vector<std::string> Catalog::ViewNames() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [key, plan] : views_) names.push_back(key);
  return names;
}

std::optional<Catalog::TableName> Catalog::QualifyTable(const std::vector<std::string>& name,
                                                        const std::optional<std::string>& database) const {
  switch (name.size()) {
    case 1:
      return TableName{database ? *database : current_database(), ToLowerAscii(name[0])};
    case 2:
      return TableName{ToLowerAscii(name[0]), ToLowerAscii(name[1])};
    case 3:
      if (!EqualsIgnoreCase(name[0], kCatalogName)) return std::nullopt;
      return TableName{ToLowerAscii(name[1]), ToLowerAscii(name[2])};
    default:
      return std::nullopt;
  }
}

TablePtr Catalog::FindTable(const std::vector<std::string>& name, const std::optional<std::string>& database) const {
  std::optional<TableName> qualified = QualifyTable(name, database);
  return qualified ? metastore_->FindTable(qualified->database, qualified->name) : nullptr;
}

}  // namespace millrace::catalog
