#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Descriptor;
class DescriptorPool;
class FileDescriptor;
}  // namespace google::protobuf

namespace millrace::format {

/// The messages of a descriptor set, as protoc writes it with --descriptor_set_out and --include_imports. Immutable,
/// thread-safe.
class ProtobufDescriptors {
 public:
  /// Errors: UserError CANNOT_PARSE_PROTOBUF_DESCRIPTOR, PROTOBUF_DEPENDENCY_NOT_FOUND.
  static arrow::Result<std::shared_ptr<const ProtobufDescriptors>> Parse(std::string_view descriptor_set);
  ~ProtobufDescriptors();

  /// A message that lies in no other one, by its name or its full name; the first file that has one wins.
  /// Errors: UserError PROTOBUF_MESSAGE_NOT_FOUND.
  arrow::Result<const google::protobuf::Descriptor*> FindMessage(const std::string& name) const;
  const google::protobuf::DescriptorPool& pool() const { return *pool_; }

 private:
  ProtobufDescriptors();
  std::unique_ptr<google::protobuf::DescriptorPool> pool_;
  std::vector<const google::protobuf::FileDescriptor*> files_;
};

/// google.protobuf.Int32Value and the like: a message around one value.
bool IsProtobufWrapper(const google::protobuf::Descriptor& message);

}  // namespace millrace::format
