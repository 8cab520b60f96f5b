#pragma once

#include <cstddef>

namespace millrace {

/// Plans are walked by functions that call themselves, and a plan of a thousand steps is nothing rare: gives all
/// threads started from now on stacks for that. Only what is used of them costs memory.
/// REQUIRES: first thing in main().
void ReserveDeepStacks();

/// Whether the calling thread has more than half of its stack left: what goes deeper still leaves room for those that
/// walk the same plan later.
bool HasStackRoom();

}  // namespace millrace
