#pragma once

#include <chrono>
#include <cstdint>

namespace millrace {

/// Microseconds of the steady clock that have passed since `start`: what metrics of operators are made of.
inline int64_t MicrosSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace millrace
