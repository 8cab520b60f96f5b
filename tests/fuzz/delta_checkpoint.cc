// A checkpoint's Parquet file, damaged anywhere, is read or refused.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "delta/checkpoint/checkpoint_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  static const std::string path =
      std::filesystem::temp_directory_path() / ("millrace_fuzz_checkpoint_" + std::to_string(::getpid()));
  {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  delta::LogSegment segment;
  segment.version = delta::TableVersion(1);
  segment.checkpoint_version = segment.version;
  segment.checkpoint_files = {path};
  for (auto part : {delta::CheckpointPart::kState, delta::CheckpointPart::kTombstones}) {
    auto contents = delta::ReadCheckpoint(*LocalFileSystem(), "/no/such/log", segment, part);
    if (!contents.ok()) continue;
    for (const auto& files : contents->files) {
      for (int64_t row = 0; row < files.columns->num_rows(); ++row) {
        if ((*files.is_add)[static_cast<size_t>(row)] != 0) (void)files.columns->ToAdd(row);
      }
    }
  }
  std::filesystem::remove(path);
  return 0;
}
