#include "catalog/metastore.h"

#include "base/ascii.h"
#include "base/error.h"
#include "catalog/catalog_files.h"

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

Metastore::Metastore() = default;
Metastore::~Metastore() = default;

arrow::Status Metastore::KeepIn(FileSystem* file_system, const std::string& directory) {
  std::lock_guard lock(mutex_);
  if (files_ != nullptr) return arrow::Status::OK();
  auto files = std::make_unique<CatalogFiles>(file_system, directory);
  ARROW_ASSIGN_OR_RAISE(CatalogFiles::Contents kept, files->Load());
  for (const auto& [name, database] : databases_) {
    ARROW_RETURN_NOT_OK(files->Save(database));
    for (const auto& [table_name, table] : tables_[name]) ARROW_RETURN_NOT_OK(files->Save(*table));
  }
  for (Database& database : kept.databases) databases_[database.name] = std::move(database);
  for (Table& table : kept.tables) {
    TablePtr& slot = tables_[table.database][table.name];
    if (slot == nullptr) slot = std::make_shared<const Table>(std::move(table));
  }
  for (SqlFunction& function : kept.functions) {
    functions_.Create(std::make_shared<const SqlFunction>(std::move(function)), /*replace=*/false);
  }
  files_ = std::move(files);
  return arrow::Status::OK();
}

arrow::Status Metastore::KeepFunctions(const std::string& database) {
  std::lock_guard lock(mutex_);
  if (files_ == nullptr) return arrow::Status::OK();
  return files_->SaveFunctions(ToLowerAscii(database), functions_.InDatabase(database));
}

arrow::Status Metastore::CreateDatabase(Database database, bool if_not_exists) {
  std::lock_guard lock(mutex_);
  database.name = ToLowerAscii(database.name);
  bool exists = databases_.count(database.name) > 0;
  if (exists && if_not_exists) return arrow::Status::OK();
  if (exists) return UserError("SCHEMA_ALREADY_EXISTS", {{"schemaName", QuoteIdentifier(database.name)}});
  if (files_ != nullptr) ARROW_RETURN_NOT_OK(files_->Save(database));
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
  if (tables != tables_.end() && !cascade && !tables->second.empty()) {
    return UserError("SCHEMA_NOT_EMPTY", {{"schemaName", QuoteIdentifier(key)}});
  }
  if (files_ != nullptr) ARROW_RETURN_NOT_OK(files_->RemoveDatabase(key));
  if (tables != tables_.end()) {
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
  Database changed = it->second;
  change(&changed);
  if (files_ != nullptr) ARROW_RETURN_NOT_OK(files_->Save(changed));
  it->second = std::move(changed);
  return arrow::Status::OK();
}

arrow::Status Metastore::CreateTable(Table table, bool replace) {
  std::lock_guard lock(mutex_);
  table.database = ToLowerAscii(table.database);
  table.name = ToLowerAscii(table.name);
  if (databases_.count(table.database) == 0) return SchemaNotFound(table.database);
  TablePtr& slot = tables_[table.database][table.name];
  if (slot != nullptr && !replace) return AlreadyExists(table);
  if (files_ != nullptr) {
    arrow::Status saved = files_->Save(table);
    if (!saved.ok()) {
      if (slot == nullptr) tables_[table.database].erase(table.name);
      return saved;
    }
  }
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

arrow::Status Metastore::DropTable(const std::string& database, const std::string& name) {
  std::lock_guard lock(mutex_);
  auto tables = tables_.find(ToLowerAscii(database));
  if (tables == tables_.end() || tables->second.count(ToLowerAscii(name)) == 0) return arrow::Status::OK();
  if (files_ != nullptr) ARROW_RETURN_NOT_OK(files_->RemoveTable(tables->first, ToLowerAscii(name)));
  tables->second.erase(ToLowerAscii(name));
  return arrow::Status::OK();
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
  if (files_ != nullptr) {
    ARROW_RETURN_NOT_OK(files_->Save(renamed));
    ARROW_RETURN_NOT_OK(files_->RemoveTable(renamed.database, it->first));
  }
  tables.erase(it);
  std::string key = renamed.name;
  tables[key] = std::make_shared<const Table>(std::move(renamed));
  return arrow::Status::OK();
}

arrow::Status Metastore::AlterTable(const std::string& database, const std::string& name,
                                    const std::function<void(Table*)>& change) {
  std::lock_guard lock(mutex_);
  auto tables = tables_.find(ToLowerAscii(database));
  if (tables == tables_.end()) return arrow::Status::OK();
  auto it = tables->second.find(ToLowerAscii(name));
  if (it == tables->second.end()) return arrow::Status::OK();
  Table changed = *it->second;
  change(&changed);
  if (files_ != nullptr) ARROW_RETURN_NOT_OK(files_->Save(changed));
  it->second = std::make_shared<const Table>(std::move(changed));
  return arrow::Status::OK();
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
