#pragma once

#include <arrow/status.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace millrace {

/// A file descriptor that is closed when this object goes.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// "<what> <path>: <text of the number>"; KeyError for ENOENT, as FileSystem promises.
arrow::Status ErrnoStatus(std::string_view what, const std::string& path, int error_number);

}  // namespace millrace
