#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace millrace::delta {

/// How far an application has come: what makes its commits idempotent.
struct Txn {
  std::string app_id;
  int64_t version = 0;
  std::optional<int64_t> last_updated_ms;
};

}  // namespace millrace::delta
