#include "format/protobuf/protobuf_descriptors.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/logging.h>

#include <map>

#include "base/error.h"

namespace millrace::format {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

namespace {

constexpr int kDeepestImports = 1000;

/// What protobuf says of a file that it cannot build; it would go to the log.
class Silence final : public google::protobuf::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string&, const std::string&, const google::protobuf::Message*, ErrorLocation,
                const std::string&) override {}
};

class Builder {
 public:
  Builder(const google::protobuf::FileDescriptorSet& set, google::protobuf::DescriptorPool* pool) : pool_(pool) {
    for (const FileDescriptorProto& file : set.file()) files_.emplace(file.name(), &file);
  }

  /// A file after those that it imports, which may stand in any order.
  arrow::Result<const FileDescriptor*> Build(const FileDescriptorProto& file, int depth = 0) {
    if (const FileDescriptor* built = pool_->FindFileByName(file.name())) return built;
    if (depth > kDeepestImports) return UserError("CANNOT_PARSE_PROTOBUF_DESCRIPTOR");
    for (const std::string& name : file.dependency()) {
      auto found = files_.find(name);
      if (found == files_.end()) return UserError("PROTOBUF_DEPENDENCY_NOT_FOUND", {{"dependencyName", name}});
      ARROW_RETURN_NOT_OK(Build(*found->second, depth + 1).status());
    }
    Silence silence;
    const FileDescriptor* built = pool_->BuildFileCollectingErrors(file, &silence);
    if (built == nullptr) return UserError("CANNOT_PARSE_PROTOBUF_DESCRIPTOR");
    return built;
  }

 private:
  google::protobuf::DescriptorPool* pool_;
  std::map<std::string, const FileDescriptorProto*> files_;
};

}  // namespace

ProtobufDescriptors::ProtobufDescriptors() : pool_(std::make_unique<google::protobuf::DescriptorPool>()) {}
ProtobufDescriptors::~ProtobufDescriptors() = default;

arrow::Result<std::shared_ptr<const ProtobufDescriptors>> ProtobufDescriptors::Parse(std::string_view descriptor_set) {
  google::protobuf::LogSilencer silent;  // it would tell the log what the status tells
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(descriptor_set.data(), static_cast<int>(descriptor_set.size()))) {
    return UserError("CANNOT_PARSE_PROTOBUF_DESCRIPTOR");
  }
  std::shared_ptr<ProtobufDescriptors> descriptors(new ProtobufDescriptors());
  Builder builder(set, descriptors->pool_.get());
  for (const FileDescriptorProto& file : set.file()) {
    ARROW_ASSIGN_OR_RAISE(const FileDescriptor* built, builder.Build(file));
    descriptors->files_.push_back(built);
  }
  return descriptors;
}

arrow::Result<const google::protobuf::Descriptor*> ProtobufDescriptors::FindMessage(const std::string& name) const {
  for (const FileDescriptor* file : files_) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const google::protobuf::Descriptor* message = file->message_type(i);
      if (message->name() == name || message->full_name() == name) return message;
    }
  }
  return UserError("PROTOBUF_MESSAGE_NOT_FOUND", {{"messageName", name}});
}

bool IsProtobufWrapper(const google::protobuf::Descriptor& message) {
  // A descriptor set may call something else so.
  if (message.field_count() != 1 || message.field(0)->is_repeated() || message.field(0)->message_type() != nullptr) {
    return false;
  }
  static constexpr std::string_view kNames[] = {"BoolValue",   "Int32Value", "UInt32Value", "Int64Value", "UInt64Value",
                                                "StringValue", "BytesValue", "FloatValue",  "DoubleValue"};
  std::string_view name = message.full_name();
  if (!name.starts_with("google.protobuf.")) return false;
  name.remove_prefix(16);
  for (std::string_view known : kNames) {
    if (name == known) return true;
  }
  return false;
}

}  // namespace millrace::format
