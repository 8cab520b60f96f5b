#include "base/json_value.h"

#include <charconv>
#include <cstdlib>

#include "base/utf8.h"

namespace millrace {

JsonValue JsonValue::Bool(bool value) {
  JsonValue json;
  json.kind_ = Kind::kBool;
  json.flag_ = value;
  return json;
}

JsonValue JsonValue::NumberText(std::string text) {
  JsonValue json;
  json.kind_ = Kind::kNumber;
  json.text_ = std::move(text);
  return json;
}

JsonValue JsonValue::Number(int64_t value) { return NumberText(std::to_string(value)); }

JsonValue JsonValue::Number(double value) {
  char buffer[40];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".eEn") == std::string::npos) text += ".0";
  return NumberText(std::move(text));
}

JsonValue JsonValue::String(std::string value) {
  JsonValue json;
  json.kind_ = Kind::kString;
  json.text_ = std::move(value);
  return json;
}

JsonValue JsonValue::Array(std::vector<JsonValue> elements) {
  JsonValue json;
  json.kind_ = Kind::kArray;
  json.elements_ = std::move(elements);
  return json;
}

JsonValue JsonValue::Object(std::vector<Member> members) {
  JsonValue json;
  json.kind_ = Kind::kObject;
  json.members_ = std::move(members);
  return json;
}

int64_t JsonValue::AsInt64() const {
  if (kind_ != Kind::kNumber) return 0;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  if (error == std::errc() && end == text_.data() + text_.size()) return value;
  return static_cast<int64_t>(AsDouble());
}

double JsonValue::AsDouble() const { return kind_ == Kind::kNumber ? std::strtod(text_.c_str(), nullptr) : 0; }

const JsonValue* JsonValue::Find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

JsonValue& JsonValue::Set(std::string name, JsonValue value) {
  kind_ = Kind::kObject;
  for (Member& member : members_) {
    if (member.first == name) {
      member.second = std::move(value);
      return *this;
    }
  }
  members_.emplace_back(std::move(name), std::move(value));
  return *this;
}

void AppendJsonString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  // A document with other bytes is one that nobody can read again.
  if (!IsValidUtf8(text)) return AppendJsonString(ReplaceInvalidUtf8(text), out);
  *out += '"';
  for (char c : text) {
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\b':
        *out += "\\b";
        break;
      case '\f':
        *out += "\\f";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          *out += "\\u00";
          *out += kHex[static_cast<unsigned char>(c) >> 4];
          *out += kHex[c & 15];
        } else {
          *out += c;
        }
    }
  }
  *out += '"';
}

void JsonValue::Append(std::string* out) const {
  switch (kind_) {
    case Kind::kNull:
      *out += "null";
      return;
    case Kind::kBool:
      *out += flag_ ? "true" : "false";
      return;
    case Kind::kNumber:
      *out += text_;
      return;
    case Kind::kString:
      AppendJsonString(text_, out);
      return;
    case Kind::kArray: {
      *out += '[';
      for (size_t i = 0; i < elements_.size(); ++i) {
        if (i > 0) *out += ',';
        elements_[i].Append(out);
      }
      *out += ']';
      return;
    }
    case Kind::kObject: {
      *out += '{';
      for (size_t i = 0; i < members_.size(); ++i) {
        if (i > 0) *out += ',';
        AppendJsonString(members_[i].first, out);
        *out += ':';
        members_[i].second.Append(out);
      }
      *out += '}';
      return;
    }
  }
}

void JsonValue::AppendPretty(int indent, std::string* out) const {
  if (kind_ == Kind::kArray && elements_.empty()) {
    *out += "[ ]";
  } else if (kind_ == Kind::kArray) {
    // json4s keeps arrays of objects on the line: "[ {", "}, {", "} ]".
    *out += "[ ";
    for (size_t i = 0; i < elements_.size(); ++i) {
      if (i > 0) *out += ", ";
      elements_[i].AppendPretty(indent, out);
    }
    *out += " ]";
  } else if (kind_ == Kind::kObject && members_.empty()) {
    *out += "{ }";
  } else if (kind_ == Kind::kObject) {
    std::string pad(static_cast<size_t>(indent) + 2, ' ');
    *out += "{\n";
    for (size_t i = 0; i < members_.size(); ++i) {
      if (i > 0) *out += ",\n";
      *out += pad;
      AppendJsonString(members_[i].first, out);
      *out += " : ";
      members_[i].second.AppendPretty(indent + 2, out);
    }
    *out += "\n" + std::string(static_cast<size_t>(indent), ' ') + "}";
  } else {
    Append(out);
  }
}

std::string JsonValue::ToString() const {
  std::string out;
  Append(&out);
  return out;
}

std::string JsonValue::ToPrettyString() const {
  std::string out;
  AppendPretty(0, &out);
  return out;
}

namespace {

constexpr int kMaxDepth = 512;

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}

  arrow::Result<JsonValue> Document() {
    ARROW_ASSIGN_OR_RAISE(JsonValue value, Value(0));
    SkipSpace();
    if (position_ != text_.size()) return Error("text after the document");
    return value;
  }

 private:
  arrow::Status Error(std::string_view what) const {
    return arrow::Status::Invalid("Malformed JSON at byte ", position_, ": ", what);
  }

  void SkipSpace() {
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
      ++position_;
    }
  }

  bool Accept(char c) {
    SkipSpace();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool AcceptWord(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  arrow::Result<JsonValue> Value(int depth) {
    if (depth > kMaxDepth) return Error("nested too deeply");
    SkipSpace();
    if (position_ >= text_.size()) return Error("the text ends here");
    char c = text_[position_];
    if (c == '{') return ObjectValue(depth);
    if (c == '[') return ArrayValue(depth);
    if (c == '"') {
      ARROW_ASSIGN_OR_RAISE(std::string value, StringValue());
      return JsonValue::String(std::move(value));
    }
    if (AcceptWord("true")) return JsonValue::Bool(true);
    if (AcceptWord("false")) return JsonValue::Bool(false);
    if (AcceptWord("null")) return JsonValue();
    return NumberValue();
  }

  arrow::Result<JsonValue> ObjectValue(int depth) {
    ++position_;
    JsonValue object = JsonValue::Object();
    if (Accept('}')) return object;
    while (true) {
      SkipSpace();
      if (position_ >= text_.size() || text_[position_] != '"') return Error("a member's name is missing");
      ARROW_ASSIGN_OR_RAISE(std::string name, StringValue());
      if (!Accept(':')) return Error("':' is missing");
      ARROW_ASSIGN_OR_RAISE(JsonValue value, Value(depth + 1));
      object.members().emplace_back(std::move(name), std::move(value));
      if (Accept('}')) return object;
      if (!Accept(',')) return Error("',' or '}' is missing");
    }
  }

  arrow::Result<JsonValue> ArrayValue(int depth) {
    ++position_;
    JsonValue array = JsonValue::Array();
    if (Accept(']')) return array;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(JsonValue value, Value(depth + 1));
      array.elements().push_back(std::move(value));
      if (Accept(']')) return array;
      if (!Accept(',')) return Error("',' or ']' is missing");
    }
  }

  arrow::Result<JsonValue> NumberValue() {
    size_t start = position_;
    auto digits = [&] {
      size_t begin = position_;
      while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') ++position_;
      return position_ > begin;
    };
    if (position_ < text_.size() && text_[position_] == '-') ++position_;
    if (!digits()) return Error("no value starts like this");
    if (position_ < text_.size() && text_[position_] == '.') {
      ++position_;
      if (!digits()) return Error("digits are missing");
    }
    if (position_ < text_.size() && (text_[position_] == 'e' || text_[position_] == 'E')) {
      ++position_;
      if (position_ < text_.size() && (text_[position_] == '+' || text_[position_] == '-')) ++position_;
      if (!digits()) return Error("digits are missing");
    }
    return JsonValue::NumberText(std::string(text_.substr(start, position_ - start)));
  }

  arrow::Result<uint32_t> FourHexDigits() {
    uint32_t value = 0;
    if (text_.size() - position_ < 4) return Error("an escape is cut off");
    auto [end, error] = std::from_chars(text_.data() + position_, text_.data() + position_ + 4, value, 16);
    if (error != std::errc() || end != text_.data() + position_ + 4) return Error("a bad \\u escape");
    position_ += 4;
    return value;
  }

  static void AppendUtf8(uint32_t code, std::string* out) {
    if (code < 0x80) {
      *out += static_cast<char>(code);
    } else if (code < 0x800) {
      *out += static_cast<char>(0xC0 | (code >> 6));
      *out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      *out += static_cast<char>(0xE0 | (code >> 12));
      *out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      *out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      *out += static_cast<char>(0xF0 | (code >> 18));
      *out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
      *out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      *out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  arrow::Status Escape(std::string* out) {
    if (position_ >= text_.size()) return Error("an escape is cut off");
    char c = text_[position_++];
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *out += c;
        return arrow::Status::OK();
      case 'b':
        *out += '\b';
        return arrow::Status::OK();
      case 'f':
        *out += '\f';
        return arrow::Status::OK();
      case 'n':
        *out += '\n';
        return arrow::Status::OK();
      case 'r':
        *out += '\r';
        return arrow::Status::OK();
      case 't':
        *out += '\t';
        return arrow::Status::OK();
      case 'u':
        break;
      default:
        return Error("an unknown escape");
    }
    ARROW_ASSIGN_OR_RAISE(uint32_t code, FourHexDigits());
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(position_).starts_with("\\u")) {
      position_ += 2;
      ARROW_ASSIGN_OR_RAISE(uint32_t low, FourHexDigits());
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(code, out);
    return arrow::Status::OK();
  }

  arrow::Result<std::string> StringValue() {
    ++position_;
    std::string out;
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (c == '"') {
        ++position_;
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20) return Error("a control character in a string");
      ++position_;
      if (c == '\\') {
        ARROW_RETURN_NOT_OK(Escape(&out));
      } else {
        out += c;
      }
    }
    return Error("a string is not closed");
  }

  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace

arrow::Result<JsonValue> ParseJson(std::string_view text) { return JsonParser(text).Document(); }

}  // namespace millrace
