#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Characters (code points) of UTF-8 texts, counted as Spark's UTF8String counts them: by lead bytes, so that
/// malformed text has a length too. All functions are pure and thread-safe.

namespace millrace::function {

inline bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Bytes of the character that starts with `lead`.
int Utf8Width(char lead);
int64_t Utf8Length(std::string_view text);
/// The byte where character number `index` starts; text.size() when there are fewer.
size_t Utf8Offset(std::string_view text, int64_t index);
/// `count` characters from character `begin`.
std::string_view Utf8Slice(std::string_view text, int64_t begin, int64_t count);
/// The character at byte `*position`, which moves behind it.
char32_t DecodeUtf8(std::string_view text, size_t* position);
void AppendUtf8(char32_t c, std::string* out);

/// Java's String.toUpperCase and toLowerCase in the root locale.
void AppendUpper(std::string_view text, std::string* out);
void AppendLower(std::string_view text, std::string* out);
char32_t ToTitle(char32_t c);

}  // namespace millrace::function
