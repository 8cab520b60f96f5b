#pragma once

#include <optional>

#include "expression/node.h"

/// Spark's implicit casts with spark.sql.ansi.enabled = false (TypeCoercion), where they differ from those of
/// type_coercion.h, which asks here by itself.

namespace millrace::expression {

/// Whether a value of `from` is accepted where `to` is expected.
bool CanImplicitCastWithoutAnsi(const DataTypePtr& from, const DataTypePtr& to);

/// What a string and another type meet at in CASE, COALESCE, UNION …: the string. Nullopt when neither or both are
/// strings, and for BINARY and BOOLEAN.
std::optional<DataTypePtr> StringPromotion(const DataTypePtr& a, const DataTypePtr& b);

/// What both sides of a comparison meet at: a string takes the other's type, BOOLEAN meets numbers as 0 and 1 in
/// equalities. Nullopt when the ordinary rules say it.
std::optional<DataTypePtr> ComparedWithoutAnsi(const DataTypePtr& a, const DataTypePtr& b, bool equality);

}  // namespace millrace::expression
