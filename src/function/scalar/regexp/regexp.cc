#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/scalar/regexp/regexp_kernel.h"
#include "function/scalar/string/utf8.h"
#include "types/arrow_type.h"

/// rlike, regexp_extract, regexp_extract_all, regexp_count, regexp_substr, regexp_instr, split.

namespace millrace::function {

using arrow::Datum;
using expression::FixedColumn;
using expression::StringColumn;
using Groups = std::vector<Regex::Span>;

arrow::Status InvalidPattern(std::string_view function, std::string_view pattern) {
  EvalContext context;
  std::string text =
      expression::SqlValue(context, types::String(), std::make_shared<arrow::StringScalar>(std::string(pattern)));
  return UserError("INVALID_PARAMETER_VALUE.PATTERN", {{"parameter", QuoteIdentifier("regexp")},
                                                       {"functionName", QuoteIdentifier(function)},
                                                       {"value", std::move(text)}});
}

namespace {

std::string_view Part(std::string_view text, const Regex::Span& span) {
  if (span.begin < 0) return {};
  return text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin));
}

arrow::Result<ExpressionPtr> BindRlike(const BindInput& input) {
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return [texts = std::make_shared<StringColumn>(arguments[0])](const Regex& regex, int64_t i,
                                                                  arrow::BooleanBuilder& builder) {
      return builder.Append(regex.Contains((*texts)[i]));
    };
  };
  return BindSimple(input, {types::String(), types::String()}, types::Boolean(),
                    RegexKernel<arrow::BooleanBuilder>("rlike", arrow::boolean(), make),
                    {.can_fail = true, .shown_name = ToUpperAscii(input.name)});
}

arrow::Status CheckGroup(std::string_view function, const Regex& regex, int32_t group) {
  if (group >= 0 && group <= regex.num_groups()) return arrow::Status::OK();
  return UserError("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", {{"parameter", QuoteIdentifier("idx")},
                                                                 {"functionName", QuoteIdentifier(function)},
                                                                 {"groupCount", std::to_string(regex.num_groups())},
                                                                 {"groupIndex", std::to_string(group)}});
}

BindInput WithGroup(const BindInput& input, int32_t group) {
  ExpressionVector arguments = input.arguments;
  if (arguments.size() == 2) arguments.push_back(expression::Literal::Integer(group));
  return BindInput{input.def, input.name, std::move(arguments), input.context};
}

const std::vector<DataTypePtr>& TextPatternGroup() {
  static const std::vector<DataTypePtr> types{types::String(), types::String(), types::Integer()};
  return types;
}

arrow::Result<ExpressionPtr> BindExtract(const BindInput& input) {
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return [texts = std::make_shared<StringColumn>(arguments[0]),
            group = std::make_shared<FixedColumn<int32_t>>(arguments[2]), groups = std::make_shared<Groups>()](
               const Regex& regex, int64_t i, arrow::StringBuilder& builder) -> arrow::Status {
      std::string_view text = (*texts)[i];
      if (!regex.Find(text, 0, groups.get())) return builder.Append("");
      ARROW_RETURN_NOT_OK(CheckGroup("regexp_extract", regex, (*group)[i]));
      return builder.Append(Part(text, (*groups)[static_cast<size_t>((*group)[i])]));
    };
  };
  return BindSimple(WithGroup(input, 1), TextPatternGroup(), types::String(),
                    RegexKernel<arrow::StringBuilder>("regexp_extract", arrow::utf8(), make), {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindExtractAll(const BindInput& input) {
  DataTypePtr type = types::Array(types::String(), true);
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return [texts = std::make_shared<StringColumn>(arguments[0]),
            group = std::make_shared<FixedColumn<int32_t>>(arguments[2])](
               const Regex& regex, int64_t i, arrow::ListBuilder& builder) -> arrow::Status {
      ARROW_RETURN_NOT_OK(builder.Append());
      auto& values = static_cast<arrow::StringBuilder&>(*builder.value_builder());
      std::string_view text = (*texts)[i];
      arrow::Status status;
      regex.ForEachMatch(text, 0, [&](const Groups& groups) {
        status = CheckGroup("regexp_extract_all", regex, (*group)[i]);
        if (status.ok()) status = values.Append(Part(text, groups[static_cast<size_t>((*group)[i])]));
        return status.ok();
      });
      return status;
    };
  };
  return BindSimple(WithGroup(input, 1), TextPatternGroup(), type,
                    RegexKernel<arrow::ListBuilder>("regexp_extract_all", types::ToArrow(*type), make),
                    {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindCount(const BindInput& input) {
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return [texts = std::make_shared<StringColumn>(arguments[0])](const Regex& regex, int64_t i,
                                                                  arrow::Int32Builder& builder) {
      int32_t count = 0;
      regex.ForEachMatch((*texts)[i], 0, [&](const Groups&) { return ++count > 0; });
      return builder.Append(count);
    };
  };
  return BindSimple(input, {types::String(), types::String()}, types::Integer(),
                    RegexKernel<arrow::Int32Builder>("regexp_extract_all", arrow::int32(), make), {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindSubstr(const BindInput& input) {
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return [texts = std::make_shared<StringColumn>(arguments[0]), groups = std::make_shared<Groups>()](
               const Regex& regex, int64_t i, arrow::StringBuilder& builder) {
      std::string_view text = (*texts)[i];
      // An empty match counts as none.
      bool found = regex.Find(text, 0, groups.get()) && (*groups)[0].begin != (*groups)[0].end;
      return found ? builder.Append(Part(text, (*groups)[0])) : builder.AppendNull();
    };
  };
  return BindSimple(input, {types::String(), types::String()}, types::String(),
                    RegexKernel<arrow::StringBuilder>("regexp_substr", arrow::utf8(), make),
                    {.can_fail = true, .may_null = true});
}

arrow::Result<ExpressionPtr> BindInstr(const BindInput& input) {
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return [texts = std::make_shared<StringColumn>(arguments[0]), groups = std::make_shared<Groups>()](
               const Regex& regex, int64_t i, arrow::Int32Builder& builder) {
      std::string_view text = (*texts)[i];
      if (!regex.Find(text, 0, groups.get())) return builder.Append(0);
      auto before = Utf8Length(text.substr(0, static_cast<size_t>((*groups)[0].begin)));
      return builder.Append(static_cast<int32_t>(before) + 1);
    };
  };
  return BindSimple(WithGroup(input, 0), TextPatternGroup(), types::Integer(),
                    RegexKernel<arrow::Int32Builder>("regexp_instr", arrow::int32(), make), {.can_fail = true});
}

// String.split: an empty match at the start makes no part. The empty pattern, which cuts between all characters, makes
// none at the end either.
arrow::Status Split(const Regex& regex, std::string_view text, int32_t limit, bool between_all,
                    arrow::StringBuilder& parts) {
  int32_t count = 0;
  size_t start = 0;
  arrow::Status status;
  regex.ForEachMatch(text, 0, [&](const Groups& groups) {
    auto begin = static_cast<size_t>(groups[0].begin);
    auto end = static_cast<size_t>(groups[0].end);
    if (limit > 0 && count + 1 >= limit) return false;
    if (end == 0 || (between_all && begin == text.size())) return true;
    status = parts.Append(text.substr(start, begin - start));
    ++count;
    start = end;
    return status.ok();
  });
  ARROW_RETURN_NOT_OK(status);
  return parts.Append(text.substr(start));
}

arrow::Result<ExpressionPtr> BindSplit(const BindInput& input) {
  DataTypePtr type = types::Array(types::String(), false);
  auto make = [](const EvalContext&, const std::vector<Datum>& arguments) {
    return
        [texts = std::make_shared<StringColumn>(arguments[0]), patterns = std::make_shared<StringColumn>(arguments[1]),
         limit = std::make_shared<FixedColumn<int32_t>>(arguments[2])](const Regex& regex, int64_t i,
                                                                       arrow::ListBuilder& builder) -> arrow::Status {
          ARROW_RETURN_NOT_OK(builder.Append());
          return Split(regex, (*texts)[i], (*limit)[i], (*patterns)[i].empty(),
                       static_cast<arrow::StringBuilder&>(*builder.value_builder()));
        };
  };
  return BindSimple(WithGroup(input, -1), TextPatternGroup(), type,
                    RegexKernel<arrow::ListBuilder>("split", types::ToArrow(*type), make), {.can_fail = true});
}

}  // namespace

extern const FunctionDef kRlike{.name = "rlike",
                                .aliases = "regexp regexp_like",
                                .family = "predicate",
                                .description = "Whether a part of the text matches a regular expression.",
                                .example = "rlike('Spark', 'park$')",
                                .example_result = "true",
                                .min_arguments = 2,
                                .max_arguments = 2,
                                .bind = BindRlike};

extern const FunctionDef kRegexpExtract{.name = "regexp_extract",
                                        .family = "string",
                                        .description = "A group of the first match; empty when there is none.",
                                        .example = "regexp_extract('100-200', '([0-9]+)-([0-9]+)', 1)",
                                        .example_result = "100",
                                        .min_arguments = 2,
                                        .max_arguments = 3,
                                        .bind = BindExtract};

extern const FunctionDef kRegexpExtractAll{.name = "regexp_extract_all",
                                           .family = "string",
                                           .description = "A group of every match.",
                                           .example = "regexp_extract_all('100-200, 300-400', '([0-9]+)-([0-9]+)', 1)",
                                           .example_result = "[100, 300]",
                                           .min_arguments = 2,
                                           .max_arguments = 3,
                                           .bind = BindExtractAll};

extern const FunctionDef kRegexpCount{.name = "regexp_count",
                                      .family = "string",
                                      .description = "Number of matches.",
                                      .example = "regexp_count('Steven Jones', 'e')",
                                      .example_result = "3",
                                      .min_arguments = 2,
                                      .max_arguments = 2,
                                      .bind = BindCount};

extern const FunctionDef kRegexpSubstr{.name = "regexp_substr",
                                       .family = "string",
                                       .description = "The first match, NULL when there is none.",
                                       .example = "regexp_substr('Steven Jones', 'J[a-z]+')",
                                       .example_result = "Jones",
                                       .min_arguments = 2,
                                       .max_arguments = 2,
                                       .bind = BindSubstr};

extern const FunctionDef kRegexpInstr{.name = "regexp_instr",
                                      .family = "string",
                                      .description = "Position of the first match, from 1; 0 when there is none.",
                                      .example = "regexp_instr('user@spark.apache.org', '@[^.]*')",
                                      .example_result = "5",
                                      .min_arguments = 2,
                                      .max_arguments = 3,
                                      .bind = BindInstr};

extern const FunctionDef kSplit{.name = "split",
                                .family = "string",
                                .description = "The parts of a text between the matches of a regular expression.",
                                .example = "split('oneAtwoBthreeC', '[ABC]', 2)",
                                .example_result = "[one, twoBthreeC]",
                                .min_arguments = 2,
                                .max_arguments = 3,
                                .bind = BindSplit};

}  // namespace millrace::function
