#include "connector/file/file_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/glob.h"
#include "connector/file/partition_path.h"
#include "connector/file/sink_log_entry.h"
#include "types/datetime_text.h"

namespace millrace::connector::file {

namespace {

bool IsHidden(std::string_view name) {
  return (name.starts_with('_') && name.find('=') == std::string_view::npos) || name.starts_with('.') ||
         name.ends_with("._COPYING_");
}

std::string ParentOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }
std::string NameOf(const std::string& path) { return std::filesystem::path(path).filename().string(); }

bool Passes(const ListedFile& file, const ListingOptions& options) {
  if (options.path_glob_filter && !GlobMatches(*options.path_glob_filter, NameOf(file.path))) return false;
  int64_t modified_us = file.modified_ms * 1000;
  if (options.modified_before_us && modified_us >= *options.modified_before_us) return false;
  return !options.modified_after_us || modified_us > *options.modified_after_us;
}

arrow::Status ListBelow(const FileSystem& file_system, const std::string& directory, const ListingOptions& options,
                        std::vector<ListedFile>* files) {
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> children, file_system.List(directory));
  for (const FileInfo& child : children) {
    if (IsHidden(child.name)) continue;
    std::string path = JoinPath(directory, child.name);
    if (child.is_directory) {
      arrow::Status listed = ListBelow(file_system, path, options, files);
      // Removed since its parent was listed.
      if (!listed.IsKeyError()) ARROW_RETURN_NOT_OK(listed);
      continue;
    }
    ListedFile file{std::move(path), child.size_bytes, child.modified_ms};
    if (Passes(file, options)) files->push_back(std::move(file));
  }
  return arrow::Status::OK();
}

arrow::Result<std::optional<int64_t>> ParseInstant(const SourceRequest& request, std::string_view key) {
  std::optional<std::string> text = request.options.Get(key);
  if (!text) return std::nullopt;
  // The stream refuses it when it begins.
  if (request.streaming) return std::nullopt;
  int64_t us = 0;
  if (!types::ParseTimestamp(*text, *request.context->time_zone, &us)) {
    return arrow::Status::Invalid("The timestamp provided for the '", key,
                                  "' option is invalid. The expected format is 'YYYY-MM-DDTHH:mm:ss', but the "
                                  "provided timestamp: ",
                                  *text);
  }
  return us;
}

const types::StructField* FindField(const types::DataType* schema, const std::string& name, bool case_sensitive) {
  if (schema == nullptr) return nullptr;
  for (const types::StructField& field : schema->fields()) {
    if (case_sensitive ? field.name == name : EqualsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

struct DirectoryColumns {
  std::vector<std::string> names;
  std::vector<std::string> values;
  /// Where the columns begin.
  std::string base;
};

arrow::Result<DirectoryColumns> ColumnsOf(const std::string& directory, const std::set<std::string>& bases) {
  DirectoryColumns found;
  std::string current = directory;
  while (bases.count(current) == 0) {
    ARROW_ASSIGN_OR_RAISE(auto column, ParsePartitionDirectory(NameOf(current)));
    if (!column && !found.names.empty()) break;
    if (column) {
      found.names.push_back(std::move(column->first));
      found.values.push_back(std::move(column->second));
    }
    std::string parent = ParentOf(current);
    if (parent == current || parent.empty()) break;
    current = parent;
  }
  std::reverse(found.names.begin(), found.names.end());
  std::reverse(found.values.begin(), found.values.end());
  found.base = found.names.empty() ? directory : current;
  return found;
}

}  // namespace

std::string ShownPath(const std::string& path) { return "file:" + path; }

arrow::Result<ListingOptions> ListingOptions::Parse(const SourceRequest& request) {
  ListingOptions options;
  options.path_glob_filter = request.options.Get("pathGlobFilter");
  ARROW_ASSIGN_OR_RAISE(options.recursive, request.options.GetBool("recursiveFileLookup", false));
  ARROW_ASSIGN_OR_RAISE(options.modified_before_us, ParseInstant(request, "modifiedBefore"));
  ARROW_ASSIGN_OR_RAISE(options.modified_after_us, ParseInstant(request, "modifiedAfter"));
  if (auto base = request.options.Get("basePath")) options.base_path = AbsolutePath(LocalPath(*base));
  options.infer_partition_types =
      request.context->conf("spark.sql.sources.partitionColumnTypeInference.enabled").value_or("true") != "false";
  return options;
}

arrow::Result<std::vector<std::string>> AbsolutePaths(const SourceRequest& request) {
  std::vector<std::string> absolute;
  for (const std::string& path : request.paths) {
    size_t colon = path.find("://");
    if (colon != std::string::npos && !path.starts_with("file:")) {
      return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                       {{"methodName", "file system '" + path.substr(0, colon) + "'"}, {"className", "Millrace"}});
    }
    std::string plain = AbsolutePath(LocalPath(path));
    while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    absolute.push_back(std::move(plain));
  }
  return absolute;
}

arrow::Result<std::vector<ListedFile>> ListFiles(const ConnectorContext& context, const std::vector<std::string>& roots,
                                                 const ListingOptions& options, bool must_exist) {
  std::vector<ListedFile> files;
  bool ignores_log = context.conf("spark.sql.streaming.fileStreamSink.ignoreMetadata").value_or("false") == "true";
  if (roots.size() == 1 && !ignores_log) {
    ARROW_ASSIGN_OR_RAISE(bool has_log, HasSinkLog(*context.file_system, roots[0]));
    if (has_log) {
      ARROW_ASSIGN_OR_RAISE(auto entries, ReadSinkLog(context.file_system, roots[0]));
      for (SinkLogEntry& entry : entries) {
        ListedFile file{std::move(entry.path), entry.size_bytes, entry.modified_ms};
        if (Passes(file, options)) files.push_back(std::move(file));
      }
      return files;
    }
  }
  for (const std::string& root : roots) {
    ARROW_ASSIGN_OR_RAISE(auto info, context.file_system->Stat(root));
    if (!info) {
      if (must_exist) return UserError("PATH_NOT_FOUND", {{"path", ShownPath(root)}});
      continue;
    }
    if (info->is_directory) {
      ARROW_RETURN_NOT_OK(ListBelow(*context.file_system, root, options, &files));
    } else {
      ListedFile file{root, info->size_bytes, info->modified_ms};
      if (!IsHidden(info->name) && Passes(file, options)) files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
  return files;
}

arrow::Result<PartitionColumns> DiscoverPartitions(const ConnectorContext& context,
                                                   const std::vector<std::string>& roots,
                                                   const std::vector<ListedFile>& files, const ListingOptions& options,
                                                   const types::DataType* user_schema) {
  PartitionColumns partitions;
  partitions.schema = types::Struct({});
  if (options.recursive) return partitions;
  std::set<std::string> bases;
  if (options.base_path) {
    bases.insert(*options.base_path);
  } else {
    for (const std::string& root : roots) {
      ARROW_ASSIGN_OR_RAISE(auto info, context.file_system->Stat(root));
      bases.insert(info && !info->is_directory ? ParentOf(root) : root);
    }
  }
  std::set<std::string> directories;
  for (const ListedFile& file : files) directories.insert(ParentOf(file.path));
  std::map<std::string, DirectoryColumns> columns;
  std::set<std::string> distinct_bases;
  std::vector<std::string> names;
  std::set<std::string> distinct_names;
  bool any = false;
  for (const std::string& directory : directories) {
    ARROW_ASSIGN_OR_RAISE(DirectoryColumns found, ColumnsOf(directory, bases));
    distinct_bases.insert(found.base);
    if (!found.names.empty()) {
      any = true;
      names = found.names;
      std::string joined = fmt::format("{}", fmt::join(found.names, ", "));
      distinct_names.insert(context.case_sensitive ? joined : ToLowerAscii(joined));
      columns.emplace(directory, std::move(found));
    }
  }
  if (!any) return partitions;
  if (distinct_bases.size() > 1) {
    std::string suspicious;
    for (const std::string& base : distinct_bases) suspicious += "\n\t" + ShownPath(base);
    return UserError("CONFLICTING_DIRECTORY_STRUCTURES", {{"discoveredBasePaths", suspicious}});
  }
  if (distinct_names.size() > 1) {
    std::string lists;
    int index = 0;
    for (const std::string& list : distinct_names) {
      lists += fmt::format("\n\tPartition column name list #{}: {}", index++, list);
    }
    std::string paths;
    for (const auto& [directory, found] : columns) paths += "\n\t" + ShownPath(directory);
    return UserError("CONFLICTING_PARTITION_COLUMN_NAMES",
                     {{"distinctPartColLists", lists}, {"suspiciousPaths", paths}});
  }
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < names.size(); ++i) {
    types::StructField field{names[i], nullptr, true, ""};
    if (const types::StructField* given = FindField(user_schema, names[i], context.case_sensitive)) {
      field.name = given->name;
      field.type = given->type;
    } else {
      field.type = types::Null();
      for (const auto& [directory, found] : columns) {
        field.type = WiderPartitionType(
            field.type, InferPartitionType(found.values[i], options.infer_partition_types, *context.time_zone));
      }
      // All values were NULL.
      if (field.type->id() == types::TypeId::kNull) field.type = types::String();
    }
    fields.push_back(std::move(field));
  }
  partitions.schema = types::Struct(std::move(fields));
  for (auto& [directory, found] : columns) partitions.values.emplace(directory, std::move(found.values));
  return partitions;
}

void KeepFilesInRoots(const std::vector<std::string>& roots, const ListingOptions& options,
                      const PartitionColumns& partitions, std::vector<ListedFile>* files) {
  if (options.recursive || !partitions.schema->fields().empty()) return;
  std::set<std::string> kept(roots.begin(), roots.end());
  std::erase_if(*files, [&](const ListedFile& file) {
    return kept.count(file.path) == 0 && kept.count(ParentOf(file.path)) == 0;
  });
}

}  // namespace millrace::connector::file
