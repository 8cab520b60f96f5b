#include "function/scalar/string/utf8.h"

#include <locale.h>
#include <wctype.h>

#include "base/ascii.h"

namespace millrace::function {

namespace {

locale_t UnicodeLocale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

char32_t Upper(char32_t c) {
  if (c < 128) return static_cast<char32_t>(ToUpperAscii(static_cast<char>(c)));
  locale_t locale = UnicodeLocale();
  return locale == nullptr ? c : static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), locale));
}

char32_t Lower(char32_t c) {
  if (c < 128) return static_cast<char32_t>(ToLowerAscii(static_cast<char>(c)));
  locale_t locale = UnicodeLocale();
  return locale == nullptr ? c : static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), locale));
}

// Letters whose capital form has several letters.
const char* UpperSequence(char32_t c) {
  switch (c) {
    case U'ß':
      return "SS";
    case U'ŉ':
      return "ʼN";
    case U'ǰ':
      return "J̌";
    case U'ﬀ':
      return "FF";
    case U'ﬁ':
      return "FI";
    case U'ﬂ':
      return "FL";
    case U'ﬃ':
      return "FFI";
    case U'ﬄ':
      return "FFL";
    case U'ﬅ':
    case U'ﬆ':
      return "ST";
    default:
      return nullptr;
  }
}

bool IsAscii(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) >= 128) return false;
  }
  return true;
}

bool IsLetter(char32_t c) {
  locale_t locale = UnicodeLocale();
  return locale != nullptr && iswalpha_l(static_cast<wint_t>(c), locale) != 0;
}

}  // namespace

int Utf8Width(char lead) {
  auto byte = static_cast<unsigned char>(lead);
  if (byte < 0xC0) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

int64_t Utf8Length(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += IsContinuationByte(c) ? 0 : 1;
  return count;
}

size_t Utf8Offset(std::string_view text, int64_t index) {
  size_t position = 0;
  for (; index > 0 && position < text.size(); --index) position += static_cast<size_t>(Utf8Width(text[position]));
  return position < text.size() ? position : text.size();
}

std::string_view Utf8Slice(std::string_view text, int64_t begin, int64_t count) {
  size_t first = Utf8Offset(text, begin);
  text.remove_prefix(first);
  return text.substr(0, Utf8Offset(text, count));
}

char32_t DecodeUtf8(std::string_view text, size_t* position) {
  auto lead = static_cast<unsigned char>(text[(*position)++]);
  if (lead < 0x80) return lead;
  int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (more == 0) return 0xFFFD;
  char32_t c = lead & (0x3F >> more);
  for (; more > 0; --more) {
    if (*position >= text.size() || !IsContinuationByte(text[*position])) return 0xFFFD;
    c = (c << 6) | (static_cast<unsigned char>(text[(*position)++]) & 0x3F);
  }
  return c;
}

void AppendUtf8(char32_t c, std::string* out) {
  auto add = [out](char32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | (c >> 6));
    add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | (c >> 12));
    add(0x80 | ((c >> 6) & 0x3F));
    add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | (c >> 18));
    add(0x80 | ((c >> 12) & 0x3F));
    add(0x80 | ((c >> 6) & 0x3F));
    add(0x80 | (c & 0x3F));
  }
}

void AppendUpper(std::string_view text, std::string* out) {
  if (IsAscii(text)) {
    for (char c : text) *out += ToUpperAscii(c);
    return;
  }
  for (size_t i = 0; i < text.size();) {
    char32_t c = DecodeUtf8(text, &i);
    if (const char* several = UpperSequence(c); several != nullptr) {
      *out += several;
    } else {
      AppendUtf8(Upper(c), out);
    }
  }
}

void AppendLower(std::string_view text, std::string* out) {
  if (IsAscii(text)) {
    for (char c : text) *out += ToLowerAscii(c);
    return;
  }
  bool after_letter = false;
  for (size_t i = 0; i < text.size();) {
    char32_t c = DecodeUtf8(text, &i);
    size_t next = i;
    bool before_letter = next < text.size() && IsLetter(DecodeUtf8(text, &next));
    if (c == U'Σ' && after_letter && !before_letter) {
      AppendUtf8(U'ς', out);  // a sigma that ends a word
    } else if (c == U'İ') {
      *out += "i̇";
    } else {
      AppendUtf8(Lower(c), out);
    }
    after_letter = IsLetter(c);
  }
}

char32_t ToTitle(char32_t c) { return Upper(c); }

}  // namespace millrace::function
