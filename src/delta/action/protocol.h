#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::delta {

inline constexpr int kTableFeaturesReaderVersion = 3;
inline constexpr int kTableFeaturesWriterVersion = 7;

/// What a client must know to read and to write the table.
struct Protocol {
  int32_t min_reader_version = 1;
  int32_t min_writer_version = 2;
  /// Set only from reader version 3 and writer version 7 on.
  std::optional<std::vector<std::string>> reader_features;
  std::optional<std::vector<std::string>> writer_features;

  bool operator==(const Protocol&) const = default;
  bool HasReaderFeature(std::string_view name) const { return Has(reader_features, name); }
  bool HasWriterFeature(std::string_view name) const { return Has(writer_features, name); }

 private:
  static bool Has(const std::optional<std::vector<std::string>>& features, std::string_view name) {
    if (!features) return false;
    for (const std::string& feature : *features) {
      if (feature == name) return true;
    }
    return false;
  }
};

}  // namespace millrace::delta
