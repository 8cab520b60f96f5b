#include "python/local_listener.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

namespace millrace::python {

namespace {

constexpr int kPollMs = 50;

// Workers put what they are told in lower case, so the name holds no capitals.
std::string MakeFolder() {
  std::random_device random;
  for (int attempt = 0; attempt < 16; ++attempt) {
    std::string path = "/tmp/millrace-state-";
    for (int i = 0; i < 12; ++i) path.push_back("0123456789abcdef"[random() % 16]);
    if (::mkdir(path.c_str(), 0700) == 0) return path;
  }
  return "";
}

}  // namespace

LocalListener::LocalListener(std::string folder, OwnedFd fd)
    : folder_(std::move(folder)), path_(folder_ + "/socket"), fd_(std::move(fd)) {}

LocalListener::~LocalListener() {
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

arrow::Result<std::unique_ptr<LocalListener>> LocalListener::Make() {
  std::string folder = MakeFolder();
  if (folder.empty()) return arrow::Status::IOError("no folder for a socket: ", std::strerror(errno));
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  std::unique_ptr<LocalListener> listener(new LocalListener(std::move(folder), std::move(fd)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, listener->path_.c_str(), sizeof(address.sun_path) - 1);
  if (!listener->fd_.valid() ||
      ::bind(listener->fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener->fd_.get(), 1) != 0) {
    return arrow::Status::IOError("a socket for a worker: ", std::strerror(errno));
  }
  return listener;
}

arrow::Result<WorkerSocket> LocalListener::Accept(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_acquire)) {
    pollfd wait{fd_.get(), POLLIN, 0};
    if (::poll(&wait, 1, kPollMs) <= 0) continue;
    int fd = ::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) return WorkerSocket(OwnedFd(fd));
    if (errno != EINTR && errno != EAGAIN) return arrow::Status::IOError("accept: ", std::strerror(errno));
  }
  return arrow::Status::Cancelled("nobody connected");
}

}  // namespace millrace::python
