#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_value.h"

namespace millrace::delta {

/// What a commit does, as commitInfo tells people.
struct Operation {
  /// "WRITE", "STREAMING UPDATE"
  std::string name;
  /// In the order they are written.
  std::vector<JsonValue::Member> parameters;
  std::vector<std::pair<std::string, int64_t>> metrics;
  std::optional<std::string> user_metadata;
  /// It changes no row whatever its actions are: a note of a VACUUM.
  bool changes_no_data = false;
  /// The commit is written as large ones are in delta-spark: a new table's tells the version -1 as the one that was
  /// read.
  bool is_large = false;
};

}  // namespace millrace::delta
