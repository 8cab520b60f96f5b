#pragma once

#include <string_view>
#include <vector>

#include "millrace/column.h"
#include "millrace/functions/aggregate.h"
#include "millrace/functions/collection.h"
#include "millrace/functions/conditional.h"
#include "millrace/functions/datetime.h"
#include "millrace/functions/format.h"
#include "millrace/functions/hash.h"
#include "millrace/functions/math.h"
#include "millrace/functions/session.h"
#include "millrace/functions/sketch.h"
#include "millrace/functions/string.h"
#include "millrace/functions/window.h"

/// Spark's functions by their usual names, in the headers of millrace/functions/. Every function the engine knows can
/// be called with Call(name, …) and inside Expr("…"); the list is `millrace functions`.
namespace millrace::functions {

Column Col(std::string_view name);
/// A SQL expression: Expr("CAST(value AS STRING) AS text").
Column Expr(std::string_view sql);
/// Any function by name.
Column Call(std::string_view name, const std::vector<Column>& arguments);

}  // namespace millrace::functions
