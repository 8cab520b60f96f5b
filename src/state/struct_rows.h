#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

/// UnsafeRows made of UnsafeRows: keys and values of column families are structs of the rows that a user's function
/// gives. Format: docs/formats/state_unsafe_row.md

namespace millrace::state {

/// A row of struct columns, none of them NULL.
std::string RowOfStructs(std::initializer_list<std::string_view> structs);
/// A row of one long.
std::string LongRow(int64_t value);
/// A row of a struct and a long: a value and when it expires, in ms.
std::string RowWithTime(std::string_view value, int64_t time_ms);
/// A row of one NULL.
std::string_view NullRow();

/// The struct in column `ordinal` of `num_columns`; empty when the bytes are no such row.
std::string_view StructAt(std::string_view row, int num_columns, int ordinal);

}  // namespace millrace::state
