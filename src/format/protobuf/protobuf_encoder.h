#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <string>

#include "format/protobuf/protobuf_descriptors.h"
#include "types/data_type.h"

namespace millrace::format {

struct ProtobufWriteStep;

/// Encodes a struct column as messages in Protocol Buffers' wire format, as Spark's to_protobuf does: fields in the
/// order of their numbers, matched by name.
///
/// Errors: Make: UserError PROTOBUF_MESSAGE_NOT_FOUND; UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE where the struct's
///         fields and the message's do not fit together.
///         Encode: CANNOT_CONVERT_SQL_VALUE_TO_PROTOBUF_ENUM_TYPE; Invalid for a NULL in an array, and for a required
///         field that is missing.
/// Thread: confined.
/// Source: protobuf.dev, "Encoding"; Spark, ProtobufSerializer.
class ProtobufEncoder {
 public:
  static arrow::Result<std::unique_ptr<ProtobufEncoder>> Make(types::DataTypePtr type,
                                                              std::shared_ptr<const ProtobufDescriptors> descriptors,
                                                              const std::string& name);
  ~ProtobufEncoder();

  /// One binary value a row; NULL for NULL.
  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& values, arrow::MemoryPool* pool);

 private:
  ProtobufEncoder(std::shared_ptr<const ProtobufDescriptors> descriptors, std::unique_ptr<ProtobufWriteStep> root);

  std::shared_ptr<const ProtobufDescriptors> descriptors_;
  std::unique_ptr<ProtobufWriteStep> root_;
};

}  // namespace millrace::format
