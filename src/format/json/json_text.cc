#include "format/json/json_text.h"

#include <array>
#include <cmath>

#include "types/number_text.h"

namespace millrace::format {

namespace {

constexpr char kHex[] = "0123456789ABCDEF";

/// 0: as it is; 1: \u00XX; else the letter after the backslash.
constexpr std::array<char, 128> kEscapes = [] {
  std::array<char, 128> table{};
  for (int c = 0; c < 32; ++c) table[static_cast<size_t>(c)] = 1;
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

void AppendUnit(uint32_t unit, std::string* out) {
  const char text[] = {'\\', 'u', kHex[unit >> 12], kHex[(unit >> 8) & 15], kHex[(unit >> 4) & 15], kHex[unit & 15]};
  out->append(text, sizeof(text));
}

/// Appends the code point at text[i] as \u escapes and returns its length in bytes. REQUIRES: valid UTF-8.
size_t AppendCodePoint(std::string_view text, size_t i, std::string* out) {
  auto lead = static_cast<unsigned char>(text[i]);
  size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (i + length > text.size()) length = text.size() - i;
  uint32_t code = lead & (0xFFu >> (length + 1));
  for (size_t k = 1; k < length; ++k) code = (code << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
  if (code < 0x10000) {
    AppendUnit(code, out);
  } else {
    AppendUnit(0xD800 + ((code - 0x10000) >> 10), out);
    AppendUnit(0xDC00 + ((code - 0x10000) & 0x3FF), out);
  }
  return length;
}

}  // namespace

void AppendJsonText(std::string_view text, bool ascii_only, std::string* out) {
  out->push_back('"');
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      if (!ascii_only) continue;
      out->append(text.substr(start, i - start));
      i += AppendCodePoint(text, i, out) - 1;
      start = i + 1;
      continue;
    }
    char escape = kEscapes[c];
    if (escape == 0) continue;
    out->append(text.substr(start, i - start));
    start = i + 1;
    if (escape == 1) {
      AppendUnit(c, out);
    } else {
      out->push_back('\\');
      out->push_back(escape);
    }
  }
  out->append(text.substr(start));
  out->push_back('"');
}

void AppendJsonDouble(double value, std::string* out) {
  if (std::isfinite(value)) {
    types::AppendDouble(value, out);
  } else {
    out->append(std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  }
}

void AppendJsonFloat(float value, std::string* out) {
  if (std::isfinite(value)) {
    types::AppendFloat(value, out);
  } else {
    AppendJsonDouble(value, out);
  }
}

void AppendBase64(std::string_view bytes, std::string* out) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto at = [&](size_t i) {
    return i < bytes.size() ? static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) : 0u;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = (at(i) << 16) | (at(i + 1) << 8) | at(i + 2);
    out->push_back(kAlphabet[group >> 18]);
    out->push_back(kAlphabet[(group >> 12) & 63]);
    out->push_back(i + 1 < bytes.size() ? kAlphabet[(group >> 6) & 63] : '=');
    out->push_back(i + 2 < bytes.size() ? kAlphabet[group & 63] : '=');
  }
}

bool DecodeBase64(std::string_view text, std::string* bytes) {
  auto value_of = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  bytes->clear();
  size_t i = 0;
  while (true) {
    while (i < text.size() && static_cast<unsigned char>(text[i]) <= ' ') ++i;
    if (i == text.size()) return true;
    if (i + 4 > text.size()) return false;
    int a = value_of(text[i]), b = value_of(text[i + 1]), c = value_of(text[i + 2]), d = value_of(text[i + 3]);
    if (a < 0 || b < 0) return false;
    bytes->push_back(static_cast<char>((a << 2) | (b >> 4)));
    if (c < 0) {
      if (text[i + 2] != '=' || text[i + 3] != '=') return false;
    } else {
      bytes->push_back(static_cast<char>((b << 4) | (c >> 2)));
      if (d < 0) {
        if (text[i + 3] != '=') return false;
      } else {
        bytes->push_back(static_cast<char>((c << 6) | d));
      }
    }
    i += 4;
  }
}

}  // namespace millrace::format
