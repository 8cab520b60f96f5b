#include "cli/checkpoint_waiting.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/json_value.h"
#include "session/session.h"
#include "state/operator_metadata.h"
#include "state/state_schema.h"
#include "streaming/log/commit_log.h"
#include "streaming/progress.h"

namespace millrace::cli {

namespace {

using streaming::IsoMillis;

// The column that says when a row of state is due: its path in what the source "statestore" shows, empty for none.
std::string EventTimePath(const state::StoredSchema& schema) {
  for (const auto& [side, type] : {std::pair{"key", schema.key}, std::pair{"value", schema.value}}) {
    for (const types::StructField& field : type->fields()) {
      if (field.metadata_json.find("\"spark.watermarkDelayMs\"") == std::string::npos) continue;
      std::string path = fmt::format("{}.`{}`", side, field.name);
      return field.type->id() == types::TypeId::kStruct ? path + ".`end`" : path;
    }
    // Of dropDuplicatesWithinWatermark.
    for (const types::StructField& field : type->fields()) {
      if (field.name == "expiresAtMicros") return fmt::format("timestamp_micros({}.`{}`)", side, field.name);
    }
  }
  return "";
}

std::string QuoteSqlString(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\\' || c == '\'') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// Least and greatest event time and the number of rows of one store.
arrow::Status Measure(session::Session& session, const std::string& directory, const std::string& options,
                      const std::string& time_path, StateReport* report) {
  ARROW_RETURN_NOT_OK(session
                          .Sql(fmt::format("CREATE OR REPLACE TEMPORARY VIEW state USING statestore OPTIONS (path {}, "
                                           "operatorId '{}', {})",
                                           QuoteSqlString(directory), report->operator_id, options))
                          .status());
  std::string time = time_path.empty() ? "CAST(NULL AS TIMESTAMP)" : fmt::format("CAST({} AS TIMESTAMP)", time_path);
  ARROW_ASSIGN_OR_RAISE(
      session::QueryResult result,
      session.Sql(fmt::format("SELECT count(*), unix_micros(min({0})), unix_micros(max({0})) FROM state", time)));
  for (const auto& batch : result.batches) {
    if (batch->num_rows() == 0) continue;
    auto number = [&](int column) { return static_cast<const arrow::Int64Array&>(*batch->column(column)).Value(0); };
    report->num_rows = number(0);
    if (!batch->column(1)->IsNull(0)) report->earliest_us = number(1);
    if (!batch->column(2)->IsNull(0)) report->latest_us = number(2);
  }
  return arrow::Status::OK();
}

enum class Kind : uint8_t { kGroups, kJoin, kSeenKeys, kCounter, kVariable };

Kind KindOf(const StateReport& state) {
  if (state.operator_name == "symmetricHashJoin") return Kind::kJoin;
  if (state.operator_name == "dedupe" || state.operator_name == "dedupeWithinWatermark") return Kind::kSeenKeys;
  if (state.operator_name.starts_with("transformWithState")) return Kind::kVariable;
  return state.operator_name == "globalLimit" ? Kind::kCounter : Kind::kGroups;
}

// "3 groups, due from … to …": what the rows are, and what their times mean.
std::string Describe(const StateReport& state) {
  static constexpr const char* kRows[] = {"groups", "rows that may still match", "keys seen, whose rows have come out",
                                          "count of the rows that have come out", "entries"};
  static constexpr const char* kTimes[] = {"due", "event times", "forgotten", "", ""};
  auto kind = static_cast<size_t>(KindOf(state));
  std::string text = fmt::format("{} {}", state.num_rows, kRows[kind]);
  if (!state.earliest_us) return text;
  return text + fmt::format(", {} from {} to {}", kTimes[kind], IsoMillis((*state.earliest_us + 999) / 1000),
                            IsoMillis((*state.latest_us + 999) / 1000));
}

const BatchReport* BatchOf(const CheckpointReport& report, int64_t batch_id) {
  for (const BatchReport& batch : report.batches) {
    if (batch.batch_id == batch_id) return &batch;
  }
  return nullptr;
}

std::string BatchText(const CheckpointReport& report, int64_t batch_id) {
  const BatchReport* batch = BatchOf(report, batch_id);
  return fmt::format("micro-batch {}{}", batch_id,
                     batch == nullptr ? "" : ", planned at " + IsoMillis(batch->offsets.timestamp_ms));
}

struct MeasuredStore {
  std::string options;  ///< of the source "statestore"
  std::string part;     ///< as StateReport's
  arrow::Result<std::optional<state::StoredSchema>> schema;
};

// The variables of transformWithState, and its timers.
arrow::Result<std::vector<MeasuredStore>> VariablesToMeasure(const state::OperatorMetadata& info) {
  std::vector<MeasuredStore> stores;
  ARROW_ASSIGN_OR_RAISE(JsonValue properties, ParseJson(info.properties_json));
  const JsonValue* variables = properties.Find("stateVariables");
  for (const JsonValue& variable : variables == nullptr ? std::vector<JsonValue>() : variables->elements()) {
    const JsonValue* name = variable.Find("stateName");
    const JsonValue* type = variable.Find("stateVariableType");
    if (name == nullptr || type == nullptr) continue;
    bool is_timer = type->AsString() == "TimerState";
    std::string options = is_timer ? "readRegisteredTimers 'true'" : "stateVarName " + QuoteSqlString(name->AsString());
    stores.push_back(
        {std::move(options), is_timer ? "timers" : name->AsString(), std::optional<state::StoredSchema>()});
  }
  return stores;
}

// The stores of an operator that are told of. A join's other two stores count what these hold; in its format 3 they are
// families of one store.
arrow::Result<std::vector<MeasuredStore>> StoresToMeasure(const FileSystem& file_system,
                                                          const std::string& state_directory,
                                                          const state::OperatorMetadata& info) {
  std::vector<MeasuredStore> stores;
  if (info.operator_name.starts_with("transformWithState")) return VariablesToMeasure(info);
  bool is_join = info.operator_name == "symmetricHashJoin";
  if (is_join && info.version == 2) {
    ARROW_ASSIGN_OR_RAISE(auto families, state::ReadFamilies(file_system, info));
    for (const state::StoredSchema& family : families) {
      const std::string& name = family.column_family;
      std::string side = name.substr(0, name.find('-'));
      if (name.ends_with("-keyWithIndexToValue")) stores.push_back({"joinSide '" + side + "'", side, family});
    }
    return stores;
  }
  for (const state::OperatorMetadata::Store& store : info.stores) {
    if (is_join && !store.name.ends_with("-keyWithIndexToValue")) continue;
    std::string side = is_join ? store.name.substr(0, store.name.find('-')) : "";
    stores.push_back({is_join ? "joinSide '" + side + "'" : "storeName " + QuoteSqlString(store.name), side,
                      state::ReadSchema(file_system, state_directory, info.operator_id, store.name)});
  }
  return stores;
}

}  // namespace

arrow::Result<std::vector<StateReport>> ReadState(FileSystem& file_system, const std::string& directory) {
  std::vector<StateReport> reports;
  std::string state_directory = JoinPath(directory, "state");
  ARROW_ASSIGN_OR_RAISE(auto operators, state::ReadAllOperatorMetadata(file_system, state_directory));
  auto session = session::Session::Create(std::make_shared<session::Engine>());
  for (const state::OperatorMetadata& info : operators) {
    ARROW_ASSIGN_OR_RAISE(std::vector<MeasuredStore> stores, StoresToMeasure(file_system, state_directory, info));
    for (const MeasuredStore& store : stores) {
      StateReport report{info.operator_id, info.operator_name, store.part, 0, std::nullopt, std::nullopt, ""};
      arrow::Status status = store.schema.status();
      if (status.ok()) {
        std::string path = *store.schema ? EventTimePath(**store.schema) : "";
        status = Measure(*session, directory, store.options, path, &report);
      }
      if (!status.ok()) report.error = status.message();
      reports.push_back(std::move(report));
    }
  }
  return reports;
}

arrow::Result<WatermarkReport> ReportWatermark(FileSystem& file_system, const CheckpointReport& report) {
  WatermarkReport found;
  streaming::CommitLog commits(&file_system, report.directory, Durability::kProcess);
  // The watermark after each micro-batch: what its commit says of the next, or the next one's own.
  int64_t before = report.batches.front().offsets.watermark_ms;
  found.watermark_ms = before;
  for (const BatchReport& batch : report.batches) {
    int64_t after = std::max(found.watermark_ms, batch.offsets.watermark_ms);
    if (batch.committed) {
      ARROW_ASSIGN_OR_RAISE(auto commit, commits.Get(BatchId(batch.batch_id)));
      if (commit) after = std::max(after, commit->next_watermark_ms);
    }
    if (after > found.watermark_ms) found.moved_by_batch = batch.batch_id;
    found.watermark_ms = after;
  }
  const auto& last = report.batches.back().offsets.offsets;
  found.inputs.resize(last.size());
  for (size_t i = 0; i < last.size(); ++i) {
    if (last[i]) found.inputs[i].offset_json = last[i]->json;
    const std::string* previous = nullptr;
    for (const BatchReport& batch : report.batches) {
      if (i >= batch.offsets.offsets.size() || !batch.offsets.offsets[i]) continue;
      const std::string& json = batch.offsets.offsets[i]->json;
      // The oldest entry of a log that was purged says nothing of when its offset was reached.
      bool is_oldest = &batch == &report.batches.front() && batch.batch_id > 0;
      if (!is_oldest && (previous == nullptr || *previous != json)) found.inputs[i].last_batch = batch.batch_id;
      previous = &json;
    }
  }
  for (size_t i = 0; i < found.inputs.size(); ++i) {
    int64_t silent_since = found.inputs[i].last_batch.value_or(-1);
    if (found.moved_by_batch && silent_since > *found.moved_by_batch) continue;
    if (!found.silent_input || silent_since < found.inputs[*found.silent_input].last_batch.value_or(-1)) {
      found.silent_input = i;
    }
  }
  return found;
}

std::string FormatWaiting(const CheckpointReport& report, const WatermarkReport& watermark,
                          const std::vector<StateReport>& state) {
  if (state.empty()) return "";
  bool goes_by_time = std::any_of(state.begin(), state.end(), [](const auto& one) { return one.earliest_us; });
  std::string text;
  for (const StateReport& one : state) {
    text += fmt::format("state       operator {} {}{}: ", one.operator_id, one.operator_name,
                        one.part.empty() ? "" : " (" + one.part + ")");
    if (!one.error.empty()) {
      text += "cannot be read: " + one.error + "\n";
      continue;
    }
    text += Describe(one) + "\n";
  }
  if (!goes_by_time && watermark.watermark_ms <= 0) return text;
  text += "why no more comes out\n";
  if (watermark.watermark_ms <= 0) {
    text += "  watermark   none yet: not every input has brought a row with an event time\n";
  } else {
    text += fmt::format("  watermark   {}, {}\n", IsoMillis(watermark.watermark_ms),
                        watermark.moved_by_batch ? "since " + BatchText(report, *watermark.moved_by_batch)
                                                 : "since before the oldest micro-batch in the log");
  }
  const StateReport* next = nullptr;
  for (const StateReport& one : state) {
    // Of keys that were seen nothing is to come.
    if (!one.earliest_us || KindOf(one) == Kind::kSeenKeys) continue;
    if (next == nullptr || *one.earliest_us < *next->earliest_us) next = &one;
  }
  if (next != nullptr) {
    text += fmt::format("  must pass   {}{}\n", IsoMillis((*next->earliest_us + 999) / 1000),
                        KindOf(*next) == Kind::kJoin ? ", and as much more as the join's condition allows" : "");
  }
  for (size_t i = 0; i < watermark.inputs.size(); ++i) {
    const auto& input = watermark.inputs[i];
    bool holds = watermark.silent_input == i;
    text += fmt::format("  input {:<4}  {}: {}{}\n", i, input.offset_json.empty() ? "-" : input.offset_json,
                        input.last_batch ? "last brought rows in " + BatchText(report, *input.last_batch)
                                         : "brought no rows in what the log holds",
                        holds ? " <- holds the watermark back" : "");
  }
  if (!watermark.silent_input) {
    text +=
        "  every input has brought rows since, of which none was newer: see waitingInState in the query's progress\n";
  }
  return text;
}

}  // namespace millrace::cli
