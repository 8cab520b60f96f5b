#pragma once

#include <string>

#include "function/bind.h"

namespace millrace::function {

/// variant_get or try_variant_get of a variant and a path, as `type`. `shown_alias`: what SQL texts show behind the
/// call (`v:path` keeps the name of its last field); empty for nothing.
ExpressionPtr MakeVariantGet(ExpressionVector arguments, DataTypePtr type, const std::string& function, bool raises,
                             const std::string& shown_alias);

}  // namespace millrace::function
