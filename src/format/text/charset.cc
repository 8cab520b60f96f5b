#include "format/text/charset.h"

#include <arrow/array/builder_binary.h>
#include <arrow/util/utf8.h>
#include <iconv.h>

#include <algorithm>
#include <cerrno>

#include "base/ascii.h"
#include "base/error.h"
#include "format/json/json_tokenizer.h"

namespace millrace::format {

namespace {

constexpr std::string_view kUnreadable = "\xEF\xBF\xBD";

/// One direction of iconv, closed at the end of the scope.
class Conversion {
 public:
  /// REQUIRES: two names that every glibc knows, as those below are.
  Conversion(const std::string& to, const std::string& from) : handle_(iconv_open(to.c_str(), from.c_str())) {}
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;
  ~Conversion() { iconv_close(handle_); }

  /// `replacement` stands for what cannot be converted; `unit`: how many bytes of it are then left out, 0 for a
  /// character of UTF-8.
  std::string Run(std::string_view text, std::string_view replacement, size_t unit) {
    std::string out;
    char buffer[4096];
    // iconv does not write to its input; its type only says so.
    char* in = const_cast<char*>(text.data());
    size_t left = text.size();
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    while (left > 0) {
      char* to = buffer;
      size_t room = sizeof buffer;
      size_t done = iconv(handle_, &in, &left, &to, &room);
      int error = errno;
      out.append(buffer, static_cast<size_t>(to - buffer));
      if (done != static_cast<size_t>(-1) || error == E2BIG) continue;
      out.append(replacement);
      size_t skipped = std::min(left, unit == 0 ? CharacterSize(*in) : unit);
      in += skipped;
      left -= skipped;
    }
    return out;
  }

 private:
  static size_t CharacterSize(char first) {
    auto byte = static_cast<unsigned char>(first);
    return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  }

  iconv_t handle_;
};

constexpr std::string_view kNames[] = {"ISO-8859-1", "US-ASCII", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32", "UTF-8"};

/// For iconv, whose UTF-16 and UTF-32 are the machine's own without a mark, where Java's are big-endian.
std::string_view BigEndian(std::string_view name) {
  if (name == "UTF-16") return "UTF-16BE";
  return name == "UTF-32" ? "UTF-32BE" : name;
}

}  // namespace

arrow::Result<Charset> Charset::Find(std::string_view name, std::string_view used_by) {
  for (std::string_view known : kNames) {
    if (!EqualsIgnoreCase(name, known)) continue;
    Charset charset;
    charset.name_ = known;
    return charset;
  }
  return UserError("INVALID_PARAMETER_VALUE.CHARSET",
                   {{"parameter", QuoteIdentifier("charset")},
                    {"functionName", QuoteIdentifier(used_by)},
                    {"charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"},
                    {"charset", std::string(name)}});
}

Charset Charset::OfUnicode(std::string_view name) {
  Charset charset;
  charset.name_ = name;
  return charset;
}

std::string Charset::ToUtf8(std::string_view bytes) const {
  if (is_utf8()) return IsValidUtf8(bytes) ? std::string(bytes) : ReplaceInvalidUtf8(bytes);
  std::string from(BigEndian(name_));
  if (name_ == "UTF-16") {
    from = bytes.starts_with("\xFF\xFE") ? "UTF-16LE" : "UTF-16BE";
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) bytes.remove_prefix(2);
  }
  return Conversion("UTF-8", from).Run(bytes, kUnreadable, unit_size());
}

arrow::Result<std::shared_ptr<arrow::Array>> Charset::ToUtf8(std::shared_ptr<arrow::Array> lines) const {
  const auto& texts = static_cast<const arrow::StringArray&>(*lines);
  arrow::StringBuilder builder;
  if (is_utf8()) {
    const auto* data = reinterpret_cast<const char*>(texts.raw_data() + texts.value_offset(0));
    arrow::util::InitializeUTF8();
    if (arrow::util::ValidateUTF8({data, static_cast<size_t>(texts.total_values_length())})) return lines;
    for (int64_t i = 0; i < texts.length(); ++i) ARROW_RETURN_NOT_OK(builder.Append(ToUtf8(texts.GetView(i))));
    return builder.Finish();
  }
  Conversion conversion("UTF-8", std::string(BigEndian(name_)));
  for (int64_t i = 0; i < texts.length(); ++i) {
    std::string_view line = texts.GetView(i);
    // Each line is decoded by itself, and may have a mark of its own.
    bool marked = name_ == "UTF-16" && line.size() > 1 && (line[0] == '\xFF' || line[0] == '\xFE');
    ARROW_RETURN_NOT_OK(builder.Append(marked ? ToUtf8(line) : conversion.Run(line, kUnreadable, unit_size())));
  }
  return builder.Finish();
}

std::string Charset::FromUtf8(std::string_view text, bool at_start) const {
  if (is_utf8()) return std::string(text);
  bool marked = name_ == "UTF-16";
  std::string out = marked && at_start ? "\xFE\xFF" : "";
  return out + Conversion(std::string(BigEndian(name_)), "UTF-8").Run(text, "?", 0);
}

}  // namespace millrace::format
