#include "base/utf8.h"

namespace millrace {

namespace {

/// Length of the valid UTF-8 sequence at `p`, or minus the number of bytes Java replaces by one U+FFFD.
int SequenceLength(const unsigned char* p, const unsigned char* end) {
  auto continues = [&](int i) { return p + i < end && (p[i] & 0xC0) == 0x80; };
  unsigned char b = p[0];
  if (b < 0x80) return 1;
  if (b < 0xC2 || b > 0xF4) return -1;
  if (b < 0xE0) return continues(1) ? 2 : -1;
  if (b < 0xF0) {
    if (!continues(1) || (b == 0xE0 && p[1] < 0xA0)) return -1;
    if (!continues(2)) return -2;
    return b == 0xED && p[1] >= 0xA0 ? -3 : 3;
  }
  if (!continues(1) || (b == 0xF0 && p[1] < 0x90) || (b == 0xF4 && p[1] > 0x8F)) return -1;
  if (!continues(2)) return -2;
  return continues(3) ? 4 : -3;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = p + text.size();
  while (p < end) {
    int length = SequenceLength(p, end);
    if (length < 0) return false;
    p += length;
  }
  return true;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = p + text.size();
  while (p < end) {
    int length = SequenceLength(p, end);
    if (length > 0) {
      out.append(reinterpret_cast<const char*>(p), static_cast<size_t>(length));
      p += length;
    } else {
      out.append("\xEF\xBF\xBD");
      p -= length;
    }
  }
  return out;
}

}  // namespace millrace
