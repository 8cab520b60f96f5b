#include "format/json/json_charset.h"

#include <arrow/array/builder_binary.h>

#include <algorithm>

#include "base/ascii.h"
#include "format/json/json_tokenizer.h"

namespace millrace::format {

namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";

/// The set that a record's first bytes tell, with the length of its byte order mark; UTF-8 is not worth a name.
/// Source: Jackson, ByteSourceJsonBootstrapper.
struct Detected {
  std::string_view name;
  size_t mark_size = 0;
};

Detected Detect(std::string_view bytes) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() >= 4) {
    if (bytes.starts_with(std::string_view("\0\0\xFE\xFF", 4))) return {"UTF-32BE", 4};
    if (bytes.starts_with(std::string_view("\xFF\xFE\0\0", 4))) return {"UTF-32LE", 4};
  }
  if (bytes.starts_with(kMark)) return {"", 3};
  if (bytes.starts_with("\xFE\xFF")) return {"UTF-16BE", 2};
  if (bytes.starts_with("\xFF\xFE")) return {"UTF-16LE", 2};
  if (bytes.size() >= 4) {
    if (at(0) == 0 && at(1) == 0 && at(2) == 0) return {"UTF-32BE"};
    if (at(1) == 0 && at(2) == 0 && at(3) == 0) return {"UTF-32LE"};
  }
  if (bytes.size() >= 2) {
    if (at(0) == 0) return {"UTF-16BE"};
    if (at(1) == 0) return {"UTF-16LE"};
  }
  return {""};
}

}  // namespace

arrow::Result<JsonCharset> JsonCharset::OfReader(const JsonOptions& options) {
  JsonCharset charset;
  charset.separator_ = options.line_separator;
  if (!options.encoding) return charset;
  const std::string& name = *options.encoding;
  ARROW_ASSIGN_OR_RAISE(charset.given_, Charset::Find(name, "JSONOptionsInRead"));
  if (options.multi_line) return charset;
  if (EqualsIgnoreCase(name, "UTF-16") || EqualsIgnoreCase(name, "UTF-32")) {
    return arrow::Status::Invalid("requirement failed: The ", name,
                                  " encoding must not be included in the denyList when multiLine is disabled:\n"
                                  "denylist: UTF-16, UTF-32");
  }
  if (!charset.given_->is_utf8() && !options.line_separator) {
    return arrow::Status::Invalid("requirement failed: The lineSep option must be specified for the ", name,
                                  " encoding");
  }
  if (options.line_separator) charset.separator_ = charset.given_->FromUtf8(*options.line_separator, false);
  return charset;
}

arrow::Result<Charset> JsonCharset::OfWriter(const JsonOptions& options) {
  return options.encoding ? Charset::Find(*options.encoding, "JSONOptions") : Charset();
}

std::string JsonCharset::ToUtf8(std::string_view record) const {
  if (given_) {
    std::string text = given_->ToUtf8(record);
    if (text.starts_with(kMark)) text.erase(0, kMark.size());
    // In a set that has the character itself it may have been written.
    if (size_t bad = text.find("\xEF\xBF\xBD"); bad != std::string::npos) {
      if (given_->FromUtf8(text, /*at_start=*/false) != record) text.resize(bad);
    }
    return text;
  }
  Detected detected = Detect(record);
  record.remove_prefix(detected.mark_size);
  return detected.name.empty() ? std::string(record) : Charset::OfUnicode(detected.name).ToUtf8(record);
}

arrow::Result<std::shared_ptr<arrow::Array>> JsonCharset::ToUtf8(std::shared_ptr<arrow::Array> records) const {
  const auto& texts = static_cast<const arrow::StringArray&>(*records);
  if (given_ && given_->is_utf8()) {
    bool all_valid = true;
    for (int64_t i = 0; i < texts.length() && all_valid; ++i) {
      all_valid = IsValidUtf8(texts.GetView(i)) && !texts.GetView(i).starts_with(kMark);
    }
    if (all_valid) return records;
  }
  if (!given_) {
    auto is_plain = [](std::string_view text) {
      Detected detected = Detect(text);
      return detected.name.empty() && detected.mark_size == 0;
    };
    bool all_plain = true;
    for (int64_t i = 0; i < texts.length() && all_plain; ++i) all_plain = is_plain(texts.GetView(i));
    if (all_plain) return records;
  }
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < texts.length(); ++i) ARROW_RETURN_NOT_OK(builder.Append(ToUtf8(texts.GetView(i))));
  return builder.Finish();
}

}  // namespace millrace::format
