#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "spark/connect/expressions.pb.h"

namespace millrace::sql {

using spark::connect::Expression;

/// Makes `expression` the first argument of function `name` and returns the function for more arguments.
Expression::UnresolvedFunction* WrapInFunction(std::string_view name, Expression* expression);

/// Makes `out` a call of `name` without arguments.
Expression::UnresolvedFunction* SetFunction(std::string_view name, Expression* out);

/// As SetFunction and WrapInFunction for a name of plan_conventions.h.
Expression::UnresolvedFunction* SetInternalFunction(std::string_view name, Expression* out);
Expression::UnresolvedFunction* WrapInInternalFunction(std::string_view name, Expression* expression);

void SetString(std::string_view value, Expression* out);
void SetInteger(int32_t value, Expression* out);
void SetBoolean(bool value, Expression* out);
void SetAttribute(const std::vector<std::string>& parts, Expression* out);

/// The parts behind an UnresolvedAttribute this parser has written.
std::vector<std::string> AttributeParts(const Expression& attribute);

/// Whether `expression` is an internal function `name`.
bool IsInternalFunction(const Expression& expression, std::string_view name);

/// Balanced tree of `name` over `operands` (at least one), in order, shaped as Spark shapes chains of AND and OR; keeps
/// a chain of thousands shallow.
void CombineBalanced(std::string_view name, std::vector<Expression>* operands, Expression* out);

/// Calls `visit` for each direct child; the plan of a subquery is none.
void ForEachChild(Expression* expression, const std::function<void(Expression*)>& visit);
void ForEachChild(const Expression& expression, const std::function<void(const Expression&)>& visit);

/// Same tree. Both come from this parser, where equal trees have equal bytes.
bool SameExpression(const Expression& a, const Expression& b);

}  // namespace millrace::sql
