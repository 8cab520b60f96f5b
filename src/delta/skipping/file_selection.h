#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "delta/snapshot/snapshot.h"
#include "format/predicate.h"
#include "types/time_zone.h"

namespace millrace::delta {

/// Tells which files may have rows of a filter, by their partition values and statistics. Thread: confined.
class FileSelector {
 public:
  /// `filter`: names of the table's schema; null selects all. `zone`: of partition values that are timestamps without
  /// one.
  FileSelector(const types::DataTypePtr& schema, const std::vector<int>& partition_columns, format::PredicatePtr filter,
               const types::TimeZone* zone);
  ~FileSelector();

  bool MayMatch(const FileRef& file);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The live files of `snapshot` that may have rows of `filter`, in the order of the list.
std::vector<FileRef> SelectFiles(const Snapshot& snapshot, const format::PredicatePtr& filter,
                                 const types::TimeZone& zone);

/// The number of rows the file's statistics tell; none when they do not.
std::optional<int64_t> NumRecords(const FileRef& file);

}  // namespace millrace::delta
