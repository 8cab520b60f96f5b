#include "python/worker_pool.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>

#include "base/error.h"
#include "base/json_value.h"
#include "python/embedded.h"
#include "python/wire.h"

namespace millrace::python {

namespace {

constexpr int kReportFd = 3;
constexpr auto kIdleTimeout = std::chrono::minutes(1);
constexpr auto kEndTimeout = std::chrono::seconds(2);
constexpr auto kReapEvery = std::chrono::seconds(10);
constexpr int kStartTimeoutMs = 120000;

arrow::Status Errno(const char* what) { return WorldError(std::string(what) + ": " + std::strerror(errno)); }

// Waits until `fd` can be read. False when `timeout_ms` passed.
bool WaitReadable(int fd, int timeout_ms) {
  pollfd wait{fd, POLLIN, 0};
  int ready;
  do {
    ready = ::poll(&wait, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

arrow::Status ReadExactly(int fd, void* out, size_t size) {
  auto* next = static_cast<char*>(out);
  while (size > 0) {
    if (!WaitReadable(fd, kStartTimeoutMs)) return arrow::Status::IOError("no answer");
    ssize_t got = ::read(fd, next, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return arrow::Status::IOError("it ended");
    next += got;
    size -= static_cast<size_t>(got);
  }
  return arrow::Status::OK();
}

arrow::Status StartFailure(const Interpreter& interpreter, const std::string& text) {
  std::string path;
  for (const std::string& one : interpreter.module_path) path += (path.empty() ? "" : ":") + one;
  return arrow::Status::IOError("Error from python worker (", interpreter.executable, "):\n  ", text,
                                path.empty() ? "" : "\nPYTHONPATH was:\n  ", path);
}

// What worker_bootstrap.py reports first.
arrow::Result<WorkerVersion> ReadReport(const Interpreter& interpreter, int fd) {
  char size[4];
  arrow::Status read = ReadExactly(fd, size, sizeof(size));
  std::string text;
  if (read.ok()) {
    text.resize(static_cast<size_t>(LoadInt(size)));
    read = ReadExactly(fd, text.data(), text.size());
  }
  if (!read.ok()) return StartFailure(interpreter, "the process did not start: " + read.message());
  ARROW_ASSIGN_OR_RAISE(JsonValue fields, ParseJson(text));
  if (const JsonValue* error = fields.Find("error")) return StartFailure(interpreter, error->AsString());
  WorkerVersion version;
  if (const JsonValue* pyspark = fields.Find("pyspark")) version.pyspark = pyspark->AsString();
  if (const JsonValue* python = fields.Find("python")) version.python = python->AsString();
  return version;
}

std::map<std::string, std::optional<std::string>> EnvironmentFor(const Interpreter& interpreter) {
  std::string path;
  for (const std::string& one : interpreter.module_path) path += (path.empty() ? "" : ":") + one;
  const char* inherited = std::getenv("PYTHONPATH");
  if (inherited != nullptr && *inherited != '\0') path += (path.empty() ? "" : ":") + std::string(inherited);
  std::map<std::string, std::optional<std::string>> environment{
      {"PYTHONPATH", path},
      {"PYTHONUNBUFFERED", "YES"},
      {"SPARK_REUSE_WORKER", "1"},
      {"SPARK_BUFFER_SIZE", "65536"},
      {"SPARK_AUTH_SOCKET_TIMEOUT", "15"},
      {"PYTHON_UDF_BATCH_SIZE", "100"},
      {"SPARK_PYTHON_RUNTIME", "PYTHON_WORKER"},
      {"SPARK_JOB_ARTIFACT_UUID", "default"},
      {"MILLRACE_REPORT_FD", std::to_string(kReportFd)},
      // What makes a client find a server by itself is not for workers.
      {"SPARK_REMOTE", std::nullopt},
      {"SPARK_API_MODE", std::nullopt},
      {"SPARK_CONNECT_MODE_ENABLED", std::nullopt},
  };
  if (!interpreter.log_session.empty()) environment["PYSPARK_SPARK_SESSION_UUID"] = interpreter.log_session;
  if (!interpreter.fault_folder.empty()) environment["PYTHON_FAULTHANDLER_DIR"] = interpreter.fault_folder;
  // As Spark does, so that many workers do not each take all cores.
  if (std::getenv("OMP_NUM_THREADS") == nullptr) environment["OMP_NUM_THREADS"] = "1";
  // The client looks for a Spark installation, which nobody needs, unless it is told where.
  if (std::getenv("SPARK_HOME") == nullptr) environment["SPARK_HOME"] = "/";
  return environment;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

void SendAtOnce(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// It ends within moments, or is made to.
void AwaitEnd(Process* process) {
  auto deadline = std::chrono::steady_clock::now() + kEndTimeout;
  while (!process->Poll() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  process->Kill();
}

}  // namespace

WorkerPool::WorkerPool(WorkerOutput output) : output_(output), parent_([this] { RunParent(); }) {}

std::string WorkerPool::FaultFolder() {
  std::lock_guard lock(mutex_);
  if (fault_folder_.empty()) {
    std::string made = (std::filesystem::temp_directory_path() / "millrace-faults-XXXXXX").string();
    if (::mkdtemp(made.data()) != nullptr) fault_folder_ = std::move(made);
  }
  return fault_folder_;
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    // Daemons end their workers when their control pipe closes.
    for (auto& [interpreter, daemon] : daemons_) {
      daemon.idle.clear();
      daemon.control.Reset();
      daemon.process.Signal(SIGTERM);
    }
    for (auto& [interpreter, daemon] : daemons_) AwaitEnd(&daemon.process);
    daemons_.clear();
    std::error_code ignored;
    if (!fault_folder_.empty()) std::filesystem::remove_all(fault_folder_, ignored);
  }
  {
    std::lock_guard lock(parent_mutex_);
    stopping_ = true;
  }
  parent_wakes_.notify_all();
  parent_.join();
}

void WorkerPool::RunParent() {
  std::unique_lock lock(parent_mutex_);
  while (!stopping_) {
    parent_wakes_.wait_for(lock, kReapEvery, [this] { return stopping_ || !parent_work_.empty(); });
    while (!parent_work_.empty()) {
      std::function<void()> work = std::move(parent_work_.front());
      parent_work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
    lock.unlock();
    if (std::unique_lock pool(mutex_, std::try_to_lock); pool.owns_lock()) {
      auto now = std::chrono::steady_clock::now();
      for (auto& [interpreter, daemon] : daemons_) {
        while (!daemon.idle.empty() && now - daemon.idle.front().since > kIdleTimeout) daemon.idle.pop_front();
      }
    }
    lock.lock();
  }
}

arrow::Result<Process> WorkerPool::Start(const ProcessOptions& options) {
  std::promise<arrow::Result<Process>> started;
  {
    std::lock_guard lock(parent_mutex_);
    if (stopping_) return arrow::Status::Cancelled("the engine is ending");
    parent_work_.push_back([&] { started.set_value(StartProcess(options)); });
  }
  parent_wakes_.notify_all();
  return started.get_future().get();
}

void WorkerPool::set_output(WorkerOutput output) {
  std::lock_guard lock(mutex_);
  output_ = output;
}

void WorkerPool::set_connect_url(std::string url) {
  std::lock_guard lock(mutex_);
  connect_url_ = std::move(url);
}

std::string WorkerPool::ConnectUrlFor(const std::string& user_id) const {
  std::lock_guard lock(mutex_);
  if (connect_url_.empty()) return "";
  return connect_url_ + (connect_url_.find("/;") == std::string::npos ? "/;" : ";") + "user_id=" + user_id;
}

void WorkerPool::EndLogging(const std::string& session) {
  {
    std::lock_guard lock(mutex_);
    for (auto it = daemons_.begin(); it != daemons_.end();) {
      if (it->first.log_session != session) {
        ++it;
        continue;
      }
      it->second.idle.clear();
      it->second.control.Reset();
      it->second.process.Signal(SIGTERM);
      AwaitEnd(&it->second.process);
      it = daemons_.erase(it);
    }
  }
  logs_.Forget(session);
}

size_t WorkerPool::num_idle() const {
  std::lock_guard lock(mutex_);
  size_t count = 0;
  for (const auto& [interpreter, daemon] : daemons_) count += daemon.idle.size();
  return count;
}

arrow::Status WorkerPool::StartDaemon(const Interpreter& interpreter, Daemon* daemon) {
  ARROW_ASSIGN_OR_RAISE(Pipe report, MakePipe());
  ARROW_ASSIGN_OR_RAISE(Pipe control, MakePipe());
  Daemon fresh;
  fresh.secret = MakeSecret();
  ProcessOptions options;
  options.arguments = {interpreter.executable, "-c", std::string(WorkerBootstrap()), "daemon"};
  options.environment = EnvironmentFor(interpreter);
  options.directory = interpreter.folder;
  if (interpreter.simplified_traceback) options.environment["SPARK_SIMPLIFIED_TRACEBACK"] = "1";
  if (interpreter.hidden_traceback) options.environment["SPARK_HIDE_TRACEBACK"] = "1";
  options.environment["PYTHON_WORKER_FACTORY_SECRET"] = fresh.secret;
  Pipe logged;
  if (!interpreter.log_session.empty()) {
    ARROW_ASSIGN_OR_RAISE(logged, MakePipe());
  }
  int output_fd = logged.write.valid() ? logged.write.get() : output_.rows_fd;
  options.descriptors = {{0, control.read.get()}, {1, output_fd}, {kReportFd, report.write.get()}};
  options.own_group = true;
  options.parent_death_signal = SIGTERM;
  auto process = Start(options);
  if (!process.ok()) return StartFailure(interpreter, process.status().message());
  fresh.process = std::move(*process);
  report.write.Reset();
  if (logged.write.valid()) {
    logged.write.Reset();
    ARROW_RETURN_NOT_OK(logs_.Follow(interpreter.log_session, std::move(logged.read), output_.rows_fd));
  }
  ARROW_ASSIGN_OR_RAISE(fresh.version, ReadReport(interpreter, report.read.get()));
  char port[4];
  arrow::Status read = ReadExactly(report.read.get(), port, sizeof(port));
  if (!read.ok()) return StartFailure(interpreter, "pyspark.daemon gave no port: " + read.message());
  fresh.port = LoadInt(port);
  fresh.control = std::move(control.write);
  *daemon = std::move(fresh);
  return arrow::Status::OK();
}

// REQUIRES: mutex_ is held.
arrow::Result<std::unique_ptr<Worker>> WorkerPool::Fork(const Interpreter& interpreter) {
  Daemon& daemon = daemons_[interpreter];
  for (int attempt = 0;; ++attempt) {
    if (daemon.port == 0 || daemon.process.Poll()) {
      arrow::Status started = StartDaemon(interpreter, &daemon);
      if (!started.ok()) {
        daemons_.erase(interpreter);
        return started;
      }
    }
    OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Errno("socket");
    sockaddr_in address = Loopback(daemon.port);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      if (attempt > 0) return Errno("connect to the Python daemon");
      daemon.process.Kill();  // it is gone, or nearly: a new one is started once
      daemon.port = 0;
      continue;
    }
    SendAtOnce(fd.get());
    auto worker = std::make_unique<Worker>();
    worker->socket = WorkerSocket(std::move(fd));
    worker->version = daemon.version;
    if (!WaitReadable(worker->socket.fd(), kStartTimeoutMs)) {
      return StartFailure(interpreter, "Timed out while waiting for the Python worker to connect back");
    }
    auto pid = worker->socket.ReceiveInt();
    if (!pid.ok() && attempt == 0) {
      daemon.process.Kill();
      daemon.port = 0;
      continue;
    }
    ARROW_RETURN_NOT_OK(pid.status());
    worker->pid = *pid;
    std::string greeting;
    AppendBytes(daemon.secret, &greeting);
    ARROW_RETURN_NOT_OK(worker->socket.Send(greeting));
    ARROW_ASSIGN_OR_RAISE(std::string answer, worker->socket.ReceiveText());
    if (answer != "ok") return StartFailure(interpreter, "the worker refused our secret");
    return worker;
  }
}

arrow::Result<std::unique_ptr<Worker>> WorkerPool::Acquire(const Interpreter& interpreter) {
  std::lock_guard lock(mutex_);
  auto it = daemons_.find(interpreter);
  if (it != daemons_.end()) {
    std::deque<IdleWorker>& idle = it->second.idle;
    while (!idle.empty()) {
      // The one that worked last: its memory is warm, and the others may end of old age.
      std::unique_ptr<Worker> worker = std::move(idle.back().worker);
      idle.pop_back();
      if (!worker->socket.IsStale()) return worker;
    }
  }
  return Fork(interpreter);
}

void WorkerPool::Release(const Interpreter& interpreter, std::unique_ptr<Worker> worker) {
  std::lock_guard lock(mutex_);
  auto it = daemons_.find(interpreter);
  if (it == daemons_.end()) return;
  it->second.idle.push_back({std::move(worker), std::chrono::steady_clock::now()});
}

void WorkerPool::Destroy(const Interpreter& interpreter, std::unique_ptr<Worker> worker) {
  std::lock_guard lock(mutex_);
  auto it = daemons_.find(interpreter);
  if (it == daemons_.end()) return;
  // The daemon ends it: only its parent knows that the pid is still the worker's.
  std::string message;
  AppendInt(static_cast<int32_t>(worker->pid), &message);
  [[maybe_unused]] ssize_t written = ::write(it->second.control.get(), message.data(), message.size());
}

namespace {

struct Listener {
  OwnedFd fd;
  int port = 0;
};

arrow::Result<Listener> Listen() {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Errno("socket");
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd.get(), 4) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Errno("listen for a Python worker");
  }
  return Listener{std::move(fd), ntohs(address.sin_port)};
}

}  // namespace

arrow::Result<WorkerPool::Single> WorkerPool::StartSingle(const Interpreter& interpreter, const std::string& module,
                                                          const std::map<std::string, std::string>& environment) {
  ARROW_ASSIGN_OR_RAISE(Listener listener, Listen());
  ARROW_ASSIGN_OR_RAISE(Pipe report, MakePipe());
  OwnedFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::string secret = MakeSecret();
  ProcessOptions options;
  options.arguments = {interpreter.executable, "-c", std::string(WorkerBootstrap()), "run", module};
  options.environment = EnvironmentFor(interpreter);
  options.environment.erase("PYSPARK_SPARK_SESSION_UUID");  // its output is the user's to see
  options.environment["PYTHON_WORKER_FACTORY_PORT"] = std::to_string(listener.port);
  options.environment["PYTHON_WORKER_FACTORY_SECRET"] = secret;
  for (const auto& [name, value] : environment) options.environment[name] = value;
  {
    std::lock_guard lock(mutex_);
    options.descriptors = {{0, null.get()}, {1, output_.streaming_fd}, {kReportFd, report.write.get()}};
  }
  options.own_group = true;
  options.parent_death_signal = SIGKILL;
  auto process = Start(options);
  if (!process.ok()) return StartFailure(interpreter, process.status().message());
  Single single;
  single.process = std::move(*process);
  report.write.Reset();
  ARROW_ASSIGN_OR_RAISE(single.version, ReadReport(interpreter, report.read.get()));
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStartTimeoutMs);
  while (true) {
    if (WaitReadable(listener.fd.get(), 100)) {
      OwnedFd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) continue;
      SendAtOnce(fd.get());
      WorkerSocket socket(std::move(fd));
      // Whoever else connects to the port does not know the secret.
      auto shown = socket.ReceiveText();
      if (!shown.ok() || *shown != secret) continue;
      std::string ok;
      AppendBytes("ok", &ok);
      ARROW_RETURN_NOT_OK(socket.Send(ok));
      ARROW_RETURN_NOT_OK(socket.ReceiveInt().status());  // its pid
      single.socket = std::move(socket);
      return single;
    }
    if (single.process.Poll()) return StartFailure(interpreter, "Python worker failed to connect back.");
    if (std::chrono::steady_clock::now() > deadline) {
      return StartFailure(interpreter, "Timed out while waiting for the Python worker to connect back");
    }
  }
}

}  // namespace millrace::python
