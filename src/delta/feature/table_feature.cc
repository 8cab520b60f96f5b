#include "delta/feature/table_feature.h"

#include <algorithm>

#include "base/error.h"

namespace millrace::delta {

namespace {

constexpr int kMaxReaderVersion = kTableFeaturesReaderVersion;
constexpr int kMaxWriterVersion = kTableFeaturesWriterVersion;

std::string Join(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

// As Spark names a table's path.
std::string Shown(const std::string& table_path) {
  return table_path.starts_with("/") ? "file:" + table_path : table_path;
}

arrow::Status InvalidVersion(const Protocol& protocol, const std::string& table_path) {
  return UserError("DELTA_INVALID_PROTOCOL_VERSION", {{"tableNameOrPath", Shown(table_path)},
                                                      {"readerRequired", std::to_string(protocol.min_reader_version)},
                                                      {"writerRequired", std::to_string(protocol.min_writer_version)},
                                                      {"deltaVersion", std::string(kDeltaVersion)},
                                                      {"supportedReaders", "1, 2, 3"},
                                                      {"supportedWriters", "1, 2, 3, 4, 5, 6, 7"}});
}

arrow::Status Unsupported(std::string_view condition, const std::string& table_path, std::vector<std::string> names) {
  return UserError(condition, {{"tableNameOrPath", Shown(table_path)},
                               {"deltaVersion", std::string(kDeltaVersion)},
                               {"unsupported", Join(std::move(names))}});
}

}  // namespace

arrow::Status CheckReadable(const Protocol& protocol, const std::string& table_path) {
  if (protocol.min_reader_version < 1 || protocol.min_reader_version > kMaxReaderVersion) {
    return InvalidVersion(protocol, table_path);
  }
  // Lists of features go with the versions that have them, both ways: Delta fails to decode any other protocol.
  bool reader_lists = protocol.min_reader_version >= kTableFeaturesReaderVersion;
  bool writer_lists = protocol.min_writer_version >= kTableFeaturesWriterVersion;
  bool consistent = protocol.reader_features.has_value() == reader_lists &&
                    protocol.writer_features.has_value() == writer_lists && (writer_lists || !reader_lists);
  if (!consistent) return InvalidVersion(protocol, table_path);
  std::vector<std::string> unsupported;
  if (protocol.min_reader_version >= kTableFeaturesReaderVersion && protocol.reader_features) {
    for (const std::string& name : *protocol.reader_features) {
      const TableFeature* feature = FindTableFeature(name);
      if (feature == nullptr || !feature->readable) unsupported.push_back(name);
    }
  }
  // Writers' features that say where the commits are.
  if (protocol.writer_features) {
    for (const std::string& name : *protocol.writer_features) {
      const TableFeature* feature = FindTableFeature(name);
      bool listed = std::find(unsupported.begin(), unsupported.end(), name) != unsupported.end();
      if (feature != nullptr && !feature->readable && !listed) unsupported.push_back(name);
    }
  }
  if (unsupported.empty()) return arrow::Status::OK();
  return Unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_READ", table_path, std::move(unsupported));
}

arrow::Status CheckWritable(const Protocol& protocol, const std::string& table_path) {
  ARROW_RETURN_NOT_OK(CheckReadable(protocol, table_path));
  if (protocol.min_writer_version < 1 || protocol.min_writer_version > kMaxWriterVersion) {
    return InvalidVersion(protocol, table_path);
  }
  std::vector<std::string> unsupported;
  if (protocol.min_writer_version >= kTableFeaturesWriterVersion) {
    if (protocol.writer_features) {
      for (const std::string& name : *protocol.writer_features) {
        const TableFeature* feature = FindTableFeature(name);
        if (feature == nullptr || !feature->writable) unsupported.push_back(name);
      }
    }
  }
  // Features that an older writer version merely implies are checked by what the table's metadata uses of them.
  if (unsupported.empty()) return arrow::Status::OK();
  return Unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", table_path, std::move(unsupported));
}

bool Supports(const Protocol& protocol, std::string_view feature) {
  if (protocol.HasReaderFeature(feature) || protocol.HasWriterFeature(feature)) return true;
  const TableFeature* known = FindTableFeature(feature);
  if (known == nullptr || known->legacy_writer_version == 0) return false;
  bool writer_lists = protocol.min_writer_version >= kTableFeaturesWriterVersion;
  bool by_writer = !writer_lists && protocol.min_writer_version >= known->legacy_writer_version;
  if (known->kind == FeatureKind::kWriter) return by_writer;
  bool reader_lists = protocol.min_reader_version >= kTableFeaturesReaderVersion;
  return by_writer && !reader_lists && protocol.min_reader_version >= known->legacy_reader_version;
}

}  // namespace millrace::delta
