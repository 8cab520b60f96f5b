#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::state {

/// XXH32 of the bytes. Specification: xxHash, "XXH32 algorithm description".
uint32_t XxHash32(std::string_view bytes, uint32_t seed);

}  // namespace millrace::state
