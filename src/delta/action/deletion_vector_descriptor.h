#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace millrace::delta {

/// Where the positions of a data file's deleted rows are.
struct DeletionVectorDescriptor {
  /// 'u': file with a UUID name below the table; 'p': absolute path; 'i': the bytes stand here.
  char storage_type = 'u';
  std::string path_or_inline;
  /// Where it begins in its file; none when inline.
  std::optional<int32_t> offset;
  /// Of the serialised bitmap, size and checksum around it aside.
  int32_t size_bytes = 0;
  /// Number of deleted rows.
  int64_t cardinality = 0;

  bool operator==(const DeletionVectorDescriptor&) const = default;
  /// Tells the vectors of one data file apart: storage type, place and offset.
  std::string UniqueId() const {
    std::string id = storage_type + path_or_inline;
    if (offset) id += "@" + std::to_string(*offset);
    return id;
  }
};

}  // namespace millrace::delta
