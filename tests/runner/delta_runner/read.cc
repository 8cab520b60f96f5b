#include "delta_runner/read.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "api/connection.h"
#include "base/error.h"
#include "base/ids.h"

namespace millrace::delta_runner {

namespace fs = std::filesystem;

namespace {

arrow::Status AppendRows(const DataFrame& frame, std::vector<std::string>* rows) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Row> collected, frame.Collect());
  for (const Row& row : collected) {
    ARROW_ASSIGN_OR_RAISE(std::string text, row.GetString("row"));
    rows->push_back(std::move(text));
  }
  return arrow::Status::OK();
}

arrow::Status ReadOffsets(const std::string& checkpoint, std::vector<std::string>* offsets) {
  for (int64_t batch = 0; fs::exists(checkpoint + "/offsets/" + std::to_string(batch)); ++batch) {
    std::ifstream file(checkpoint + "/offsets/" + std::to_string(batch));
    std::string version, metadata, offset;
    std::getline(file, version);
    std::getline(file, metadata);
    std::getline(file, offset);
    offsets->push_back(offset);
  }
  return arrow::Status::OK();
}

arrow::Status RunStream(const DataFrame& frame, const std::string& from, Answer* answer) {
  std::string checkpoint = fs::temp_directory_path() / ("delta_runner_" + RandomUuid());
  if (!from.empty()) fs::copy(from, checkpoint, fs::copy_options::recursive);
  auto run = [&]() -> arrow::Status {
    std::mutex mutex;
    ARROW_ASSIGN_OR_RAISE(StreamingQuery query, frame.WriteStream()
                                                    .ForeachBatch([&](const DataFrame& rows, int64_t) {
                                                      std::lock_guard lock(mutex);
                                                      return AppendRows(rows, &answer->rows);
                                                    })
                                                    .Option("checkpointLocation", checkpoint)
                                                    .SetTrigger(Trigger::AvailableNow())
                                                    .Start());
    ARROW_RETURN_NOT_OK(query.AwaitTermination());
    return ReadOffsets(checkpoint, &answer->offsets);
  };
  arrow::Status status = run();
  fs::remove_all(checkpoint);
  return status;
}

arrow::Status AskOrFail(const Session& session, const std::string& format, const Read& read, Answer* answer) {
  DataFrameReader reader = read.stream ? session.ReadStream() : session.Read();
  reader.Format(format);
  for (const auto& [key, value] : read.options) reader.Option(key, value);
  DataFrame frame = reader.Load(read.path);
  if (!read.where.empty()) frame = frame.Where(read.where);
  if (read.select) frame = frame.SelectExpr(read.select->empty() ? std::vector<std::string>{"count(*)"} : *read.select);
  ARROW_ASSIGN_OR_RAISE(answer->schema, frame.connection()->Schema(frame.message()));
  DataFrame text = frame.SelectExpr({"to_json(struct(*), map('ignoreNullFields', 'false')) AS row"});
  ARROW_RETURN_NOT_OK(read.stream ? RunStream(text, read.checkpoint, answer) : AppendRows(text, &answer->rows));
  std::sort(answer->rows.begin(), answer->rows.end());
  return arrow::Status::OK();
}

}  // namespace

std::string Read::ToString() const {
  std::string text = stream ? "stream" : "batch";
  for (const auto& [key, value] : options) text += " " + key + "=" + value;
  if (!where.empty()) text += " where " + where;
  if (select) {
    for (const std::string& item : *select) text += " " + item;
  }
  return text;
}

Answer Ask(const Session& session, const std::string& format, const Read& read) {
  Answer answer;
  arrow::Status status = AskOrFail(session, format, read, &answer);
  if (status.ok()) return answer;
  const ErrorDetail* detail = GetErrorDetail(status);
  answer.message = status.ToString();
  answer.error = detail != nullptr ? detail->condition() : "?";
  // What ended a stream stands in the text of STREAM_FAILED.
  size_t start = answer.message.find("[DELTA_");
  if (answer.error == "STREAM_FAILED" && start == std::string::npos) start = answer.message.rfind('[');
  if (answer.error == "STREAM_FAILED" && start != std::string::npos) {
    answer.error = answer.message.substr(start + 1, answer.message.find(']', start) - start - 1);
  }
  answer.rows.clear();
  return answer;
}

}  // namespace millrace::delta_runner
