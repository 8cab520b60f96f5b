#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::python {

/// What tasks added to the accumulators of the driving programs, kept until they ask for it. Only Python can add two
/// values up, so every task's share is kept as it came. Thread-safe.
class Accumulators {
 public:
  /// The id and the pickled (id, value).
  using Update = std::pair<int64_t, std::string>;

  /// The id in a worker's pickled tuple (id, value). Those below 0 are PySpark's own: results of its profilers.
  /// Errors: IOError when it does not begin as such a tuple does.
  static arrow::Result<int64_t> IdOf(std::string_view pickle);
  void Add(int64_t id, std::string pickle);
  /// Removes and returns what came for these ids, in the order it came.
  std::vector<Update> Take(const std::vector<int64_t>& ids);

 private:
  std::mutex mutex_;
  std::map<int64_t, std::vector<std::string>> updates_;
};

}  // namespace millrace::python
