#pragma once

#include <string>
#include <vector>

#include "expression/expression.h"

namespace millrace::function {

/// True for a call that from_json's bind made.
bool IsFromJson(const expression::Expression& expression);

/// `from_json_call` decoding only the fields that `paths` name (a path is the field's name, then names inside of it),
/// in the schema's order; its type is narrowed accordingly. The call itself when nothing can be left out.
///
/// Values of the kept fields are those of the whole call for every record: malformed ones are judged by the whole
/// schema. Hence the call stays as it is where a left-out field could show: FAILFAST mode, a corrupt-record column
/// among the paths, two fields with one name, a schema that is no struct.
/// REQUIRES: IsFromJson(*from_json_call).
expression::ExpressionPtr PruneFromJson(const expression::ExpressionPtr& from_json_call,
                                        const std::vector<std::vector<std::string>>& paths);

}  // namespace millrace::function
