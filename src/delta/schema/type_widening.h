#pragma once

#include "types/data_type.h"

/// Columns whose type becomes a wider one. Source: Delta's PROTOCOL.md, "Type Widening"; delta-spark's TypeWidening.

namespace millrace::delta {

/// Whether ALTER TABLE may change an atomic type to the other: what is in files is read as the wider type.
bool CanWiden(const types::DataType& from, const types::DataType& to);

/// Whether mergeSchema may: fewer pairs, so that integers do not become decimals unasked.
bool CanWidenByMerge(const types::DataType& from, const types::DataType& to);

/// `schema` with a note of each type that differs from the old one's, in the metadata of the field it is in
/// (delta.typeChanges). Fields are matched by their physical names.
types::DataTypePtr WithTypeChanges(const types::DataTypePtr& schema, const types::DataTypePtr& old_schema);

}  // namespace millrace::delta
