#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/message.h"

/// How the arguments of the C++ functions become those of a call.

namespace millrace::api {

inline std::optional<Column> Optional(const std::optional<Column>& argument) { return argument; }
inline std::optional<Column> Optional(const std::optional<ColumnOrNumber>& argument) {
  return argument ? std::optional(argument->column()) : std::nullopt;
}
inline std::optional<Column> Optional(const std::optional<ColumnOrLiteral>& argument) {
  return argument ? std::optional(argument->column()) : std::nullopt;
}
template <typename T>
std::optional<Column> Optional(const std::optional<T>& constant) {
  return constant ? std::optional(Lit(*constant)) : std::nullopt;
}

/// The arguments, and one more where it is given.
std::vector<Column> Arguments(std::vector<Column> given, const std::optional<Column>& last);
std::vector<Column> Prepend(const Column& first, const std::vector<Column>& others);

/// Options travel as a map of constants behind the arguments; none when they are empty.
Column CallWithOptions(std::string_view name, std::vector<Column> arguments,
                       const std::map<std::string, std::string>& options);

/// The lambda of a higher-order function, by calling `function` once with variables that no other lambda has.
Column Lambda(const std::function<Column(const Column&)>& function);
Column Lambda(const std::function<Column(const Column&, const Column&)>& function);
Column Lambda(const std::function<Column(const Column&, const Column&, const Column&)>& function);

}  // namespace millrace::api
