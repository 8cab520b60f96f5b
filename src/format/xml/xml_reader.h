#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::format {

/// One piece of an XML text.
struct XmlEvent {
  enum class Kind { kStart, kEnd, kText, kDocumentEnd, kError };
  Kind kind = Kind::kDocumentEnd;
  /// Of kStart and kEnd, with its prefix.
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  /// Of kText: entities are resolved, CDATA is text like any other.
  std::string text;

  bool is(Kind k) const { return kind == k; }
  /// A text of white space alone.
  bool IsBlank() const { return text.find_first_not_of(" \t\r\n") == std::string::npos; }
};

/// Reads the pieces of an XML text one by one; comments, processing instructions and document types are left out.
/// Namespaces mean nothing. What follows the root element is not looked at before it is asked for.
///
/// Thread: confined. `text` is borrowed. Source: XML 1.0.
class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : text_(text) {}

  const XmlEvent& Peek();
  /// From the first kError on, always kError; likewise kDocumentEnd.
  XmlEvent Next();

 private:
  using Kind = XmlEvent::Kind;
  XmlEvent Read();
  XmlEvent ReadText();
  XmlEvent ReadTag();
  XmlEvent ReadEndTag();
  bool ReadName(std::string* name);
  bool ReadAttribute(XmlEvent* start);
  bool ReadReference(std::string* out);
  bool SkipPast(std::string_view end);
  bool SkipDocumentType();
  void SkipSpace();
  bool AtEnd() const { return position_ >= text_.size(); }
  bool StartsWith(std::string_view word) const { return text_.substr(position_).starts_with(word); }

  std::string_view text_;
  size_t position_ = 0;
  /// Names of the elements that are open.
  std::vector<std::string> open_;
  bool has_root_ = false;
  /// The end of an element written <so/>.
  bool closes_ = false;
  bool has_peeked_ = false;
  XmlEvent peeked_;
  bool failed_ = false;
};

/// Whether `name` can be the name of an element.
bool IsXmlName(std::string_view name);

}  // namespace millrace::format
