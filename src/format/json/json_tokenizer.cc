#include "format/json/json_tokenizer.h"

namespace millrace::format {

namespace {

bool IsDigit(int c) { return c >= '0' && c <= '9'; }

/// Java's isJavaIdentifierPart; everything outside ASCII counts as a letter.
bool IsIdentifierPart(int c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80 ||
         (c >= 0 && c <= 8) || (c >= 0x0E && c <= 0x1B) || c == 0x7F;
}

int HexDigit(int c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

JsonTokenizer::JsonTokenizer(std::string_view text, const JsonOptions& options) : input_(text), options_(options) {
  contexts_.resize(8);
}

bool JsonTokenizer::PushContext(Scope scope) {
  if (++depth_ == contexts_.size()) contexts_.emplace_back();
  Context& context = contexts_[depth_];
  context.scope = scope;
  context.index = -1;
  context.has_name = false;
  return depth_ <= static_cast<size_t>(options_.nesting_depth_max);
}

const std::string* JsonTokenizer::CurrentName() const {
  bool starts = token_ == Token::kStartObject || token_ == Token::kStartArray;
  if (starts && depth_ == 0) return nullptr;
  const Context& context = contexts_[starts ? depth_ - 1 : depth_];
  return context.has_name ? &context.name : nullptr;
}

bool JsonTokenizer::Next() {
  if (token_ == Token::kFieldName) return NextAfterName();
  if (string_incomplete_ && !SkipString()) return false;
  int c = SkipSpaceOrEnd();
  if (c == kError) return false;
  if (c == kEnd) {
    token_ = Token::kNone;
    return true;
  }
  if (c == ']' || c == '}') return CloseScope(c);
  Context& context = contexts_[depth_];
  if (context.scope != Scope::kRoot && ++context.index > 0) {
    c = SkipComma(c);
    if (c == kError) return false;
  }
  bool in_object = context.scope == Scope::kObject;
  if (in_object) {
    bool named = c == '"' ? ScanName('"', &context.name) : ScanOddName(c, &context.name);
    if (!named) return false;
    context.has_name = true;
    token_ = Token::kFieldName;
    c = SkipColon();
    if (c == kError) return false;
  }
  Token token = Token::kNone;
  if (!ScanValue(c, in_object, &token)) return false;
  (in_object ? next_token_ : token_) = token;
  return true;
}

bool JsonTokenizer::NextAfterName() {
  Token token = next_token_;
  next_token_ = Token::kNone;
  if (token == Token::kStartArray && !PushContext(Scope::kArray)) return false;
  if (token == Token::kStartObject && !PushContext(Scope::kObject)) return false;
  token_ = token;
  return true;
}

bool JsonTokenizer::CloseScope(int c) {
  Scope closes = c == ']' ? Scope::kArray : Scope::kObject;
  if (contexts_[depth_].scope != closes) return false;
  --depth_;
  token_ = c == ']' ? Token::kEndArray : Token::kEndObject;
  return true;
}

bool JsonTokenizer::SkipChildren() {
  if (token_ != Token::kStartObject && token_ != Token::kStartArray) return true;
  int open = 1;
  while (true) {
    if (!Next()) return false;
    switch (token_) {
      case Token::kNone:
        return depth_ == 0;  // the end inside of a container is an error
      case Token::kStartObject:
      case Token::kStartArray:
        ++open;
        break;
      case Token::kEndObject:
      case Token::kEndArray:
        if (--open == 0) return true;
        break;
      default:
        break;
    }
  }
}

bool JsonTokenizer::ScanValue(int c, bool in_object, Token* token) {
  token_start_ = pos_ - 1;
  non_numeric_ = false;
  switch (c) {
    case '"':
      string_incomplete_ = true;
      string_in_buffer_ = false;
      *token = Token::kString;
      return true;
    case '[':
      *token = Token::kStartArray;
      return in_object || PushContext(Scope::kArray);
    case '{':
      *token = Token::kStartObject;
      return in_object || PushContext(Scope::kObject);
    case 't':
      *token = Token::kTrue;
      return MatchLiteral("true", 1);
    case 'f':
      *token = Token::kFalse;
      return MatchLiteral("false", 1);
    case 'n':
      *token = Token::kNull;
      return MatchLiteral("null", 1);
    case '}':
      return false;
    default:
      if (c == '-' || IsDigit(c)) return ScanNumber(c, token);
      return ScanOddValue(c, token);
  }
}

int JsonTokenizer::SkipSpaceOrEnd() {
  while (pos_ < input_.size()) {
    int c = static_cast<unsigned char>(input_[pos_++]);
    if (c > ' ') {
      if (c != '/') return c;
      if (!SkipComment()) return kError;
    } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      return kError;
    }
  }
  return depth_ == 0 ? kEnd : kError;
}

int JsonTokenizer::SkipSpace() {
  while (pos_ < input_.size()) {
    int c = static_cast<unsigned char>(input_[pos_++]);
    if (c > ' ') {
      if (c != '/') return c;
      if (!SkipComment()) return kError;
    } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      return kError;
    }
  }
  return kError;
}

bool JsonTokenizer::SkipComment() {
  if (!options_.allow_comments) return false;
  int c = Take();
  if (c == '/') {
    while (pos_ < input_.size() && input_[pos_] != '\n' && input_[pos_] != '\r') ++pos_;
    return true;
  }
  if (c != '*') return false;
  size_t end = input_.find("*/", pos_);
  if (end == std::string_view::npos) {
    pos_ = input_.size();
    return false;
  }
  pos_ = end + 2;
  return true;
}

int JsonTokenizer::SkipComma(int c) { return c == ',' ? SkipSpace() : kError; }

int JsonTokenizer::SkipColon() {
  int c = SkipSpace();
  return c == ':' ? SkipSpace() : kError;
}

bool JsonTokenizer::ScanName(char quote, std::string* name) {
  name->clear();
  while (true) {
    int c = Take();
    if (c == kEnd) return false;
    if (c == quote) return true;
    if (c == '\\') {
      if (!DecodeEscape(name)) return false;
    } else if (c < ' ' && !options_.allow_unquoted_control_chars) {
      return false;
    } else {
      name->push_back(static_cast<char>(c));
    }
  }
}

bool JsonTokenizer::ScanOddName(int c, std::string* name) {
  if (c == '\'' && options_.allow_single_quotes) return ScanName('\'', name);
  if (!options_.allow_unquoted_field_names) return false;
  auto is_name_part = [](int ch) {
    return IsIdentifierPart(ch) || ch == '@' || ch == '#' || ch == '*' || ch == '-' || ch == '+';
  };
  if (!is_name_part(c)) return false;
  name->assign(1, static_cast<char>(c));
  while (pos_ < input_.size() && is_name_part(static_cast<unsigned char>(input_[pos_])))
    name->push_back(input_[pos_++]);
  return true;
}

bool JsonTokenizer::ScanNumber(int c, Token* token) {
  size_t start = pos_ - 1;
  bool negative = c == '-';
  if (negative) {
    if (pos_ >= input_.size()) return false;
    c = Take();
    if (!IsDigit(c)) {
      --pos_;
      return ScanInvalidNumberStart(true, token);
    }
  }
  if (c == '0') {
    pos_ = start + (negative ? 1 : 0);
    return ScanNumberSlowly(negative, start, token);
  }
  size_t ptr = pos_;
  int digits = 1;
  auto at = [&](size_t i) { return i < input_.size() ? static_cast<unsigned char>(input_[i]) : -1; };
  while (IsDigit(at(ptr))) ++ptr, ++digits;
  bool is_float = false;
  if (at(ptr) == '.' || at(ptr) == 'e' || at(ptr) == 'E') {
    // Where this fails the reading goes on behind the sign of the fraction or exponent.
    is_float = true;
    pos_ = ptr + 1;
    if (at(ptr) == '.') {
      int fraction = 0;
      for (++ptr; IsDigit(at(ptr)); ++ptr) ++fraction;
      if (fraction == 0) return false;
      digits += fraction;
    }
    if (at(ptr) == 'e' || at(ptr) == 'E') {
      ++ptr;
      if (at(ptr) == '-' || at(ptr) == '+') ++ptr;
      int exponent = 0;
      for (; IsDigit(at(ptr)); ++ptr) ++exponent;
      if (exponent == 0) return false;
      digits += exponent;
    }
  }
  pos_ = ptr;
  return FinishNumber(start, digits, is_float, token);
}

bool JsonTokenizer::ScanNumberSlowly(bool negative, size_t start, Token* token) {
  (void)negative;
  int digits = 0;
  int c = Take();
  if (c == '0') {
    // A second digit is an error, or zeros are skipped.
    int next = pos_ < input_.size() ? static_cast<unsigned char>(input_[pos_]) : -1;
    if (IsDigit(next)) {
      if (!options_.allow_numeric_leading_zeros) return false;
      while (pos_ < input_.size() && input_[pos_] == '0') ++pos_;
      if (pos_ < input_.size() && IsDigit(static_cast<unsigned char>(input_[pos_]))) {
        c = Take();
      }
    }
  }
  while (IsDigit(c)) {
    ++digits;
    c = Take();
  }
  bool is_float = false;
  if (c == '.') {
    is_float = true;
    int fraction = 0;
    for (c = Take(); IsDigit(c); c = Take()) ++fraction;
    if (fraction == 0) return false;
    digits += fraction;
  }
  if (c == 'e' || c == 'E') {
    is_float = true;
    c = Take();
    if (c == '-' || c == '+') c = Take();
    int exponent = 0;
    for (; IsDigit(c); c = Take()) ++exponent;
    if (exponent == 0) return false;
    digits += exponent;
  }
  if (c != kEnd) --pos_;
  return FinishNumber(start, digits, is_float, token);
}

bool JsonTokenizer::FinishNumber(size_t start, int digits, bool is_float, Token* token) {
  if (depth_ == 0 && pos_ < input_.size()) {
    char c = input_[pos_];
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return false;
    ++pos_;
    token_end_ = pos_ - 1;
  } else {
    token_end_ = pos_;
  }
  token_start_ = start;
  *token = is_float ? Token::kFloat : Token::kInteger;
  return digits <= options_.number_length_max;
}

bool JsonTokenizer::ScanInvalidNumberStart(bool negative, Token* token) {
  if (pos_ >= input_.size()) return false;
  int c = Take();
  if (c == 'I') {
    if (pos_ >= input_.size()) return false;
    c = Take();
    std::string_view word;
    if (c == 'N') {
      word = negative ? "-INF" : "+INF";
    } else if (c == 'n') {
      word = negative ? "-Infinity" : "+Infinity";
    } else {
      return false;
    }
    return MatchLiteral(word, 3) && NonNumeric(word, token);
  }
  return false;
}

bool JsonTokenizer::ScanOddValue(int c, Token* token) {
  switch (c) {
    case '\'':
      if (!options_.allow_single_quotes) return false;
      // Read at once, unlike a string in double quotes.
      buffer_.clear();
      if (!DecodeString('\'', &buffer_)) return false;
      string_in_buffer_ = true;
      *token = Token::kString;
      return true;
    case 'N':
      return MatchLiteral("NaN", 1) && NonNumeric("NaN", token);
    case 'I':
      return MatchLiteral("Infinity", 1) && NonNumeric("Infinity", token);
    case '+':
      return ScanInvalidNumberStart(false, token);
    default:
      if (IsIdentifierPart(c) && !IsDigit(c)) return InvalidToken();
      return false;
  }
}

bool JsonTokenizer::NonNumeric(std::string_view word, Token* token) {
  if (!options_.allow_non_numeric_numbers) return false;
  non_numeric_ = true;
  buffer_ = word;
  *token = Token::kFloat;
  return true;
}

bool JsonTokenizer::MatchLiteral(std::string_view literal, size_t matched) {
  for (size_t i = matched; i < literal.size(); ++i) {
    if (pos_ >= input_.size() || input_[pos_] != literal[i]) return InvalidToken();
    ++pos_;
  }
  if (pos_ < input_.size()) {
    int c = static_cast<unsigned char>(input_[pos_]);
    if (c >= '0' && c != ']' && c != '}' && IsIdentifierPart(c)) return InvalidToken();
  }
  return true;
}

bool JsonTokenizer::InvalidToken() {
  while (pos_ < input_.size() && IsIdentifierPart(static_cast<unsigned char>(input_[pos_]))) ++pos_;
  return false;
}

bool JsonTokenizer::Text(std::string_view* text) {
  switch (token_) {
    case Token::kString:
      if (string_incomplete_) {
        string_incomplete_ = false;
        buffer_.clear();
        if (!DecodeString('"', &buffer_)) return false;
        string_in_buffer_ = true;
      }
      if (static_cast<int64_t>(buffer_.size()) > options_.string_length_max) {
        int64_t units = 0;
        for (char c : buffer_) units += (c & 0xC0) != 0x80 ? ((c & 0xF8) == 0xF0 ? 2 : 1) : 0;
        if (units > options_.string_length_max) return false;
      }
      *text = buffer_;
      return true;
    case Token::kInteger:
    case Token::kFloat:
      *text = non_numeric_ ? std::string_view(buffer_) : input_.substr(token_start_, token_end_ - token_start_);
      return true;
    case Token::kFieldName:
      *text = contexts_[depth_].name;
      return true;
    default:
      *text = {};
      return true;
  }
}

bool JsonTokenizer::DecodeString(char quote, std::string* out) {
  while (true) {
    size_t run = pos_;
    while (run < input_.size()) {
      auto c = static_cast<unsigned char>(input_[run]);
      if (c == static_cast<unsigned char>(quote) || c == '\\' || c < ' ') break;
      ++run;
    }
    out->append(input_.substr(pos_, run - pos_));
    pos_ = run;
    int c = Take();
    if (c == kEnd) return false;
    if (c == quote) return true;
    if (c == '\\') {
      if (!DecodeEscape(out)) return false;
    } else if (!options_.allow_unquoted_control_chars) {
      return false;
    } else {
      out->push_back(static_cast<char>(c));
    }
  }
}

bool JsonTokenizer::SkipString() {
  string_incomplete_ = false;
  std::string ignored;
  return DecodeString('"', &ignored);
}

bool JsonTokenizer::DecodeEscape(std::string* out) {
  int c = Take();
  auto hex4 = [&](uint32_t* unit) {
    *unit = 0;
    for (int i = 0; i < 4; ++i) {
      int digit = HexDigit(Take());
      if (digit < 0) return false;
      *unit = (*unit << 4) | static_cast<uint32_t>(digit);
    }
    return true;
  };
  switch (c) {
    case 'b':
      out->push_back('\b');
      return true;
    case 't':
      out->push_back('\t');
      return true;
    case 'n':
      out->push_back('\n');
      return true;
    case 'f':
      out->push_back('\f');
      return true;
    case 'r':
      out->push_back('\r');
      return true;
    case '"':
    case '/':
    case '\\':
      out->push_back(static_cast<char>(c));
      return true;
    case 'u': {
      uint32_t unit = 0;
      if (!hex4(&unit)) return false;
      if (unit >= 0xD800 && unit < 0xDC00 && input_.substr(pos_).starts_with("\\u")) {
        size_t back = pos_;
        pos_ += 2;
        uint32_t low = 0;
        if (hex4(&low) && low >= 0xDC00 && low < 0xE000) {
          AppendUtf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
          return true;
        }
        pos_ = back;
      }
      AppendUtf8(unit, out);
      return true;
    }
    case kEnd:
      return false;
    default:
      if (options_.allow_backslash_escaping_any_character || (c == '\'' && options_.allow_single_quotes)) {
        out->push_back(static_cast<char>(c));
        return true;
      }
      return false;
  }
}

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code >= 0xD800 && code < 0xE000) {
    out->push_back('?');
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

}  // namespace millrace::format
