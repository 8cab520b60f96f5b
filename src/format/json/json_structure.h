#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace millrace::format {

/// The positions of everything that matters in JSON text: simdjson's first stage, with the best instructions the
/// machine has (picked at run time).
///
/// Positions are those of  { } [ ] : ,  outside of strings, of opening quotes, and of the first character of every
/// other scalar. One index may cover many records that lie one after the other: each record's positions are those it
/// would have alone, as long as no record before it ends inside of a string.
/// Thread: confined.
class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(JsonStructure&&) noexcept;
  JsonStructure& operator=(JsonStructure&&) noexcept;

  /// Indexes `size` bytes. False when they are not valid UTF-8, end inside of a string, or hold control characters in
  /// strings: then nothing is known of any record.
  bool Index(const uint8_t* text, size_t size);

  /// Ascending; followed by two entries that are at least `size`.
  const uint32_t* positions() const { return positions_; }
  size_t num_positions() const { return num_positions_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  size_t capacity_ = 0;
  const uint32_t* positions_ = nullptr;
  size_t num_positions_ = 0;
};

}  // namespace millrace::format
