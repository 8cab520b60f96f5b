#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "function/bind.h"
#include "types/datetime_pattern.h"

namespace millrace::function {

/// The pattern of a call: compiled while binding when it is a constant, else once for each run of equal texts.
class PatternSource {
 public:
  /// Compiles argument `index` when it is foldable; a NULL constant leaves nothing compiled.
  /// `of_instants`: of a function that legacy settings change.
  static arrow::Result<PatternSource> Bind(const BindInput& input, size_t index,
                                           types::DateTimePattern::Purpose purpose, bool of_instants = true);
  /// A pattern nobody wrote, read as Spark 3 and later do.
  static arrow::Result<PatternSource> Fixed(std::string_view pattern, types::DateTimePattern::Purpose purpose);

  /// Evaluates one column of patterns. Confined to one kernel call.
  class Reader {
   public:
    explicit Reader(const PatternSource& source)
        : purpose_(source.purpose_), legacy_(source.legacy_), current_(source.fixed_) {}
    arrow::Result<const types::DateTimePattern*> Get(std::string_view text) {
      if (current_ == nullptr || current_->text() != text) {
        ARROW_ASSIGN_OR_RAISE(current_, Compile(text, purpose_, legacy_));
      }
      return current_.get();
    }

   private:
    types::DateTimePattern::Purpose purpose_;
    bool legacy_;
    std::shared_ptr<const types::DateTimePattern> current_;
  };

 private:
  static arrow::Result<std::shared_ptr<const types::DateTimePattern>> Compile(std::string_view pattern,
                                                                              types::DateTimePattern::Purpose purpose,
                                                                              bool legacy);

  types::DateTimePattern::Purpose purpose_ = types::DateTimePattern::Purpose::kFormat;
  /// spark.sql.legacy.timeParserPolicy = LEGACY.
  bool legacy_ = false;
  std::shared_ptr<const types::DateTimePattern> fixed_;
};

}  // namespace millrace::function
