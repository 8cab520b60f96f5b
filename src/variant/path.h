#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "variant/variant.h"

namespace millrace::variant {

/// One step of a path: the field of an object, or the element of an array.
struct PathStep {
  bool is_element = false;
  std::string name;
  int32_t index = 0;
};
using Path = std::vector<PathStep>;

/// `$`, then `.name`, `['name']`, `["name"]` and `[123]`; nothing when the text is no path.
std::optional<Path> ParsePath(std::string_view text);

/// The value at `path`; nothing where a step does not lead on. Errors: as Variant.
arrow::Result<std::optional<Variant>> Follow(const Variant& root, const Path& path);

}  // namespace millrace::variant
