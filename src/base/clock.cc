#include "base/clock.h"

#include <iterator>

namespace millrace {

int64_t SystemClock::NowMicros() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool SystemClock::WaitUntil(int64_t deadline_us, const std::function<bool()>& wake) {
  std::unique_lock lock(mutex_);
  // Measured from now on the steady clock: a wall clock that jumps back must not stall a trigger.
  auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(deadline_us - NowMicros());
  return changed_.wait_until(lock, deadline, wake);
}

void SystemClock::Notify() {
  {
    std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

int64_t ManualClock::NowMicros() const {
  std::lock_guard lock(mutex_);
  return now_us_;
}

bool ManualClock::WaitUntil(int64_t deadline_us, const std::function<bool()>& wake) {
  std::unique_lock lock(mutex_);
  auto waiting = deadlines_us_.insert(deadline_us);
  changed_.notify_all();
  bool woken = false;
  changed_.wait(lock, [&] {
    woken = wake();
    return woken || now_us_ >= deadline_us;
  });
  deadlines_us_.erase(waiting);
  return woken;
}

void ManualClock::Notify() {
  {
    std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

void ManualClock::AdvanceMicros(int64_t delta_us) {
  {
    std::lock_guard lock(mutex_);
    now_us_ += delta_us;
  }
  changed_.notify_all();
}

int ManualClock::num_waiting() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(deadlines_us_.size());
}

void ManualClock::AwaitWaiting(int count, const std::function<bool()>& give_up) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return give_up() || std::distance(deadlines_us_.upper_bound(now_us_), deadlines_us_.end()) >= count;
  });
}

}  // namespace millrace
