#include "base/failpoint.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>

#include "base/error.h"

namespace millrace {

namespace {

struct Armed {
  std::mutex mutex;
  std::string name;
  FailpointAction action = FailpointAction::kError;
  int remaining = 0;
  std::function<void()> on_hit;
};

std::atomic<bool> any_armed{false};

void ArmFromEnvironment(Armed& armed) {
  const char* text = std::getenv("MILLRACE_FAILPOINT");
  if (text == nullptr) return;
  std::string spec = text;
  size_t equals = spec.find('=');
  if (equals == std::string::npos) return;
  size_t at = spec.find('@', equals);
  armed.name = spec.substr(0, equals);
  std::string action = spec.substr(equals + 1, at == std::string::npos ? at : at - equals - 1);
  armed.action = action == "crash" ? FailpointAction::kCrash : FailpointAction::kError;
  armed.remaining = at == std::string::npos ? 1 : std::atoi(spec.c_str() + at + 1);
  any_armed = armed.remaining > 0;
}

Armed& State() {
  static Armed* armed = [] {
    auto* created = new Armed;
    ArmFromEnvironment(*created);
    return created;
  }();
  return *armed;
}

// Reads the environment before the first hit.
const bool environment_read = (State(), true);

}  // namespace

arrow::Status ArmFailpoint(std::string_view name, FailpointAction action, int nth, std::function<void()> on_hit) {
  if (std::find(kFailpoints.begin(), kFailpoints.end(), name) == kFailpoints.end()) {
    return InternalError("No failpoint is named " + std::string(name));
  }
  Armed& armed = State();
  std::lock_guard lock(armed.mutex);
  armed.name = name;
  armed.action = action;
  armed.remaining = nth;
  armed.on_hit = std::move(on_hit);
  any_armed = true;
  return arrow::Status::OK();
}

void DisarmFailpoints() {
  Armed& armed = State();
  std::lock_guard lock(armed.mutex);
  armed.remaining = 0;
  armed.on_hit = nullptr;
  any_armed = false;
}

arrow::Status HitFailpoint(std::string_view name) {
  if (!any_armed.load(std::memory_order_relaxed)) return arrow::Status::OK();
  Armed& armed = State();
  std::lock_guard lock(armed.mutex);
  if (armed.remaining == 0 || armed.name != name || --armed.remaining > 0) return arrow::Status::OK();
  any_armed = false;
  if (armed.action == FailpointAction::kCrash) _exit(137);
  if (armed.on_hit) armed.on_hit();
  return WorldError("failpoint " + std::string(name));
}

}  // namespace millrace
