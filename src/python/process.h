#pragma once

#include <arrow/result.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::python {

/// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  ~OwnedFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

struct Pipe {
  OwnedFd read;
  OwnedFd write;
};
/// Both ends close when a program is executed.
arrow::Result<Pipe> MakePipe();

struct ProcessOptions {
  /// The program (looked up in PATH) and its arguments.
  std::vector<std::string> arguments;
  /// Where it starts, and where a program named by a path is looked for first; empty: where we are.
  std::string directory = {};
  /// In addition to, and in place of, our own variables; nullopt removes one.
  std::map<std::string, std::optional<std::string>> environment;
  /// Descriptors of the new process: number there → number here. All others are closed in it, but for 0, 1 and 2.
  std::vector<std::pair<int, int>> descriptors;
  /// Its own process group: a Ctrl-C at the terminal is for us to handle.
  bool own_group = false;
  /// The signal it gets when the thread that started it ends, however it ends.
  int parent_death_signal = 0;
};

/// A process that this one started. Killed and waited for when dropped.
class Process {
 public:
  Process() = default;
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}
  Process& operator=(Process&& other) noexcept;
  ~Process() { Kill(); }

  pid_t pid() const { return pid_; }
  /// Its status as waitpid gives it once it has ended; nullopt while it runs.
  std::optional<int> Poll();
  /// Waits for its end. Status as of waitpid.
  int Wait();
  void Signal(int signal);
  /// Ends it at once. Nothing when it has ended.
  void Kill();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Starts a program from the calling thread, which then is its parent (see parent_death_signal).
/// Errors: IOError when there is no such program or no process to be had.
arrow::Result<Process> StartProcess(const ProcessOptions& options);

}  // namespace millrace::python
