#include "delta/checkpoint/checkpoint_reader.h"
#include "delta/checkpoint/checkpoint_writer.h"

/// Where a checkpoint's adds and removes come from.

namespace millrace::delta {

namespace {

std::string VectorId(const std::optional<DeletionVectorDescriptor>& vector) {
  return vector ? vector->UniqueId() : std::string();
}

/// The file actions of the commits of a segment, the newest of each file.
struct Newer {
  FileKeySet seen;
  /// Newest first.
  std::vector<Add> adds;
  std::vector<Remove> removes;
};

arrow::Result<Newer> ReadCommits(const FileSystem& file_system, const LogSegment& segment) {
  Newer newer;
  ActionParser parser(kKinds<Add, Remove>);
  for (auto commit = segment.commits.rbegin(); commit != segment.commits.rend(); ++commit) {
    ARROW_ASSIGN_OR_RAISE(std::string text, file_system.ReadFile(commit->path));
    ARROW_ASSIGN_OR_RAISE(std::vector<Action> actions, parser.ParseLines(text, commit->path));
    // Within a commit, too, the last action of a file counts.
    for (auto action = actions.rbegin(); action != actions.rend(); ++action) {
      if (auto* add = std::get_if<Add>(&*action)) {
        if (newer.seen.Insert(add->path, VectorId(add->deletion_vector))) newer.adds.push_back(std::move(*add));
      } else if (auto* remove = std::get_if<Remove>(&*action)) {
        if (newer.seen.Insert(remove->path, VectorId(remove->deletion_vector))) {
          newer.removes.push_back(std::move(*remove));
        }
      }
    }
  }
  return newer;
}

}  // namespace

FileActions FileActionsOf(const Snapshot& snapshot, const std::vector<Remove>& tombstones) {
  return [&snapshot, &tombstones](const std::function<arrow::Status(Action)>& visit) -> arrow::Status {
    ARROW_RETURN_NOT_OK(
        snapshot.files().TryForEach([&](const FileRef& file) { return visit(file.columns->ToAdd(file.row)); }));
    for (const Remove& remove : tombstones) ARROW_RETURN_NOT_OK(visit(remove));
    return arrow::Status::OK();
  };
}

FileActions FileActionsOf(const FileSystem& file_system, const std::string& log_path, const LogSegment& segment,
                          int64_t removed_after_ms) {
  return [&file_system, log_path, segment,
          removed_after_ms](const std::function<arrow::Status(Action)>& visit) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(Newer newer, ReadCommits(file_system, segment));
    auto is_kept = [&](const Remove& remove) { return remove.deletion_timestamp_ms.value_or(0) > removed_after_ms; };
    if (segment.checkpoint_version) {
      auto visit_adds = [&](CheckpointContents contents) -> arrow::Status {
        for (const CheckpointContents::Files& files : contents.files) {
          for (int64_t row = 0; row < files.columns->num_rows(); ++row) {
            bool is_live = (*files.is_add)[static_cast<size_t>(row)] != 0 && !newer.seen.Contains(*files.columns, row);
            if (is_live) ARROW_RETURN_NOT_OK(visit(files.columns->ToAdd(row)));
          }
        }
        return arrow::Status::OK();
      };
      ARROW_RETURN_NOT_OK(VisitCheckpoint(file_system, log_path, segment, CheckpointPart::kState, visit_adds));
    }
    for (auto add = newer.adds.rbegin(); add != newer.adds.rend(); ++add) ARROW_RETURN_NOT_OK(visit(std::move(*add)));
    for (Remove& remove : newer.removes) {
      if (is_kept(remove)) ARROW_RETURN_NOT_OK(visit(std::move(remove)));
    }
    if (!segment.checkpoint_version) return arrow::Status::OK();
    auto visit_removes = [&](CheckpointContents contents) -> arrow::Status {
      for (Remove& remove : contents.tombstones) {
        if (!is_kept(remove) || newer.seen.Contains(remove.path, VectorId(remove.deletion_vector))) continue;
        ARROW_RETURN_NOT_OK(visit(std::move(remove)));
      }
      return arrow::Status::OK();
    };
    return VisitCheckpoint(file_system, log_path, segment, CheckpointPart::kTombstones, visit_removes);
  };
}

}  // namespace millrace::delta
