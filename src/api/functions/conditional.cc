#include "millrace/functions/conditional.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;

Column Coalesce(const std::vector<Column>& values) { return Call("coalesce", values); }
Column EqualNull(const Column& first, const Column& second) { return Call("equal_null", {first, second}); }
Column IfNull(const Column& first, const Column& second) { return Call("ifnull", {first, second}); }
Column ILike(const Column& text, const Column& pattern, const std::optional<ColumnOrLiteral>& escape_char) {
  return Call("ilike", Arguments({text, pattern}, Optional(escape_char)));
}
Column IsNaN(const Column& value) { return Call("isnan", {value}); }
Column IsNotNull(const Column& value) { return Call("isnotnull", {value}); }
Column IsNull(const Column& value) { return Call("isnull", {value}); }
Column Like(const Column& text, const Column& pattern, const std::optional<ColumnOrLiteral>& escape_char) {
  return Call("like", Arguments({text, pattern}, Optional(escape_char)));
}
Column NaNvl(const Column& first, const Column& second) { return Call("nanvl", {first, second}); }
Column NullIf(const Column& first, const Column& second) { return Call("nullif", {first, second}); }
Column NullIfZero(const Column& value) { return Call("nullifzero", {value}); }
Column Nvl2(const Column& first, const Column& second, const Column& otherwise) {
  return Call("nvl2", {first, second, otherwise});
}
Column Nvl(const Column& first, const Column& second) { return Call("nvl", {first, second}); }
Column RegexpLike(const Column& text, const Column& regexp) { return Call("regexp_like", {text, regexp}); }
Column RLike(const Column& text, const Column& regexp) { return Call("rlike", {text, regexp}); }
Column When(const Column& condition, const ColumnOrLiteral& value) { return Call("when", {condition, value.column()}); }
Column ZeroIfNull(const Column& value) { return Call("zeroifnull", {value}); }

}  // namespace millrace::functions
