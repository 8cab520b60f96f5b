#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/scalar/regexp/regexp_kernel.h"
#include "function/scalar/string/utf8.h"

namespace millrace::function {

using arrow::Datum;
using expression::FixedColumn;
using expression::StringColumn;
using Groups = std::vector<Regex::Span>;

namespace {

// Java's replacement text: `$1` and `${name}` are groups, a backslash makes the next character plain.
struct Replacement {
  struct Piece {
    std::string text;
    int group = -1;
  };
  std::vector<Piece> pieces;

  // False when it names a group that the pattern does not have.
  bool Parse(std::string_view text, const Regex& regex) {
    pieces.clear();
    pieces.push_back({});
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        if (++i >= text.size()) return false;
        pieces.back().text += text[i];
      } else if (text[i] != '$') {
        pieces.back().text += text[i];
      } else if (!ParseGroup(text, &i, regex)) {
        return false;
      }
    }
    return true;
  }

 private:
  // At the dollar sign; leaves `*i` on the group's last character.
  bool ParseGroup(std::string_view text, size_t* i, const Regex& regex) {
    auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    int group = -1;
    if (*i + 1 < text.size() && text[*i + 1] == '{') {
      size_t close = text.find('}', *i);
      if (close == std::string_view::npos) return false;
      group = regex.GroupIndex(std::string(text.substr(*i + 2, close - *i - 2)));
      *i = close;
    } else if (digit(*i + 1)) {
      group = text[++*i] - '0';
      if (group > regex.num_groups()) return false;
      // More digits belong to it as long as such a group exists.
      while (digit(*i + 1) && group * 10 + (text[*i + 1] - '0') <= regex.num_groups()) {
        group = group * 10 + (text[++*i] - '0');
      }
    }
    if (group < 0) return false;
    pieces.push_back({"", group});
    pieces.push_back({});
    return true;
  }
};

struct Replacer {
  StringColumn texts;
  StringColumn patterns;
  StringColumn replacements;
  FixedColumn<int32_t> positions;
  bool constant;
  bool parsed = false;
  Replacement replacement{};
  std::string out{};

  explicit Replacer(const std::vector<Datum>& arguments)
      : texts(arguments[0]),
        patterns(arguments[1]),
        replacements(arguments[2]),
        positions(arguments[3]),
        constant(arguments[1].is_scalar() && arguments[2].is_scalar()) {}

  arrow::Status Failure(int64_t i) const {
    return UserError("INVALID_REGEXP_REPLACE", {{"source", std::string(texts[i])},
                                                {"pattern", std::string(patterns[i])},
                                                {"replacement", std::string(replacements[i])},
                                                {"position", std::to_string(positions[i])}});
  }

  arrow::Status Append(const Regex& regex, int64_t i, arrow::StringBuilder& builder) {
    std::string_view text = texts[i];
    int32_t position = positions[i];
    bool good = true;
    if (!constant || !parsed) {
      good = replacement.Parse(replacements[i], regex);
      parsed = good;
    }
    size_t from = Utf8Offset(text, int64_t{position} - 1);
    if (position > 1 && from >= text.size()) return builder.Append(text);
    out.clear();
    size_t start = 0;
    bool failed = false;
    regex.ForEachMatch(text, from, [&](const Groups& groups) {
      if (!good) {
        failed = true;  // only a match shows that a group is missing
        return false;
      }
      out.append(text.substr(start, static_cast<size_t>(groups[0].begin) - start));
      for (const auto& piece : replacement.pieces) {
        out += piece.text;
        if (piece.group < 0) continue;
        const Regex::Span& span = groups[static_cast<size_t>(piece.group)];
        if (span.begin >= 0)
          out.append(text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin)));
      }
      start = static_cast<size_t>(groups[0].end);
      return true;
    });
    if (failed) return Failure(i);
    out.append(text.substr(start));
    return builder.Append(out);
  }
};

arrow::Result<ExpressionPtr> BindReplace(const BindInput& input) {
  ExpressionVector arguments = input.arguments;
  if (arguments.size() == 3) arguments.push_back(expression::Literal::Integer(1));
  BindInput full{input.def, input.name, std::move(arguments), input.context};
  const ExpressionPtr& position = full.arguments[3];
  if (!position->foldable()) return NonFoldableInput(full, 3, "position", types::Integer());
  if (expression::CanImplicitCast(position->type(), types::Integer())) {
    ARROW_ASSIGN_OR_RAISE(
        auto value, expression::EvaluateFoldable(*expression::ImplicitCast(position, types::Integer()), input.context));
    if (value->is_valid && static_cast<const arrow::Int32Scalar&>(*value).value < 1) {
      return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                       {{"sqlExpr", QuoteSqlExpression(CallSql(full))},
                        {"exprName", "position"},
                        {"valueRange", "(0, 2147483647]"},
                        {"currentValue", std::to_string(static_cast<const arrow::Int32Scalar&>(*value).value)}});
    }
  }
  auto make = [](const EvalContext&, const std::vector<Datum>& values) {
    return
        [replacer = std::make_shared<Replacer>(values)](const Regex& regex, int64_t i, arrow::StringBuilder& builder) {
          return replacer->Append(regex, i, builder);
        };
  };
  return BindSimple(full, {types::String(), types::String(), types::String(), types::Integer()}, types::String(),
                    RegexKernel<arrow::StringBuilder>("regexp_replace", arrow::utf8(), make), {.can_fail = true});
}

}  // namespace

extern const FunctionDef kRegexpReplace{.name = "regexp_replace",
                                        .family = "string",
                                        .description = "The text with every match replaced; $1 stands for a group.",
                                        .example = "regexp_replace('100-200', '([0-9]+)', 'num')",
                                        .example_result = "num-num",
                                        .min_arguments = 3,
                                        .max_arguments = 4,
                                        .bind = BindReplace};

}  // namespace millrace::function
