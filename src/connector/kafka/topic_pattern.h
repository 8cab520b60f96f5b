#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>

namespace millrace::connector::kafka {

/// A compiled subscribePattern, in Java's syntax as far as PCRE2 shares it (all of it that topic names can need).
/// Immutable, thread-safe.
class TopicPattern {
 public:
  /// Errors: Invalid with the place in the pattern.
  static arrow::Result<std::unique_ptr<TopicPattern>> Compile(const std::string& pattern);
  ~TopicPattern();

  /// True when a part of `topic` matches: Spark looks for the pattern, the whole name need not match.
  bool Matches(std::string_view topic) const;

 private:
  struct Code;
  explicit TopicPattern(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace millrace::connector::kafka
