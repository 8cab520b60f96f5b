#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>

namespace millrace {

/// Where the engine takes the time from, so that a whole engine can run on a manual clock.
/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Microseconds since 1970-01-01 UTC.
  virtual int64_t NowMicros() const = 0;
  int64_t NowMillis() const { return NowMicros() / 1000; }

  /// Waits until `NowMicros() >= deadline_us` or `wake()` is true. `wake` is asked again after each
  /// Notify(). Returns the last answer of `wake`.
  virtual bool WaitUntil(int64_t deadline_us, const std::function<bool()>& wake) = 0;

  /// Makes waiting threads ask their `wake` again.
  virtual void Notify() = 0;
};

/// The machine's wall clock.
class SystemClock final : public Clock {
 public:
  int64_t NowMicros() const override;
  bool WaitUntil(int64_t deadline_us, const std::function<bool()>& wake) override;
  void Notify() override;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// A clock that stands still until told to advance.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t start_us = 0) : now_us_(start_us) {}
  int64_t NowMicros() const override;
  bool WaitUntil(int64_t deadline_us, const std::function<bool()>& wake) override;
  void Notify() override;
  void AdvanceMicros(int64_t delta_us);
  /// Number of threads now inside WaitUntil.
  int num_waiting() const;
  /// Returns when `count` threads wait for a time that is still to come, or when `give_up` says so (asked again after
  /// each Notify): everything that was due has been done.
  void AwaitWaiting(int count, const std::function<bool()>& give_up);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t now_us_;
  std::multiset<int64_t> deadlines_us_;
};

}  // namespace millrace
