#include "python/worker_logs.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

namespace millrace::python {

namespace {

// "PYTHON_WORKER_LOGGING:<worker>:<JSON>"; no JSON at the end of a task.
constexpr std::string_view kMarker = "PYTHON_WORKER_LOGGING:";
// The oldest go first.
constexpr size_t kMaxLinesASession = 100000;
constexpr auto kCatchUpTimeout = std::chrono::seconds(5);

}  // namespace

WorkerLogs::~WorkerLogs() {
  // Whoever else has inherited a worker's output must not be waited for.
  stop_.write.Reset();
  for (auto& stream : streams_) stream->reader.join();
}

arrow::Status WorkerLogs::Follow(const std::string& session, OwnedFd output, int other_fd) {
  auto stream = std::make_unique<Stream>();
  stream->output = std::move(output);
  stream->session = session;
  stream->other_fd = other_fd;
  std::lock_guard lock(mutex_);
  if (!stop_.read.valid()) {
    ARROW_ASSIGN_OR_RAISE(stop_, MakePipe());
  }
  std::erase_if(streams_, [](const std::unique_ptr<Stream>& one) {
    if (one->ended) one->reader.join();
    return one->ended;
  });
  stream->reader = std::thread([this, read = stream.get()] { Read(read); });
  streams_.push_back(std::move(stream));
  return arrow::Status::OK();
}

void WorkerLogs::Read(Stream* stream) {
  char bytes[16 << 10];
  while (true) {
    // Waits without taking anything: what has left the pipe is in lines_ whenever the mutex is free.
    pollfd wait[] = {{stream->output.get(), POLLIN, 0}, {stop_.read.get(), POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0 && errno == EINTR) continue;
    if (wait[1].revents != 0) return;
    std::lock_guard lock(mutex_);
    ssize_t got = ::read(stream->output.get(), bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      stream->ended = true;
      return;
    }
    TakeLines(stream, bytes, static_cast<size_t>(got));
  }
}

void WorkerLogs::TakeLines(Stream* stream, const char* bytes, size_t size) {
  while (size > 0) {
    const auto* end = static_cast<const char*>(std::memchr(bytes, '\n', size));
    size_t part = end == nullptr ? size : static_cast<size_t>(end - bytes);
    stream->line.append(bytes, part);
    if (end == nullptr) return;
    bytes += part + 1;
    size -= part + 1;
    std::string line = std::exchange(stream->line, {});
    size_t json = line.starts_with(kMarker) ? line.find(':', kMarker.size()) : std::string::npos;
    if (json == std::string::npos) {
      line += '\n';
      [[maybe_unused]] ssize_t written = ::write(stream->other_fd, line.data(), line.size());
    } else if (json + 1 < line.size()) {
      std::deque<std::string>& lines = lines_[stream->session];
      lines.push_back(line.substr(json + 1));
      if (lines.size() > kMaxLinesASession) lines.pop_front();
    }
  }
}

std::vector<std::string> WorkerLogs::Of(const std::string& session) {
  auto deadline = std::chrono::steady_clock::now() + kCatchUpTimeout;
  while (true) {
    std::unique_lock lock(mutex_);
    bool caught_up = std::all_of(streams_.begin(), streams_.end(), [&](const std::unique_ptr<Stream>& stream) {
      int waiting = 0;
      if (stream->ended || stream->session != session) return true;
      return ::ioctl(stream->output.get(), FIONREAD, &waiting) != 0 || waiting == 0;
    });
    if (caught_up || std::chrono::steady_clock::now() > deadline) {
      auto it = lines_.find(session);
      if (it == lines_.end()) return {};
      return {it->second.begin(), it->second.end()};
    }
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void WorkerLogs::Forget(const std::string& session) {
  std::lock_guard lock(mutex_);
  lines_.erase(session);
}

}  // namespace millrace::python
