#pragma once

#include <arrow/status.h>

#include <string>

namespace millrace::connector {

/// Why there is no data source called `provider`: UNSUPPORTED_CALL… for what Spark has and this does not (jdbc, xml,
/// …), DATA_SOURCE_NOT_FOUND otherwise.
arrow::Status MissingSource(const std::string& provider);

}  // namespace millrace::connector
