#include "base/stack_room.h"

#include <pthread.h>

#include <cstdint>

namespace millrace {

namespace {

constexpr size_t kStackBytes = 64 << 20;

struct Stack {
  uintptr_t lowest = 0;
  size_t size = 0;
};

Stack StackOfThread() {
  Stack stack;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return stack;
  void* lowest = nullptr;
  if (pthread_attr_getstack(&attributes, &lowest, &stack.size) == 0) {
    stack.lowest = reinterpret_cast<uintptr_t>(lowest);
  }
  pthread_attr_destroy(&attributes);
  return stack;
}

}  // namespace

void ReserveDeepStacks() {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  if (pthread_attr_setstacksize(&attributes, kStackBytes) == 0) pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

bool HasStackRoom() {
  thread_local const Stack stack = StackOfThread();
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return stack.size > 0 && here > stack.lowest && here - stack.lowest > stack.size / 2;
}

}  // namespace millrace
