#include "function/char_padding.h"

#include <arrow/scalar.h>

#include <algorithm>

#include "base/error.h"
#include "expression/node.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

namespace millrace::function {

using expression::ExpressionKind;
using expression::Literal;
using types::TypeId;

namespace {

template <typename Fn>
ExpressionPtr TextCall(const char* name, ExpressionPtr text, int length, bool can_fail, Fn fn) {
  auto info = std::make_shared<CallInfo>();
  info->name = name;
  info->can_fail = can_fail;
  // Columns keep the name of what the query wrote.
  info->style = CallStyle::kCustom;
  info->render = [](const std::vector<std::string>& arguments) { return arguments[0]; };
  info->kernel = BuiltKernel<arrow::StringBuilder, std::string_view, int32_t>(arrow::utf8(), fn);
  bool nullable = text->nullable();
  return std::make_shared<Call>(std::move(info), types::String(), nullable,
                                ExpressionVector{std::move(text), Literal::Integer(length)});
}

arrow::Status AppendPadded(std::string_view text, int32_t length, arrow::StringBuilder& builder) {
  int64_t count = types::CharacterCount(text);
  if (count >= length) return builder.Append(text);
  thread_local std::string padded;
  padded.assign(text);
  padded.append(static_cast<size_t>(length - count), ' ');
  return builder.Append(padded);
}

// `text` without blanks that stand beyond `length` characters.
arrow::Result<std::string_view> Cut(std::string_view text, int32_t length) {
  size_t kept = Utf8Offset(text, length);
  if (text.find_first_not_of(' ', kept) != std::string_view::npos) {
    return UserError("EXCEED_LIMIT_LENGTH", {{"limit", std::to_string(length)}});
  }
  return text.substr(0, kept);
}

int CharLength(const ExpressionPtr& value) {
  if (value->kind() != ExpressionKind::kAttribute) return 0;
  const auto& column = static_cast<const expression::AttributeReference&>(*value);
  std::optional<types::CharType> type = types::CharTypeOf(*column.type(), column.metadata_json());
  return type && type->padded ? type->length : 0;
}

// Characters of a constant text; 0 for anything else.
arrow::Result<int64_t> ConstantLength(const ExpressionPtr& value, const EvalContext& context) {
  if (value->type()->id() != TypeId::kString || !value->foldable()) return 0;
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*value, context));
  if (!scalar->is_valid) return 0;
  return types::CharacterCount(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
}

}  // namespace

ExpressionPtr PaddedTo(ExpressionPtr text, int length) {
  return TextCall("rpad", std::move(text), length, false,
                  [](const EvalContext&, std::string_view value, int32_t size, arrow::StringBuilder& builder) {
                    return AppendPadded(value, size, builder);
                  });
}

ExpressionPtr StoredAs(const types::CharType& type, ExpressionPtr text) {
  bool padded = type.padded;
  return TextCall(padded ? "char_type_write_side_check" : "varchar_type_write_side_check", std::move(text), type.length,
                  true,
                  [padded](const EvalContext&, std::string_view value, int32_t size,
                           arrow::StringBuilder& builder) -> arrow::Status {
                    if (types::CharacterCount(value) > size) {
                      ARROW_ASSIGN_OR_RAISE(value, Cut(value, size));
                    }
                    return padded ? AppendPadded(value, size, builder) : builder.Append(value);
                  });
}

arrow::Status PadComparedChars(std::string_view name, const EvalContext& context, ExpressionVector* arguments) {
  static constexpr std::string_view kComparisons[] = {"=", "==", "<=>", "<", "<=", ">", ">=", "!=", "<>", "in"};
  if (std::find(std::begin(kComparisons), std::end(kComparisons), name) == std::end(kComparisons)) {
    return arrow::Status::OK();
  }
  bool any = std::any_of(arguments->begin(), arguments->end(),
                         [](const ExpressionPtr& argument) { return CharLength(argument) > 0; });
  if (!any) return arrow::Status::OK();
  std::vector<int64_t> lengths;
  for (const ExpressionPtr& argument : *arguments) {
    int64_t length = CharLength(argument);
    if (length == 0) {
      ARROW_ASSIGN_OR_RAISE(length, ConstantLength(argument, context));
    }
    // A column of another type, or a text that is computed: nothing is padded.
    if (length == 0) return arrow::Status::OK();
    lengths.push_back(length);
  }
  int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  for (size_t i = 0; i < arguments->size(); ++i) {
    if (lengths[i] < longest) (*arguments)[i] = PaddedTo((*arguments)[i], static_cast<int>(longest));
  }
  return arrow::Status::OK();
}

}  // namespace millrace::function
