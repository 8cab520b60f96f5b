#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "delta/action/deletion_vector_descriptor.h"
#include "delta/deletion_vector/roaring_bitmap.h"

namespace millrace::delta {

/// The positions of a data file's deleted rows, from wherever its descriptor says.
/// Errors: UserError DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH, _SIZE_MISMATCH, _CARDINALITY_MISMATCH; Invalid naming the
/// file; KeyError when it is not there.
arrow::Result<RoaringBitmap> ReadDeletionVector(const FileSystem& file_system, const std::string& table_path,
                                                const DeletionVectorDescriptor& descriptor);

/// The file a descriptor with storage type 'u' or 'p' points to. Errors: Invalid.
arrow::Result<std::string> DeletionVectorPath(const std::string& table_path,
                                              const DeletionVectorDescriptor& descriptor);

/// Several vectors in one new file of the table, one descriptor each, in order; durable when it returns.
arrow::Result<std::vector<DeletionVectorDescriptor>> WriteDeletionVectors(FileSystem* file_system,
                                                                          const std::string& table_path,
                                                                          const std::vector<RoaringBitmap>& vectors,
                                                                          Durability durability);

/// Z85 of ZeroMQ's RFC 32. Decoding: Invalid for other characters, or a length that is no multiple of 5.
std::string EncodeBase85(std::string_view bytes);
arrow::Result<std::string> DecodeBase85(std::string_view text);

}  // namespace millrace::delta
