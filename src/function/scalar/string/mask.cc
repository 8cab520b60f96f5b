#include <optional>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

namespace millrace::function {

using arrow::Datum;
using expression::Literal;
using expression::StringColumn;

namespace {

enum class Kind : uint8_t { kUpper, kLower, kDigit, kOther };

Kind KindOf(std::string_view character, char32_t c) {
  if (c >= U'0' && c <= U'9') return Kind::kDigit;
  std::string changed;
  AppendLower(character, &changed);
  if (changed != character) return Kind::kUpper;
  changed.clear();
  AppendUpper(character, &changed);
  return changed != character ? Kind::kLower : Kind::kOther;
}

// Replacements in the order of Kind; NULL keeps the character.
arrow::Result<Datum> Mask(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    StringColumn texts(arguments[0]);
    StringColumn upper(arguments[1]);
    StringColumn lower(arguments[2]);
    StringColumn digit(arguments[3]);
    StringColumn other(arguments[4]);
    const StringColumn* replacements[] = {&upper, &lower, &digit, &other};
    arrow::StringBuilder builder(context.memory_pool);
    std::string out;
    auto append = [&](int64_t i) {
      std::string_view text = texts[i];
      out.clear();
      for (size_t position = 0; position < text.size();) {
        size_t begin = position;
        char32_t c = DecodeUtf8(text, &position);
        std::string_view character = text.substr(begin, position - begin);
        const StringColumn& with = *replacements[static_cast<size_t>(KindOf(character, c))];
        out += with.IsNull(i) ? character : with[i];
      }
      return builder.Append(out);
    };
    return expression::MapBuilt(builder, rows, append, texts);
  });
}

arrow::Result<ExpressionPtr> BindMask(const BindInput& input) {
  ExpressionVector arguments = input.arguments;
  constexpr const char* kDefaults[] = {"X", "x", "n"};
  for (size_t k = arguments.size(); k < 4; ++k) arguments.push_back(Literal::String(kDefaults[k - 1]));
  if (arguments.size() == 4) arguments.push_back(Literal::Null(types::String()));
  BindInput full{input.def, input.name, std::move(arguments), input.context};
  for (size_t i = 0; i < full.arguments.size(); ++i) {
    types::TypeId type = full.arguments[i]->type()->id();
    if (type != types::TypeId::kString && type != types::TypeId::kNull) {
      return UnexpectedInputType(full, i, QuoteSqlType("STRING"));
    }
  }
  constexpr const char* kNames[] = {"upperChar", "lowerChar", "digitChar", "otherChar"};
  for (size_t i = 1; i < full.arguments.size(); ++i) {
    const char* name = kNames[i - 1];
    ARROW_ASSIGN_OR_RAISE(std::optional<std::string> character, FoldableString(full, i, name));
    if (!character || Utf8Length(*character) == 1) continue;
    return UserError("DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(full))}, {"exprName", name}});
  }
  return BindSimple(full, {types::String()}, types::String(), Mask, {.may_null = true});
}

}  // namespace

extern const FunctionDef kMask{.name = "mask",
                               .family = "string",
                               .description = "The text with capital and small letters and digits replaced.",
                               .example = "mask('abcd-EFGH-8765-4321')",
                               .example_result = "xxxx-XXXX-nnnn-nnnn",
                               .min_arguments = 1,
                               .max_arguments = 5,
                               .bind = BindMask};

}  // namespace millrace::function
