#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "function/scalar/string/utf8.h"

/// LIKE and ILIKE.

namespace millrace::function {

using arrow::Datum;
using expression::StringColumn;

namespace {

/// A pattern taken apart once: runs of literal text, % and _.
class LikePattern {
 public:
  // Errors: INVALID_FORMAT as Spark words it.
  arrow::Status Parse(const EvalContext& context, std::string_view pattern, char32_t escape) {
    steps_.clear();
    auto fail = [&](const char* condition, ErrorParameters parameters) {
      parameters["format"] = SqlText(context, pattern);
      return UserError(condition, std::move(parameters));
    };
    for (size_t i = 0; i < pattern.size();) {
      size_t begin = i;
      char32_t c = DecodeUtf8(pattern, &i);
      if (c == escape) {
        if (i >= pattern.size()) return fail("INVALID_FORMAT.ESC_AT_THE_END", {});
        begin = i;
        char32_t escaped = DecodeUtf8(pattern, &i);
        if (escaped != U'%' && escaped != U'_' && escaped != escape) {
          return fail("INVALID_FORMAT.ESC_IN_THE_MIDDLE",
                      {{"char", SqlText(context, pattern.substr(begin, i - begin))}});
        }
        Literal(pattern.substr(begin, i - begin));
      } else if (c == U'%') {
        if (steps_.empty() || steps_.back().kind != Kind::kAnySequence) steps_.push_back({Kind::kAnySequence, ""});
      } else if (c == U'_') {
        steps_.push_back({Kind::kAnyCharacter, ""});
      } else {
        Literal(pattern.substr(begin, i - begin));
      }
    }
    return arrow::Status::OK();
  }

  bool Matches(std::string_view text) const {
    size_t step = 0;
    size_t position = 0;
    size_t retry_step = steps_.size() + 1;
    size_t retry_position = 0;
    while (true) {
      if (step == steps_.size()) {
        if (position == text.size()) return true;
      } else if (steps_[step].kind == Kind::kAnySequence) {
        if (step + 1 == steps_.size()) return true;
        retry_step = ++step;
        retry_position = position;
        continue;
      } else if (steps_[step].kind == Kind::kAnyCharacter) {
        if (position < text.size()) {
          position += static_cast<size_t>(Utf8Width(text[position]));
          position = std::min(position, text.size());
          ++step;
          continue;
        }
      } else if (text.substr(position).starts_with(steps_[step].text)) {
        position += steps_[step].text.size();
        ++step;
        continue;
      }
      // Let the last % take one more character.
      if (retry_step > steps_.size() || retry_position >= text.size()) return false;
      retry_position += static_cast<size_t>(Utf8Width(text[retry_position]));
      position = std::min(retry_position, text.size());
      step = retry_step;
    }
  }

 private:
  enum class Kind : uint8_t { kLiteral, kAnyCharacter, kAnySequence };
  struct Step {
    Kind kind;
    std::string text;
  };

  static std::string SqlText(const EvalContext& context, std::string_view text) {
    return expression::SqlValue(context, types::String(), std::make_shared<arrow::StringScalar>(std::string(text)));
  }

  void Literal(std::string_view text) {
    if (steps_.empty() || steps_.back().kind != Kind::kLiteral) steps_.push_back({Kind::kLiteral, ""});
    steps_.back().text += text;
  }

  std::vector<Step> steps_;
};

std::string_view Lowered(std::string_view text, std::string* out) {
  out->clear();
  AppendLower(text, out);
  return *out;
}

arrow::Result<Datum> Like(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                          char32_t escape, bool ignore_case) {
  if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(arrow::boolean()));
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    StringColumn texts(arguments[0]);
    StringColumn patterns(arguments[1]);
    LikePattern pattern;
    std::string lower_pattern;
    std::string lower_text;
    auto parse = [&](int64_t i) {
      return pattern.Parse(context, ignore_case ? Lowered(patterns[i], &lower_pattern) : patterns[i], escape);
    };
    bool constant = arguments[1].is_scalar();
    if (constant) ARROW_RETURN_NOT_OK(parse(0));
    arrow::BooleanBuilder builder(context.memory_pool);
    auto append = [&](int64_t i) -> arrow::Status {
      if (!constant) ARROW_RETURN_NOT_OK(parse(i));
      return builder.Append(pattern.Matches(ignore_case ? Lowered(texts[i], &lower_text) : texts[i]));
    };
    return expression::MapBuilt(builder, rows, append, texts, patterns);
  });
}

arrow::Result<ExpressionPtr> BindLike(const BindInput& input, bool ignore_case) {
  ExpressionVector arguments;
  for (size_t i = 0; i < 2; ++i) {
    if (!expression::CanImplicitCast(input.arguments[i]->type(), types::String())) {
      return UnexpectedInputType(input, i, QuoteSqlType("STRING"));
    }
    arguments.push_back(expression::ImplicitCast(input.arguments[i], types::String()));
  }
  std::string escape_text = "\\";
  if (input.arguments.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(auto given, FoldableString(input, 2, "escape"));
    if (given) escape_text = *given;
    if (Utf8Length(escape_text) != 1) return UserError("INVALID_ESC", {{"invalidEscape", "'" + escape_text + "'"}});
  }
  size_t position = 0;
  char32_t escape = DecodeUtf8(escape_text, &position);
  auto info = std::make_shared<CallInfo>();
  info->name = ignore_case ? "ilike" : "like";
  info->can_fail = true;
  info->kernel = [escape, ignore_case](const EvalContext& context, const std::vector<Datum>& values, int64_t num_rows) {
    return Like(context, values, num_rows, escape, ignore_case);
  };
  if (!ignore_case || escape_text != "\\") {
    info->style = CallStyle::kCustom;
    std::string suffix = escape_text == "\\" ? "" : " ESCAPE '" + escape_text + "'";
    if (ignore_case) suffix = ", " + escape_text + ")";
    info->render = [suffix, ignore_case](const std::vector<std::string>& texts) {
      if (ignore_case) return "ilike(" + texts[0] + ", " + texts[1] + suffix;
      return texts[0] + " LIKE " + texts[1] + suffix;
    };
  }
  bool nullable = arguments[0]->nullable() || arguments[1]->nullable();
  return std::make_shared<Call>(std::move(info), types::Boolean(), nullable, std::move(arguments));
}

}  // namespace

extern const FunctionDef kLike{
    .name = "like",
    .family = "predicate",
    .description = "Whether the text matches a pattern of % (any text) and _ (one character).",
    .example = "like('Spark', '_park')",
    .example_result = "true",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) { return BindLike(input, false); }};

extern const FunctionDef kIlike{.name = "ilike",
                                .family = "predicate",
                                .description = "As like, whatever the case of letters.",
                                .example = "ilike('Spark', '_PARK')",
                                .example_result = "true",
                                .min_arguments = 2,
                                .max_arguments = 3,
                                .bind = [](const BindInput& input) { return BindLike(input, true); }};

}  // namespace millrace::function
