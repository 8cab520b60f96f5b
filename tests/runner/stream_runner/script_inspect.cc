// What a script reads in the checkpoint, the progress and the output of its query.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "state/state_file.h"
#include "stream_runner/script_run.h"

namespace millrace::stream_runner {

namespace fs = std::filesystem;

namespace {

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
  // state OPERATOR VERSION [STORE]: the records of the partitions' delta files: partition, key, value (or -) in
  // hexadecimal.
  if (step.verb == "state") {
    // There may be nothing to read: RocksDB has other files.
    if (config_.Ignores(step.verb)) return Answer();
    std::istringstream words(step.text);
    std::string op, version, store;
    words >> op >> version >> store;
    if (!store.empty()) store = "/" + store;
    Answer rows;
    for (const std::string& partition : names("checkpoint/state/" + op)) {
      if (partition.starts_with('_')) continue;
      std::string path = Folder("checkpoint/state/" + op + "/" + partition + store + "/" + version + ".delta");
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
