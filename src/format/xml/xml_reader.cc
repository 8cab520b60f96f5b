#include "format/xml/xml_reader.h"

#include <algorithm>

#include "format/json/json_tokenizer.h"

namespace millrace::format {

namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Every byte of a character outside ASCII passes: names in other scripts are rare, and their rules long.
bool StartsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (c & 0x80) != 0;
}
bool ContinuesName(char c) { return StartsName(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

bool IsXmlCharacter(char32_t c) {
  return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

}  // namespace

bool IsXmlName(std::string_view name) {
  return !name.empty() && StartsName(name[0]) && std::all_of(name.begin() + 1, name.end(), ContinuesName);
}

const XmlEvent& XmlReader::Peek() {
  if (!has_peeked_) {
    peeked_ = Read();
    has_peeked_ = true;
  }
  return peeked_;
}

XmlEvent XmlReader::Next() {
  if (!has_peeked_) return Read();
  has_peeked_ = false;
  return std::move(peeked_);
}

XmlEvent XmlReader::Read() {
  XmlEvent failure;
  failure.kind = Kind::kError;
  if (failed_) return failure;
  if (closes_) {
    closes_ = false;
    XmlEvent end;
    end.kind = Kind::kEnd;
    end.name = std::move(open_.back());
    open_.pop_back();
    return end;
  }
  XmlEvent event;
  while (true) {
    if (open_.empty()) SkipSpace();
    if (AtEnd()) {
      if (open_.empty() && has_root_) return event;  // kDocumentEnd
      break;
    }
    if (StartsWith("<!--")) {
      position_ += 4;
      if (!SkipPast("-->")) break;
    } else if (StartsWith("<?")) {
      if (!SkipPast("?>")) break;
    } else if (StartsWith("<!DOCTYPE") && !has_root_) {
      if (!SkipDocumentType()) break;
    } else if (open_.empty() && (text_[position_] != '<' || has_root_)) {
      break;  // text outside of the root, or a second root
    } else {
      event = StartsWith("</") ? ReadEndTag() : text_[position_] == '<' && !StartsWith("<!") ? ReadTag() : ReadText();
      if (!event.is(Kind::kError)) return event;
      break;
    }
  }
  failed_ = true;
  return failure;
}

void XmlReader::SkipSpace() {
  while (!AtEnd() && IsSpace(text_[position_])) ++position_;
}

bool XmlReader::SkipPast(std::string_view end) {
  size_t found = text_.find(end, position_);
  if (found == std::string_view::npos) return false;
  position_ = found + end.size();
  return true;
}

bool XmlReader::SkipDocumentType() {
  int depth = 0;
  for (; !AtEnd(); ++position_) {
    char c = text_[position_];
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c == '>' && depth == 0) {
      ++position_;
      return true;
    }
  }
  return false;
}

bool XmlReader::ReadName(std::string* name) {
  size_t begin = position_;
  if (AtEnd() || !StartsName(text_[position_])) return false;
  while (!AtEnd() && ContinuesName(text_[position_])) ++position_;
  name->assign(text_.substr(begin, position_ - begin));
  return true;
}

// &amp; and its kin, &#65; and &#x41;. No other entity can be known.
bool XmlReader::ReadReference(std::string* out) {
  size_t end = text_.find(';', position_);
  if (end == std::string_view::npos) return false;
  std::string_view name = text_.substr(position_ + 1, end - position_ - 1);
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [entity, c] : kEntities) {
    if (name != entity) continue;
    out->push_back(c);
    position_ = end + 1;
    return true;
  }
  if (!name.starts_with('#') || name.size() < 2) return false;
  bool is_hex = name[1] == 'x';
  char32_t code = 0;
  std::string_view digits = name.substr(is_hex ? 2 : 1);
  if (digits.empty() || digits.size() > 8) return false;
  for (char c : digits) {
    uint32_t digit = c >= '0' && c <= '9'             ? static_cast<uint32_t>(c - '0')
                     : is_hex && c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                     : is_hex && c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                                      : 16;
    if (digit >= (is_hex ? 16U : 10U)) return false;
    code = code * (is_hex ? 16 : 10) + digit;
  }
  if (!IsXmlCharacter(code)) return false;
  AppendUtf8(static_cast<uint32_t>(code), out);
  position_ = end + 1;
  return true;
}

// Text and CDATA up to the next tag, comment or instruction.
XmlEvent XmlReader::ReadText() {
  XmlEvent event;
  event.kind = Kind::kText;
  XmlEvent failure;
  failure.kind = Kind::kError;
  while (!AtEnd()) {
    char c = text_[position_];
    if (c == '<') {
      if (!StartsWith("<![CDATA[")) {
        if (StartsWith("<!") && !StartsWith("<!--")) return failure;
        break;
      }
      size_t begin = position_ + 9;
      if (!SkipPast("]]>")) return failure;
      event.text.append(text_.substr(begin, position_ - 3 - begin));
    } else if (c == '&') {
      if (!ReadReference(&event.text)) return failure;
    } else if (c == ']' && StartsWith("]]>")) {
      return failure;
    } else if (static_cast<unsigned char>(c) < ' ' && !IsSpace(c)) {
      return failure;
    } else {
      ++position_;
      if (c == '\r') {
        if (!AtEnd() && text_[position_] == '\n') ++position_;
        c = '\n';
      }
      event.text.push_back(c);
    }
  }
  return event;
}

bool XmlReader::ReadAttribute(XmlEvent* start) {
  std::pair<std::string, std::string> attribute;
  if (!ReadName(&attribute.first)) return false;
  SkipSpace();
  if (AtEnd() || text_[position_++] != '=') return false;
  SkipSpace();
  if (AtEnd()) return false;
  char quote = text_[position_++];
  if (quote != '"' && quote != '\'') return false;
  while (true) {
    if (AtEnd()) return false;
    char c = text_[position_];
    if (c == quote) break;
    if (c == '<') return false;
    if (c == '&') {
      if (!ReadReference(&attribute.second)) return false;
      continue;
    }
    if (c == '\r' && position_ + 1 < text_.size() && text_[position_ + 1] == '\n') ++position_;
    attribute.second.push_back(IsSpace(c) ? ' ' : c);
    ++position_;
  }
  ++position_;
  for (const auto& other : start->attributes) {
    if (other.first == attribute.first) return false;
  }
  start->attributes.push_back(std::move(attribute));
  return true;
}

XmlEvent XmlReader::ReadTag() {
  XmlEvent event;
  XmlEvent failure;
  failure.kind = Kind::kError;
  ++position_;
  event.kind = Kind::kStart;
  if (!ReadName(&event.name)) return failure;
  while (true) {
    size_t before = position_;
    SkipSpace();
    if (AtEnd()) return failure;
    if (text_[position_] == '>') {
      ++position_;
      break;
    }
    if (StartsWith("/>")) {
      position_ += 2;
      closes_ = true;
      break;
    }
    if (position_ == before || !ReadAttribute(&event)) return failure;
  }
  has_root_ = true;
  open_.push_back(event.name);
  return event;
}

XmlEvent XmlReader::ReadEndTag() {
  XmlEvent event;
  event.kind = Kind::kEnd;
  position_ += 2;
  bool right = ReadName(&event.name);
  SkipSpace();
  right = right && !AtEnd() && text_[position_] == '>' && !open_.empty() && open_.back() == event.name;
  if (!right) {
    event.kind = Kind::kError;
    return event;
  }
  ++position_;
  open_.pop_back();
  return event;
}

}  // namespace millrace::format
