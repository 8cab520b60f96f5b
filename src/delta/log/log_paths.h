#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "delta/table_version.h"

/// Names of the files in `_delta_log`: docs/formats/delta_log.md.

namespace millrace::delta {

/// `<table>/_delta_log`.
std::string LogDirectory(std::string_view table_path);

/// 20 digits.
std::string PaddedVersion(TableVersion version);
/// `00000000000000000012.json`
std::string CommitFileName(TableVersion version);
/// `00000000000000000012.crc`
std::string ChecksumFileName(TableVersion version);
/// `00000000000000000012.checkpoint.parquet`
std::string ClassicCheckpointFileName(TableVersion version);
/// `00000000000000000012.checkpoint.0000000001.0000000003.parquet`; parts count from 1.
std::string MultiPartCheckpointFileName(TableVersion version, int part, int num_parts);
/// `00000000000000000012.checkpoint.<uuid>.parquet|json`
std::string V2CheckpointFileName(TableVersion version, std::string_view uuid, std::string_view extension);
/// `00000000000000000001.00000000000000000005.compacted.json`
std::string CompactedFileName(TableVersion first, TableVersion last);

inline constexpr std::string_view kLastCheckpointFileName = "_last_checkpoint";
inline constexpr std::string_view kSidecarDirectory = "_sidecars";

enum class LogFileKind : uint8_t {
  kCommit,
  kChecksum,
  kClassicCheckpoint,
  kMultiPartCheckpoint,
  kV2Checkpoint,  ///< named by a UUID; parquet or json
  kCompacted,
};

struct LogFileName {
  LogFileKind kind = LogFileKind::kCommit;
  /// kCompacted: the first version.
  TableVersion version;
  /// kCompacted: the last version.
  TableVersion last_version;
  /// kMultiPartCheckpoint.
  int part = 0;
  int num_parts = 0;
  /// kV2Checkpoint: the top-level file is JSON.
  bool is_json = false;

  bool is_checkpoint() const {
    return kind == LogFileKind::kClassicCheckpoint || kind == LogFileKind::kMultiPartCheckpoint ||
           kind == LogFileKind::kV2Checkpoint;
  }
};

/// What a name in `_delta_log` says; none for names the protocol does not know.
std::optional<LogFileName> ParseLogFileName(std::string_view name);

/// The file behind a path of an action: percent-encoding undone, relative ones below `table_path`. Schemes other than
/// `file:` are kept as they are, so that opening them fails with their name.
std::string DataFilePath(std::string_view table_path, std::string_view path_in_log);
/// A path below the table's root (no scheme) as it stands in the log: percent-encoded as Hadoop's Path.toUri does.
std::string EncodeDataPath(std::string_view relative_path);

}  // namespace millrace::delta
