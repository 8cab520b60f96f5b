// A whole data file, damaged anywhere: Parquet, ORC and Avro infer a schema and read, or refuse, without a crash.

#include <arrow/record_batch.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "format/file_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const char* name = bytes.starts_with("ORC") ? "orc" : bytes.starts_with("Obj") ? "avro" : "parquet";
  static const std::string path =
      std::filesystem::temp_directory_path() / ("millrace_fuzz_data_" + std::to_string(::getpid()));
  {
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(size));
  }
  const format::FileFormat& file_format = *format::FindFileFormat(name);
  auto schema = file_format.infer_schema({path}, {}, {});
  if (schema.ok()) {
    auto reader = file_format.open_reader({.path = path, .schema = *schema});
    for (int batch = 0; reader.ok() && batch < 4; ++batch) {
      auto rows = (*reader)->Next();
      if (!rows.ok() || *rows == nullptr) break;
      if (!(*rows)->Validate().ok()) std::abort();
    }
  }
  std::filesystem::remove(path);
  return 0;
}
