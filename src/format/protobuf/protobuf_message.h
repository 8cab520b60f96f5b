#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/protobuf/protobuf_descriptors.h"
#include "format/protobuf/protobuf_options.h"
#include "types/data_type.h"

namespace millrace::format {

struct ProtobufMessage;

/// How a field's wire values become values of its column.
enum class ProtobufOp : uint8_t {
  kBoolean,
  kInt32,
  kUint32,  ///< as BIGINT
  kInt64,
  kUint64,  ///< as DECIMAL(20,0)
  kZigzag32,
  kZigzag64,
  kFloat,
  kDouble,
  kString,
  kBytes,
  kEnumName,
  kEnumNumber,
  kMessage,
  kMap,
  kTimestamp,
  kDuration,
  kAnyJson,
  kWrapped,  ///< google.protobuf.Int32Value and the like, as their value
};

enum class ProtobufWire : uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kGroup = 3, kEndGroup = 4, kFixed32 = 5 };

/// One field of a message, bound for reading.
struct ProtobufField {
  int number = 0;
  ProtobufOp op = ProtobufOp::kInt32;
  ProtobufWire wire = ProtobufWire::kVarint;
  bool repeated = false;
  bool packable = false;
  bool required = false;
  /// Whether "not there" and "its default" differ on the wire.
  bool has_presence = false;
  /// The schema gives the default (proto2).
  bool has_default = false;
  bool checks_utf8 = false;
  /// Of the message's oneofs; −1 for none.
  int oneof = -1;
  /// Of the struct that the message becomes; −1 for a field that has none, because of the depth of a recursion.
  int column = -1;
  /// The default, as a wire value.
  uint64_t default_bits = 0;
  std::string default_bytes;
  /// kEnumName; `closed`: another number is no value of the enum (proto2).
  std::unordered_map<int32_t, std::string> enum_names;
  std::string enum_type;
  bool closed = false;
  /// kMessage; kMap: the entries; kTimestamp, kDuration: seconds and nanos; kWrapped: the value.
  std::unique_ptr<ProtobufMessage> message;
};

/// A message type, bound for reading.
struct ProtobufMessage {
  std::vector<ProtobufField> fields;
  /// Field by number: its place + 1, or 0; others are in `sparse`.
  std::vector<uint16_t> dense;
  std::unordered_map<int, uint16_t> sparse;
  bool any_required = false;
  /// Columns of the struct. One more than fields have where an empty message is retained.
  int num_columns = 0;

  /// Null when the message has no such field.
  const ProtobufField* Find(int number) const {
    size_t place = 0;
    if (static_cast<size_t>(number) < dense.size()) {
      place = dense[static_cast<size_t>(number)];
    } else if (auto it = sparse.find(number); it != sparse.end()) {
      place = it->second;
    }
    return place == 0 ? nullptr : &fields[place - 1];
  }
};

/// A message type and the Spark type that it is read as.
struct ProtobufSchema {
  std::shared_ptr<const ProtobufDescriptors> descriptors;
  std::shared_ptr<const ProtobufMessage> message;
  types::DataTypePtr type;
};

/// Binds the message called `name`.
/// Errors: UserError PROTOBUF_MESSAGE_NOT_FOUND, RECURSIVE_PROTOBUF_SCHEMA.
/// Source: Spark SQL guide, "Supported types for Protobuf -> Spark SQL conversion"; SchemaConverters.
arrow::Result<ProtobufSchema> BindProtobuf(std::shared_ptr<const ProtobufDescriptors> descriptors,
                                           const std::string& name, const ProtobufOptions& options);

}  // namespace millrace::format
