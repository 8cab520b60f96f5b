#include "python/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace millrace::python {

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void OwnedFd::Reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

arrow::Result<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return WorldError(std::string("pipe: ") + std::strerror(errno));
  return Pipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Kill();
    pid_ = std::exchange(other.pid_, -1);
    status_ = other.status_;
  }
  return *this;
}

std::optional<int> Process::Poll() {
  if (pid_ < 0 || status_) return status_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

int Process::Wait() {
  if (pid_ < 0 || status_) return status_.value_or(0);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = status;
  return status;
}

void Process::Signal(int signal) {
  if (pid_ > 0 && !Poll()) ::kill(pid_, signal);
}

void Process::Kill() {
  if (pid_ <= 0 || Poll()) return;
  ::kill(pid_, SIGKILL);
  Wait();
}

namespace {

arrow::Result<std::string> FindProgram(const std::string& name, const std::string& directory) {
  if (name.find('/') != std::string::npos) {
    std::string below = directory + "/" + name;
    if (!directory.empty() && name[0] != '/' && ::access(below.c_str(), X_OK) == 0) return below;
    if (::access(name.c_str(), X_OK) == 0) return name;
    return arrow::Status::IOError("Cannot run program \"", name, "\": ", std::strerror(errno));
  }
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  for (size_t begin = 0; begin <= rest.size();) {
    size_t end = std::min(rest.find(':', begin), rest.size());
    std::string candidate = rest.substr(begin, end - begin) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return arrow::Status::IOError("Cannot run program \"", name, "\": No such file or directory");
}

std::vector<std::string> EnvironmentOf(const ProcessOptions& options) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string text = *variable;
    if (options.environment.count(text.substr(0, text.find('='))) == 0) variables.push_back(std::move(text));
  }
  for (const auto& [name, value] : options.environment) {
    if (value) variables.push_back(name + "=" + *value);
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec: only what is safe in a copy of a process with many threads.
[[noreturn]] void BecomeProgram(const ProcessOptions& options, const char* program, char* const* arguments,
                                char* const* variables, const int* sources, pid_t parent) {
  if (options.parent_death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal);
    if (::getppid() != parent) ::_exit(127);  // it died before we asked
  }
  if (options.own_group) ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  ::syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
  for (size_t i = 0; i < options.descriptors.size(); ++i) ::dup2(sources[i], options.descriptors[i].first);
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(127);
  ::execve(program, arguments, variables);
  ::_exit(127);
}

}  // namespace

arrow::Result<Process> StartProcess(const ProcessOptions& options) {
  ARROW_ASSIGN_OR_RAISE(std::string program, FindProgram(options.arguments[0], options.directory));
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> variables = EnvironmentOf(options);
  std::vector<char*> argument_pointers = Pointers(arguments);
  std::vector<char*> variable_pointers = Pointers(variables);
  // Sources are moved out of the way of the targets first, so that no dup2 overwrites a source still to come.
  std::vector<OwnedFd> moved;
  std::vector<int> sources;
  for (const auto& [target, source] : options.descriptors) {
    moved.emplace_back(::fcntl(source, F_DUPFD_CLOEXEC, 64));
    if (!moved.back().valid()) return WorldError(std::string("dup: ") + std::strerror(errno));
    sources.push_back(moved.back().get());
  }
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid < 0) return WorldError("Cannot start " + program + ": " + std::strerror(errno), true);
  if (pid == 0) {
    BecomeProgram(options, program.c_str(), argument_pointers.data(), variable_pointers.data(), sources.data(), parent);
  }
  return Process(pid);
}

}  // namespace millrace::python
