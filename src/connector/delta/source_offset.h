#pragma once

#include <arrow/result.h>

#include <compare>
#include <cstdint>
#include <string>

#include "connector/source.h"

namespace millrace::connector::delta_table {

/// A position of a Delta stream: the files of `version` up to and with `index` are read.
/// Format: Delta's own JSON, {"sourceVersion":1,"reservoirId":…,"reservoirVersion":…,"index":…,"isStartingVersion":…}.
struct DeltaOffset {
  /// Before the first file of a version; -1 in the JSON.
  static constexpr int64_t kBaseIndex = -100;
  /// Behind the last file of a version; never in the JSON.
  static constexpr int64_t kEndIndex = INT64_MAX - 100;
  /// Streams that track their schema stop before the first file of a version that changes it, twice: the first stop is
  /// committed, and the change noted, when the second is known.
  static constexpr int64_t kMetadataChangeIndex = -20;
  static constexpr int64_t kPostMetadataChangeIndex = -19;

  std::string table_id;
  int64_t version = 0;
  int64_t index = kBaseIndex;
  /// The files of the version's state are being read, not those of its commit.
  bool is_initial_snapshot = false;

  std::string ToJson() const;
  /// Errors: UserError DELTA_INVALID_SOURCE_OFFSET_FORMAT, DELTA_INVALID_SOURCE_VERSION,
  /// DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE when it is of another table than `table_id`.
  static arrow::Result<DeltaOffset> Parse(const SourceOffset& offset, const std::string& table_id);
  bool operator==(const DeltaOffset&) const = default;
  bool is_metadata_change() const { return index == kMetadataChangeIndex || index == kPostMetadataChangeIndex; }
};

/// A number that Delta reads as a whole one: an option. Errors: UserError DELTA_ILLEGAL_OPTION.
arrow::Result<int64_t> ParsePositiveOption(std::string_view name, const std::string& text);

}  // namespace millrace::connector::delta_table
