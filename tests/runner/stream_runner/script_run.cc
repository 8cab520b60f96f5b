#include "stream_runner/script_run.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "connector/duration.h"
#include "expression/cast.h"
#include "spark/connect/relations.pb.h"
#include "state/state_file.h"

namespace millrace::stream_runner {

namespace fs = std::filesystem;
using spark::connect::Relation;

namespace {

const std::string kShufflePartitions = "spark.sql.shuffle.partitions";

Relation SqlRelation(const std::string& sql) {
  Relation relation;
  relation.mutable_sql()->set_query(sql);
  return relation;
}

bool IsNotBuilt(const arrow::Status& status) {
  return IsErrorCondition(status, "UNSUPPORTED_CALL") && status.message().find("Millrace") != std::string::npos;
}

// "stateOperators.0.numRowsTotal": a member or element of a member …; null where there is none.
const JsonValue* ValueAt(const JsonValue& root, const std::string& path) {
  const JsonValue* value = &root;
  std::istringstream steps(path);
  for (std::string part; value != nullptr && std::getline(steps, part, '.');) {
    if (value->is_array()) {
      auto index = static_cast<size_t>(std::stoul(part));
      value = index < value->elements().size() ? &value->elements()[index] : nullptr;
    } else {
      value = value->Find(part);
    }
  }
  return value;
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text.empty() ? "(empty)" : text;
}

// The texts in a state schema file (docs/formats): after the version, chunks with their 2-byte lengths.
std::string SchemaTexts(std::string_view bytes) {
  auto number = [&](size_t at, int size) {
    size_t value = 0;
    for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<size_t>(i)]);
    return value;
  };
  if (bytes.size() < 4) return "no file";
  std::string text;
  size_t at = 2 + number(0, 2);
  while (at + 6 <= bytes.size()) {
    size_t num_chunks = number(at, 4);
    at += 4;
    if (!text.empty()) text += ' ';
    for (size_t i = 0; i < num_chunks && at + 2 <= bytes.size(); ++i) {
      size_t size = number(at, 2);
      text += bytes.substr(at + 2, size);
      at += 2 + size;
    }
  }
  return text;
}

arrow::Status BadScript(const Step& step, std::string_view what) {
  return arrow::Status::Invalid("line ", step.line, ": ", what);
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
        step.verb != "fails" && step.verb != "printed" && step.verb != "files") {
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
    return done(session_->conf().Set(step.text.substr(0, blank), step.text.substr(blank + 1)));
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

arrow::Status ScriptRun::AddMemorySource(const std::string& text) {
  size_t open = text.find('(');
  size_t marked = text.find(") watermark ");
  size_t close = marked != std::string::npos ? marked : text.rfind(')');
  std::string name = text.substr(0, text.find(' '));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, types::ParseSchemaDdl(text.substr(open + 1, close - open - 1)));
  MemorySource source;
  for (const types::StructField& field : schema->fields()) {
    std::string quoted = QuoteIdentifier(field.name);
    if (!source.columns.empty()) {
      source.columns += ", ";
      source.casts += ", ";
    }
    source.columns += quoted;
    source.casts += fmt::format("CAST({} AS {}) AS {}", quoted, field.type->Sql(), quoted);
  }
  session_->memory_tables().Create(name, schema);
  sources_[name] = std::move(source);
  Relation relation;
  auto* read = relation.mutable_read();
  read->set_is_streaming(true);
  auto* data_source = read->mutable_data_source();
  data_source->set_format("memory");
  (*data_source->mutable_options())["table"] = name;
  (*data_source->mutable_options())["numPartitions"] = std::to_string(config_.partitions);
  if (config_.rows_per_batch) (*data_source->mutable_options())["maxUnitsPerTrigger"] = "1";
  if (marked != std::string::npos) {
    std::vector<std::string> words = SplitWords(text.substr(marked + 12));
    Relation watermarked;
    *watermarked.mutable_with_watermark()->mutable_input() = relation;
    watermarked.mutable_with_watermark()->set_event_time(words[0]);
    std::string delay = text.substr(text.find('\'', marked) + 1);
    watermarked.mutable_with_watermark()->set_delay_threshold(delay.substr(0, delay.find('\'')));
    relation = watermarked;
  }
  error_ = session_->CreateView(relation, name, false, true);
  return arrow::Status::OK();
}

// view NAME OTHER watermark COLUMN 'DELAY' | drop_duplicates [COLUMN…] | drop_duplicates_within_watermark [COLUMN…] |
// repartition COLUMN…, or view NAME with a query under it
arrow::Status ScriptRun::AddView(const Step& step) {
  std::vector<std::string> words = SplitWords(step.text);
  Relation relation;
  if (words.size() < 3) {
    std::string sql;
    for (const std::string& line : step.body) sql += line + "\n";
    relation = SqlRelation(sql);
  } else {
    Relation input;
    input.mutable_read()->mutable_named_table()->set_unparsed_identifier(words[1]);
    if (words[2] == "watermark") {
      auto* watermark = relation.mutable_with_watermark();
      *watermark->mutable_input() = input;
      watermark->set_event_time(words.at(3));
      std::string delay = step.text.substr(step.text.find('\'') + 1);
      watermark->set_delay_threshold(delay.substr(0, delay.find('\'')));
    } else if (words[2] == "repartition") {
      auto* repartition = relation.mutable_repartition_by_expression();
      *repartition->mutable_input() = input;
      for (size_t i = 3; i < words.size(); ++i) {
        repartition->add_partition_exprs()->mutable_unresolved_attribute()->set_unparsed_identifier(words[i]);
      }
    } else {
      auto* deduplicate = relation.mutable_deduplicate();
      *deduplicate->mutable_input() = input;
      deduplicate->set_within_watermark(words[2] == "drop_duplicates_within_watermark");
      deduplicate->set_all_columns_as_keys(words.size() == 3);
      for (size_t i = 3; i < words.size(); ++i) deduplicate->add_column_names(words[i]);
    }
  }
  error_ = session_->CreateView(relation, words[0], false, true);
  return arrow::Status::OK();
}

// stream NAME FORMAT [schema="a INT"] [key=value…]
arrow::Status ScriptRun::AddOtherSource(const std::string& text) {
  std::vector<std::string> words = SplitWords(text);
  if (words.size() < 2) return arrow::Status::Invalid("stream NAME FORMAT [key=value]");
  Relation relation;
  relation.mutable_read()->set_is_streaming(true);
  auto* data_source = relation.mutable_read()->mutable_data_source();
  data_source->set_format(words[1]);
  for (size_t i = 2; i < words.size(); ++i) {
    size_t equals = words[i].find('=');
    std::string key = words[i].substr(0, equals);
    std::string value = words[i].substr(equals + 1);
    if (key == "schema") {
      data_source->set_schema(value);
    } else {
      if (key == "path" && !value.starts_with('/')) {
        value = Folder(value);
        // What a stream reads must be there, as for Spark; a pattern need not match anything yet.
        if (value.find_first_of("*?[{") == std::string::npos) ARROW_RETURN_NOT_OK(files_.CreateDirectories(value));
      }
      (*data_source->mutable_options())[key] = value;
    }
  }
  error_ = session_->CreateView(relation, words[0], false, true);
  return arrow::Status::OK();
}

arrow::Status ScriptRun::AddRows(const std::string& text) {
  size_t blank = text.find(' ');
  auto it = sources_.find(text.substr(0, blank));
  if (it == sources_.end()) return arrow::Status::Invalid("no source is called ", text.substr(0, blank));
  it->second.pending.push_back(text.substr(blank + 1));
  return arrow::Status::OK();
}

arrow::Status ScriptRun::WriteSourceFile(const Step& step) {
  fs::path path = Folder(step.text);
  fs::create_directories(path.parent_path());
  // Written beside the directories that are read, and moved there whole.
  fs::path hidden = folder_ / ("." + path.filename().string());
  {
    std::ofstream file(hidden, std::ios::binary);
    for (const std::string& line : step.body) file << line << "\n";
  }
  next_mtime_ms_ += 1000;
  fs::last_write_time(hidden, fs::file_time_type::clock::from_sys(std::chrono::sys_time<std::chrono::milliseconds>(
                                  std::chrono::milliseconds(next_mtime_ms_))));
  fs::rename(hidden, path);
  return arrow::Status::OK();
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
    for (const auto& batch : all) {
      for (int64_t row = 0; row < batch->num_rows(); ++row) table->Append({batch->Slice(row, 1)});
    }
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
  if (!as_they_come) std::sort(rows.begin(), rows.end());
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

arrow::Status ScriptRun::CopySparkCheckpoint(const std::string& name) {
  fs::path spark = fs::path("tests/data/spark-checkpoint") / name;
  if (!fs::exists(spark)) {
    // Checkpoints of older Sparks lie beside the repository.
    fs::path shared = fs::path("../shared/spark-checkpoints") / name;
    if (!fs::exists(shared)) return arrow::Status::NotImplemented("the checkpoint ", shared.string(), " is not here");
    std::error_code failure;
    fs::copy(shared, folder_ / "checkpoint", fs::copy_options::recursive, failure);
    return failure ? arrow::Status::IOError(failure.message()) : arrow::Status::OK();
  }
  std::string recorded = "/data/stream/" + name;
  for (const char* part : {"checkpoint", "output"}) {
    if (!fs::exists(spark / part)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(spark / part)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      // Logs hold absolute paths of the machine that recorded them.
      for (size_t at; (at = bytes.find(recorded)) != std::string::npos;) {
        bytes.replace(at, recorded.size(), folder_.string());
      }
      fs::path target = folder_ / fs::relative(entry.path(), spark);
      fs::create_directories(target.parent_path());
      std::ofstream(target, std::ios::binary) << bytes;
    }
  }
  return arrow::Status::OK();
}

arrow::Status ScriptRun::Damage(const Step& step) {
  size_t blank = step.text.find(' ');
  fs::path path = Folder(step.text.substr(0, blank));
  std::error_code error;
  if (step.verb == "remove") {
    fs::remove_all(path, error);
    return arrow::Status::OK();
  }
  std::string text = blank == std::string::npos ? "" : step.text.substr(blank + 1);
  if (step.verb == "cut") {
    // Leaves so many bytes of the file.
    fs::resize_file(path, static_cast<uintmax_t>(std::stoll(text)), error);
    return error ? arrow::Status::IOError(error.message()) : arrow::Status::OK();
  }
  for (size_t at; (at = text.find("\\n")) != std::string::npos;) text.replace(at, 2, "\n");
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return arrow::Status::OK();
}

arrow::Result<std::vector<std::string>> ScriptRun::Inspect(const Step& step) {
  using Answer = std::vector<std::string>;
  auto names = [&](const std::string& folder) {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(Folder(folder), error)) {
      std::string name = entry.path().filename().string();
      if (!name.starts_with('.')) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  if (step.verb == "batch") {
    int64_t newest = -1;
    for (const std::string& name : names("checkpoint/commits")) newest = std::max<int64_t>(newest, std::stoll(name));
    return Answer{std::to_string(newest)};
  }
  if (step.verb == "progress" || step.verb == "total") {
    if (query_ == nullptr) return BadScript(step, "no query");
    std::vector<JsonValue> all = query_->recent_progress();
    std::erase_if(all, [](const JsonValue& one) { return one.Find("durationMs")->Find("addBatch") == nullptr; });
    if (all.empty()) return Answer{"no progress"};
    std::string path = step.text.substr(0, step.text.find(' '));
    if (step.verb == "progress") {
      const JsonValue* value = ValueAt(all.back(), path);
      return Answer{value == nullptr ? "nothing" : value->ToString()};
    }
    int64_t total = 0;
    for (const JsonValue& one : all) {
      const JsonValue* value = ValueAt(one, path);
      if (value == nullptr) return Answer{"nothing"};
      total += value->AsInt64();
    }
    return Answer{std::to_string(total)};
  }
  // offsets 3 = the offsets of batch 3, one a source, with a blank between them.
  if (step.verb == "offsets") {
    std::ifstream file(Folder("checkpoint/offsets/" + step.text.substr(0, step.text.find(' '))));
    std::string all;
    int number = 0;
    for (std::string line; std::getline(file, line); ++number) {
      if (number < 2) continue;
      all += (all.empty() ? "" : " ") + line;
    }
    return Answer{all};
  }
  // files FOLDER: the names in it, one a line; the random part of data files is left out.
  if (step.verb == "files") {
    Answer found;
    for (std::string name : names(Expand(step.text))) {
      if (name.starts_with("part-") && name.size() > 47) name.replace(11, 36, "*");
      found.push_back(std::move(name));
    }
    return found;
  }
  // text PATH = the whole file, line feeds as \n.
  if (step.verb == "text") {
    std::ifstream file(Folder(step.text.substr(0, step.text.find(' '))), std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return Answer{CellText(all)};
  }
  if (step.verb == "printed") {
    std::lock_guard lock(mutex_);
    Answer lines;
    std::istringstream text(printed_);
    for (std::string line; std::getline(text, line);) {
      // An empty line would end the expectation.
      lines.push_back(line.empty() ? "(empty)" : line);
    }
    printed_.clear();
    return lines;
  }
  // state OPERATOR VERSION: the records of the partitions' delta files: partition, key, value (or -) in hexadecimal.
  if (step.verb == "state") {
    std::istringstream words(step.text);
    std::string op, version;
    words >> op >> version;
    Answer rows;
    for (const std::string& partition : names("checkpoint/state/" + op)) {
      if (partition.starts_with('_')) continue;
      std::string path = Folder("checkpoint/state/" + op + "/" + partition + "/" + version + ".delta");
      ARROW_RETURN_NOT_OK(state::ReadStateFile(*LocalFileSystem(), path, "lz4", state::StateFileKind::kDelta,
                                               [&](std::string_view key, std::string_view value) {
                                                 rows.push_back(partition + " " + Hex(key) + " " +
                                                                (value.data() == nullptr ? "-" : Hex(value)));
                                                 return arrow::Status::OK();
                                               }));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  // schema OPERATOR = key and value types of its default store, as JSON.
  if (step.verb == "schema") {
    std::ifstream file(Folder("checkpoint/state/" + step.text.substr(0, step.text.find(' ')) + "/0/_metadata/schema"),
                       std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return Answer{SchemaTexts(all)};
  }
  if (step.verb == "active") return Answer{query_ != nullptr && query_->is_active() ? "true" : "false"};
  return BadScript(step, "what is " + step.verb + "?");
}

}  // namespace millrace::stream_runner
