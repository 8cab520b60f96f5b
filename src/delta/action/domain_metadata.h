#pragma once

#include <string>

namespace millrace::delta {

/// Configuration of a named domain; with `removed`, its tombstone.
struct DomainMetadata {
  std::string domain;
  std::string configuration;
  bool removed = false;
};

}  // namespace millrace::delta
