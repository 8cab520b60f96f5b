// Reads Delta tables and compares with what is expected of them:
//   a folder with reads.jsonl            tests/delta/record.py tells its form
//   a folder with test_case_info.json    the public acceptance tests of Delta: expected/<version>/table_content
// Called as `delta_runner PATH...`; folders are searched. The last line is "N passed, N failed".

#include <millrace/millrace.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/json_value.h"
#include "delta/table.h"
#include "delta_runner/read.h"

namespace fs = std::filesystem;

namespace millrace::delta_runner {
namespace {

class Runner {
 public:
  explicit Runner(Session session) : session_(std::move(session)) {}

  void Run(const fs::path& path) {
    if (fs::exists(path / "reads.jsonl")) return RunRecorded(path);
    if (fs::exists(path / "test_case_info.json")) return RunAcceptance(path);
    std::vector<fs::path> below;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.is_directory()) below.push_back(entry.path());
    }
    std::sort(below.begin(), below.end());
    for (const fs::path& folder : below) Run(folder);
  }

  int Finish() const {
    std::printf("%d passed, %d failed", passed_, failed_);
    if (skipped_ > 0) std::printf(", %d skipped", skipped_);
    std::printf("\n");
    return failed_ == 0 ? 0 : 1;
  }

 private:
  void Report(const std::string& name, const std::string& problem) {
    if (problem.empty()) {
      ++passed_;
      return;
    }
    ++failed_;
    std::printf("FAILED %s\n%s\n", name.c_str(), problem.c_str());
  }

  static std::string Difference(const std::vector<std::string>& expected, const std::vector<std::string>& actual) {
    if (expected == actual) return "";
    std::string text;
    size_t i = 0, j = 0;
    int shown = 0;
    while ((i < expected.size() || j < actual.size()) && shown < 10) {
      if (j == actual.size() || (i < expected.size() && expected[i] < actual[j])) {
        text += "  - " + expected[i++] + "\n";
        ++shown;
      } else if (i == expected.size() || actual[j] < expected[i]) {
        text += "  + " + actual[j++] + "\n";
        ++shown;
      } else {
        ++i, ++j;
      }
    }
    return text;
  }

  void RunRecorded(const fs::path& folder) {
    std::ifstream file(folder / "reads.jsonl");
    std::string line;
    int number = 0;
    while (std::getline(file, line)) {
      std::string name = folder.filename().string() + ":" + std::to_string(++number);
      auto json = ParseJson(line);
      if (!json.ok()) {
        Report(name, json.status().ToString());
        continue;
      }
      if (const JsonValue* reason = json->Find("skip")) {
        ++skipped_;
        (void)reason;
        continue;
      }
      Read read = ToRead(*json, (folder / "delta").string());
      Report(name + " " + read.ToString(), Compare(*json, Ask(session_, "delta", read)));
    }
  }

  static Read ToRead(const JsonValue& json, const std::string& table) {
    Read read;
    read.path = table;
    if (const JsonValue* suffix = json.Find("path")) read.path += suffix->AsString();
    if (const JsonValue* options = json.Find("options")) {
      for (const auto& [key, value] : options->members()) read.options[key] = value.AsString();
    }
    if (const JsonValue* where = json.Find("where")) read.where = where->AsString();
    if (const JsonValue* select = json.Find("select")) {
      read.select.emplace();
      for (const JsonValue& item : select->elements()) read.select->push_back(item.AsString());
    }
    read.stream = json.Find("stream") != nullptr;
    if (const JsonValue* checkpoint = json.Find("checkpoint")) {
      read.checkpoint = (fs::path(table).parent_path() / checkpoint->AsString()).string();
    }
    return read;
  }

  static std::string Compare(const JsonValue& expected, const Answer& answer) {
    if (const JsonValue* error = expected.Find("error")) {
      if (answer.error.empty()) return "  expected the error " + error->AsString() + ", got rows";
      // Spark's own error has no condition; that there is one is what counts.
      if (answer.error == error->AsString() || error->AsString() == "unnamed") return "";
      return "  expected the error " + error->AsString() + ", got " + answer.message;
    }
    if (!answer.error.empty()) return "  " + answer.message;
    auto schema = types::ParseTypeJson(expected.Find("schema")->ToString());
    if (!schema.ok()) return "  " + schema.status().ToString();
    if ((*schema)->ToJson() != answer.schema->ToJson()) {
      return "  schema: expected " + (*schema)->ToJson() + "\n  got " + answer.schema->ToJson();
    }
    std::vector<std::string> rows;
    for (const JsonValue& row : expected.Find("rows")->elements()) rows.push_back(row.AsString());
    std::sort(rows.begin(), rows.end());
    std::string difference = Difference(rows, answer.rows);
    if (!difference.empty()) return difference;
    if (const JsonValue* offsets = expected.Find("offsets")) {
      std::vector<std::string> texts;
      for (const JsonValue& offset : offsets->elements()) texts.push_back(offset.ToString());
      if (texts != answer.offsets) {
        std::string text = "  offsets: expected\n";
        for (const std::string& offset : texts) text += "    " + offset + "\n";
        text += "  got\n";
        for (const std::string& offset : answer.offsets) text += "    " + offset + "\n";
        return text;
      }
    }
    return "";
  }

  void RunAcceptance(const fs::path& folder) {
    std::vector<fs::path> versions;
    for (const auto& entry : fs::directory_iterator(folder / "expected")) versions.push_back(entry.path());
    std::sort(versions.begin(), versions.end());
    for (const fs::path& version : versions) {
      std::string name = folder.filename().string() + "/" + version.filename().string();
      Report(name, CheckVersion(folder / "delta", version));
    }
  }

  std::string CheckVersion(const fs::path& table_path, const fs::path& expected) {
    std::ifstream file(expected / "table_version_metadata.json");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto metadata = ParseJson(text);
    if (!metadata.ok()) return metadata.status().ToString();
    int64_t version = metadata->Find("version")->AsInt64();
    delta::Table table(LocalFileSystem(), table_path.string());
    bool latest = expected.filename() == "latest";
    auto snapshot = latest ? table.Update() : table.SnapshotAt(delta::TableVersion(version));
    if (!snapshot.ok()) return snapshot.status().ToString();
    if ((*snapshot)->version().value != version) return "  version " + (*snapshot)->version().ToString();
    if ((*snapshot)->protocol().min_reader_version != metadata->Find("min_reader_version")->AsInt64() ||
        (*snapshot)->protocol().min_writer_version != metadata->Find("min_writer_version")->AsInt64()) {
      return "  another protocol";
    }
    delta::StringMap properties;
    for (const auto& [key, value] : metadata->Find("properties")->members()) properties[key] = value.AsString();
    if (properties != (*snapshot)->metadata().configuration) return "  other properties";

    Read rows{.path = (expected / "table_content").string()};
    Read read{.path = table_path.string()};
    if (!latest) read.options["versionAsOf"] = std::to_string(version);
    Answer wanted = Ask(session_, "parquet", rows);
    Answer answer = Ask(session_, "delta", read);
    if (!wanted.error.empty()) return "  expected rows: " + wanted.message;
    if (!answer.error.empty()) return "  " + answer.message;
    if (!wanted.schema->EqualsIgnoreNullability(*answer.schema)) {
      return "  schema: expected " + wanted.schema->ToDdl() + ", got " + answer.schema->ToDdl();
    }
    return Difference(wanted.rows, answer.rows);
  }

  Session session_;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

int Main(int argc, char** argv) {
  auto session = Session::Builder().Config("spark.sql.session.timeZone", "UTC").GetOrCreate();
  if (!session.ok()) {
    std::cerr << session.status().ToString() << "\n";
    return 1;
  }
  Runner runner(*session);
  for (int i = 1; i < argc; ++i) runner.Run(argv[i]);
  return runner.Finish();
}

}  // namespace
}  // namespace millrace::delta_runner

int main(int argc, char** argv) { return millrace::delta_runner::Main(argc, argv); }
