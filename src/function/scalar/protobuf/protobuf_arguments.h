#pragma once

#include <memory>
#include <string>

#include "format/option_map.h"
#include "format/protobuf/protobuf_descriptors.h"
#include "function/bind.h"

/// The arguments that from_protobuf and to_protobuf share.

namespace millrace::function {

/// (data, message name[, descriptor set: its bytes, or the path of its file][, options])
struct ProtobufArguments {
  std::string message_name;
  std::shared_ptr<const format::ProtobufDescriptors> descriptors;
  format::OptionMap options;
  /// What the call keeps of them, so that calls which differ are told apart: the data as given first.
  ExpressionVector kept;
};

/// Errors: UserError DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT as Spark words it, CANNOT_LOAD_PROTOBUF_CLASS where
/// there is no descriptor set (Spark would look for a class in Java), PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND, and what the
/// descriptor set says.
arrow::Result<ProtobufArguments> BindProtobufArguments(const BindInput& input);

}  // namespace millrace::function
