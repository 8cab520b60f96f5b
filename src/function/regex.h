#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::function {

/// A regular expression of Java's syntax over UTF-8. RE2 runs it in linear time where its answer is Java's; PCRE2 where
/// the pattern needs more (look-around, back references, possessive quantifiers, `$` before a final newline).
/// Immutable, thread-safe.
class Regex {
 public:
  struct Span {
    int begin = -1;  ///< bytes; -1: the group took no part
    int end = -1;
  };

  virtual ~Regex() = default;
  /// Errors: Invalid with the engine's complaint.
  static arrow::Result<std::shared_ptr<const Regex>> Compile(std::string_view pattern);
  /// Compiled once per thread and pattern, as long as few patterns are in use.
  static arrow::Result<std::shared_ptr<const Regex>> Cached(std::string_view pattern);

  virtual int num_groups() const = 0;
  /// Number of the group called `name`, or -1.
  virtual int GroupIndex(const std::string& name) const = 0;
  /// The first match that starts at byte `from` or later; `groups` gets num_groups() + 1 spans, the whole match first.
  virtual bool Find(std::string_view text, size_t from, std::vector<Span>* groups) const = 0;
  virtual bool Contains(std::string_view text) const = 0;

  /// Calls `each(groups)` for all matches from byte `from` on, as java.util.regex.Matcher.find walks them; stops when
  /// it returns false.
  template <typename Fn>
  void ForEachMatch(std::string_view text, size_t from, Fn&& each) const {
    std::vector<Span> groups;
    while (from <= text.size() && Find(text, from, &groups)) {
      if (!each(groups)) return;
      auto end = static_cast<size_t>(groups[0].end);
      from = end;
      if (groups[0].begin != groups[0].end) continue;
      do {
        ++from;  // past one character
      } while (from < text.size() && (text[from] & 0xC0) == 0x80);
    }
  }
};

}  // namespace millrace::function
