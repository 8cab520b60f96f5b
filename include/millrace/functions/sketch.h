#pragma once

#include "millrace/column.h"

/// Sketches of Apache DataSketches: HyperLogLog (numbers of distinct values), theta (sets) and tuple (sets with a
/// summary a key). Sketches are BINARY, the same bytes as Spark's. Sizes are logarithms to 2; modes are "sum", "min",
/// "max" and "alwaysone".
namespace millrace::functions {

/// A HyperLogLog sketch of the keys.
Column HllSketchAgg(const Column& value, const ColumnOrNumber& lg_config_k = 12);
/// About how many keys a HyperLogLog sketch has seen.
Column HllSketchEstimate(const Column& sketch);
/// The HyperLogLog sketch of the keys of either.
Column HllUnion(const Column& first, const Column& second, bool allow_different_lg_config_k = false);
/// One HyperLogLog sketch of all.
Column HllUnionAgg(const Column& sketch, bool allow_different_lg_config_k = false);
/// The theta sketch of the first one's other keys.
Column ThetaDifference(const Column& first, const Column& second);
/// The theta sketch of the keys of both.
Column ThetaIntersection(const Column& first, const Column& second);
/// The theta sketch of what all have in common.
Column ThetaIntersectionAgg(const Column& sketch);
/// A theta sketch of the keys.
Column ThetaSketchAgg(const Column& value, const ColumnOrNumber& lg_nom_entries = 12);
/// About how many keys a theta sketch has seen.
Column ThetaSketchEstimate(const Column& sketch);
/// The theta sketch of the keys of either.
Column ThetaUnion(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries = 12);
/// One theta sketch of all.
Column ThetaUnionAgg(const Column& sketch, const ColumnOrNumber& lg_nom_entries = 12);
/// The tuple sketch of the first one's other keys.
Column TupleDifferenceDouble(const Column& first, const Column& second);
/// The tuple sketch of the first one's other keys.
Column TupleDifferenceInteger(const Column& first, const Column& second);
/// A tuple sketch's keys that a theta sketch does not have.
Column TupleDifferenceThetaDouble(const Column& first, const Column& second);
/// A tuple sketch's keys that a theta sketch does not have.
Column TupleDifferenceThetaInteger(const Column& first, const Column& second);
/// The tuple sketch of what all have in common.
Column TupleIntersectionAggDouble(const Column& sketch, const ColumnOrLiteral& mode = "sum");
/// The tuple sketch of what all have in common.
Column TupleIntersectionAggInteger(const Column& sketch, const ColumnOrLiteral& mode = "sum");
/// The tuple sketch of the keys of both.
Column TupleIntersectionDouble(const Column& first, const Column& second, const ColumnOrLiteral& mode = "sum");
/// The tuple sketch of the keys of both.
Column TupleIntersectionInteger(const Column& first, const Column& second, const ColumnOrLiteral& mode = "sum");
/// A tuple sketch's keys that a theta sketch has, too.
Column TupleIntersectionThetaDouble(const Column& first, const Column& second, const ColumnOrLiteral& mode = "sum");
/// A tuple sketch's keys that a theta sketch has, too.
Column TupleIntersectionThetaInteger(const Column& first, const Column& second, const ColumnOrLiteral& mode = "sum");
/// A tuple sketch of keys with numbers.
Column TupleSketchAggDouble(const Column& key, const Column& summary, const ColumnOrNumber& lg_nom_entries = 12,
                            const ColumnOrLiteral& mode = "sum");
/// A tuple sketch of keys with whole numbers.
Column TupleSketchAggInteger(const Column& key, const Column& summary, const ColumnOrNumber& lg_nom_entries = 12,
                             const ColumnOrLiteral& mode = "sum");
/// About how many keys a tuple sketch has seen.
Column TupleSketchEstimateDouble(const Column& sketch);
/// About how many keys a tuple sketch has seen.
Column TupleSketchEstimateInteger(const Column& sketch);
/// All summaries of a tuple sketch as one.
Column TupleSketchSummaryDouble(const Column& sketch, const ColumnOrLiteral& mode = "sum");
/// All summaries of a tuple sketch as one.
Column TupleSketchSummaryInteger(const Column& sketch, const ColumnOrLiteral& mode = "sum");
/// Part of the keys that a tuple sketch keeps.
Column TupleSketchThetaDouble(const Column& sketch);
/// Part of the keys that a tuple sketch keeps.
Column TupleSketchThetaInteger(const Column& sketch);
/// One tuple sketch of all.
Column TupleUnionAggDouble(const Column& sketch, const ColumnOrNumber& lg_nom_entries = 12,
                           const ColumnOrLiteral& mode = "sum");
/// One tuple sketch of all.
Column TupleUnionAggInteger(const Column& sketch, const ColumnOrNumber& lg_nom_entries = 12,
                            const ColumnOrLiteral& mode = "sum");
/// The tuple sketch of the keys of either.
Column TupleUnionDouble(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries = 12,
                        const ColumnOrLiteral& mode = "sum");
/// The tuple sketch of the keys of either.
Column TupleUnionInteger(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries = 12,
                         const ColumnOrLiteral& mode = "sum");
/// A tuple sketch with the keys of a theta sketch.
Column TupleUnionThetaDouble(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries = 12,
                             const ColumnOrLiteral& mode = "sum");
/// A tuple sketch with the keys of a theta sketch.
Column TupleUnionThetaInteger(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries = 12,
                              const ColumnOrLiteral& mode = "sum");

}  // namespace millrace::functions
