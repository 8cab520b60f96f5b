#pragma once

#include <arrow/result.h>

#include <map>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "cli/generator/record_maker.h"

namespace millrace::cli {

/// Where generated records go. Confined to one thread.
class RecordTarget {
 public:
  virtual ~RecordTarget() = default;
  virtual arrow::Status Write(const RecordTexts& batch) = 0;
  /// What was written so far can be read by others.
  virtual arrow::Status Flush() = 0;
};

struct KafkaTargetOptions {
  std::string bootstrap_servers;
  std::string topic;
  /// > 0: the topic is made with so many partitions if it is missing, and a key's CRC-32 says which one it goes to.
  /// 0: the topic as it is, partitions chosen by the client.
  int num_partitions = 0;
  /// Further `kafka.*` settings, without that prefix.
  std::map<std::string, std::string> settings;
};
arrow::Result<std::unique_ptr<RecordTarget>> OpenKafkaTarget(const KafkaTargetOptions& options);

struct FileTargetOptions {
  /// `-` writes the values to standard output instead.
  std::string directory;
  std::string extension;
  int64_t records_per_file = 100'000;
};
/// Files `part-00000.json` …, one record a line; each appears under its name when it is complete.
arrow::Result<std::unique_ptr<RecordTarget>> OpenFileTarget(FileSystem* files, const FileTargetOptions& options);

}  // namespace millrace::cli
