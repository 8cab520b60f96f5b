// What a script has before its query starts: sources, views, files, checkpoints of others.

#include <fmt/format.h>

#include <fstream>

#include "base/error.h"
#include "spark/connect/relations.pb.h"
#include "stream_runner/script_run.h"

namespace millrace::stream_runner {

namespace fs = std::filesystem;
using spark::connect::Relation;

Relation SqlRelation(const std::string& sql) {
  Relation relation;
  relation.mutable_sql()->set_query(sql);
  return relation;
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

}  // namespace millrace::stream_runner
