#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace millrace {

/// An integer that cannot be mixed with another kind of integer.
template <typename Tag, typename Value = int64_t>
struct StrongId {
  Value value{};

  constexpr StrongId() = default;
  constexpr explicit StrongId(Value v) : value(v) {}
  constexpr auto operator<=>(const StrongId&) const = default;
  constexpr StrongId Next() const { return StrongId(value + 1); }
  constexpr StrongId Previous() const { return StrongId(value - 1); }
  std::string ToString() const { return std::to_string(value); }
};

/// Number of a micro-batch of one query; dense from 0, survives restarts.
using BatchId = StrongId<struct BatchIdTag>;

/// A random (version 4) UUID in its 36-character text form.
std::string RandomUuid();

}  // namespace millrace

template <typename Tag, typename Value>
struct std::hash<millrace::StrongId<Tag, Value>> {
  size_t operator()(const millrace::StrongId<Tag, Value>& id) const { return std::hash<Value>()(id.value); }
};
