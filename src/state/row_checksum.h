#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::state {

/// CRC-32C (Castagnoli) of `bytes`, after `crc` of what stood before them.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

/// Checksums of rows (stateStore.rowChecksum.enabled): CRC-32C of key and value, or of the key alone where it was
/// removed, as four bytes, little-endian, before the value, or the key.
///
/// In RocksDB, whose values may be lists that are appended to, the value's size stands in between, and a list has both
/// before each of its elements. Format: docs/formats/state_files.md, state_rocksdb.md. Source: Spark,
/// KeyValueChecksumEncoder. Errors of reading: Invalid when bytes are too few, UserError
/// STATE_STORE_ROW_CHECKSUM_VERIFICATION_FAILED.

/// `value` with its checksum. Keys are as they lie in the store.
void AddChecksum(std::string_view key, std::string_view value, std::string* out);
/// `key` of a removal with its checksum.
void AddKeyChecksum(std::string_view key, std::string* out);
arrow::Result<std::string_view> CheckedValue(std::string_view key, std::string_view stored, const std::string& store);
arrow::Result<std::string_view> CheckedKey(std::string_view stored, const std::string& store);

/// One value, or one element of a list, with checksum and size.
void AddSizedChecksum(std::string_view key, std::string_view value, std::string* out);
/// All values without them, `delimiter_bytes` between two kept.
arrow::Status CheckedSizedValues(std::string_view key, std::string_view stored, size_t delimiter_bytes,
                                 const std::string& store, std::string* out);

}  // namespace millrace::state
