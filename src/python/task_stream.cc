#include "python/task_stream.h"

#include <arrow/buffer.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "python/profiles.h"
#include "python/wire.h"

namespace millrace::python {

namespace {

constexpr int kCancelPollMs = 100;
constexpr size_t kReadSize = 64 << 10;

}  // namespace

// The worker's bytes as Arrow reads them.
class TaskStream::Input final : public arrow::io::InputStream {
 public:
  explicit Input(TaskStream* task) : task_(task) {}

  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_RETURN_NOT_OK(task_->ReadFully(nbytes, out));
    position_ += nbytes;
    return nbytes;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(nbytes, task_->memory_));
    ARROW_RETURN_NOT_OK(Read(nbytes, buffer->mutable_data()).status());
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  TaskStream* task_;
  int64_t position_ = 0;
};

arrow::Result<std::unique_ptr<TaskStream>> TaskStream::Start(EnvironmentPtr environment, const TaskSpec& spec,
                                                             InputWriter input, const std::atomic<bool>* cancelled,
                                                             arrow::MemoryPool* memory) {
  return StartWith(TaskHeader, std::move(environment), spec, std::move(input), cancelled, memory);
}

arrow::Result<std::unique_ptr<TaskStream>> TaskStream::StartWith(HeaderFunction header, EnvironmentPtr environment,
                                                                 const TaskSpec& spec, InputWriter input,
                                                                 const std::atomic<bool>* cancelled,
                                                                 arrow::MemoryPool* memory) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<Worker> worker, environment->pool->Acquire(environment->interpreter));
  int flags = ::fcntl(worker->socket.fd(), F_GETFL);
  ::fcntl(worker->socket.fd(), F_SETFL, flags | O_NONBLOCK);
  std::unique_ptr<TaskStream> task(
      new TaskStream(std::move(environment), std::move(worker), std::move(input), cancelled, memory));
  TaskSpec task_spec = spec;
  task_spec.files_folder = task->environment_->files_folder;
  if (const auto& profiles = task->environment_->profiles) {
    for (TaskCall& call : task_spec.calls) call.profile_number = profiles->NumberOf(call);
  }
  task->outgoing_ = header(task_spec, task->version());
  return task;
}

TaskStream::TaskStream(EnvironmentPtr environment, std::unique_ptr<Worker> worker, InputWriter input,
                       const std::atomic<bool>* cancelled, arrow::MemoryPool* memory)
    : environment_(std::move(environment)),
      worker_(std::move(worker)),
      input_writer_(std::move(input)),
      cancelled_(cancelled),
      memory_(memory),
      incoming_(kReadSize),
      input_(std::make_shared<Input>(this)) {}

TaskStream::~TaskStream() {
  if (worker_ != nullptr) environment_->pool->Destroy(environment_->interpreter, std::move(worker_));
}

arrow::Status TaskStream::WorkerDied() const {
  if (!input_failure_.ok()) return input_failure_;
  return WorkerCrash(environment_->interpreter.fault_folder, worker_->pid);
}

arrow::Status TaskStream::WriteSome() {
  if (sent_ == outgoing_.size()) {
    outgoing_.clear();
    sent_ = 0;
    arrow::Result<bool> more = input_writer_(&outgoing_);
    if (!more.ok()) {
      input_failure_ = more.status();
      return input_failure_;
    }
    if (!*more) {
      AppendInt(kEndOfStream, &outgoing_);
      input_ended_ = true;
    }
  }
  while (sent_ < outgoing_.size()) {
    ssize_t sent = ::send(worker_->socket.fd(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (sent < 0) {
      // It reads no more; why it does not, it may have written.
      input_ended_ = true;
      sent_ = outgoing_.size();
      break;
    }
    sent_ += static_cast<size_t>(sent);
  }
  return arrow::Status::OK();
}

// Waits for bytes of the worker, and sends it input meanwhile.
arrow::Result<size_t> TaskStream::Receive(void* out, size_t size) {
  const int64_t timeout_ms = environment_->idle_timeout_ms;
  auto idle_since = std::chrono::steady_clock::now();
  while (true) {
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
      return arrow::Status::Cancelled("the query was stopped");
    }
    bool writes = !input_ended_ || sent_ < outgoing_.size();
    pollfd wait{worker_->socket.fd(), static_cast<short>(POLLIN | (writes ? POLLOUT : 0)), 0};
    int ready = ::poll(&wait, 1, kCancelPollMs);
    if (ready < 0 && errno != EINTR) return arrow::Status::IOError("poll: ", std::strerror(errno));
    if (ready <= 0) {
      bool late =
          timeout_ms > 0 && std::chrono::steady_clock::now() - idle_since >= std::chrono::milliseconds(timeout_ms);
      if (!late) continue;
      return arrow::Status::IOError(
          "Python worker process terminated due to idle timeout (timeout: ", timeout_ms / 1000, " seconds)");
    }
    idle_since = std::chrono::steady_clock::now();
    if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      ssize_t got = ::recv(worker_->socket.fd(), out, size, 0);
      if (got > 0) return static_cast<size_t>(got);
      if (got == 0 || (errno != EAGAIN && errno != EINTR && errno != EWOULDBLOCK)) return WorkerDied();
    }
    if (writes && (wait.revents & POLLOUT) != 0) ARROW_RETURN_NOT_OK(WriteSome());
  }
}

arrow::Status TaskStream::ReadFully(int64_t nbytes, void* out) {
  auto* next = static_cast<char*>(out);
  auto left = static_cast<size_t>(nbytes);
  while (left > 0) {
    size_t part = std::min(left, received_ - taken_);
    if (part == 0 && left >= kReadSize) {
      ARROW_ASSIGN_OR_RAISE(part, Receive(next, left));  // columns come without a copy
    } else if (part == 0) {
      taken_ = received_ = 0;
      ARROW_ASSIGN_OR_RAISE(received_, Receive(incoming_.data(), incoming_.size()));
      continue;
    } else {
      std::memcpy(next, incoming_.data() + taken_, part);
      taken_ += part;
    }
    next += part;
    left -= part;
  }
  return arrow::Status::OK();
}

arrow::Result<int32_t> TaskStream::ReadInt() {
  char bytes[4];
  ARROW_RETURN_NOT_OK(ReadFully(sizeof(bytes), bytes));
  return LoadInt(bytes);
}

arrow::Result<std::string> TaskStream::ReadText() {
  ARROW_ASSIGN_OR_RAISE(int32_t size, ReadInt());
  if (size < 0) return arrow::Status::IOError("Python worker: ", size, " is no length");
  std::string text(static_cast<size_t>(size), '\0');
  ARROW_RETURN_NOT_OK(ReadFully(size, text.data()));
  return text;
}

arrow::Result<bool> TaskStream::HandleMark(int32_t mark) {
  switch (mark) {
    case kTimingData: {
      // boot, init, finish (4.2: and processing) times, then memory and disk bytes spilled
      char times[6 * 8];
      ARROW_RETURN_NOT_OK(ReadFully(worker_->version.AtLeast(4, 2) ? 48 : 40, times));
      return false;
    }
    case kPythonExceptionThrown: {
      ARROW_ASSIGN_OR_RAISE(std::string traceback, ReadText());
      if (!input_failure_.ok()) return input_failure_;
      return UserError("PYTHON_EXCEPTION",
                       {{"msg", "An exception was thrown from the Python worker"}, {"traceback", traceback}});
    }
    case kEndOfDataSection: {
      ARROW_ASSIGN_OR_RAISE(int32_t num_accumulators, ReadInt());
      std::vector<std::string> updates;
      for (int32_t i = 0; i < num_accumulators; ++i) {
        ARROW_ASSIGN_OR_RAISE(std::string update, ReadText());
        updates.push_back(std::move(update));
      }
      // The worker now reads the end of its input, which may not have been sent yet.
      ARROW_ASSIGN_OR_RAISE(int32_t end, ReadInt());
      finished_ = true;
      for (std::string& update : updates) {
        ARROW_ASSIGN_OR_RAISE(int64_t id, Accumulators::IdOf(update));
        if (id >= 0) {
          environment_->pool->accumulators().Add(id, std::move(update));
        } else if (environment_->profiles != nullptr) {
          environment_->profiles->Add(std::move(update));
        }
      }
      bool clean = end == kEndOfStream && input_ended_ && sent_ == outgoing_.size() && taken_ == received_;
      if (clean) {
        int flags = ::fcntl(worker_->socket.fd(), F_GETFL);
        ::fcntl(worker_->socket.fd(), F_SETFL, flags & ~O_NONBLOCK);
        environment_->pool->Release(environment_->interpreter, std::move(worker_));
      } else {
        environment_->pool->Destroy(environment_->interpreter, std::move(worker_));
      }
      return true;
    }
    default:
      return arrow::Status::IOError("Python worker: unknown mark ", mark);
  }
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TaskStream::NextBatch() {
  while (!finished_) {
    if (batches_ != nullptr) {
      std::shared_ptr<arrow::RecordBatch> batch;
      arrow::Status read = batches_->ReadNext(&batch);
      if (!read.ok()) return input_failure_.ok() ? read : input_failure_;
      if (batch != nullptr) return batch;
      batches_ = nullptr;
    }
    ARROW_ASSIGN_OR_RAISE(int32_t mark, ReadInt());
    if (mark == kStartArrowStream) {
      arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
      options.memory_pool = memory_;
      options.use_threads = false;
      ARROW_ASSIGN_OR_RAISE(batches_, arrow::ipc::RecordBatchStreamReader::Open(input_, options));
      continue;
    }
    ARROW_RETURN_NOT_OK(HandleMark(mark).status());
  }
  return nullptr;
}

arrow::Result<std::optional<std::string>> TaskStream::NextPickle() {
  while (!finished_) {
    ARROW_ASSIGN_OR_RAISE(int32_t mark, ReadInt());
    if (mark >= 0) {
      std::string pickle(static_cast<size_t>(mark), '\0');
      ARROW_RETURN_NOT_OK(ReadFully(mark, pickle.data()));
      return pickle;
    }
    ARROW_RETURN_NOT_OK(HandleMark(mark).status());
  }
  return std::nullopt;
}

}  // namespace millrace::python
