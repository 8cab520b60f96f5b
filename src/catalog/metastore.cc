#include "catalog/metastore.h"

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::catalog {

namespace {

arrow::Status SchemaNotFound(const std::string& name) {
  return UserError("SCHEMA_NOT_FOUND", {{"schemaName", QuotedDatabase(name)}});
}

arrow::Status AlreadyExists(const Table& table) {
  return UserError("TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteNameParts(table.FullName())}});
}

}  // namespace

std::string QuotedDatabase(const std::string& database) { return QuoteNameParts({kCatalogName, database}); }

arrow::Status Metastore::CreateDatabase(Database database, bool if_not_exists) {
  std::lock_guard lock(mutex_);
  database.name = ToLowerAscii(database.name);
  bool exists = databases_.count(database.name) > 0;
  if (exists && if_not_exists) return arrow::Status::OK();
  if (exists) return UserError("SCHEMA_ALREADY_EXISTS", {{"schemaName", QuoteIdentifier(database.name)}});
  std::string key = database.name;
  databases_.emplace(std::move(key), std::move(database));
  return arrow::Status::OK();
}

arrow::Result<std::vector<TablePtr>> Metastore::DropDatabase(const std::string& name, bool if_exists, bool cascade) {
  std::lock_guard lock(mutex_);
  std::string key = ToLowerAscii(name);
  if (key == kDefaultDatabase) {
    return UserError("UNSUPPORTED_FEATURE.DROP_DATABASE", {{"database", QuotedDatabase(key)}});
  }
  if (databases_.count(key) == 0) {
    if (if_exists) return std::vector<TablePtr>();
    return SchemaNotFound(key);
  }
  std::vector<TablePtr> dropped;
  auto tables = tables_.find(key);
  if (tables != tables_.end()) {
    if (!cascade && !tables->second.empty()) {
      return UserError("SCHEMA_NOT_EMPTY", {{"schemaName", QuoteIdentifier(key)}});
    }
    for (const auto& [table_name, table] : tables->second) dropped.push_back(table);
    tables_.erase(tables);
  }
  databases_.erase(key);
  return dropped;
}

std::optional<Database> Metastore::FindDatabase(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = databases_.find(ToLowerAscii(name));
  if (it == databases_.end()) return std::nullopt;
  return it->second;
}

bool Metastore::HasDatabase(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return databases_.count(ToLowerAscii(name)) > 0;
}

std::vector<std::string> Metastore::DatabaseNames() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, database] : databases_) names.push_back(name);
  return names;
}

arrow::Status Metastore::AlterDatabase(const std::string& name, const std::function<void(Database*)>& change) {
  std::lock_guard lock(mutex_);
  auto it = databases_.find(ToLowerAscii(name));
  if (it == databases_.end()) return SchemaNotFound(name);
  change(&it->second);
  return arrow::Status::OK();
}

arrow::Status Metastore::CreateTable(Table table, bool replace) {
  std::lock_guard lock(mutex_);
  table.database = ToLowerAscii(table.database);
  table.name = ToLowerAscii(table.name);
  if (databases_.count(table.database) == 0) return SchemaNotFound(table.database);
  TablePtr& slot = tables_[table.database][table.name];
  if (slot != nullptr && !replace) return AlreadyExists(table);
  slot = std::make_shared<const Table>(std::move(table));
  return arrow::Status::OK();
}

TablePtr Metastore::FindTable(const std::string& database, const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto tables = tables_.find(ToLowerAscii(database));
  if (tables == tables_.end()) return nullptr;
  auto it = tables->second.find(ToLowerAscii(name));
  return it == tables->second.end() ? nullptr : it->second;
}

bool Metastore::DropTable(const std::string& database, const std::string& name) {
  std::lock_guard lock(mutex_);
  auto tables = tables_.find(ToLowerAscii(database));
  return tables != tables_.end() && tables->second.erase(ToLowerAscii(name)) > 0;
}

arrow::Status Metastore::RenameTable(const std::string& database, const std::string& from, const std::string& to,
                                     std::string location) {
  std::lock_guard lock(mutex_);
  auto& tables = tables_[ToLowerAscii(database)];
  auto it = tables.find(ToLowerAscii(from));
  if (it == tables.end()) return arrow::Status::OK();
  Table renamed = *it->second;
  renamed.name = ToLowerAscii(to);
  renamed.location = std::move(location);
  if (tables.count(renamed.name) > 0) {
    return UserError("TABLE_OR_VIEW_ALREADY_EXISTS",
                     {{"relationName", QuoteNameParts({renamed.database, renamed.name})}});
  }
  tables.erase(it);
  std::string key = renamed.name;
  tables[key] = std::make_shared<const Table>(std::move(renamed));
  return arrow::Status::OK();
}

void Metastore::AlterTable(const std::string& database, const std::string& name,
                           const std::function<void(Table*)>& change) {
  std::lock_guard lock(mutex_);
  auto tables = tables_.find(ToLowerAscii(database));
  if (tables == tables_.end()) return;
  auto it = tables->second.find(ToLowerAscii(name));
  if (it == tables->second.end()) return;
  Table changed = *it->second;
  change(&changed);
  it->second = std::make_shared<const Table>(std::move(changed));
}

std::vector<TablePtr> Metastore::Tables(const std::string& database) const {
  std::lock_guard lock(mutex_);
  std::vector<TablePtr> all;
  auto tables = tables_.find(ToLowerAscii(database));
  if (tables == tables_.end()) return all;
  for (const auto& [name, table] : tables->second) all.push_back(table);
  return all;
}

std::optional<logical::PlanPtr> Metastore::FindGlobalView(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = global_views_.find(ToLowerAscii(name));
  if (it == global_views_.end()) return std::nullopt;
  return it->second;
}

bool Metastore::CreateGlobalView(const std::string& name, bool replace, logical::PlanPtr plan) {
  std::lock_guard lock(mutex_);
  logical::PlanPtr& slot = global_views_[ToLowerAscii(name)];
  if (slot != nullptr && !replace) return false;
  slot = std::move(plan);
  return true;
}

bool Metastore::DropGlobalView(const std::string& name) {
  std::lock_guard lock(mutex_);
  return global_views_.erase(ToLowerAscii(name)) > 0;
}

std::vector<std::string> Metastore::GlobalViewNames() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, plan] : global_views_) names.push_back(name);
  return names;
}

}  // namespace millrace::catalog
