#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "format/protobuf/protobuf_descriptors.h"
#include "types/data_type.h"

namespace google::protobuf {
class FieldDescriptor;
}  // namespace google::protobuf

namespace millrace::format {

/// One field of a bound encoder: a column's type and the field it is written as; the root is a message alone.
struct ProtobufWriteStep {
  enum class Op : uint8_t {
    kNothing,  ///< a column of NULLs
    kBoolean,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kUint64OfDecimal,
    kFloat,
    kDouble,
    kBytes,  ///< strings too
    kEnumByName,
    kEnumByNumber,
    kTimestamp,  ///< and durations
    kMessage,
    kMap,
  };
  Op op = Op::kNothing;
  const google::protobuf::FieldDescriptor* field = nullptr;
  uint32_t tag = 0;
  bool zigzag = false;
  bool fixed = false;
  bool repeated = false;
  bool packed = false;
  /// The default is not written.
  bool skips_default = false;
  /// google.protobuf.Int32Value and the like around the value: the tag of their field; 0: none.
  uint32_t wrapped = 0;
  /// Of the struct around it.
  int column = 0;
  std::string sql_path, proto_path;
  std::map<std::string, int32_t, std::less<>> enum_numbers;
  std::string enum_text;
  /// kMessage: fields in the order of their numbers; kMap: key and value.
  std::vector<std::unique_ptr<ProtobufWriteStep>> children;
  /// Required fields that no column fills.
  std::string missing_required;
};

/// How a struct is written as the message.
/// Errors: UserError UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE.
arrow::Result<std::unique_ptr<ProtobufWriteStep>> BindProtobufWrite(const google::protobuf::Descriptor& message,
                                                                    const types::DataType& type);

/// The number and the wire type of a field, as they stand before its value.
uint32_t ProtobufTag(const google::protobuf::FieldDescriptor& field, bool packed);

}  // namespace millrace::format
