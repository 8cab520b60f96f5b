#include "function/scalar/datetime/pattern_source.h"

#include "expression/query_settings.h"

namespace millrace::function {

arrow::Result<PatternSource> PatternSource::Fixed(std::string_view pattern, types::DateTimePattern::Purpose purpose) {
  PatternSource source;
  source.purpose_ = purpose;
  ARROW_ASSIGN_OR_RAISE(source.fixed_, types::DateTimePattern::Compile(pattern, purpose));
  return source;
}

arrow::Result<std::shared_ptr<const types::DateTimePattern>> PatternSource::Compile(
    std::string_view pattern, types::DateTimePattern::Purpose purpose, bool legacy) {
  return legacy ? types::DateTimePattern::CompileLegacy(pattern, purpose)
                : types::DateTimePattern::Compile(pattern, purpose);
}

arrow::Result<PatternSource> PatternSource::Bind(const BindInput& input, size_t index,
                                                 types::DateTimePattern::Purpose purpose, bool of_instants) {
  PatternSource source;
  source.purpose_ = purpose;
  source.legacy_ = of_instants && expression::CurrentQuerySettings().legacy_time_parser;
  if (!input.arguments[index]->foldable()) return source;
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> pattern, FoldableString(input, index, "format"));
  if (pattern) {
    ARROW_ASSIGN_OR_RAISE(source.fixed_, Compile(*pattern, purpose, source.legacy_));
  }
  return source;
}

}  // namespace millrace::function
