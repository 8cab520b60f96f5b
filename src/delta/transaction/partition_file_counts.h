#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "delta/action/action.h"

namespace millrace::delta {

/// How many files each partition of a table has won since this process writes it: what tells when small files are to
/// be joined without being asked. A partition that nobody has joined files of yet is due at once. Thread-safe.
/// Source: delta-spark's AutoCompactPartitionStats and AutoCompactPartitionReserve.
class PartitionFileCounts {
 public:
  /// Counts a commit of the table `table_id` and gives the partitions it added files to.
  std::vector<PartitionValues> Count(const std::string& table_id, std::span<const Action> actions);

  /// Those of `partitions` that are due, for the caller alone until it releases them.
  std::vector<PartitionValues> Claim(const std::vector<PartitionValues>& partitions, int64_t num_files_min);
  void Release(const std::vector<PartitionValues>& partitions, bool are_compacted);

 private:
  struct State {
    int64_t num_files = 0;
    bool was_compacted = false;
    bool is_claimed = false;
  };
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string table_id_;
  std::map<std::string, State> partitions_;
};

}  // namespace millrace::delta
