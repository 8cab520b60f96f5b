#include "cli/checkpoint_rewind.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/ids.h"
#include "base/json_value.h"
#include "streaming/log/commit_log.h"
#include "streaming/log/offset_log.h"

namespace millrace::cli {

namespace {

/// The number a log file is called; nullopt for other names.
std::optional<int64_t> NumberOf(const std::string& name) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  std::string_view rest(end, static_cast<size_t>(name.data() + name.size() - end));
  if (error != std::errc() || (!rest.empty() && rest != ".compact" && rest != ".delta" && rest != ".snapshot")) {
    return std::nullopt;
  }
  return number;
}

struct Numbered {
  int64_t number = 0;
  std::string name;
};

/// The log files of a directory beyond `last`, newest first.
arrow::Result<std::vector<Numbered>> Beyond(FileSystem& file_system, const std::string& directory, int64_t last) {
  std::vector<Numbered> found;
  auto names = file_system.ListNames(directory);
  if (names.status().IsKeyError()) return found;
  ARROW_RETURN_NOT_OK(names.status());
  for (const std::string& name : *names) {
    auto number = NumberOf(name);
    if (number && *number > last) found.push_back({*number, name});
  }
  std::sort(found.begin(), found.end(), [](const Numbered& a, const Numbered& b) { return a.number > b.number; });
  return found;
}

/// What a file source's log holds that batch `offset` (its {"logOffset":k}) has not read yet.
arrow::Status PlanSource(FileSystem& file_system, const std::string& directory, size_t index, const std::string& offset,
                         std::vector<std::string>* files) {
  auto json = ParseJson(offset);
  const JsonValue* position = json.ok() ? json->Find("logOffset") : nullptr;
  if (position == nullptr) return arrow::Status::OK();
  std::string folder = fmt::format("sources/{}", index);
  ARROW_ASSIGN_OR_RAISE(auto beyond, Beyond(file_system, JoinPath(directory, folder), position->AsInt64()));
  for (const Numbered& file : beyond) {
    if (file.name.ends_with(".compact")) {
      return arrow::Status::Invalid(fmt::format(
          "{}/{} holds the files of earlier micro-batches too: a rewind is possible to micro-batches behind it only",
          folder, file.name));
    }
    files->push_back(JoinPath(folder, file.name));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Rewind> PlanRewind(FileSystem& file_system, const std::string& directory, int64_t batch) {
  streaming::OffsetLog offsets(&file_system, directory, Durability::kMachine);
  streaming::CommitLog commits(&file_system, directory, Durability::kMachine);
  const BatchId id(batch);
  ARROW_ASSIGN_OR_RAISE(auto entry, offsets.Get(id, -1));
  if (!entry) return arrow::Status::Invalid("There is no micro-batch ", batch, " in the offset log of ", directory);
  ARROW_ASSIGN_OR_RAISE(auto committed, commits.Get(id));
  if (!committed) return arrow::Status::Invalid("Micro-batch ", batch, " of ", directory, " is not done");
  ARROW_ASSIGN_OR_RAISE(auto state, file_system.Stat(JoinPath(directory, "state")));
  if (state) {
    return arrow::Status::Invalid("The query of ", directory,
                                  " has state, which a rewind would leave ahead of its offsets: start it from a new "
                                  "checkpoint with the starting offsets that `checkpoint show` gives");
  }
  Rewind rewind;
  for (const char* log : {"commits", "offsets"}) {
    ARROW_ASSIGN_OR_RAISE(auto beyond, Beyond(file_system, JoinPath(directory, log), batch));
    for (const Numbered& file : beyond) rewind.files.push_back(JoinPath(log, file.name));
  }
  for (size_t i = 0; i < entry->offsets.size(); ++i) {
    if (!entry->offsets[i]) continue;
    ARROW_RETURN_NOT_OK(PlanSource(file_system, directory, i, entry->offsets[i]->json, &rewind.files));
  }
  rewind.kept_in = fmt::format(".rewound-{}-{}", batch, RandomUuid());
  return rewind;
}

arrow::Status ApplyRewind(FileSystem& file_system, const std::string& directory, const Rewind& rewind) {
  const std::string kept = JoinPath(directory, rewind.kept_in);
  for (const std::string& file : rewind.files) {
    const std::filesystem::path target = JoinPath(kept, file);
    ARROW_RETURN_NOT_OK(file_system.CreateDirectories(target.parent_path().string()));
    ARROW_RETURN_NOT_OK(file_system.Rename(JoinPath(directory, file), target.string()));
    ARROW_RETURN_NOT_OK(file_system.SyncDirectory(target.parent_path().string()));
    ARROW_RETURN_NOT_OK(
        file_system.SyncDirectory(std::filesystem::path(JoinPath(directory, file)).parent_path().string()));
  }
  return arrow::Status::OK();
}

}  // namespace millrace::cli
