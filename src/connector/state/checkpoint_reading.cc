#include "connector/state/checkpoint_reading.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "base/number_format.h"

namespace millrace::connector {

using arrow::Result;
using arrow::Status;

namespace {

std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t number;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status Required(std::string_view option) {
  return UserError("STDS_REQUIRED_OPTION_UNSPECIFIED", {{"optionName", std::string(option)}});
}

Status Negative(std::string_view option) {
  return UserError("STDS_INVALID_OPTION_VALUE.IS_NEGATIVE", {{"optionName", std::string(option)}});
}

Status BadValue(std::string_view option, std::string message) {
  return UserError("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
                   {{"optionName", std::string(option)}, {"message", std::move(message)}});
}

Status Conflict(std::string_view a, std::string_view b) {
  return UserError("STDS_CONFLICT_OPTIONS", {{"options", "['" + std::string(a) + "', '" + std::string(b) + "']"}});
}

Result<std::optional<int64_t>> NumberOption(const Options& options, std::string_view key) {
  std::optional<std::string> text = options.Get(key);
  if (!text) return std::nullopt;
  std::optional<int64_t> number = ParseInteger(*text);
  if (!number) return NotANumber(*text);
  return number;
}

Result<bool> SwitchOption(const Options& options, std::string_view key, bool fallback) {
  auto value = options.GetBool(key, fallback);
  return value.ok() ? value : BadValue(key, "Boolean value is expected");
}

Status ParseChanges(const Options& options, std::optional<int64_t> start, std::optional<int64_t> end, int64_t last,
                    StateReadOptions* parsed) {
  if (parsed->join_side != StateReadOptions::JoinSide::kNone) return Conflict("joinSide", "readChangeFeed");
  for (std::string_view other : {"batchId", "snapshotStartBatchId", "snapshotPartitionId"}) {
    if (options.Has(other)) return Conflict(other, "readChangeFeed");
  }
  if (!start) return Required("changeStartBatchId");
  int64_t end_id = end.value_or(last);
  if (*start < 0) return Negative("changeStartBatchId");
  if (end_id < *start) {
    return BadValue(
        "changeEndBatchId",
        "changeEndBatchId cannot be smaller than changeStartBatchId. Please check the input to "
        "changeEndBatchId, or if you are using its default value, make sure that changeStartBatchId is less "
        "than " +
            std::to_string(end_id) + ".");
  }
  parsed->batch_id = end_id;
  parsed->changes = StateReadOptions::Changes{*start, end_id};
  return Status::OK();
}

Status ParseSnapshot(std::optional<int64_t> start, std::optional<int64_t> partition, StateReadOptions* parsed) {
  if (start && *start < 0) return Negative("snapshotStartBatchId");
  if (start && *start > parsed->batch_id) {
    return BadValue("snapshotStartBatchId",
                    "value should be less than or equal to " + std::to_string(parsed->batch_id));
  }
  if (partition && *partition < 0) return Negative("snapshotPartitionId");
  if (partition && !start) return Required("snapshotStartBatchId");
  if (!partition && start) return Required("snapshotPartitionId");
  if (start) parsed->snapshot = StateReadOptions::Snapshot{*start, static_cast<int32_t>(*partition)};
  return Status::OK();
}

}  // namespace

Result<std::optional<CommittedBatches>> ReadCommittedBatches(const FileSystem& file_system,
                                                             const std::string& checkpoint_location) {
  auto files = file_system.List(JoinPath(checkpoint_location, "commits"));
  if (files.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(files);
  std::optional<CommittedBatches> batches;
  for (const FileInfo& file : *files) {
    std::optional<int64_t> id = ParseInteger(file.name);
    if (!id) continue;
    if (!batches) batches = CommittedBatches{*id, *id};
    batches->first = std::min(batches->first, *id);
    batches->last = std::max(batches->last, *id);
  }
  return batches;
}

Result<std::map<std::string, std::string>> ReadBatchConf(const FileSystem& file_system,
                                                         const std::string& checkpoint_location, int64_t batch_id) {
  ErrorParameters parameters{{"batchId", std::to_string(batch_id)}, {"checkpointLocation", checkpoint_location}};
  auto text = file_system.ReadFile(JoinPath(JoinPath(checkpoint_location, "offsets"), std::to_string(batch_id)));
  if (text.status().IsKeyError()) return UserError("STDS_OFFSET_LOG_UNAVAILABLE", parameters);
  ARROW_RETURN_NOT_OK(text);
  size_t begin = text->find('\n');
  if (begin == std::string::npos) return UserError("STDS_OFFSET_METADATA_LOG_UNAVAILABLE", parameters);
  std::string_view line = std::string_view(*text).substr(begin + 1);
  line = line.substr(0, line.find('\n'));
  auto metadata = ParseJson(line);
  if (!metadata.ok()) return UserError("STDS_OFFSET_METADATA_LOG_UNAVAILABLE", parameters);
  std::map<std::string, std::string> conf;
  if (const JsonValue* values = metadata->Find("conf")) {
    for (const auto& [key, value] : values->members()) conf[key] = value.AsString();
  }
  return conf;
}

Result<std::optional<state::StateIds>> ReadStateIds(const FileSystem& file_system,
                                                    const std::string& checkpoint_location, int64_t batch_id) {
  auto text = file_system.ReadFile(JoinPath(JoinPath(checkpoint_location, "commits"), std::to_string(batch_id)));
  if (text.status().IsKeyError()) {
    return UserError("STDS_COMMITTED_BATCH_UNAVAILABLE", {{"checkpointLocation", FileUri(checkpoint_location)}});
  }
  ARROW_RETURN_NOT_OK(text);
  size_t begin = text->find('\n');
  if (begin == std::string::npos) return std::nullopt;
  auto entry = ParseJson(std::string_view(*text).substr(begin + 1));
  const JsonValue* ids = entry.ok() ? entry->Find("stateUniqueIds") : nullptr;
  if (ids == nullptr) return std::nullopt;
  return state::DecodeStateIds(*ids);
}

std::string StateReadOptions::unique_id(size_t partition) const {
  static constexpr std::array kStoresOfJoin = {"left-keyToNumValues", "left-keyWithIndexToValue",
                                               "right-keyToNumValues", "right-keyWithIndexToValue"};
  if (!state_ids) return {};
  auto store = std::find(kStoresOfJoin.begin(), kStoresOfJoin.end(), store_to_read());
  size_t index = store == kStoresOfJoin.end() ? 0 : static_cast<size_t>(store - kStoresOfJoin.begin());
  std::string id = state::StateIdOf(*state_ids, operator_id, partition, index);
  // Where the stores of a join are families of one, there is one id.
  return id.empty() ? state::StateIdOf(*state_ids, operator_id, partition, 0) : id;
}

std::string StateReadOptions::store_to_read() const {
  switch (join_side) {
    case JoinSide::kLeft:
      return "left-keyWithIndexToValue";
    case JoinSide::kRight:
      return "right-keyWithIndexToValue";
    default:
      return store_name;
  }
}

Status StateReadOptions::CheckSnapshotPartition(int num_partitions) const {
  if (!snapshot || snapshot->partition < num_partitions) return Status::OK();
  return UserError("CANNOT_LOAD_STATE_STORE.SNAPSHOT_PARTITION_ID_NOT_FOUND",
                   {{"snapshotPartitionId", std::to_string(snapshot->partition)},
                    {"operatorId", std::to_string(operator_id)},
                    {"checkpointLocation", "file:" + state_directory()}});
}

std::string StateReadOptions::ToString() const {
  static constexpr std::array kSides = {"none", "left", "right"};
  std::string text = "StateSourceOptions(checkpointLocation=" + FileUri(checkpoint_location) +
                     ", batchId=" + std::to_string(batch_id) + ", operatorId=" + std::to_string(operator_id) +
                     ", storeName=" + store_name + ", joinSide=" + kSides[static_cast<size_t>(join_side)] +
                     ", stateVarName=" + (names_variable ? state_variable : "None") +
                     ", flattenCollectionTypes=" + (flattens ? "true" : "false");
  if (snapshot) {
    text += ", snapshotStartBatchId=" + std::to_string(snapshot->start_batch_id) +
            ", snapshotPartitionId=" + std::to_string(snapshot->partition);
  }
  if (changes) {
    text += ", changeStartBatchId=" + std::to_string(changes->start_batch_id) +
            ", changeEndBatchId=" + std::to_string(changes->end_batch_id);
  }
  return text + ")";
}

Result<StateReadOptions> StateReadOptions::Parse(const SourceRequest& request) {
  StateReadOptions parsed;
  const Options& options = request.options;
  if (request.paths.empty()) return Required("path");
  parsed.checkpoint_location = AbsolutePath(LocalPath(request.paths[0]));
  ARROW_ASSIGN_OR_RAISE(auto operator_id, NumberOption(options, "operatorId"));
  parsed.operator_id = operator_id.value_or(0);
  if (parsed.operator_id < 0) return Negative("operatorId");
  parsed.store_name = TrimAscii(options.GetOr("storeName", state::kDefaultStoreName));
  if (parsed.store_name.empty()) {
    return UserError("STDS_INVALID_OPTION_VALUE.IS_EMPTY", {{"optionName", "storeName"}});
  }
  parsed.state_variable = TrimAscii(options.GetOr("stateVarName", ""));
  parsed.names_variable = options.Has("stateVarName");
  ARROW_ASSIGN_OR_RAISE(parsed.reads_timers, SwitchOption(options, "readRegisteredTimers", false));
  ARROW_ASSIGN_OR_RAISE(parsed.flattens, SwitchOption(options, "flattenCollectionTypes", true));
  if (parsed.reads_timers && options.Has("stateVarName")) return Conflict("readRegisteredTimers", "stateVarName");
  std::string side = options.GetOr("joinSide", "none");
  if (side != "none" && side != "left" && side != "right") {
    return BadValue("joinSide", "Valid values are left,right,none");
  }
  parsed.join_side = side == "left" ? JoinSide::kLeft : side == "right" ? JoinSide::kRight : JoinSide::kNone;
  if (parsed.join_side != JoinSide::kNone && parsed.store_name != state::kDefaultStoreName) {
    return Conflict("joinSide", "storeName");
  }
  ARROW_ASSIGN_OR_RAISE(auto batch_id, NumberOption(options, "batchId"));
  ARROW_ASSIGN_OR_RAISE(auto snapshot_start, NumberOption(options, "snapshotStartBatchId"));
  ARROW_ASSIGN_OR_RAISE(auto snapshot_partition, NumberOption(options, "snapshotPartitionId"));
  ARROW_ASSIGN_OR_RAISE(auto change_start, NumberOption(options, "changeStartBatchId"));
  ARROW_ASSIGN_OR_RAISE(auto change_end, NumberOption(options, "changeEndBatchId"));
  ARROW_ASSIGN_OR_RAISE(bool reads_changes, options.GetBool("readChangeFeed", false));

  const FileSystem& file_system = *request.context->file_system;
  Status no_batch =
      UserError("STDS_COMMITTED_BATCH_UNAVAILABLE", {{"checkpointLocation", FileUri(parsed.checkpoint_location)}});
  ARROW_ASSIGN_OR_RAISE(auto committed, ReadCommittedBatches(file_system, parsed.checkpoint_location));
  int64_t last = committed ? committed->last : -1;
  if (reads_changes) {
    if (!committed && !change_end) return no_batch;
    ARROW_RETURN_NOT_OK(ParseChanges(options, change_start, change_end, last, &parsed));
  } else {
    for (std::string_view option : {"changeStartBatchId", "changeEndBatchId"}) {
      if (options.Has(option)) return BadValue(option, "Only specify this option when readChangeFeed is set to true.");
    }
    if (!committed && !batch_id) return no_batch;
    parsed.batch_id = batch_id.value_or(last);
    if (parsed.batch_id < 0) return Negative("batchId");
    ARROW_RETURN_NOT_OK(ParseSnapshot(snapshot_start, snapshot_partition, &parsed));
  }
  std::string commit = JoinPath(JoinPath(parsed.checkpoint_location, "commits"), std::to_string(parsed.batch_id));
  ARROW_ASSIGN_OR_RAISE(auto found, file_system.Stat(commit));
  if (!found) return no_batch;
  ARROW_ASSIGN_OR_RAISE(parsed.state_ids, ReadStateIds(file_system, parsed.checkpoint_location, parsed.batch_id));
  return parsed;
}

}  // namespace millrace::connector
