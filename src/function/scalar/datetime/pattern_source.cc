#include "function/scalar/datetime/pattern_source.h"

namespace millrace::function {

arrow::Result<PatternSource> PatternSource::Fixed(std::string_view pattern, types::DateTimePattern::Purpose purpose) {
  PatternSource source;
  source.purpose_ = purpose;
  ARROW_ASSIGN_OR_RAISE(source.fixed_, types::DateTimePattern::Compile(pattern, purpose));
  return source;
}

arrow::Result<PatternSource> PatternSource::Bind(const BindInput& input, size_t index,
                                                 types::DateTimePattern::Purpose purpose) {
  PatternSource source;
  source.purpose_ = purpose;
  if (!input.arguments[index]->foldable()) return source;
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> pattern, FoldableString(input, index, "format"));
  if (pattern) {
    ARROW_ASSIGN_OR_RAISE(source.fixed_, types::DateTimePattern::Compile(*pattern, purpose));
  }
  return source;
}

}  // namespace millrace::function
