#include "catalog/sql_functions.h"

#include "base/ascii.h"
#include "catalog/metastore.h"

namespace millrace::catalog {

std::vector<std::string> SqlFunction::FullName() const {
  return temporary() ? std::vector<std::string>{name} : std::vector<std::string>{kCatalogName, database, name};
}

std::string SqlFunction::ShownName() const {
  std::string shown;
  for (const std::string& part : FullName()) shown += (shown.empty() ? "" : ".") + part;
  return shown;
}

bool SqlFunctions::Create(SqlFunctionPtr function, bool replace) {
  std::lock_guard lock(mutex_);
  SqlFunctionPtr& place = functions_[{ToLowerAscii(function->database), ToLowerAscii(function->name)}];
  if (place != nullptr && !replace) return false;
  place = std::move(function);
  return true;
}

SqlFunctionPtr SqlFunctions::Find(const std::string& database, const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = functions_.find({ToLowerAscii(database), ToLowerAscii(name)});
  return it == functions_.end() ? nullptr : it->second;
}

bool SqlFunctions::Drop(const std::string& database, const std::string& name) {
  std::lock_guard lock(mutex_);
  return functions_.erase({ToLowerAscii(database), ToLowerAscii(name)}) > 0;
}

std::vector<SqlFunctionPtr> SqlFunctions::InDatabase(const std::string& database) const {
  std::lock_guard lock(mutex_);
  std::vector<SqlFunctionPtr> found;
  for (const auto& [key, function] : functions_) {
    if (key.first == ToLowerAscii(database)) found.push_back(function);
  }
  return found;
}

void SqlFunctions::CopyFrom(const SqlFunctions& other) {
  std::map<std::pair<std::string, std::string>, SqlFunctionPtr> copy;
  {
    std::lock_guard lock(other.mutex_);
    copy = other.functions_;
  }
  std::lock_guard lock(mutex_);
  functions_ = std::move(copy);
}

}  // namespace millrace::catalog
