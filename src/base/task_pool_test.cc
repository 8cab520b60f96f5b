#include "base/task_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>

namespace millrace {
namespace {

TEST(TaskPoolTest, AnExceptionIsTheFailureOfItsTask) {
  TaskPool pool(2);
  for (int num_tasks : {1, 8}) {
    for (int thrower = 0; thrower < num_tasks; thrower += 7) {
      arrow::Status status = pool.RunAll(num_tasks, [&](int index) -> arrow::Status {
        if (index == thrower) throw std::bad_alloc();
        return arrow::Status::OK();
      });
      EXPECT_TRUE(status.IsOutOfMemory()) << status.ToString();
    }
  }
  const arrow::Status other = pool.RunAll(2, [](int) -> arrow::Status { throw std::runtime_error("third party"); });
  EXPECT_NE(other.message().find("third party"), std::string::npos) << other.ToString();
}

TEST(TaskPoolTest, GoesOnAfterATaskThrew) {
  TaskPool pool(2);
  std::atomic<int> ran{0};
  (void)pool.RunAll(4, [](int) -> arrow::Status { throw std::bad_alloc(); });
  EXPECT_TRUE(pool.RunAll(16,
                          [&](int) {
                            ++ran;
                            return arrow::Status::OK();
                          })
                  .ok());
  EXPECT_EQ(ran, 16);
}

}  // namespace
}  // namespace millrace
