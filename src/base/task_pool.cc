#include "base/task_pool.h"

#include <atomic>
#include <memory>
#include <new>

#include "base/error.h"

namespace millrace {

TaskPool::TaskPool(int num_threads) {
  threads_.reserve(static_cast<size_t>(num_threads));
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { Work(); });
}

TaskPool::~TaskPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  available_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void TaskPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    available_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

namespace {

// What a task throws (memory that is not there, third parties) is its failure: let out, it would end the process, or
// leave RunAll while other threads still run its tasks.
arrow::Status RunTask(const std::function<arrow::Status(int)>& task, int index) {
  try {
    return task(index);
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("The query needs more memory than there is");
  } catch (const std::exception& error) {
    return InternalError(error.what());
  }
}

struct Run {
  const std::function<arrow::Status(int)>* task;
  int num_tasks;
  std::atomic<int> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::condition_variable done;
  int num_active = 0;
  arrow::Status first_error;

  // Takes tasks until none is left. The caller has counted itself in num_active.
  void Drain() {
    while (!failed.load(std::memory_order_relaxed)) {
      int index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= num_tasks) break;
      arrow::Status status = RunTask(*task, index);
      if (!status.ok()) {
        std::lock_guard lock(mutex);
        if (!failed.exchange(true)) first_error = std::move(status);
      }
    }
    std::lock_guard lock(mutex);
    if (--num_active == 0) done.notify_all();
  }
};

}  // namespace

arrow::Status TaskPool::RunAll(int num_tasks, const std::function<arrow::Status(int)>& task) {
  if (num_tasks == 0) return arrow::Status::OK();
  if (num_tasks == 1) return RunTask(task, 0);
  auto run = std::make_shared<Run>();
  run->task = &task;
  run->num_tasks = num_tasks;
  run->num_active = 1;
  int num_helpers = std::min(num_tasks - 1, num_threads());
  {
    std::lock_guard lock(mutex_);
    for (int i = 0; i < num_helpers; ++i) {
      queue_.emplace_back([run] {
        {
          // A helper that arrives after everything was taken must not touch `task`: it is gone.
          std::lock_guard run_lock(run->mutex);
          if (run->num_active == 0) return;
          ++run->num_active;
        }
        run->Drain();
      });
    }
  }
  available_.notify_all();
  run->Drain();
  std::unique_lock lock(run->mutex);
  run->done.wait(lock, [&] { return run->num_active == 0; });
  return run->first_error;
}

}  // namespace millrace
