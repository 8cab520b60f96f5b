#include "millrace/functions/session.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;

Column AssertTrue(const Column& value, const std::optional<ColumnOrLiteral>& message) {
  return Call("assert_true", Arguments({value}, Optional(message)));
}
Column CurrentCatalog() { return Call("current_catalog", {}); }
Column CurrentDatabase() { return Call("current_database", {}); }
Column CurrentSchema() { return Call("current_schema", {}); }
Column CurrentUser() { return Call("current_user", {}); }
Column InputFileBlockLength() { return Call("input_file_block_length", {}); }
Column InputFileBlockStart() { return Call("input_file_block_start", {}); }
Column InputFileName() { return Call("input_file_name", {}); }
Column MonotonicallyIncreasingId() { return Call("monotonically_increasing_id", {}); }
Column RaiseError(const ColumnOrLiteral& message) { return Call("raise_error", {message.column()}); }
Column SessionUser() { return Call("session_user", {}); }
Column SparkPartitionId() { return Call("spark_partition_id", {}); }
Column TypeOf(const Column& value) { return Call("typeof", {value}); }
Column User() { return Call("user", {}); }
Column Uuid(const std::optional<ColumnOrNumber>& seed) { return Call("uuid", Arguments({}, Optional(seed))); }
Column Version() { return Call("version", {}); }

}  // namespace millrace::functions
