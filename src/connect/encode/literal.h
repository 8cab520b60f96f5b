#pragma once

#include <arrow/scalar.h>
#include <arrow/status.h>

#include "types/data_type.h"

namespace spark::connect {
class Expression_Literal;
}

namespace millrace::connect {

/// One value as a literal message. Errors: types without a literal.
arrow::Status EncodeLiteral(const arrow::Scalar& value, const types::DataType& type,
                            spark::connect::Expression_Literal* out);

}  // namespace millrace::connect
