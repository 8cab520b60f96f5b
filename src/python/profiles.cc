#include "python/profiles.h"

#include <utility>

namespace millrace::python {

int64_t Profiles::NumberOf(const TaskCall& call) {
  std::string key;
  for (const UserFunctionPtr& function : call.functions) key += function->command;
  for (const TaskArgument& argument : call.arguments) key += "," + argument.name + std::to_string(argument.column);
  std::lock_guard lock(mutex_);
  return numbers_.emplace(std::move(key), static_cast<int64_t>(numbers_.size()) + 1).first->second;
}

void Profiles::Add(std::string pickle) {
  std::lock_guard lock(mutex_);
  results_.push_back(std::move(pickle));
}

std::vector<std::string> Profiles::Take() {
  std::lock_guard lock(mutex_);
  return std::exchange(results_, {});
}

}  // namespace millrace::python
