#include "analyzer/named_arguments.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::analyzer {

namespace {

using spark::connect::Expression;

struct Parameter {
  std::string name;
  /// Absent: required.
  std::optional<Expression> default_value;
};

Parameter WithDefault(std::string name, std::optional<std::string> value) {
  Expression literal;
  if (value) {
    literal.mutable_literal()->set_string(*value);
  } else {
    literal.mutable_literal()->mutable_null()->mutable_null();
  }
  return {std::move(name), std::move(literal)};
}

Parameter WithDefault(std::string name, int32_t value) {
  Expression literal;
  literal.mutable_literal()->set_integer(value);
  return {std::move(name), std::move(literal)};
}

// tuple_…: what the sketches are called, then the constants that a function of the family takes.
const std::vector<Parameter>* TupleSketchParameters(std::string_view function) {
  static const auto kSize = WithDefault("lgNomEntries", 12);
  static const auto kMode = WithDefault("mode", "sum");
  static const std::vector<Parameter> kKeys{{"key", std::nullopt}, {"summary", std::nullopt}, kSize, kMode};
  static const std::vector<Parameter> kUnionAgg{{"child", std::nullopt}, kSize, kMode};
  static const std::vector<Parameter> kIntersectionAgg{{"child", std::nullopt}, kMode};
  static const std::vector<Parameter> kUnion{{"first", std::nullopt}, {"second", std::nullopt}, kSize, kMode};
  static const std::vector<Parameter> kIntersection{{"first", std::nullopt}, {"second", std::nullopt}, kMode};
  if (function.starts_with("tuple_sketch_agg_")) return &kKeys;
  if (function.starts_with("tuple_union_agg_")) return &kUnionAgg;
  if (function.starts_with("tuple_intersection_agg_")) return &kIntersectionAgg;
  if (function.starts_with("tuple_union_")) return &kUnion;
  if (function.starts_with("tuple_intersection_")) return &kIntersection;
  return nullptr;
}

// The functions whose parameters have names. Null for the others.
const std::vector<Parameter>* ParametersOf(std::string_view function) {
  static const std::vector<Parameter> kMask{{"str", std::nullopt},
                                            WithDefault("upperChar", "X"),
                                            WithDefault("lowerChar", "x"),
                                            WithDefault("digitChar", "n"),
                                            WithDefault("otherChar", std::nullopt)};
  static const std::vector<Parameter> kCollection{{"collection", std::nullopt}};
  static const std::vector<Parameter> kInput{{"input", std::nullopt}};
  static const std::map<std::string_view, const std::vector<Parameter>*> kFunctions{{"mask", &kMask},
                                                                                    {"explode", &kCollection},
                                                                                    {"explode_outer", &kCollection},
                                                                                    {"posexplode", &kCollection},
                                                                                    {"posexplode_outer", &kCollection},
                                                                                    {"inline", &kInput},
                                                                                    {"inline_outer", &kInput},
                                                                                    {"variant_explode", &kInput},
                                                                                    {"variant_explode_outer", &kInput}};
  if (function.starts_with("tuple_")) return TupleSketchParameters(function);
  auto it = kFunctions.find(function);
  return it == kFunctions.end() ? nullptr : it->second;
}

}  // namespace

bool HasNamedArguments(const Arguments& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const Expression& argument) { return argument.has_named_argument_expression(); });
}

arrow::Result<Arguments> PlaceNamedArguments(std::string_view function, const Arguments& arguments) {
  const std::string routine = QuoteIdentifier(std::string(function));
  const std::vector<Parameter>* parameters = ParametersOf(function);
  if (parameters == nullptr) return UserError("NAMED_PARAMETERS_NOT_SUPPORTED", {{"functionName", routine}});
  std::vector<const Expression*> placed(parameters->size(), nullptr);
  size_t positional = 0;
  const Expression* last_named = nullptr;
  for (const Expression& argument : arguments) {
    if (!argument.has_named_argument_expression()) {
      if (last_named != nullptr) {
        return UserError("UNEXPECTED_POSITIONAL_ARGUMENT",
                         {{"routineName", routine},
                          {"parameterName", QuoteIdentifier(last_named->named_argument_expression().key())}});
      }
      if (positional < placed.size()) placed[positional] = &argument;
      ++positional;
      continue;
    }
    last_named = &argument;
    const std::string& key = argument.named_argument_expression().key();
    auto at = std::find_if(parameters->begin(), parameters->end(),
                           [&](const Parameter& parameter) { return EqualsIgnoreCase(parameter.name, key); });
    if (at == parameters->end()) {
      std::vector<std::string> names;
      for (const Parameter& parameter : *parameters) names.push_back(QuoteIdentifier(parameter.name));
      std::string proposal;
      for (size_t i = 0; i < std::min<size_t>(names.size(), 3); ++i) proposal += (i > 0 ? " " : "") + names[i];
      return UserError("UNRECOGNIZED_PARAMETER_NAME",
                       {{"routineName", routine}, {"argumentName", QuoteIdentifier(key)}, {"proposal", proposal}});
    }
    auto index = static_cast<size_t>(at - parameters->begin());
    if (placed[index] != nullptr) {
      return UserError(index < positional ? "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"
                                          : "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
                       {{"routineName", routine}, {"parameterName", QuoteIdentifier(at->name)}});
    }
    placed[index] = &argument.named_argument_expression().value();
  }
  Arguments result;
  for (size_t i = 0; i < placed.size(); ++i) {
    const Parameter& parameter = (*parameters)[i];
    if (placed[i] == nullptr && !parameter.default_value) {
      return UserError(
          "REQUIRED_PARAMETER_NOT_FOUND",
          {{"routineName", routine}, {"parameterName", QuoteIdentifier(parameter.name)}, {"index", std::to_string(i)}});
    }
    *result.Add() = placed[i] != nullptr ? *placed[i] : *parameter.default_value;
  }
  return result;
}

}  // namespace millrace::analyzer
