#pragma once

#include <string>
#include <vector>

namespace millrace::sql {

/// How the rows of a table of files lie in them: CLUSTERED BY … SORTED BY … INTO n BUCKETS.
struct BucketSpec {
  int num_buckets = 0;
  std::vector<std::string> columns;
  std::vector<std::string> sort_columns = {};

  bool operator==(const BucketSpec&) const = default;
};

}  // namespace millrace::sql
