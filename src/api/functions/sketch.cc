#include "millrace/functions/sketch.h"

#include "millrace/functions.h"

namespace millrace::functions {

Column HllSketchAgg(const Column& value, const ColumnOrNumber& lg_config_k) {
  return Call("hll_sketch_agg", {value, lg_config_k.column()});
}
Column HllSketchEstimate(const Column& sketch) { return Call("hll_sketch_estimate", {sketch}); }
Column HllUnion(const Column& first, const Column& second, bool allow_different_lg_config_k) {
  return Call("hll_union", {first, second, Lit(allow_different_lg_config_k)});
}
Column HllUnionAgg(const Column& sketch, bool allow_different_lg_config_k) {
  return Call("hll_union_agg", {sketch, Lit(allow_different_lg_config_k)});
}
Column ThetaDifference(const Column& first, const Column& second) { return Call("theta_difference", {first, second}); }
Column ThetaIntersection(const Column& first, const Column& second) {
  return Call("theta_intersection", {first, second});
}
Column ThetaIntersectionAgg(const Column& sketch) { return Call("theta_intersection_agg", {sketch}); }
Column ThetaSketchAgg(const Column& value, const ColumnOrNumber& lg_nom_entries) {
  return Call("theta_sketch_agg", {value, lg_nom_entries.column()});
}
Column ThetaSketchEstimate(const Column& sketch) { return Call("theta_sketch_estimate", {sketch}); }
Column ThetaUnion(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries) {
  return Call("theta_union", {first, second, lg_nom_entries.column()});
}
Column ThetaUnionAgg(const Column& sketch, const ColumnOrNumber& lg_nom_entries) {
  return Call("theta_union_agg", {sketch, lg_nom_entries.column()});
}
Column TupleDifferenceDouble(const Column& first, const Column& second) {
  return Call("tuple_difference_double", {first, second});
}
Column TupleDifferenceInteger(const Column& first, const Column& second) {
  return Call("tuple_difference_integer", {first, second});
}
Column TupleDifferenceThetaDouble(const Column& first, const Column& second) {
  return Call("tuple_difference_theta_double", {first, second});
}
Column TupleDifferenceThetaInteger(const Column& first, const Column& second) {
  return Call("tuple_difference_theta_integer", {first, second});
}
Column TupleIntersectionAggDouble(const Column& sketch, const ColumnOrLiteral& mode) {
  return Call("tuple_intersection_agg_double", {sketch, mode.column()});
}
Column TupleIntersectionAggInteger(const Column& sketch, const ColumnOrLiteral& mode) {
  return Call("tuple_intersection_agg_integer", {sketch, mode.column()});
}
Column TupleIntersectionDouble(const Column& first, const Column& second, const ColumnOrLiteral& mode) {
  return Call("tuple_intersection_double", {first, second, mode.column()});
}
Column TupleIntersectionInteger(const Column& first, const Column& second, const ColumnOrLiteral& mode) {
  return Call("tuple_intersection_integer", {first, second, mode.column()});
}
Column TupleIntersectionThetaDouble(const Column& first, const Column& second, const ColumnOrLiteral& mode) {
  return Call("tuple_intersection_theta_double", {first, second, mode.column()});
}
Column TupleIntersectionThetaInteger(const Column& first, const Column& second, const ColumnOrLiteral& mode) {
  return Call("tuple_intersection_theta_integer", {first, second, mode.column()});
}
Column TupleSketchAggDouble(const Column& key, const Column& summary, const ColumnOrNumber& lg_nom_entries,
                            const ColumnOrLiteral& mode) {
  return Call("tuple_sketch_agg_double", {key, summary, lg_nom_entries.column(), mode.column()});
}
Column TupleSketchAggInteger(const Column& key, const Column& summary, const ColumnOrNumber& lg_nom_entries,
                             const ColumnOrLiteral& mode) {
  return Call("tuple_sketch_agg_integer", {key, summary, lg_nom_entries.column(), mode.column()});
}
Column TupleSketchEstimateDouble(const Column& sketch) { return Call("tuple_sketch_estimate_double", {sketch}); }
Column TupleSketchEstimateInteger(const Column& sketch) { return Call("tuple_sketch_estimate_integer", {sketch}); }
Column TupleSketchSummaryDouble(const Column& sketch, const ColumnOrLiteral& mode) {
  return Call("tuple_sketch_summary_double", {sketch, mode.column()});
}
Column TupleSketchSummaryInteger(const Column& sketch, const ColumnOrLiteral& mode) {
  return Call("tuple_sketch_summary_integer", {sketch, mode.column()});
}
Column TupleSketchThetaDouble(const Column& sketch) { return Call("tuple_sketch_theta_double", {sketch}); }
Column TupleSketchThetaInteger(const Column& sketch) { return Call("tuple_sketch_theta_integer", {sketch}); }
Column TupleUnionAggDouble(const Column& sketch, const ColumnOrNumber& lg_nom_entries, const ColumnOrLiteral& mode) {
  return Call("tuple_union_agg_double", {sketch, lg_nom_entries.column(), mode.column()});
}
Column TupleUnionAggInteger(const Column& sketch, const ColumnOrNumber& lg_nom_entries, const ColumnOrLiteral& mode) {
  return Call("tuple_union_agg_integer", {sketch, lg_nom_entries.column(), mode.column()});
}
Column TupleUnionDouble(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries,
                        const ColumnOrLiteral& mode) {
  return Call("tuple_union_double", {first, second, lg_nom_entries.column(), mode.column()});
}
Column TupleUnionInteger(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries,
                         const ColumnOrLiteral& mode) {
  return Call("tuple_union_integer", {first, second, lg_nom_entries.column(), mode.column()});
}
Column TupleUnionThetaDouble(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries,
                             const ColumnOrLiteral& mode) {
  return Call("tuple_union_theta_double", {first, second, lg_nom_entries.column(), mode.column()});
}
Column TupleUnionThetaInteger(const Column& first, const Column& second, const ColumnOrNumber& lg_nom_entries,
                              const ColumnOrLiteral& mode) {
  return Call("tuple_union_theta_integer", {first, second, lg_nom_entries.column(), mode.column()});
}

}  // namespace millrace::functions
