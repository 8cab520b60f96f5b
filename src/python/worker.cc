#include "python/worker.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "python/wire.h"

namespace millrace::python {

namespace {

constexpr int kCancelPollMs = 50;
// A length beyond this is no length.
constexpr int32_t kMaxText = 1 << 30;

}  // namespace

arrow::Status WorkerCrash(const std::string& fault_folder, pid_t pid) {
  if (!fault_folder.empty()) {
    std::ifstream file(fault_folder + "/" + std::to_string(pid));
    std::string fault{std::istreambuf_iterator<char>(file), {}};
    if (!fault.empty()) return arrow::Status::IOError("Python worker exited unexpectedly (crashed): ", fault);
  }
  return arrow::Status::IOError(
      "Python worker exited unexpectedly (crashed). Consider setting "
      "'spark.sql.execution.pyspark.udf.faulthandler.enabled' or'spark.python.worker.faulthandler.enabled' "
      "configuration to 'true' for the better Python traceback.");
}

bool WorkerVersion::AtLeast(int major, int minor) const {
  int own_major = 0, own_minor = 0;
  const char* end = pyspark.data() + pyspark.size();
  auto after = std::from_chars(pyspark.data(), end, own_major);
  if (after.ptr != end) std::from_chars(after.ptr + 1, end, own_minor);
  return own_major > major || (own_major == major && own_minor >= minor);
}

arrow::Status WorkerSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return arrow::Status::IOError("Python worker: ", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return arrow::Status::OK();
}

arrow::Status WorkerSocket::Receive(void* out, size_t size, const std::atomic<bool>* cancelled) {
  auto* next = static_cast<char*>(out);
  while (size > 0) {
    if (cancelled != nullptr) {
      pollfd wait{fd_.get(), POLLIN, 0};
      int ready = ::poll(&wait, 1, kCancelPollMs);
      if (cancelled->load(std::memory_order_relaxed)) return arrow::Status::Cancelled("stopped");
      if (ready <= 0) continue;
    }
    ssize_t got = ::recv(fd_.get(), next, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return arrow::Status::IOError("Python worker: ", std::strerror(errno));
    if (got == 0) return arrow::Status::IOError("Python worker: the connection was closed");
    next += got;
    size -= static_cast<size_t>(got);
  }
  return arrow::Status::OK();
}

arrow::Result<int32_t> WorkerSocket::ReceiveInt(const std::atomic<bool>* cancelled) {
  char bytes[4];
  ARROW_RETURN_NOT_OK(Receive(bytes, sizeof(bytes), cancelled));
  return LoadInt(bytes);
}

arrow::Result<std::string> WorkerSocket::ReceiveText(const std::atomic<bool>* cancelled) {
  ARROW_ASSIGN_OR_RAISE(int32_t size, ReceiveInt(cancelled));
  if (size < 0 || size > kMaxText) return arrow::Status::IOError("Python worker: ", size, " is no length");
  std::string text(static_cast<size_t>(size), '\0');
  ARROW_RETURN_NOT_OK(Receive(text.data(), text.size(), cancelled));
  return text;
}

bool WorkerSocket::IsStale() const {
  pollfd wait{fd_.get(), POLLIN, 0};
  return ::poll(&wait, 1, 0) != 0;
}

std::string MakeSecret() {
  unsigned char bytes[32];
  size_t have = 0;
  while (have < sizeof(bytes)) {
    ssize_t got = ::getrandom(bytes + have, sizeof(bytes) - have, 0);
    if (got > 0) have += static_cast<size_t>(got);
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace millrace::python
