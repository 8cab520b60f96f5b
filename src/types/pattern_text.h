#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "types/datetime_pattern.h"

namespace millrace::types {

/// The words of a field in en-US (CLDR, as Java 17 has them), from its smallest value up; empty for fields without
/// words.
std::span<const std::string_view> FieldTexts(DateTimePattern::Field field, bool full);
/// The smallest value of a field with words.
int64_t FirstFieldText(DateTimePattern::Field field);
/// The word for `value`. REQUIRES: the field has words and the value one of them.
std::string_view FieldText(DateTimePattern::Field field, int64_t value, bool full);

}  // namespace millrace::types
