#pragma once

namespace millrace {

/// Sets this process's allocators up for an engine that runs for months on little memory: Arrow's buffers come from
/// malloc (Arrow's own pool keeps what a large micro-batch needed), and malloc keeps few arenas. The environment goes
/// first: ARROW_DEFAULT_MEMORY_POOL and MALLOC_ARENA_MAX stay what the user says. Call before Arrow allocates; later
/// ones do nothing.
void SetUpAllocation();

/// Gives back what starting up (and catching up) left in this process's resident memory: free heap, and the pages of
/// code and constants that are mapped; what still runs is mapped again when it is reached, from the page cache. The
/// kernel maps code by 64 KiB around each first call, so that most of it stays resident for nothing. The first call
/// works, later ones do nothing. Thread-safe.
void ReleaseStartupMemory();

}  // namespace millrace
