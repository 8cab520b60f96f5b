#include <arpa/inet.h>
#include <arrow/array.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include "connector/source.h"

namespace millrace::connector {
namespace {

/// A listener on a port of its own that takes one connection.
class LineServer {
 public:
  LineServer() {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~LineServer() {
    if (client_ >= 0) ::close(client_);
    ::close(fd_);
  }
  int port() const { return port_; }
  void Accept() { client_ = ::accept(fd_, nullptr, nullptr); }
  void Send(std::string_view text) {
    EXPECT_EQ(::write(client_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() {
    ::close(client_);
    client_ = -1;
  }

 private:
  int fd_ = -1;
  int client_ = -1;
  int port_ = 0;
};

class SocketSourceTest : public ::testing::Test {
 protected:
  SocketSourceTest() {
    context_.clock = &clock_;
    request_.context = &context_;
    request_.streaming = true;
    request_.options.Set("host", "127.0.0.1");
    request_.options.Set("port", std::to_string(server_.port()));
    request_.options.Set("includeTimestamp", "true");
    def_ = FindSource("socket");
  }

  std::vector<std::string> Lines(MicroBatchStream& stream, const char* start, const char* end) {
    std::vector<std::string> lines;
    InputPartitions partitions = stream.PlanPartitions({start}, {end}, {{0, 1}}).ValueOrDie();
    for (const auto& partition : partitions) {
      auto reader = partition->Open(arrow::default_memory_pool()).ValueOrDie();
      while (auto batch = reader->Next().ValueOrDie()) {
        const auto& values = static_cast<const arrow::StringArray&>(*batch->column(0));
        for (int64_t i = 0; i < batch->num_rows(); ++i) lines.push_back(values.GetString(i));
      }
    }
    return lines;
  }

  ManualClock clock_{1000000};
  ConnectorContext context_;
  SourceRequest request_;
  LineServer server_;
  const SourceDef* def_ = nullptr;
};

TEST_F(SocketSourceTest, LinesBecomeRowsAsTheyArrive) {
  auto stream = def_->open_stream(request_).ValueOrDie();
  server_.Accept();
  EXPECT_EQ(stream->InitialOffset()->json, "-1");
  EXPECT_EQ((*stream->LatestOffset({"-1"}))->json, "-1");
  std::promise<void> first;
  std::promise<void> second;
  std::atomic<int> calls{0};
  EXPECT_TRUE(stream->NotifyOnData([&] {
    if (++calls == 1) first.set_value();
    if (calls == 2) second.set_value();
  }));
  server_.Send("one\r\ntwo\nthr");
  first.get_future().wait();
  EXPECT_EQ((*stream->LatestOffset({"-1"}))->json, "1");
  EXPECT_EQ(Lines(*stream, "-1", "1"), (std::vector<std::string>{"one", "two"}));
  // The same offsets give the same rows until they are committed.
  EXPECT_EQ(Lines(*stream, "-1", "1"), (std::vector<std::string>{"one", "two"}));
  ASSERT_TRUE(stream->Commit({"1"}).ok());
  server_.Send("ee");
  server_.Close();
  second.get_future().wait();
  EXPECT_EQ((*stream->LatestOffset({"1"}))->json, "2");
  EXPECT_EQ(Lines(*stream, "1", "2"), (std::vector<std::string>{"three"}));
  stream->Stop();
}

TEST_F(SocketSourceTest, NobodyListensIsAnError) {
  {
    LineServer gone;
    request_.options.Set("port", std::to_string(gone.port()));
  }
  auto stream = def_->open_stream(request_);
  ASSERT_FALSE(stream.ok());
  EXPECT_NE(stream.status().message().find("Cannot connect to 127.0.0.1:"), std::string::npos);
}

}  // namespace
}  // namespace millrace::connector
