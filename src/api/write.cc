#include <chrono>

#include "api/connection.h"
#include "base/ascii.h"
#include "base/error.h"
#include "millrace/data_frame.h"
#include "millrace/streaming.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "streaming/streaming_query.h"

namespace millrace {

namespace {

// Hands a partition's rows on one by one.
class RowConsumer final : public connector::PartitionConsumer {
 public:
  explicit RowConsumer(std::unique_ptr<ForeachWriter> writer) : writer_(std::move(writer)) {}

  arrow::Result<bool> Open(int64_t partition_id, BatchId batch_id) override {
    return writer_->Open(partition_id, batch_id.value);
  }
  arrow::Status Process(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    for (int64_t i = 0; i < rows->num_rows(); ++i) ARROW_RETURN_NOT_OK(writer_->Process(Row(rows, i)));
    return arrow::Status::OK();
  }
  void Close(const arrow::Status& error) override { writer_->Close(error); }

 private:
  std::unique_ptr<ForeachWriter> writer_;
};

}  // namespace

DataFrameWriter& DataFrameWriter::Format(std::string_view name) {
  format_ = name;
  return *this;
}
DataFrameWriter& DataFrameWriter::Mode(std::string_view mode) {
  mode_ = ToLowerAscii(mode);
  return *this;
}
DataFrameWriter& DataFrameWriter::Option(std::string_view key, std::string_view value) {
  options_[std::string(key)] = std::string(value);
  return *this;
}
DataFrameWriter& DataFrameWriter::Options(const std::map<std::string, std::string>& options) {
  for (const auto& [key, value] : options) options_[key] = value;
  return *this;
}
DataFrameWriter& DataFrameWriter::PartitionBy(const std::vector<std::string>& columns) {
  partition_columns_ = columns;
  return *this;
}

using spark::connect::WriteOperation;

arrow::Result<WriteOperation> DataFrameWriter::Operation() const {
  WriteOperation write;
  *write.mutable_input() = input_.message();
  if (!format_.empty()) write.set_source(format_);
  static constexpr struct {
    std::string_view name;
    WriteOperation::SaveMode mode;
  } kModes[] = {{"", WriteOperation::SAVE_MODE_UNSPECIFIED},
                {"append", WriteOperation::SAVE_MODE_APPEND},
                {"overwrite", WriteOperation::SAVE_MODE_OVERWRITE},
                {"error", WriteOperation::SAVE_MODE_ERROR_IF_EXISTS},
                {"errorifexists", WriteOperation::SAVE_MODE_ERROR_IF_EXISTS},
                {"default", WriteOperation::SAVE_MODE_ERROR_IF_EXISTS},
                {"ignore", WriteOperation::SAVE_MODE_IGNORE}};
  bool known = false;
  for (const auto& entry : kModes) {
    if (entry.name != mode_) continue;
    write.set_mode(entry.mode);
    known = true;
  }
  if (!known) return UserError("INVALID_SAVE_MODE", {{"mode", "\"" + mode_ + "\""}});
  for (const auto& [key, value] : options_) (*write.mutable_options())[key] = value;
  for (const std::string& column : partition_columns_) write.add_partitioning_columns(column);
  return write;
}

arrow::Status DataFrameWriter::Save(std::string_view path) {
  ARROW_ASSIGN_OR_RAISE(WriteOperation write, Operation());
  if (!path.empty()) write.set_path(std::string(path));
  return input_.connection()->Write(write);
}

arrow::Status DataFrameWriter::SaveAsTable(std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(WriteOperation write, Operation());
  write.mutable_table()->set_table_name(std::string(name));
  write.mutable_table()->set_save_method(WriteOperation::SaveTable::TABLE_SAVE_METHOD_SAVE_AS_TABLE);
  return input_.connection()->Write(write);
}

arrow::Status DataFrameWriter::InsertInto(std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(WriteOperation write, Operation());
  write.mutable_table()->set_table_name(std::string(name));
  write.mutable_table()->set_save_method(WriteOperation::SaveTable::TABLE_SAVE_METHOD_INSERT_INTO);
  return input_.connection()->Write(write);
}

namespace {

std::string Milliseconds(std::chrono::milliseconds interval) {
  return std::to_string(interval.count()) + " milliseconds";
}

}  // namespace

Trigger Trigger::ProcessingTime(std::chrono::milliseconds interval) { return ProcessingTime(Milliseconds(interval)); }
Trigger Trigger::ProcessingTime(std::string_view interval) {
  return Trigger(Kind::kProcessingTime, std::string(interval));
}
Trigger Trigger::AvailableNow() { return Trigger(Kind::kAvailableNow, {}); }
Trigger Trigger::Once() { return Trigger(Kind::kOnce, {}); }
Trigger Trigger::Continuous(std::chrono::milliseconds checkpoint_interval) {
  return Trigger(Kind::kContinuous, Milliseconds(checkpoint_interval));
}
Trigger Trigger::RealTime(std::chrono::milliseconds batch_duration) {
  return Trigger(Kind::kRealTime, Milliseconds(batch_duration));
}

DataStreamWriter& DataStreamWriter::Format(std::string_view name) {
  format_ = name;
  return *this;
}
DataStreamWriter& DataStreamWriter::OutputMode(std::string_view mode) {
  output_mode_ = mode;
  return *this;
}
DataStreamWriter& DataStreamWriter::Option(std::string_view key, std::string_view value) {
  options_[std::string(key)] = std::string(value);
  return *this;
}
DataStreamWriter& DataStreamWriter::Options(const std::map<std::string, std::string>& options) {
  for (const auto& [key, value] : options) options_[key] = value;
  return *this;
}
DataStreamWriter& DataStreamWriter::ClusterBy(const std::vector<std::string>& columns) {
  cluster_columns_ = columns;
  return *this;
}
DataStreamWriter& DataStreamWriter::PartitionBy(const std::vector<std::string>& columns) {
  partition_columns_ = columns;
  return *this;
}
DataStreamWriter& DataStreamWriter::QueryName(std::string_view name) {
  query_name_ = name;
  return *this;
}
DataStreamWriter& DataStreamWriter::SetTrigger(const Trigger& trigger) {
  trigger_ = {trigger};
  return *this;
}
DataStreamWriter& DataStreamWriter::ForeachBatch(BatchFunction function) {
  foreach_batch_ = std::move(function);
  return *this;
}
DataStreamWriter& DataStreamWriter::Foreach(std::function<std::unique_ptr<ForeachWriter>()> make) {
  foreach_ = std::move(make);
  return *this;
}

arrow::Result<StreamingQuery> DataStreamWriter::Start(std::string_view path) {
  spark::connect::WriteStreamOperationStart start;
  if (!path.empty()) start.set_path(std::string(path));
  return StartAs(&start);
}

arrow::Result<StreamingQuery> DataStreamWriter::ToTable(std::string_view name) {
  spark::connect::WriteStreamOperationStart start;
  start.set_table_name(std::string(name));
  return StartAs(&start);
}

arrow::Result<StreamingQuery> DataStreamWriter::StartAs(spark::connect::WriteStreamOperationStart* to) {
  spark::connect::WriteStreamOperationStart& start = *to;
  *start.mutable_input() = input_.message();
  start.set_format(format_);
  start.set_output_mode(output_mode_);
  start.set_query_name(query_name_);
  for (const auto& [key, value] : options_) (*start.mutable_options())[key] = value;
  for (const std::string& column : partition_columns_) start.add_partitioning_column_names(column);
  for (const std::string& column : cluster_columns_) start.add_clustering_column_names(column);
  if (!trigger_.empty()) {
    switch (trigger_[0].kind_) {
      case Trigger::Kind::kProcessingTime:
        start.set_processing_time_interval(trigger_[0].interval_);
        break;
      case Trigger::Kind::kContinuous:
        start.set_continuous_checkpoint_interval(trigger_[0].interval_);
        break;
      case Trigger::Kind::kRealTime:
        start.set_real_time_batch_duration(trigger_[0].interval_);
        break;
      case Trigger::Kind::kAvailableNow:
        start.set_available_now(true);
        break;
      case Trigger::Kind::kOnce:
        start.set_once(true);
        break;
    }
  }
  api::Connection::StreamFunctions functions{foreach_batch_, {}};
  if (foreach_) {
    functions.foreach = [make = foreach_] { return std::make_unique<RowConsumer>(make()); };
  }
  ARROW_ASSIGN_OR_RAISE(auto query, input_.connection()->StartStream(start, functions));
  return StreamingQuery(std::move(query));
}

StreamingQueryStatus StreamingQuery::Status() const {
  streaming::StreamingQueryStatus status = query_->status();
  return {std::move(status.message), status.is_data_available, status.is_trigger_active};
}
const std::string& StreamingQuery::Id() const { return query_->id(); }
const std::string& StreamingQuery::RunId() const { return query_->run_id(); }
const std::string& StreamingQuery::Name() const { return query_->name(); }
bool StreamingQuery::IsActive() const { return query_->is_active(); }
arrow::Status StreamingQuery::AwaitTermination() {
  return query_->AwaitTermination(std::chrono::milliseconds(-1)).status();
}
arrow::Result<bool> StreamingQuery::AwaitTermination(std::chrono::milliseconds timeout) {
  return query_->AwaitTermination(timeout);
}
arrow::Status StreamingQuery::ProcessAllAvailable() { return query_->ProcessAllAvailable(); }
arrow::Status StreamingQuery::Stop() { return query_->Stop(); }
std::string StreamingQuery::LastProgress() const {
  auto progress = query_->last_progress();
  return progress ? progress->ToString() : "";
}
std::vector<std::string> StreamingQuery::RecentProgress() const {
  std::vector<std::string> texts;
  for (const JsonValue& progress : query_->recent_progress()) texts.push_back(progress.ToString());
  return texts;
}
std::string StreamingQuery::Explain(bool extended) const { return query_->Explain(extended); }
arrow::Status StreamingQuery::Exception() const { return query_->exception(); }

}  // namespace millrace
