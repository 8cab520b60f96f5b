#include "python/accumulators.h"

#include <optional>

namespace millrace::python {

namespace {

// The opcodes of pickle protocols 2 to 5 that a tuple beginning with an int can begin with.
// Source: Python, pickletools.
constexpr char kProtocol = '\x80';
constexpr char kFrame = '\x95';
constexpr char kMark = '(';
constexpr char kInt4 = 'J';
constexpr char kInt1 = 'K';
constexpr char kInt2 = 'M';
constexpr char kLong1 = '\x8a';
constexpr size_t kFrameLengthBytes = 8;

// Little-endian; `is_signed` takes the highest bit as the sign.
int64_t LoadInt(std::string_view bytes, bool is_signed) {
  uint64_t value = is_signed && !bytes.empty() && (bytes.back() & '\x80') != 0 ? ~uint64_t{0} : 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<int64_t>(value);
}

std::optional<int64_t> FirstInt(std::string_view pickle) {
  size_t at = 0;
  auto next = [&](char opcode, size_t argument_bytes) {
    if (at >= pickle.size() || pickle[at] != opcode) return false;
    at += 1 + argument_bytes;
    return true;
  };
  next(kProtocol, 1);
  next(kFrame, kFrameLengthBytes);
  next(kMark, 0);
  auto argument = [&](size_t size, bool is_signed) -> std::optional<int64_t> {
    if (at + size > pickle.size()) return std::nullopt;
    return LoadInt(pickle.substr(at, size), is_signed);
  };
  if (next(kInt1, 0)) return argument(1, false);
  if (next(kInt2, 0)) return argument(2, false);
  if (next(kInt4, 0)) return argument(4, true);
  if (!next(kLong1, 0) || at >= pickle.size()) return std::nullopt;
  auto size = static_cast<size_t>(static_cast<unsigned char>(pickle[at++]));
  return size <= sizeof(int64_t) ? argument(size, true) : std::nullopt;
}

}  // namespace

arrow::Result<int64_t> Accumulators::IdOf(std::string_view pickle) {
  std::optional<int64_t> id = FirstInt(pickle);
  if (!id) return arrow::Status::IOError("Python worker: an accumulator's update without an id");
  return *id;
}

void Accumulators::Add(int64_t id, std::string pickle) {
  std::lock_guard lock(mutex_);
  updates_[id].push_back(std::move(pickle));
}

std::vector<Accumulators::Update> Accumulators::Take(const std::vector<int64_t>& ids) {
  std::vector<Update> taken;
  std::lock_guard lock(mutex_);
  for (int64_t id : ids) {
    auto it = updates_.find(id);
    if (it == updates_.end()) continue;
    for (std::string& pickle : it->second) taken.emplace_back(id, std::move(pickle));
    updates_.erase(it);
  }
  return taken;
}

}  // namespace millrace::python
