#include "slt_runner/script_run.h"

#include <arrow/array.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/error.h"
#include "base/ids.h"
#include "expression/cast.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "types/data_type.h"

namespace millrace::slt {

namespace {

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

spark::connect::Relation SqlRelation(const std::string& sql) {
  spark::connect::Relation relation;
  relation.mutable_sql()->set_query(sql);
  return relation;
}

// What `option` and `schema` lines say; the rest is SQL.
struct FormatBody {
  std::vector<std::pair<std::string, std::string>> options;
  std::string schema;
  std::string sql;
};

FormatBody ReadBody(const Record& record) {
  FormatBody body;
  for (const std::string& line : record.body) {
    if (line.starts_with("option ")) {
      size_t space = line.find(' ', 7);
      body.options.emplace_back(line.substr(7, space - 7),
                                space == std::string::npos ? "" : Unescape(line.substr(space + 1)));
    } else if (line.starts_with("schema ")) {
      body.schema = line.substr(7);
    } else {
      body.sql += (body.sql.empty() ? "" : "\n") + line;
    }
  }
  return body;
}

}  // namespace

ScriptRun::ScriptRun(const std::shared_ptr<session::Engine>& engine)
    : folder_(std::filesystem::temp_directory_path() / ("slt-" + RandomUuid())) {
  // Tables of one script are no other's business.
  engine->metastore = std::make_shared<catalog::Metastore>();
  session_ = session::Session::Create(engine);
  (void)session_->conf().SetAtStart("spark.sql.warehouse.dir", (folder_ / "warehouse").string());
  (void)session_->conf().Set("spark.sql.session.timeZone", "UTC");
  (void)session_->conf().Set("spark.sql.shuffle.partitions", "1");
}

ScriptRun::~ScriptRun() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string ScriptRun::Statement(const Record& record) const {
  std::string sql = record.Sql();
  std::string folder = folder_.string() + "/";
  for (size_t at = 0; (at = sql.find("FILES/", at)) != std::string::npos; at += folder.size())
    sql.replace(at, 6, folder);
  return sql;
}

// Folders of this run by the names they have in a script.
std::string ScriptRun::Anonymous(std::string text) const {
  std::string folder = folder_.string();
  for (size_t at; (at = text.find(folder)) != std::string::npos;) {
    bool warehouse = text.compare(at + folder.size(), 10, "/warehouse") == 0;
    text.replace(at, folder.size() + (warehouse ? 10 : 0), warehouse ? "WAREHOUSE" : "FILES");
  }
  return text;
}

// What DESCRIBE says of when a table was made is another thing each time.
std::string ScriptRun::WithoutTime(std::string text) {
  for (std::string_view label : {"Created Time\t", "Created Time: ", "\"created_time\":\""}) {
    for (size_t at = 0; (at = text.find(label, at)) != std::string::npos;) {
      at += label.size();
      text.replace(at, std::min(text.find_first_of("\t\\\"", at), text.size()) - at, "TIME");
    }
  }
  return text;
}

std::vector<std::string> ScriptRun::Answer(const Record& record) {
  const std::string& kind = record.kind();
  if (kind == "query" || kind == "error") return AnswerQuery(record);
  if (kind == "show") return AnswerShow(record);
  if (kind == "tree") return AnswerTree(record);
  if (kind == "read") return AnswerRead(record);
  if (kind == "write") return AnswerWrite(record);
  if (kind == "set") return Set(record);
  if (kind == "file") return WriteFile(record);
  if (kind == "table" && record.words.size() == 2) {
    auto result = session_->Sql("CREATE OR REPLACE TEMPORARY VIEW " + record.words[1] + " AS\n" + record.Sql());
    return result.ok() ? std::vector<std::string>() : Failure(result.status(), false);
  }
  return {"unknown kind of record: " + kind};
}

std::vector<std::string> ScriptRun::Failure(const arrow::Status& status, bool names_error) const {
  const ErrorDetail* detail = GetErrorDetail(status);
  std::string condition = detail == nullptr ? "- -" : detail->condition();
  if (detail != nullptr) condition += " " + (detail->sqlstate().empty() ? "-" : detail->sqlstate());
  // The first paragraph, up to the SQLSTATE.
  std::string message = status.message();
  size_t state = message.find("SQLSTATE: ");
  size_t end = state != std::string::npos ? state + 15 : message.find('\n');
  if (end < message.size()) message.resize(end);
  return {(names_error ? "error " : "") + condition, "message " + Escape(Anonymous(message))};
}

arrow::Result<std::vector<std::string>> ScriptRun::Rows(const session::QueryResult& result) const {
  std::vector<std::string> lines;
  const auto& fields = result.schema->fields();
  for (const auto& batch : result.batches) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            expression::ToPrettyStrings(session_->MakeEvalContext(), *batch->column(i),
                                                        *fields[static_cast<size_t>(i)].type));
    }
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string line;
      for (size_t i = 0; i < columns.size(); ++i) {
        std::string cell = Escape(Anonymous(static_cast<const arrow::StringArray&>(*columns[i]).GetString(row)));
        line += (i > 0 ? "\t" : "") + (cell.empty() ? "(empty)" : cell);
      }
      lines.push_back(WithoutTime(std::move(line)));
    }
  }
  return lines;
}

std::vector<std::string> ScriptRun::AnswerQuery(const Record& record) {
  arrow::Result<session::QueryResult> result = session_->Sql(Statement(record));
  if (!result.ok()) return Failure(result.status(), false);
  arrow::Result<std::vector<std::string>> rows = Rows(*result);
  if (!rows.ok()) return Failure(rows.status(), false);
  if (record.HasWord("rowsort")) std::sort(rows->begin(), rows->end());
  rows->insert(rows->begin(), "schema " + result->schema->ToDdl());
  return *rows;
}

std::vector<std::string> ScriptRun::AnswerShow(const Record& record) {
  spark::connect::Relation relation;
  auto* show = relation.mutable_show_string();
  *show->mutable_input() = SqlRelation(Statement(record));
  show->set_num_rows(20);
  show->set_truncate(20);
  for (size_t i = 1; i < record.words.size(); ++i) {
    const std::string& word = record.words[i];
    if (word == "vertical") {
      show->set_vertical(true);
    } else if (word.starts_with("truncate=")) {
      show->set_truncate(std::stoi(word.substr(9)));
    } else {
      show->set_num_rows(std::stoi(word));
    }
  }
  arrow::Result<session::QueryResult> result = session_->Execute(relation);
  if (!result.ok()) return Failure(result.status(), true);
  std::string text;
  for (const auto& batch : result->batches) {
    const auto& column = static_cast<const arrow::StringArray&>(*batch->column(0));
    for (int64_t row = 0; row < batch->num_rows(); ++row) text += column.GetView(row);
  }
  while (text.ends_with('\n')) text.pop_back();
  return Lines(text);
}

std::vector<std::string> ScriptRun::AnswerTree(const Record& record) {
  arrow::Result<types::DataTypePtr> schema = session_->Schema(SqlRelation(Statement(record)));
  if (!schema.ok()) return Failure(schema.status(), true);
  std::string text = (*schema)->ToTreeString();
  while (text.ends_with('\n')) text.pop_back();
  return Lines(text);
}

std::vector<std::string> ScriptRun::AnswerRead(const Record& record) {
  FormatBody body = ReadBody(record);
  spark::connect::Relation relation;
  auto* source = relation.mutable_read()->mutable_data_source();
  source->set_format(record.words.at(1));
  std::filesystem::path path = folder_ / record.words.at(2);
  source->add_paths(record.words[2] == "." ? folder_.string() : path.string());
  if (!body.schema.empty()) source->set_schema(body.schema);
  for (const auto& [key, value] : body.options) (*source->mutable_options())[key] = value;
  arrow::Result<session::QueryResult> result = session_->Execute(relation);
  if (!result.ok()) return Failure(result.status(), true);
  arrow::Result<std::vector<std::string>> rows = Rows(*result);
  if (!rows.ok()) return Failure(rows.status(), true);
  if (std::filesystem::is_directory(path)) std::sort(rows->begin(), rows->end());
  rows->insert(rows->begin(), "schema " + result->schema->ToDdl());
  return *rows;
}

std::vector<std::string> ScriptRun::AnswerWrite(const Record& record) {
  FormatBody body = ReadBody(record);
  std::filesystem::path out = folder_ / ("output-" + std::to_string(outputs_++));
  spark::connect::WriteOperation write;
  write.set_source(record.words.at(1));
  write.set_path(out.string());
  write.set_mode(spark::connect::WriteOperation::SAVE_MODE_OVERWRITE);
  for (const auto& [key, value] : body.options) (*write.mutable_options())[key] = value;
  auto* repartition = write.mutable_input()->mutable_repartition();
  *repartition->mutable_input() = SqlRelation(body.sql);
  repartition->set_num_partitions(1);
  repartition->set_shuffle(false);
  arrow::Status status = session_->Write(write);
  if (!status.ok()) return Failure(status, true);
  std::vector<std::filesystem::path> parts;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    if (entry.path().filename().string().starts_with("part-")) parts.push_back(entry.path());
  }
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const auto& part : parts) {
    std::ifstream file(part, std::ios::binary);
    text.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::vector<std::string> lines = Lines(text);
  for (std::string& line : lines) line = line.empty() ? "(blank)" : Escape(line);
  return lines;
}

std::vector<std::string> ScriptRun::Set(const Record& record) {
  std::vector<std::string> lines = record.body;
  std::string head;
  for (const std::string& word : record.words) head += (head.empty() ? "" : " ") + word;
  lines.insert(lines.begin(), head);
  for (const std::string& line : lines) {
    std::istringstream stream(line);
    std::string word;
    std::string key;
    std::string value;
    stream >> word >> key >> std::ws;
    std::getline(stream, value);
    arrow::Status status = session_->conf().Set(key, value);
    if (!status.ok()) return Failure(status, true);
  }
  return {};
}

std::vector<std::string> ScriptRun::WriteFile(const Record& record) {
  std::filesystem::path path = folder_ / record.words.at(1);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  for (const std::string& line : record.body) {
    file << (line == "(blank)" ? "" : record.HasWord("escaped") ? Unescape(line) : line) << '\n';
  }
  return {};
}

}  // namespace millrace::slt
