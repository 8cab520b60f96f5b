#include "sql/string_literal.h"

#include <cstdint>
#include <optional>

namespace millrace::sql {

namespace {

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = 0xFFFD;
  auto put = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<uint32_t> Hex(std::string_view text, size_t start, size_t count) {
  if (start + count > text.size()) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = start; i < start + count; ++i) {
    int digit = HexValue(text[i]);
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  return value;
}

bool IsOctal(std::string_view text, size_t start) {
  if (start + 3 > text.size()) return false;
  auto digit = [&](size_t i, char last) { return text[i] >= '0' && text[i] <= last; };
  return digit(start, '1') && digit(start + 1, '7') && digit(start + 2, '7');
}

char SimpleEscape(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'Z':
      return '\x1A';
    default:
      return c;
  }
}

// Decodes the escape whose backslash is at `i`; returns the index after it.
size_t Unescape(std::string_view text, size_t i, std::string* out) {
  if (i + 1 >= text.size()) {
    out->push_back('\\');
    return i + 1;
  }
  char c = text[i + 1];
  if (c == 'u' || c == 'U') {
    size_t length = c == 'u' ? 4 : 8;
    if (std::optional<uint32_t> code = Hex(text, i + 2, length)) {
      size_t next = i + 2 + length;
      bool high_surrogate = *code >= 0xD800 && *code < 0xDC00;
      if (high_surrogate && text.substr(next).starts_with("\\u")) {
        std::optional<uint32_t> low = Hex(text, next + 2, 4);
        if (low && *low >= 0xDC00 && *low < 0xE000) {
          AppendUtf8(0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00), out);
          return next + 6;
        }
      }
      AppendUtf8(*code, out);
      return next;
    }
  }
  if (IsOctal(text, i + 1)) {
    AppendUtf8(static_cast<uint32_t>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')), out);
    return i + 4;
  }
  if (c == '%' || c == '_') out->push_back('\\');
  out->push_back(SimpleEscape(c));
  return i + 2;
}

}  // namespace

std::string UnquoteString(std::string_view token) {
  if (token.front() == 'r' || token.front() == 'R') return std::string(token.substr(2, token.size() - 3));
  char quote = token.front();
  std::string_view text = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      i = Unescape(text, i, &out);
    } else {
      out.push_back(text[i]);
      // The lexer lets a quote stand inside only when it is doubled.
      i += text[i] == quote ? 2 : 1;
    }
  }
  return out;
}

std::string UnquoteIdentifier(std::string_view token) {
  std::string out;
  for (size_t i = 1; i + 1 < token.size(); ++i) {
    out.push_back(token[i]);
    if (token[i] == token[0]) ++i;
  }
  return out;
}

}  // namespace millrace::sql
