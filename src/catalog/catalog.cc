#include "catalog/catalog.h"

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::catalog {

namespace {

std::string ViewKey(const std::string& name, bool global) {
  return (global ? "global_temp." : "") + ToLowerAscii(name);
}

}  // namespace

std::optional<logical::PlanPtr> Catalog::FindView(const std::vector<std::string>& name) const {
  bool global = name.size() == 2 && EqualsIgnoreCase(name[0], "global_temp");
  if (name.size() != 1 && !global) return std::nullopt;
  std::lock_guard lock(mutex_);
  auto it = views_.find(ViewKey(name.back(), global));
  if (it == views_.end()) return std::nullopt;
  return it->second;
}

arrow::Status Catalog::CreateView(const std::string& name, bool global, bool replace, logical::PlanPtr plan) {
  std::lock_guard lock(mutex_);
  std::string key = ViewKey(name, global);
  if (!replace && views_.count(key) > 0) {
    return UserError("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteIdentifier(name)}});
  }
  views_[key] = std::move(plan);
  return arrow::Status::OK();
}

bool Catalog::DropView(const std::string& name, bool global) {
  std::lock_guard lock(mutex_);
  return views_.erase(ViewKey(name, global)) > 0;
}

void Catalog::CopyFrom(const Catalog& other) {
  std::map<std::string, logical::PlanPtr> views;
  {
    std::lock_guard lock(other.mutex_);
    views = other.views_;
  }
  std::lock_guard lock(mutex_);
  views_ = std::move(views);
}

std::vector<std::string> Catalog::ViewNames() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [key, plan] : views_) names.push_back(key);
  return names;
}

}  // namespace millrace::catalog
