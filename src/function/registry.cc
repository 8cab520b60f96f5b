#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "base/ascii.h"
#include "base/error.h"
#include "function/bind.h"
#include "function/collated_call.h"
#include "function/function_def.h"

namespace millrace::function {

#define FUNCTION(name) extern const FunctionDef k##name;
#include "function/registry.def"
#undef FUNCTION

namespace {

const FunctionDef* const kFunctions[] = {
#define FUNCTION(name) &k##name,
#include "function/registry.def"
#undef FUNCTION
};

using NameIndex = std::unordered_map<std::string, const FunctionDef*>;

const NameIndex& Names() {
  static const NameIndex* names = [] {
    auto* index = new NameIndex;
    for (const FunctionDef* def : kFunctions) {
      index->emplace(def->name, def);
      std::string_view aliases = def->aliases;
      while (!aliases.empty()) {
        size_t space = aliases.find(' ');
        index->emplace(aliases.substr(0, space), def);
        aliases = space == std::string_view::npos ? std::string_view() : aliases.substr(space + 1);
      }
    }
    return index;
  }();
  return *names;
}

constexpr std::string_view kUnbuilt[] = {
#define UNBUILT(name) name,
#include "function/unbuilt.def"
#undef UNBUILT
};

// Why there is no function `name` (lower case).
arrow::Status NoFunction(std::string_view name) {
  for (std::string_view known : kUnbuilt) {
    if (known != name) continue;
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "the function " + std::string(name)}, {"className", "Millrace"}});
  }
  return UserError("UNRESOLVED_ROUTINE",
                   {{"routineName", QuoteIdentifier(name)},
                    {"searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]"}});
}

std::string ExpectedCount(const FunctionDef& def) {
  if (def.max_arguments == def.min_arguments) return std::to_string(def.min_arguments);
  if (def.max_arguments < 0) return "> " + std::to_string(def.min_arguments - 1);
  std::string text = "[";
  for (int n = def.min_arguments; n <= def.max_arguments; ++n) {
    if (n > def.min_arguments) text += ", ";
    text += std::to_string(n);
  }
  return text + "]";
}

}  // namespace

const FunctionDef* FindFunction(std::string_view name) {
  auto it = Names().find(ToLowerAscii(name));
  return it == Names().end() ? nullptr : it->second;
}

std::span<const FunctionDef* const> AllFunctions() { return {kFunctions, sizeof(kFunctions) / sizeof(kFunctions[0])}; }

bool IsAggregateFunction(std::string_view name) {
  const FunctionDef* def = FindFunction(name);
  return def != nullptr && def->kind == FunctionKind::kAggregate;
}

arrow::Result<ExpressionPtr> BindCall(std::string_view name, ExpressionVector arguments, const EvalContext& context,
                                      bool distinct, ExpressionPtr filter, bool ignore_nulls) {
  std::string lower = ToLowerAscii(name);
  const FunctionDef* def = FindFunction(lower);
  if (def == nullptr) return NoFunction(lower);
  auto count = static_cast<int>(arguments.size());
  if (count < def->min_arguments || (def->max_arguments >= 0 && count > def->max_arguments)) {
    return WrongNumArgs(lower, ExpectedCount(*def), arguments.size());
  }
  BindInput input{*def, lower, std::move(arguments), context, distinct, std::move(filter), ignore_nulls};
  return HasCollatedArgument(input.arguments) ? BindCollated(input) : def->bind(input);
}

}  // namespace millrace::function
