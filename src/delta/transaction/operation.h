#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "delta/action/string_map.h"

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
  /// More members of commitInfo's tags.
  StringMap tags;
  /// Rows that move to other files keep their ids, where the table tracks them.
  bool keeps_row_ids = false;
  /// The commit is written as large ones are in delta-spark: a new table's tells the version -1 as the one that was
  /// read, and none is a blind append.
  bool is_large = false;
};

}  // namespace millrace::delta
