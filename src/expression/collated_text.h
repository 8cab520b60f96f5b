#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expression/expression.h"
#include "types/data_type.h"

/// Texts under a collation: keys that compare as bytes the way the texts do, and places where one is found in another.
/// docs/adr/0014. All functions are thread-safe.

namespace millrace::expression {

/// Appends the bytes by which `text` is equal to others, and stands among them, under collation `number`.
void AppendCollationKey(int number, std::string_view text, std::string* out);

/// The type of the keys of values of `type`: BINARY for every STRING under a collation.
types::DataTypePtr CollationKeyType(const types::DataTypePtr& type);
/// `value` as a value that engine operators, which know nothing of collations, compare rightly; `value` itself when its
/// type holds none. It shows as `value`.
ExpressionPtr CollationKey(const ExpressionPtr& value);

/// Bytes [begin, end) of a text.
struct TextSpan {
  size_t begin = 0;
  size_t end = 0;
};

/// Where `part` is in `text`, from the left. Overlapping places count when `overlapping`. REQUIRES: `part` not empty.
std::vector<TextSpan> FindCollated(int number, std::string_view text, std::string_view part, bool overlapping);

}  // namespace millrace::expression
