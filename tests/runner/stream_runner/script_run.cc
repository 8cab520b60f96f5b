#include "stream_runner/script_run.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "connector/duration.h"
#include "expression/cast.h"
#include "spark/connect/relations.pb.h"

namespace millrace::stream_runner {

namespace fs = std::filesystem;
using spark::connect::Relation;

namespace {

const std::string kShufflePartitions = "spark.sql.shuffle.partitions";

bool IsNotBuilt(const arrow::Status& status) {
  return IsErrorCondition(status, "UNSUPPORTED_CALL") && status.message().find("Millrace") != std::string::npos;
}

}  // namespace

ScriptRun::ScriptRun(const RunConfig& config, std::optional<CrashPoint> crash)
    : config_(config),
      crash_(std::move(crash)),
      folder_(fs::temp_directory_path() / ("stream-" + RandomUuid())),
      clock_(1704067200000000),
      files_(LocalFileSystem()) {
  fs::create_directories(folder_);
  engine_ = std::make_shared<session::Engine>(2);
  engine_->clock = &clock_;
  engine_->file_system = &files_;
  session_ = session::Session::Create(engine_);
  session_->set_print([this](std::string_view text) {
    std::lock_guard lock(mutex_);
    printed_ += text;
  });
  (void)session_->conf().Set("spark.sql.session.timeZone", "UTC");
  (void)session_->conf().Set(kShufflePartitions, std::to_string(config_.state_partitions.value_or(2)));
  for (const auto& [key, value] : config_.confs) (void)session_->conf().Set(key, value);
  // Waiting threads ask again whether their query still runs.
  session_->streams().AddListener(
      {.on_started = {}, .on_progress = {}, .on_terminated = [this](const auto&, const auto&) { clock_.Notify(); }});
  start_.set_output_mode("append");
  (*start_.mutable_options())["checkpointLocation"] = Folder("checkpoint");
}

ScriptRun::~ScriptRun() {
  DisarmFailpoints();
  StopQuery();
  query_.reset();
  session_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string ScriptRun::Expand(std::string text) const {
  static constexpr std::string_view kFolder = "$FOLDER";
  for (size_t at; (at = text.find(kFolder)) != std::string::npos;) text.replace(at, kFolder.size(), folder_.string());
  return text;
}

ScriptRun::Outcome ScriptRun::Run(const std::vector<Step>& steps) {
  Outcome outcome;
  ArmCrash();
  for (const Step& step : steps) {
    bool looks_at_error = step.verb == "fails" || step.verb == "error";
    if (!error_.ok() && !looks_at_error) {
      if (IsNotBuilt(error_)) {
        outcome.not_built = error_.message();
      } else {
        outcome.failures.push_back({step.line, {"no error before this line"}, {error_.ToString()}});
      }
      break;
    }
    if (looks_at_error && IsNotBuilt(error_) && step.body.empty() == false &&
        step.body[0].find("UNSUPPORTED_CALL") == std::string::npos) {
      outcome.not_built = error_.message();
      break;
    }
    auto answer = Do(step);
    if (answer.status().IsNotImplemented()) {
      outcome.not_built = answer.status().message();
      break;
    }
    if (!answer.ok()) {
      outcome.failures.push_back({step.line, {"a step that can be done"}, {answer.status().ToString()}});
      break;
    }
    if (!*answer || config_.Ignores(step.verb)) continue;
    std::vector<std::string> expected = step.body;
    if (step.verb != "check" && step.verb != "check_new" && step.verb != "check_ordered" && step.verb != "state" &&
        step.verb != "check_last" && step.verb != "fails" && step.verb != "printed" && step.verb != "files") {
      size_t equals = step.text.find("= ");
      bool has_value = equals != std::string::npos && step.verb != "error";
      expected = {has_value ? step.text.substr(equals + 2) : step.text};
    }
    for (std::string& line : expected) line = Expand(line);
    if (step.verb == "fails" && !expected.empty() && (expected[0] == "- -" || expected[0].starts_with("_LEGACY"))) {
      // Spark names no condition of its own: any error is as good.
      if (!(*answer)->empty()) **answer = expected;
    }
    if (**answer == expected) {
      ++outcome.passed;
    } else {
      outcome.failures.push_back({step.line, expected, **answer});
    }
  }
  if (!error_.ok() && outcome.failures.empty() && !outcome.not_built) {
    if (IsNotBuilt(error_)) {
      outcome.not_built = error_.message();
    } else {
      outcome.failures.push_back({0, {"no error at the end"}, {error_.ToString()}});
    }
  }
  outcome.crashed = crashed_;
  return outcome;
}

arrow::Result<std::optional<std::vector<std::string>>> ScriptRun::Do(const Step& step) {
  using Answer = std::vector<std::string>;
  auto done = [](arrow::Status status) -> arrow::Result<std::optional<Answer>> {
    if (!status.ok()) return status;
    return std::nullopt;
  };
  const std::string& verb = step.verb;
  if (verb == "source") return done(AddMemorySource(step.text));
  if (verb == "stream") return done(AddOtherSource(Expand(step.text)));
  if (verb == "file") return done(WriteSourceFile(step));
  if (verb == "table") {
    std::string sql;
    for (const std::string& line : step.body) sql += line + "\n";
    return done(session_->CreateView(SqlRelation(sql), step.text, false, true));
  }
  if (verb == "view") return done(AddView(step));
  if (verb == "mode") return start_.set_output_mode(step.text), std::nullopt;
  if (verb == "set") {
    size_t blank = step.text.find(' ');
    if (config_.state_partitions && step.text.substr(0, blank) == kShufflePartitions) return std::nullopt;
    error_ = session_->conf().Set(step.text.substr(0, blank), step.text.substr(blank + 1));
    return std::nullopt;
  }
  if (verb == "sink") {
    std::vector<std::string> words = SplitWords(Expand(step.text));
    has_sink_ = true;
    sink_format_ = words.at(0);
    start_.set_format(sink_format_);
    for (size_t i = 1; i < words.size(); ++i) {
      size_t equals = words[i].find('=');
      std::string key = words[i].substr(0, equals);
      std::string value = words[i].substr(equals + 1);
      if (key == "partitionBy") {
        start_.add_partitioning_column_names(value);
      } else if (key == "name") {
        start_.set_query_name(value);
      } else if (key == "schema") {
        sink_schema_ = value;
      } else {
        if (key == "path") sink_path_ = value = Folder(value);
        (*start_.mutable_options())[key] = value;
      }
    }
    return std::nullopt;
  }
  if (verb == "trigger") {
    std::vector<std::string> words = SplitWords(step.text);
    start_.clear_trigger();
    if (words[0] == "available_now") start_.set_available_now(true);
    if (words[0] == "once") start_.set_once(true);
    if (words[0] == "processing_time") start_.set_processing_time_interval(step.text.substr(16));
    return std::nullopt;
  }
  if (verb == "query") return done(Query(step));
  if (verb == "add") return done(AddRows(step.text));
  if (verb == "process") return Process(), std::nullopt;
  if (verb == "advance") {
    ARROW_ASSIGN_OR_RAISE(int64_t us, connector::ParseDurationMicros(step.text, 1000000));
    ARROW_RETURN_NOT_OK(Deliver());
    clock_.AdvanceMicros(us);
    if (start_.trigger_case() == spark::connect::WriteStreamOperationStart::kProcessingTimeInterval) Process();
    return std::nullopt;
  }
  if (verb == "stop") return StopQuery(), std::nullopt;
  if (verb == "start") return Start(), std::nullopt;
  if (verb == "restart") {
    StopQuery();
    Start();
    return std::nullopt;
  }
  if (verb == "crash") {
    std::vector<std::string> words = SplitWords(step.text);
    // A config that crashes elsewhere leaves the script's own crash out.
    if (crash_) return std::nullopt;
    crash_ = CrashPoint{words.at(0), words.size() > 1 ? std::stoi(words[1]) : 1};
    ArmCrash();
    return std::nullopt;
  }
  if (verb == "spark_checkpoint") return done(CopySparkCheckpoint(step.text));
  if (verb == "write" || verb == "remove" || verb == "cut") return done(Damage(step));
  if (verb == "check" || verb == "check_new" || verb == "check_ordered") {
    ARROW_ASSIGN_OR_RAISE(Answer rows, NewRows(verb != "check", verb == "check_ordered"));
    return rows;
  }
  if (verb == "check_last") return LastRows(static_cast<size_t>(std::stoi(step.text)));
  if (verb == "leave_out") return left_out_ = step.text, std::nullopt;
  if (verb == "fails") return ErrorAnswer();
  if (verb == "error") {
    std::string message = error_.ToString();
    error_ = arrow::Status::OK();
    StopQuery();
    std::string wanted = Expand(step.text);
    return Answer{message.find(wanted) != std::string::npos ? wanted : message};
  }
  return Inspect(step);
}

arrow::Status ScriptRun::Query(const Step& step) {
  std::string sql = step.text;
  for (const std::string& line : step.body) sql += "\n" + line;
  *start_.mutable_input() = SqlRelation(Expand(sql));
  has_query_ = true;
  Start();
  return arrow::Status::OK();
}

void ScriptRun::ArmCrash() {
  if (!crash_) return;
  (void)ArmFailpoint(crash_->failpoint, FailpointAction::kError, crash_->nth, [this] {
    crash_hit_ = true;
    files_.Kill();
  });
}

bool ScriptRun::RecoverFromCrash() {
  if (!crash_hit_) return false;
  crash_hit_ = false;
  crashed_ = true;
  if (query_ != nullptr) (void)query_->Stop();
  query_.reset();
  files_.DropUnsynced();
  return true;
}

void ScriptRun::Start() {
  error_ = arrow::Status::OK();
  // Once for the start itself, once more when the start is where the engine dies.
  for (int attempt = 0; attempt < 2; ++attempt) {
    session::ForeachBatchFunction collect;
    if (!has_sink_) {
      collect = [this](const std::string& relation_id, BatchId batch_id) -> arrow::Status {
        Relation relation;
        relation.mutable_cached_remote_relation()->set_relation_id(relation_id);
        ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session_->Execute(relation));
        ARROW_ASSIGN_OR_RAISE(std::vector<std::string> rows, RowsOf(result));
        std::lock_guard lock(mutex_);
        batches_[batch_id.value] = std::move(rows);
        return arrow::Status::OK();
      };
    }
    auto started = session_->StartStream(start_, collect);
    if (started.ok()) {
      query_ = *started;
      return;
    }
    error_ = started.status();
    if (!RecoverFromCrash()) return;
    error_ = arrow::Status::OK();
  }
}

void ScriptRun::StopQuery() {
  if (query_ == nullptr) return;
  (void)query_->Stop();
  if (crash_hit_) RecoverFromCrash();
}

arrow::Status ScriptRun::Deliver() {
  int num_pending = 0;
  for (const auto& [name, source] : sources_) num_pending += source.pending.empty() ? 0 : 1;
  // Between the arrival of two sources' rows a micro-batch could begin, so then the query must not run.
  bool pause = num_pending > 1 && query_ != nullptr && query_->is_active();
  if (pause) StopQuery();
  for (auto& [name, source] : sources_) {
    if (source.pending.empty()) continue;
    auto table = session_->memory_tables().Find(name);
    connector::MemoryRows all;
    for (const std::string& rows : source.pending) {
      ARROW_ASSIGN_OR_RAISE(
          session::QueryResult result,
          session_->Sql(fmt::format("SELECT {} FROM VALUES {} AS t({})", source.casts, rows, source.columns)));
      all.insert(all.end(), result.batches.begin(), result.batches.end());
    }
    source.pending.clear();
    if (!config_.rows_per_batch) {
      table->Append(std::move(all));
      continue;
    }
    std::vector<connector::MemoryRows> units;
    for (const auto& batch : all) {
      for (int64_t row = 0; row < batch->num_rows(); ++row) units.push_back({batch->Slice(row, 1)});
    }
    // At once: a query that runs out of rows in between begins a micro-batch without data, and rows come late.
    table->AppendUnits(std::move(units));
  }
  if (pause) Start();
  return arrow::Status::OK();
}

arrow::Status ScriptRun::ProcessOnce() {
  using Message = spark::connect::WriteStreamOperationStart;
  if (query_ == nullptr) return error_;
  switch (start_.trigger_case()) {
    case Message::kAvailableNow:
    case Message::kOnce: {
      auto ended = query_->AwaitTermination(std::chrono::milliseconds(-1));
      return ended.ok() ? arrow::Status::OK() : query_->cause();
    }
    case Message::kProcessingTimeInterval:
      clock_.AwaitWaiting(1, [this] { return !query_->is_active(); });
      return query_->cause();
    default: {
      arrow::Status status = query_->ProcessAllAvailable();
      return status.ok() ? status : query_->cause();
    }
  }
}

void ScriptRun::Process() {
  arrow::Status delivered = Deliver();
  if (!delivered.ok()) {
    error_ = delivered;
    return;
  }
  for (int attempt = 0; attempt < 3; ++attempt) {
    error_ = ProcessOnce();
    if (!RecoverFromCrash()) break;
    error_ = arrow::Status::OK();
    Start();
  }
  if (error_.ok() && config_.restart_each_process && query_ != nullptr && query_->is_active()) {
    StopQuery();
    Start();
  }
}

arrow::Result<std::vector<std::string>> ScriptRun::RowsOf(const session::QueryResult& result) const {
  std::vector<std::string> lines;
  const auto& fields = result.schema->fields();
  for (const auto& batch : result.batches) {
    arrow::ArrayVector columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            expression::ToPrettyStrings(session_->MakeEvalContext(), *batch->column(i),
                                                        *fields[static_cast<size_t>(i)].type));
    }
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string line;
      for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) line += '\t';
        line += CellText(static_cast<const arrow::StringArray&>(*columns[i]).GetView(row));
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

arrow::Result<std::vector<std::string>> ScriptRun::NewRows(bool only_new, bool as_they_come) {
  std::vector<std::string> rows;
  if (has_sink_) {
    if (sink_format_ == "memory") {
      ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session_->Sql("SELECT * FROM " + start_.query_name()));
      ARROW_ASSIGN_OR_RAISE(rows, RowsOf(result));
    } else if (!sink_path_.empty()) {
      Relation relation;
      auto* data_source = relation.mutable_read()->mutable_data_source();
      data_source->set_format(sink_format_);
      data_source->add_paths(sink_path_);
      if (!sink_schema_.empty()) data_source->set_schema(sink_schema_);
      ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session_->Execute(relation));
      ARROW_ASSIGN_OR_RAISE(rows, RowsOf(result));
    }
    std::sort(rows.begin(), rows.end());
    std::vector<std::string> all = rows;
    if (only_new) {
      // What was shown before is taken away, as often as it was there.
      for (const std::string& row : shown_rows_) {
        auto it = std::find(rows.begin(), rows.end(), row);
        if (it != rows.end()) rows.erase(it);
      }
    }
    shown_rows_ = std::move(all);
    return rows;
  }
  std::lock_guard lock(mutex_);
  bool complete = start_.output_mode() == "complete";
  for (const auto& [id, batch] : batches_) {
    if (only_new && !complete && id <= shown_) continue;
    if (complete && id != batches_.rbegin()->first) continue;
    rows.insert(rows.end(), batch.begin(), batch.end());
  }
  if (!batches_.empty()) shown_ = batches_.rbegin()->first;
  if (!left_out_.empty()) {
    std::erase_if(rows, [&](const std::string& row) { return row.find(left_out_) != std::string::npos; });
  }
  if (!as_they_come) std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> ScriptRun::LastRows(size_t num_columns) {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> newest;
  for (const auto& [id, batch] : batches_) {
    for (const std::string& row : batch) {
      if (!left_out_.empty() && row.find(left_out_) != std::string::npos) continue;
      size_t end = 0;
      for (size_t i = 0; i < num_columns && end != std::string::npos; ++i) end = row.find('\t', end + (i > 0 ? 1 : 0));
      newest[row.substr(0, end)] = row;
    }
  }
  std::vector<std::string> rows;
  for (auto& [group, row] : newest) rows.push_back(std::move(row));
  std::sort(rows.begin(), rows.end());
  return rows;
}

arrow::Result<std::vector<std::string>> ScriptRun::BatchAnswer(const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session_->Sql(sql));
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> rows, RowsOf(result));
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> ScriptRun::ErrorAnswer() {
  if (error_.ok()) return {};
  const ErrorDetail* detail = GetErrorDetail(error_);
  std::string condition = detail == nullptr ? "- -" : detail->condition();
  if (detail != nullptr) condition += " " + (detail->sqlstate().empty() ? "-" : detail->sqlstate());
  std::string message = error_.message();
  // The first paragraph, up to the SQLSTATE.
  size_t state = message.find("SQLSTATE: ");
  size_t end = state != std::string::npos ? state + 15 : message.find('\n');
  if (end < message.size()) message.resize(end);
  error_ = arrow::Status::OK();
  StopQuery();
  return {condition, "message " + (message.empty() ? "" : CellText(message))};
}

}  // namespace millrace::stream_runner
