#include "cli/table_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "delta/feature/table_feature.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_paths.h"
#include "delta/log/log_segment.h"
#include "delta/schema/column_mapping.h"
#include "delta/skipping/file_selection.h"
#include "delta/table.h"
#include "types/datetime_text.h"

namespace millrace::cli {

namespace {

std::string TimeText(int64_t timestamp_ms) {
  std::string text;
  types::AppendTimestamp(timestamp_ms * 1000, *types::TimeZone::System(), &text);
  return text;
}

std::string SizeText(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string Join(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : ", ") + part;
  return joined.empty() ? "-" : joined;
}

std::string MapText(const JsonValue* map) {
  std::string text;
  if (map == nullptr) return text;
  for (const auto& [key, value] : map->members()) {
    text += (text.empty() ? "" : " ") + key + "=" + (value.is_string() ? value.AsString() : value.ToString());
  }
  return text;
}

std::string ProtocolText(const delta::Protocol& protocol) {
  std::string text = fmt::format("reader {}, writer {}", protocol.min_reader_version, protocol.min_writer_version);
  std::vector<std::string> features = protocol.writer_features.value_or(std::vector<std::string>());
  if (protocol.reader_features) {
    for (const std::string& name : *protocol.reader_features) {
      if (std::find(features.begin(), features.end(), name) == features.end()) features.push_back(name);
    }
  }
  std::sort(features.begin(), features.end());
  return features.empty() ? text : text + ": " + Join(features);
}

arrow::Result<delta::SnapshotPtr> Open(delta::Table* table, int64_t version) {
  if (version < 0) return table->Update();
  return table->SnapshotAt(delta::TableVersion(version));
}

std::string FileLine(const delta::Snapshot& snapshot, const delta::FileRef& file) {
  std::string line =
      fmt::format("  {:>10}  {}", SizeText(file.columns->size_bytes(file.row)), file.columns->path(file.row));
  if (auto rows = delta::NumRecords(file)) line += fmt::format("  {} rows", *rows);
  if (auto vector = file.columns->deletion_vector(file.row)) line += fmt::format(", {} deleted", vector->cardinality);
  for (int index : snapshot.partition_columns()) {
    const types::StructField& field = snapshot.schema()->fields()[static_cast<size_t>(index)];
    auto value = file.columns->partition_value(file.row, delta::PhysicalName(field));
    line += fmt::format("  {}={}", field.name, value ? *value : "NULL");
  }
  return line + "\n";
}

}  // namespace

arrow::Result<std::string> ShowTable(FileSystem* file_system, const TableReportOptions& options) {
  delta::Table table(file_system, AbsolutePath(LocalPath(options.path)));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, Open(&table, options.version));
  const delta::Metadata& metadata = snapshot->metadata();
  std::string text = fmt::format("Delta table {}\n", snapshot->table_path());
  text += fmt::format("version     {}, {}\n", snapshot->version().value, TimeText(snapshot->timestamp_ms()));
  text += fmt::format("id          {}\n", metadata.id);
  text += fmt::format("protocol    {}\n", ProtocolText(snapshot->protocol()));
  text += fmt::format("partitions  {}\n", Join(metadata.partition_columns));
  text += fmt::format("files       {}, {}\n", snapshot->files().num_files(),
                      SizeText(snapshot->files().total_size_bytes()));
  if (snapshot->checkpoint_version()) text += fmt::format("checkpoint  {}\n", snapshot->checkpoint_version()->value);
  for (const auto& [key, value] : metadata.configuration) text += fmt::format("property    {} = {}\n", key, value);
  for (const auto& [app, txn] : snapshot->txns()) text += fmt::format("application {} at {}\n", app, txn.version);
  text += delta::WithoutInternalMetadata(snapshot->schema())->ToTreeString();
  int64_t shown = 0;
  int64_t limit = options.limit == 0 ? snapshot->files().num_files() : options.limit;
  snapshot->files().ForEach([&](const delta::FileRef& file) {
    if (shown++ < limit) text += FileLine(*snapshot, file);
  });
  if (shown > limit) text += fmt::format("  … {} more\n", shown - limit);
  return text;
}

arrow::Result<std::string> TableHistory(FileSystem* file_system, const TableReportOptions& options) {
  delta::Table table(file_system, AbsolutePath(LocalPath(options.path)));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr newest, table.Update());
  ARROW_ASSIGN_OR_RAISE(delta::LogListing listing, delta::LogListing::Read(*file_system, table.log_path()));
  std::vector<delta::TableVersion> versions = listing.commits();
  std::reverse(versions.begin(), versions.end());
  if (options.limit > 0 && versions.size() > static_cast<size_t>(options.limit)) {
    versions.resize(static_cast<size_t>(options.limit));
  }
  if (versions.empty()) return std::string();
  ARROW_ASSIGN_OR_RAISE(auto times, delta::CommitTimes(table, *newest, versions.back(), versions.front()));
  std::string text;
  for (delta::TableVersion version : versions) {
    ARROW_ASSIGN_OR_RAISE(auto commit, table.ReadCommit(version));
    if (!commit) continue;
    int64_t timestamp_ms = commit->modified_ms;
    for (const delta::CommitTime& time : times) {
      if (time.version == version) timestamp_ms = time.timestamp_ms;
    }
    std::string operation = "-", parameters, metrics;
    for (const delta::Action& action : commit->actions) {
      const auto* info = std::get_if<delta::CommitInfo>(&action);
      if (info == nullptr) continue;
      operation = info->operation().value_or("-");
      parameters = MapText(info->fields.Find("operationParameters"));
      metrics = MapText(info->fields.Find("operationMetrics"));
    }
    text += fmt::format("{:>6}  {:<23}  {:<16}  {}{}{}\n", version.value, TimeText(timestamp_ms), operation, parameters,
                        metrics.empty() ? "" : "  | ", metrics);
  }
  return text;
}

arrow::Result<std::string> DescribeTable(FileSystem* file_system, const TableReportOptions& options) {
  delta::Table table(file_system, AbsolutePath(LocalPath(options.path)));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, Open(&table, options.version));
  const delta::Metadata& metadata = snapshot->metadata();
  std::string text;
  auto line = [&](const char* key, const std::string& value) { text += fmt::format("{:<18} {}\n", key, value); };
  line("format", "delta");
  line("id", metadata.id);
  line("name", metadata.name.value_or("-"));
  line("description", metadata.description.value_or("-"));
  line("location", FileUri(snapshot->table_path()));
  line("createdAt", metadata.created_time_ms ? TimeText(*metadata.created_time_ms) : "-");
  line("lastModified", TimeText(snapshot->timestamp_ms()));
  line("partitionColumns", Join(metadata.partition_columns));
  line("numFiles", std::to_string(snapshot->files().num_files()));
  line("sizeInBytes", std::to_string(snapshot->files().total_size_bytes()));
  std::vector<std::string> properties;
  for (const auto& [key, value] : metadata.configuration) properties.push_back(key + "=" + value);
  line("properties", Join(properties));
  line("minReaderVersion", std::to_string(snapshot->protocol().min_reader_version));
  line("minWriterVersion", std::to_string(snapshot->protocol().min_writer_version));
  std::vector<std::string> features;
  for (const delta::TableFeature& feature : delta::AllTableFeatures()) {
    if (delta::Supports(snapshot->protocol(), feature.name)) features.emplace_back(feature.name);
  }
  std::sort(features.begin(), features.end());
  line("tableFeatures", Join(features));
  return text;
}

}  // namespace millrace::cli
