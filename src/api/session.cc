#include "millrace/session.h"

#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "api/connection.h"
#include "api/message.h"
#include "base/error.h"
#include "millrace/millrace.h"

namespace millrace {

using spark::connect::Relation;

std::string ErrorConditionOf(const arrow::Status& status) {
  const ErrorDetail* detail = GetErrorDetail(status);
  return detail == nullptr ? "" : detail->condition();
}

DataFrameReader& DataFrameReader::Format(std::string_view name) {
  format_ = name;
  return *this;
}
DataFrameReader& DataFrameReader::Schema(std::string_view ddl) {
  schema_ = ddl;
  return *this;
}
DataFrameReader& DataFrameReader::Option(std::string_view key, std::string_view value) {
  options_.emplace_back(key, value);
  return *this;
}

DataFrameReader& DataFrameReader::Options(const std::map<std::string, std::string>& options) {
  for (const auto& [key, value] : options) Option(key, value);
  return *this;
}

DataFrame DataFrameReader::Load(std::string_view path) const {
  return api::MakeFrame(connection_, [&](Relation* relation) {
    relation->mutable_read()->set_is_streaming(streaming_);
    auto* source = relation->mutable_read()->mutable_data_source();
    if (!format_.empty()) source->set_format(format_);
    source->set_schema(schema_);
    for (const auto& [key, value] : options_) (*source->mutable_options())[key] = value;
    if (!path.empty()) source->add_paths(std::string(path));
  });
}

DataFrame DataFrameReader::Json(std::string_view path) { return Format("json").Load(path); }
DataFrame DataFrameReader::Csv(std::string_view path) { return Format("csv").Load(path); }
DataFrame DataFrameReader::Parquet(std::string_view path) { return Format("parquet").Load(path); }
DataFrame DataFrameReader::Text(std::string_view path) { return Format("text").Load(path); }
DataFrame DataFrameReader::Orc(std::string_view path) { return Format("orc").Load(path); }

DataFrame DataFrameReader::Table(std::string_view name) const {
  return api::MakeFrame(connection_, [&](Relation* relation) {
    relation->mutable_read()->set_is_streaming(streaming_);
    auto* table = relation->mutable_read()->mutable_named_table();
    table->set_unparsed_identifier(std::string(name));
    for (const auto& [key, value] : options_) (*table->mutable_options())[key] = value;
  });
}

Session::Builder& Session::Builder::AppName(std::string_view name) { return Config("spark.app.name", name); }
Session::Builder& Session::Builder::Config(std::string_view key, std::string_view value) {
  settings_.emplace_back(key, value);
  return *this;
}
Session::Builder& Session::Builder::NumThreads(int count) {
  num_threads_ = count;
  return *this;
}
Session::Builder& Session::Builder::Remote(std::string_view url) {
  remote_ = url;
  return *this;
}

arrow::Result<Session> Session::Builder::GetOrCreate() {
  std::string remote = remote_;
  if (const char* from_environment = std::getenv("SPARK_REMOTE"); remote.empty() && from_environment != nullptr) {
    remote = from_environment;
  }
  std::shared_ptr<api::Connection> connection;
  if (remote.empty()) {
    connection = api::ConnectLocally(num_threads_);
  } else {
    ARROW_ASSIGN_OR_RAISE(connection, api::ConnectRemotely(remote));
  }
  for (const auto& [key, value] : settings_) {
    arrow::Status status = connection->SetConf(key, value);
    // Static keys (spark.master, spark.driver.memory) say nothing to a running engine; Spark takes them at this place.
    if (!status.ok() && !IsErrorCondition(status, "CANNOT_MODIFY_STATIC_CONFIG") &&
        !IsErrorCondition(status, "CANNOT_MODIFY_CONFIG")) {
      return status;
    }
  }
  return Session(std::move(connection));
}

DataFrame Session::Range(int64_t start, int64_t end, int64_t step) const {
  return api::MakeFrame(connection_, [&](Relation* relation) {
    relation->mutable_range()->set_start(start);
    relation->mutable_range()->set_end(end);
    relation->mutable_range()->set_step(step);
  });
}

DataFrame Session::Sql(std::string_view query) const {
  return api::MakeFrame(connection_,
                        [&](Relation* relation) { relation->mutable_sql()->set_query(std::string(query)); });
}

DataFrame Session::Table(std::string_view name) const {
  return api::MakeFrame(connection_, [&](Relation* relation) {
    relation->mutable_read()->mutable_named_table()->set_unparsed_identifier(std::string(name));
  });
}

arrow::Result<DataFrame> Session::CreateDataFrame(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) const {
  if (batches.empty()) return arrow::Status::Invalid("CreateDataFrame needs at least one batch, for the schema");
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(out, batches[0]->schema()));
  for (const auto& batch : batches) ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(auto buffer, out->Finish());
  return api::MakeFrame(connection_,
                        [&](Relation* relation) { relation->mutable_local_relation()->set_data(buffer->ToString()); });
}

arrow::Status Session::SetConf(std::string_view key, std::string_view value) const {
  return connection_->SetConf(std::string(key), std::string(value));
}

arrow::Status Session::AwaitAnyTermination() const { return Streams().AwaitAnyTermination(); }

arrow::Status Session::Stop() const { return connection_->StopAll(); }

void Session::StopOnSignals() const {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::weak_ptr<api::Connection> weak = connection_;
  std::thread([weak, signals] {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    if (auto connection = weak.lock()) {
      // A sink that does not give up in time must not keep the process: what is not committed runs again.
      int64_t timeout_ms = connection->StopTimeoutMillis();
      std::thread([timeout_ms, signal] {
        std::this_thread::sleep_for(std::chrono::milliseconds(timeout_ms));
        _exit(128 + signal);
      }).detach();
      (void)connection->StopAll();
    }
    std::fflush(nullptr);
    _exit(128 + signal);
  }).detach();
}

}  // namespace millrace
