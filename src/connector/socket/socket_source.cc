#include <arrow/builder.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "connector/rows_partition.h"
#include "types/arrow_type.h"

namespace millrace::connector {

namespace {

constexpr OptionDef kOptions[] = {
    {"host", "", "Where to connect. Required."},
    {"port", "", "Where to connect. Required."},
    {"includeTimestamp", "false", "Adds a column `timestamp`: when the line arrived."},
};

types::DataTypePtr SocketSchema(bool include_timestamp) {
  std::vector<types::StructField> fields = {{"value", types::String(), true, ""}};
  if (include_timestamp) fields.push_back({"timestamp", types::Timestamp(), true, ""});
  return types::Struct(std::move(fields));
}

struct SocketOptions {
  std::string host;
  std::string port;
  bool include_timestamp = false;
};

arrow::Result<SocketOptions> ParseOptions(const SourceRequest& request) {
  SocketOptions options;
  if (!request.options.Has("host")) return UserError("_LEGACY_ERROR_TEMP_1295");
  if (!request.options.Has("port")) return UserError("_LEGACY_ERROR_TEMP_1296");
  options.host = request.options.GetOr("host", "");
  options.port = request.options.GetOr("port", "");
  ARROW_RETURN_NOT_OK(request.options.GetInt64("port", 0).status());
  ARROW_RETURN_NOT_OK(request.options.GetInt64("numPartitions", 0).status());
  auto include = request.options.GetBool("includeTimestamp", false);
  if (!include.ok()) {
    return UserError("_LEGACY_ERROR_TEMP_1297");
  }
  options.include_timestamp = *include;
  if (request.user_schema != nullptr) {
    return UserError("_LEGACY_ERROR_TEMP_2242", {{"provider", "TextSocketSourceProvider"}});
  }
  return options;
}

arrow::Result<int> Connect(const SocketOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = ::getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found);
  if (error != 0) {
    return WorldError(fmt::format("Cannot resolve {}:{}: {}", options.host, options.port, ::gai_strerror(error)));
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  int last_error = ECONNREFUSED;
  for (addrinfo* address = found; address != nullptr; address = address->ai_next) {
    int fd = ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0) continue;
    if (::connect(fd, address->ai_addr, address->ai_addrlen) == 0) return fd;
    last_error = errno;
    ::close(fd);
  }
  return WorldError(fmt::format("Cannot connect to {}:{}: {}", options.host, options.port, std::strerror(last_error)));
}

/// Lines of a TCP connection. Not fault-tolerant: lines live in the process until their micro-batch is committed.
/// Offsets: the number of the last line, from -1. Source: Spark, TextSocketMicroBatchStream.
class SocketStream final : public MicroBatchStream {
 public:
  SocketStream(SocketOptions options, int fd, const ConnectorContext& context)
      : options_(std::move(options)), context_(context), fd_(fd), wake_fd_(::eventfd(0, EFD_CLOEXEC)) {
    thread_ = std::thread([this] { ReadLines(); });
  }
  ~SocketStream() override { Stop(); }

  arrow::Result<SourceOffset> InitialOffset() override { return SourceOffset{"-1"}; }

  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset&) override {
    if (fixed_end_) return fixed_end_;
    std::lock_guard lock(mutex_);
    return SourceOffset{std::to_string(first_ + static_cast<int64_t>(lines_.size()) - 1)};
  }
  arrow::Result<std::optional<SourceOffset>> ReportLatestOffset() override { return LatestOffset({}); }
  arrow::Status PrepareForAvailableNow() override { return LatestOffset({}).Value(&fixed_end_); }

  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(int64_t after, ParseLine(start));
    ARROW_ASSIGN_OR_RAISE(int64_t last, ParseLine(end));
    arrow::StringBuilder values;
    arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), arrow::default_memory_pool());
    {
      std::lock_guard lock(mutex_);
      // Lines of an earlier process are gone; what is here counts from where that one ended.
      if (!counted_ && after >= first_) first_ = after + 1;
      counted_ = true;
      for (int64_t line = after + 1; line <= last; ++line) {
        int64_t index = line - first_;
        if (index < 0 || index >= static_cast<int64_t>(lines_.size())) continue;
        const Line& found = lines_[static_cast<size_t>(index)];
        ARROW_RETURN_NOT_OK(values.Append(found.text));
        ARROW_RETURN_NOT_OK(times.Append(found.arrived_ms * 1000));
      }
    }
    arrow::ArrayVector arrays(1);
    ARROW_ASSIGN_OR_RAISE(arrays[0], values.Finish());
    int64_t num_rows = arrays[0]->length();
    if (options_.include_timestamp) {
      arrays.emplace_back();
      ARROW_ASSIGN_OR_RAISE(arrays[1], times.Finish());
    }
    InputPartitions partitions;
    if (num_rows == 0) return partitions;
    auto rows = arrow::RecordBatch::Make(types::ToArrowSchema(*SocketSchema(options_.include_timestamp)), num_rows,
                                         std::move(arrays));
    ARROW_ASSIGN_OR_RAISE(auto wanted, rows->SelectColumns(columns.indices));
    partitions.push_back(
        std::make_shared<RowsPartition>(std::vector<std::shared_ptr<arrow::RecordBatch>>{std::move(wanted)}));
    return partitions;
  }

  arrow::Status Commit(const SourceOffset& end) override {
    ARROW_ASSIGN_OR_RAISE(int64_t last, ParseLine(end));
    std::lock_guard lock(mutex_);
    while (first_ <= last && !lines_.empty()) {
      lines_.pop_front();
      ++first_;
    }
    return arrow::Status::OK();
  }

  std::string Description() const override {
    return fmt::format("TextSocketV2[host: {}, port: {}]", options_.host, options_.port);
  }

  bool NotifyOnData(std::function<void()> on_data) override {
    std::lock_guard lock(mutex_);
    on_data_ = std::move(on_data);
    return true;
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    uint64_t one = 1;
    (void)!::write(wake_fd_, &one, sizeof one);
    thread_.join();
    ::close(fd_);
    ::close(wake_fd_);
  }

 private:
  struct Line {
    std::string text;
    int64_t arrived_ms = 0;
  };

  static arrow::Result<int64_t> ParseLine(const SourceOffset& offset) {
    int64_t line = 0;
    const std::string& text = offset.json;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), line);
    if (error != std::errc() || end != text.data() + text.size()) {
      return arrow::Status::Invalid("Not an offset of the socket source: ", text);
    }
    return line;
  }

  void ReadLines() {
    std::string pending;
    char buffer[16384];
    while (true) {
      pollfd wait[2] = {{fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
      if (::poll(wait, 2, -1) < 0 && errno == EINTR) continue;
      if (wait[1].revents != 0) return;
      ssize_t count = ::read(fd_, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      bool ended = count <= 0;
      if (!ended) pending.append(buffer, static_cast<size_t>(count));
      Deliver(&pending, ended);
      if (ended) return;
    }
  }

  void Deliver(std::string* pending, bool ended) {
    std::lock_guard lock(mutex_);
    int64_t now_ms = context_.clock->NowMillis();
    size_t start = 0;
    bool any = false;
    auto add = [&](size_t end) {
      std::string text = pending->substr(start, end - start);
      if (text.ends_with('\r')) text.pop_back();
      lines_.push_back({std::move(text), now_ms});
      any = true;
    };
    for (size_t end = pending->find('\n'); end != std::string::npos; end = pending->find('\n', start)) {
      add(end);
      start = end + 1;
    }
    if (ended && start < pending->size()) {
      add(pending->size());
      start = pending->size();
    }
    pending->erase(0, start);
    if (any && on_data_) on_data_();
  }

  SocketOptions options_;
  ConnectorContext context_;
  int fd_;
  int wake_fd_;
  std::optional<SourceOffset> fixed_end_;
  std::mutex mutex_;
  // Guarded by mutex_: the lines not committed yet, the first of them numbered first_.
  std::deque<Line> lines_;
  int64_t first_ = 0;
  bool counted_ = false;
  std::function<void()> on_data_;
  std::thread thread_;
};

}  // namespace

extern const SourceDef kSocketSource;
const SourceDef kSocketSource = {
    .name = "socket",
    .description = "Lines of text from a TCP connection, for trying things: nothing survives a restart.",
    .options = kOptions,
    .schema = [](const SourceRequest& request) -> arrow::Result<types::DataTypePtr> {
      ARROW_ASSIGN_OR_RAISE(SocketOptions options, ParseOptions(request));
      return SocketSchema(options.include_timestamp);
    },
    .open_stream = [](const SourceRequest& request) -> arrow::Result<std::unique_ptr<MicroBatchStream>> {
      ARROW_ASSIGN_OR_RAISE(SocketOptions options, ParseOptions(request));
      ARROW_ASSIGN_OR_RAISE(int fd, Connect(options));
      return std::make_unique<SocketStream>(std::move(options), fd, *request.context);
    },
    .low_latency = {.class_name = "org.apache.spark.sql.execution.streaming.sources.TextSocketMicroBatchStream",
                    .continuous = true},
};

}  // namespace millrace::connector
