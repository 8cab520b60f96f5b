#include "millrace/functions/collection.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Lambda;
using api::Optional;

Column Aggregate(const Column& array, const Column& initial,
                 const std::function<Column(const Column&, const Column&)>& merge) {
  return Call("aggregate", {array, initial, Lambda(merge)});
}
Column Aggregate(const Column& array, const Column& initial,
                 const std::function<Column(const Column&, const Column&)>& merge,
                 const std::function<Column(const Column&)>& finish) {
  return Call("aggregate", {array, initial, Lambda(merge), Lambda(finish)});
}
Column ArrayAppend(const Column& value, const ColumnOrLiteral& element) {
  return Call("array_append", {value, element.column()});
}
Column Array(const std::vector<Column>& values) { return Call("array", values); }
Column ArrayCompact(const Column& value) { return Call("array_compact", {value}); }
Column ArrayContains(const Column& value, const ColumnOrLiteral& element) {
  return Call("array_contains", {value, element.column()});
}
Column ArrayDistinct(const Column& value) { return Call("array_distinct", {value}); }
Column ArrayExcept(const Column& first, const Column& second) { return Call("array_except", {first, second}); }
Column ArrayInsert(const Column& array, const ColumnOrNumber& position, const ColumnOrLiteral& value) {
  return Call("array_insert", {array, position.column(), value.column()});
}
Column ArrayIntersect(const Column& first, const Column& second) { return Call("array_intersect", {first, second}); }
Column ArrayJoin(const Column& value, std::string_view delimiter, std::optional<std::string_view> null_replacement) {
  return Call("array_join", Arguments({value, Lit(delimiter)}, Optional(null_replacement)));
}
Column ArrayMax(const Column& value) { return Call("array_max", {value}); }
Column ArrayMin(const Column& value) { return Call("array_min", {value}); }
Column ArrayPosition(const Column& value, const ColumnOrLiteral& element) {
  return Call("array_position", {value, element.column()});
}
Column ArrayPrepend(const Column& value, const ColumnOrLiteral& element) {
  return Call("array_prepend", {value, element.column()});
}
Column ArrayRemove(const Column& value, const ColumnOrLiteral& element) {
  return Call("array_remove", {value, element.column()});
}
Column ArrayRepeat(const Column& value, const ColumnOrNumber& count) {
  return Call("array_repeat", {value, count.column()});
}
Column ArraySize(const Column& value) { return Call("array_size", {value}); }
Column ArraySort(const Column& array) { return Call("array_sort", {array}); }
Column ArraySort(const Column& array, const std::function<Column(const Column&, const Column&)>& comparator) {
  return Call("array_sort", {array, Lambda(comparator)});
}
Column ArraysOverlap(const Column& left, const Column& right) { return Call("arrays_overlap", {left, right}); }
Column ArraysZip(const std::vector<Column>& values) { return Call("arrays_zip", values); }
Column ArrayUnion(const Column& first, const Column& second) { return Call("array_union", {first, second}); }
Column CreateMap(const std::vector<Column>& keys_and_values) { return Call("map", keys_and_values); }
Column ElementAt(const Column& value, const ColumnOrLiteral& extraction) {
  return Call("element_at", {value, extraction.column()});
}
Column Exists(const Column& array, const std::function<Column(const Column&)>& condition) {
  return Call("exists", {array, Lambda(condition)});
}
Column Explode(const Column& value) { return Call("explode", {value}); }
Column ExplodeOuter(const Column& value) { return Call("explode_outer", {value}); }
Column Filter(const Column& array, const std::function<Column(const Column&)>& condition) {
  return Call("filter", {array, Lambda(condition)});
}
Column Filter(const Column& array, const std::function<Column(const Column&, const Column&)>& condition) {
  return Call("filter", {array, Lambda(condition)});
}
Column Flatten(const Column& value) { return Call("flatten", {value}); }
Column Forall(const Column& array, const std::function<Column(const Column&)>& condition) {
  return Call("forall", {array, Lambda(condition)});
}
Column Get(const Column& value, const ColumnOrNumber& index) { return Call("get", {value, index.column()}); }
Column Inline(const Column& value) { return Call("inline", {value}); }
Column InlineOuter(const Column& value) { return Call("inline_outer", {value}); }
Column MapConcat(const std::vector<Column>& values) { return Call("map_concat", values); }
Column MapContainsKey(const Column& value, const ColumnOrLiteral& element) {
  return Call("map_contains_key", {value, element.column()});
}
Column MapEntries(const Column& value) { return Call("map_entries", {value}); }
Column MapFilter(const Column& map, const std::function<Column(const Column&, const Column&)>& condition) {
  return Call("map_filter", {map, Lambda(condition)});
}
Column MapFromArrays(const Column& keys, const Column& values) { return Call("map_from_arrays", {keys, values}); }
Column MapFromEntries(const Column& value) { return Call("map_from_entries", {value}); }
Column MapKeys(const Column& value) { return Call("map_keys", {value}); }
Column MapValues(const Column& value) { return Call("map_values", {value}); }
Column MapZipWith(const Column& left, const Column& right,
                  const std::function<Column(const Column&, const Column&, const Column&)>& function) {
  return Call("map_zip_with", {left, right, Lambda(function)});
}
Column NamedStruct(const std::vector<Column>& values) { return Call("named_struct", values); }
Column PosExplodeOuter(const Column& value) { return Call("posexplode_outer", {value}); }
Column PosExplode(const Column& value) { return Call("posexplode", {value}); }
Column Sequence(const Column& start, const Column& stop, const std::optional<Column>& step) {
  return Call("sequence", Arguments({start, stop}, Optional(step)));
}
Column Shuffle(const Column& value, const std::optional<ColumnOrNumber>& seed) {
  return Call("shuffle", Arguments({value}, Optional(seed)));
}
Column Size(const Column& value) { return Call("size", {value}); }
Column Slice(const Column& x, const ColumnOrNumber& start, const ColumnOrNumber& length) {
  return Call("slice", {x, start.column(), length.column()});
}
Column SortArray(const Column& value, bool asc) { return Call("sort_array", {value, Lit(asc)}); }
Column Stack(const std::vector<Column>& values) { return Call("stack", values); }
Column Struct(const std::vector<Column>& values) { return Call("struct", values); }
Column TransformKeys(const Column& map, const std::function<Column(const Column&, const Column&)>& function) {
  return Call("transform_keys", {map, Lambda(function)});
}
Column Transform(const Column& array, const std::function<Column(const Column&)>& function) {
  return Call("transform", {array, Lambda(function)});
}
Column Transform(const Column& array, const std::function<Column(const Column&, const Column&)>& function) {
  return Call("transform", {array, Lambda(function)});
}
Column TransformValues(const Column& map, const std::function<Column(const Column&, const Column&)>& function) {
  return Call("transform_values", {map, Lambda(function)});
}
Column TryElementAt(const Column& value, const Column& extraction) {
  return Call("try_element_at", {value, extraction});
}
Column ZipWith(const Column& left, const Column& right,
               const std::function<Column(const Column&, const Column&)>& function) {
  return Call("zip_with", {left, right, Lambda(function)});
}

}  // namespace millrace::functions
