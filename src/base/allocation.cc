#include "base/allocation.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace millrace {

void SetUpAllocation() {
  static const bool done = [] {
    // Arrow reads it when its default pool is first asked for; there is no other way to choose that pool.
    ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
    if (std::getenv("MALLOC_ARENA_MAX") == nullptr) {
      ::mallopt(M_ARENA_MAX, static_cast<int>(std::max(2U, std::thread::hardware_concurrency())));
    }
    return true;
  }();
  (void)done;
}

}  // namespace millrace
