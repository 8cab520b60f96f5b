#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "function/bind.h"
#include "function/sketch/hash_sketch.h"

/// What the functions of sketches, above all of theta and tuple sketches, ask of their arguments.

namespace millrace::function {

inline constexpr int kDefaultLog2Size = 12;

/// "tuple_…_double", "tuple_…_integer"; without a summary: theta's.
SummaryKind SummaryKindOf(std::string_view function);
/// The call with what is not given at the end taken from `defaults`, which are those of the last parameters.
BindInput WithDefaults(const BindInput& input, size_t num_parameters, const ExpressionVector& defaults);
bool SomeNullable(const BindInput& input);
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE when the argument is of another type, NULL aside.
arrow::Status CheckExactType(const BindInput& input, size_t index, const DataTypePtr& type);
/// log2 of the number of keys kept, out of its range. Errors: UserError SKETCH_INVALID_LG_NOM_ENTRIES.
arrow::Status CheckLog2Size(std::string_view function, int64_t log2_size);
/// The constants of tuple sketches. Errors: UserError DATATYPE_MISMATCH.…; index may be beyond the arguments' end.
arrow::Result<int> TupleLog2Size(const BindInput& input, size_t index);
arrow::Result<SummaryMode> TupleMode(const BindInput& input, size_t index);
/// A sketch in bytes. Errors: UserError THETA_INVALID_INPUT_SKETCH_BUFFER, TUPLE_INVALID_INPUT_SKETCH_BUFFER, the same
/// with _FAMILY.
arrow::Result<HashSketch> ParseSketch(std::string_view function, std::string_view bytes, SummaryKind kind);

}  // namespace millrace::function
