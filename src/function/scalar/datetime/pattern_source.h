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
  static arrow::Result<PatternSource> Bind(const BindInput& input, size_t index,
                                           types::DateTimePattern::Purpose purpose);
  /// A pattern nobody wrote.
  static arrow::Result<PatternSource> Fixed(std::string_view pattern, types::DateTimePattern::Purpose purpose);

  /// Evaluates one column of patterns. Confined to one kernel call.
  class Reader {
   public:
    explicit Reader(const PatternSource& source) : purpose_(source.purpose_), current_(source.fixed_) {}
    arrow::Result<const types::DateTimePattern*> Get(std::string_view text) {
      if (current_ == nullptr || current_->text() != text) {
        ARROW_ASSIGN_OR_RAISE(current_, types::DateTimePattern::Compile(text, purpose_));
      }
      return current_.get();
    }

   private:
    types::DateTimePattern::Purpose purpose_;
    std::shared_ptr<const types::DateTimePattern> current_;
  };

 private:
  types::DateTimePattern::Purpose purpose_ = types::DateTimePattern::Purpose::kFormat;
  std::shared_ptr<const types::DateTimePattern> fixed_;
};

}  // namespace millrace::function
