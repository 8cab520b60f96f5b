#pragma once

namespace millrace {

/// Sets this process's allocators up for an engine that runs for months on little memory: Arrow's buffers come from
/// malloc (Arrow's own pool keeps what a large micro-batch needed), and malloc keeps few arenas. The environment goes
/// first: ARROW_DEFAULT_MEMORY_POOL and MALLOC_ARENA_MAX stay what the user says. Call before Arrow allocates; later
/// ones do nothing.
void SetUpAllocation();

}  // namespace millrace
