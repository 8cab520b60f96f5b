#include "state/rocksdb/key_encoding.h"

#include <cstring>
#include <utility>

#include "state/row_checksum.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr char kVersion = 0;

Result<std::string_view> AfterVersion(std::string_view bytes) {
  if (bytes.empty() || bytes[0] != kVersion) return Status::Invalid("a row that is not of encoding version 0");
  return bytes.substr(1);
}

}  // namespace

RocksDbEncoding::RocksDbEncoding(const StateStoreSchema& schema, std::string checked_store)
    : key_types_(FieldTypes(*schema.key)),
      num_prefix_columns_(static_cast<size_t>(schema.num_columns_prefix_key)),
      checked_store_(std::move(checked_store)) {}

void RocksDbEncoding::EncodePrefix(std::string_view prefix, std::string* out) const {
  auto size = static_cast<uint32_t>(prefix.size() + 1);
  out->assign(4, '\0');
  std::memcpy(out->data(), &size, 4);
  out->push_back(kVersion);
  out->append(prefix);
}

void RocksDbEncoding::EncodeKey(std::string_view key, std::string* out) const {
  if (num_prefix_columns_ == 0) {
    out->assign(1, kVersion);
    out->append(key);
    return;
  }
  std::vector<std::string_view> rows{key};
  auto columns = UnsafeRowDecoder(key_types_).Decode(rows);
  if (!columns.ok()) return out->clear();  // the operator's own row: cannot be
  auto split = key_types_.begin() + static_cast<int64_t>(num_prefix_columns_);
  UnsafeRows prefix, rest;
  UnsafeRowEncoder({key_types_.begin(), split}).Encode(std::span(*columns).first(num_prefix_columns_), 1, &prefix);
  UnsafeRowEncoder({split, key_types_.end()}).Encode(std::span(*columns).subspan(num_prefix_columns_), 1, &rest);
  EncodePrefix(prefix.row(0), out);
  out->push_back(kVersion);
  out->append(rest.row(0));
}

Result<std::string_view> RocksDbEncoding::DecodeKey(std::string_view bytes, std::string* scratch) const {
  if (num_prefix_columns_ == 0) return AfterVersion(bytes);
  uint32_t size;
  if (bytes.size() < 6) return Status::Invalid("a key that is too short");
  std::memcpy(&size, bytes.data(), 4);
  if (size < 1 || size > bytes.size() - 5) return Status::Invalid("a key whose prefix is longer than it");
  std::vector<std::string_view> prefix{bytes.substr(5, size - 1)}, rest{bytes.substr(4 + size + 1)};
  auto split = key_types_.begin() + static_cast<int64_t>(num_prefix_columns_);
  ARROW_ASSIGN_OR_RAISE(auto columns, UnsafeRowDecoder({key_types_.begin(), split}).Decode(prefix));
  ARROW_ASSIGN_OR_RAISE(auto others, UnsafeRowDecoder({split, key_types_.end()}).Decode(rest));
  columns.insert(columns.end(), others.begin(), others.end());
  UnsafeRows row;
  UnsafeRowEncoder(key_types_).Encode(columns, 1, &row);
  scratch->assign(row.row(0));
  return std::string_view(*scratch);
}

void RocksDbEncoding::EncodeValue(std::string_view key, std::string_view value, std::string* out) const {
  out->assign(1, kVersion);
  out->append(value);
  if (checked_store_.empty()) return;
  std::string plain = std::move(*out);
  out->clear();
  AddSizedChecksum(key, plain, out);
}

Result<std::string_view> RocksDbEncoding::DecodeValue(std::string_view key, std::string_view bytes,
                                                      std::string* scratch) const {
  if (checked_store_.empty()) return AfterVersion(bytes);
  ARROW_RETURN_NOT_OK(CheckedSizedValues(key, bytes, 0, checked_store_, scratch));
  return AfterVersion(*scratch);
}

std::string_view RocksDbEncoding::EncodeRemoved(std::string_view key, std::string* scratch) const {
  if (checked_store_.empty()) return key;
  AddKeyChecksum(key, scratch);
  return *scratch;
}

Result<std::string_view> RocksDbEncoding::DecodeRemoved(std::string_view bytes) const {
  return checked_store_.empty() ? bytes : CheckedKey(bytes, checked_store_);
}

}  // namespace millrace::state
