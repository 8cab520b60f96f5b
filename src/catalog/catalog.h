#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "logical/plan.h"

namespace millrace::catalog {

/// The names a session can read from: temporary views. Thread-safe.
class Catalog {
 public:
  /// Name parts as written, already unquoted; nullopt when there is no such view. Names ignore case.
  std::optional<logical::PlanPtr> FindView(const std::vector<std::string>& name) const;
  /// Errors: UserError TEMP_TABLE_OR_VIEW_ALREADY_EXISTS when it exists and `replace` is false.
  arrow::Status CreateView(const std::string& name, bool global, bool replace, logical::PlanPtr plan);
  /// False when there is none.
  bool DropView(const std::string& name, bool global);
  std::vector<std::string> ViewNames() const;
  void CopyFrom(const Catalog& other);

 private:
  mutable std::mutex mutex_;
  /// By lower-case name; global views under "global_temp.".
  std::map<std::string, logical::PlanPtr> views_;
};

}  // namespace millrace::catalog
