#include "base/allocation.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>

namespace millrace {

namespace {

/// Only segments that nothing ever writes: their pages are the file's, and dropping them loses nothing.
int ReleaseSegments(dl_phdr_info* library, size_t, void*) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr) & segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    uintptr_t begin = (library->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    uintptr_t end = (library->dlpi_addr + segment.p_vaddr + segment.p_filesz) / page * page;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void ReleaseStartupMemory() {
  static std::atomic<bool> done{false};
  if (done.exchange(true)) return;
  ::dl_iterate_phdr(&ReleaseSegments, nullptr);
  ::malloc_trim(0);
}

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
