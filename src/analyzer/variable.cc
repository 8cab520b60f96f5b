#include "analyzer/variable.h"

#include "base/ascii.h"
#include "expression/call.h"
#include "function/extract_value.h"

namespace millrace::analyzer {

using expression::ExpressionPtr;
using expression::Literal;

arrow::Result<std::optional<ExpressionPtr>> ResolveVariable(const std::vector<std::string>& parts,
                                                            const AnalyzerContext& context) {
  if (context.catalog == nullptr) return std::nullopt;
  auto found = context.catalog->variables().Resolve(parts);
  if (!found) return std::nullopt;
  const auto& [variable, count] = *found;
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "variablereference";
  info->style = expression::CallStyle::kCustom;
  std::string text = "variablereference(" +
                     (variable.is_local ? "local." + types::QuoteIfNeeded(variable.scope) : "system.session") + "." +
                     ToLowerAscii(variable.name) + "=" + variable.value->Sql(/*pretty=*/false) + ")";
  info->render = [text](const std::vector<std::string>&) { return text; };
  info->kernel = [value = static_cast<const Literal&>(*variable.value).value()](
                     const expression::EvalContext&, const std::vector<arrow::Datum>&,
                     int64_t) -> arrow::Result<arrow::Datum> { return arrow::Datum(value); };
  ExpressionPtr value = std::make_shared<expression::Call>(std::move(info), variable.value->type(),
                                                           variable.value->nullable(), expression::ExpressionVector{});
  for (size_t i = count; i < parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(value, function::ExtractValue(value, Literal::String(parts[i]), context.eval.case_sensitive));
  }
  return value;
}

std::optional<std::string> VariableText(const catalog::Catalog& catalog, const std::vector<std::string>& parts) {
  auto found = catalog.variables().Resolve(parts);
  if (!found || found->second != parts.size()) return std::nullopt;
  const auto& value = static_cast<const Literal&>(*found->first.value);
  if (value.is_null() || value.type()->id() != types::TypeId::kString) return std::nullopt;
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*value.value()).view());
}

}  // namespace millrace::analyzer
