#include "format/csv/csv_tokenizer.h"

namespace millrace::format {

namespace {

bool IsSpace(int c) { return c >= 0 && c <= ' '; }

void TrimRight(std::string* text) {
  while (!text->empty() && IsSpace(static_cast<unsigned char>(text->back()))) text->pop_back();
}

}  // namespace

CsvTokenizer::CsvTokenizer(const CsvOptions& options) : options_(options) {}

void CsvTokenizer::Start(std::string_view text, bool one_record) {
  text_ = text;
  one_record_ = one_record;
  pos_ = record_start_ = record_end_ = 0;
  failed_ = false;
  values_.clear();
}

size_t CsvTokenizer::LineEnd() const {
  if (one_record_) return 0;
  std::string_view rest = text_.substr(pos_);
  if (options_.line_separator) return rest.starts_with(*options_.line_separator) ? options_.line_separator->size() : 0;
  if (rest.starts_with('\n')) return 1;
  if (!rest.starts_with('\r')) return 0;
  return rest.starts_with("\r\n") ? 2 : 1;
}

void CsvTokenizer::SkipSpace() {
  while (!AtValueEnd() && IsSpace(Peek())) ++pos_;
}

void CsvTokenizer::Add(std::optional<std::string> value) {
  bool too_long =
      value && options_.chars_per_column_max >= 0 && value->size() > static_cast<size_t>(options_.chars_per_column_max);
  if (too_long || values_.size() >= static_cast<size_t>(options_.columns_max)) {
    failed_ = true;
    return;
  }
  values_.push_back(std::move(value));
}

bool CsvTokenizer::Next() {
  while (true) {
    if (pos_ >= text_.size() || failed_) return false;
    size_t line_end = LineEnd();
    if (line_end > 0) {
      pos_ += line_end;  // an empty line
      continue;
    }
    if (options_.comment == '\0' || Peek() != static_cast<unsigned char>(options_.comment)) break;
    while (pos_ < text_.size() && LineEnd() == 0) ++pos_;
  }
  values_.clear();
  record_start_ = pos_;
  while (true) {
    if (options_.ignore_leading_space) SkipSpace();
    if (AtValueEnd()) {
      Add(std::nullopt);
    } else if (options_.quote != '\0' && Peek() == static_cast<unsigned char>(options_.quote)) {
      ReadQuoted();
    } else {
      ReadUnquoted();
    }
    record_end_ = pos_;
    if (failed_) return false;
    if (pos_ >= text_.size()) return true;
    if (size_t line_end = LineEnd(); line_end > 0) {
      pos_ += line_end;
      return true;
    }
    pos_ += options_.delimiter.size();
  }
}

void CsvTokenizer::ReadToDelimiter(std::string* value) {
  while (!AtValueEnd()) value->push_back(text_[pos_++]);
  if (options_.ignore_trailing_space) TrimRight(value);
}

void CsvTokenizer::ReadUnquoted() {
  std::string value;
  ReadToDelimiter(&value);
  if (value.empty()) {
    Add(std::nullopt);
  } else {
    Add(std::move(value));
  }
}

void CsvTokenizer::ReadQuoted() {
  const char quote = options_.quote;
  const char escape = options_.escape;
  std::string value;
  bool closed = false;
  ++pos_;
  auto at = [&](size_t i) { return i < text_.size() ? text_[i] : '\0'; };
  while (pos_ < text_.size()) {
    char c = text_[pos_];
    if (escape != quote && escape != '\0' && c == escape) {
      if (pos_ + 1 < text_.size() && at(pos_ + 1) == quote) {
        value.push_back(quote);
        pos_ += 2;
      } else if (options_.escape_escape == escape && at(pos_ + 1) == escape && pos_ + 1 < text_.size()) {
        value.push_back(escape);
        pos_ += 2;
      } else {
        if (pos_ + 1 < text_.size()) value.push_back(c);
        ++pos_;
      }
      continue;
    }
    if (c != quote) {
      value.push_back(c);
      ++pos_;
      continue;
    }
    ++pos_;
    closed = AtValueEnd();
    if (closed) break;
    if (at(pos_) == quote) {
      // With the quote as its own escape this is one quote of the value; else it may still close the value.
      value.push_back(quote);
      if (escape == quote) ++pos_;
      continue;
    }
    std::string spaces;
    while (!AtValueEnd() && IsSpace(Peek())) spaces.push_back(text_[pos_++]);
    closed = AtValueEnd();
    if (closed) break;
    // A quote inside of the value: the value is taken as it stands, up to the delimiter.
    if (options_.unescaped_quotes == UnescapedQuotes::kRaiseError) {
      failed_ = true;
      return;
    }
    value = quote + value + quote + spaces;
    ReadToDelimiter(&value);
    Add(std::move(value));
    return;
  }
  if (value.empty()) value = closed ? options_.empty_value_in_read : std::string(1, quote);
  Add(std::move(value));
}

}  // namespace millrace::format
