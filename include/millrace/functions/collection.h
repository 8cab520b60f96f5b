#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "millrace/column.h"

/// Functions of arrays, maps and structs, those with lambdas, and generators (one row out of a row for each element).
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// Folds the elements into `initial` from the left.
Column Aggregate(const Column& array, const Column& initial,
                 const std::function<Column(const Column&, const Column&)>& merge);
/// As above, and what `finish` makes of the result.
Column Aggregate(const Column& array, const Column& initial,
                 const std::function<Column(const Column&, const Column&)>& merge,
                 const std::function<Column(const Column&)>& finish);
/// The array with an element at its end.
Column ArrayAppend(const Column& value, const ColumnOrLiteral& element);
/// An array of the values.
Column Array(const std::vector<Column>& values);
/// The array without its NULLs.
Column ArrayCompact(const Column& value);
/// Whether the array holds the value.
Column ArrayContains(const Column& value, const ColumnOrLiteral& element);
/// The array's elements, each once.
Column ArrayDistinct(const Column& value);
/// Elements of the first array that are not in the second, each once.
Column ArrayExcept(const Column& first, const Column& second);
/// The array with an element at a place from 1, or from the end.
Column ArrayInsert(const Column& array, const ColumnOrNumber& position, const ColumnOrLiteral& value);
/// Elements of both arrays, each once.
Column ArrayIntersect(const Column& first, const Column& second);
/// The elements as one text, a delimiter between them; NULLs left out or replaced.
Column ArrayJoin(const Column& value, std::string_view delimiter,
                 std::optional<std::string_view> null_replacement = {});
/// The array's largest element.
Column ArrayMax(const Column& value);
/// The array's smallest element.
Column ArrayMin(const Column& value);
/// Place of the first equal element, from 1; 0 when there is none.
Column ArrayPosition(const Column& value, const ColumnOrLiteral& element);
/// The array with an element before its first.
Column ArrayPrepend(const Column& value, const ColumnOrLiteral& element);
/// The array without elements equal to the value.
Column ArrayRemove(const Column& value, const ColumnOrLiteral& element);
/// An array of so many times the value.
Column ArrayRepeat(const Column& value, const ColumnOrNumber& count);
/// Number of elements of an array.
Column ArraySize(const Column& value);
/// The array sorted upwards, NULL last.
Column ArraySort(const Column& array);
/// The array sorted by a comparator: negative, 0 or positive.
Column ArraySort(const Column& array, const std::function<Column(const Column&, const Column&)>& comparator);
/// Whether two arrays have an element in common that is not NULL.
Column ArraysOverlap(const Column& left, const Column& right);
/// An array of structs of the i-th elements of all arrays.
Column ArraysZip(const std::vector<Column>& values);
/// Elements of either array, each once.
Column ArrayUnion(const Column& first, const Column& second);
/// A map of keys and values in turn.
Column CreateMap(const std::vector<Column>& keys_and_values);
/// Element of an array by place from 1 (or from the end), value of a map by key.
Column ElementAt(const Column& value, const ColumnOrLiteral& extraction);
/// Whether the condition is true for some element.
Column Exists(const Column& array, const std::function<Column(const Column&)>& condition);
/// A row for each element of an array, or for each entry of a map.
Column Explode(const Column& value);
/// As explode, but a row of NULLs for NULL and empty collections.
Column ExplodeOuter(const Column& value);
/// The elements for which the condition is true.
Column Filter(const Column& array, const std::function<Column(const Column&)>& condition);
/// As above; the condition gets the position, from 0, too.
Column Filter(const Column& array, const std::function<Column(const Column&, const Column&)>& condition);
/// The elements of the arrays in an array, one after another.
Column Flatten(const Column& value);
/// Whether the condition is true for every element.
Column Forall(const Column& array, const std::function<Column(const Column&)>& condition);
/// Element of an array by index from 0, NULL outside of it.
Column Get(const Column& value, const ColumnOrNumber& index);
/// A row for each struct in an array, a column for each of its fields.
Column Inline(const Column& value);
/// As inline, but a row of NULLs for NULL and empty arrays.
Column InlineOuter(const Column& value);
/// The union of maps.
Column MapConcat(const std::vector<Column>& values);
/// Whether the map holds the key.
Column MapContainsKey(const Column& value, const ColumnOrLiteral& element);
/// The map's entries as structs of key and value.
Column MapEntries(const Column& value);
/// The entries, key and value, for which the condition is true.
Column MapFilter(const Column& map, const std::function<Column(const Column&, const Column&)>& condition);
/// A map of an array of keys and one of values.
Column MapFromArrays(const Column& keys, const Column& values);
/// A map of an array of structs of key and value.
Column MapFromEntries(const Column& value);
/// The map's keys.
Column MapKeys(const Column& value);
/// The map's values.
Column MapValues(const Column& value);
/// The map of what the function makes of each key and its two values, NULL where one is missing.
Column MapZipWith(const Column& left, const Column& right,
                  const std::function<Column(const Column&, const Column&, const Column&)>& function);
/// A struct of names and values in turn.
Column NamedStruct(const std::vector<Column>& values);
/// As explode_outer, with the element's position from 0.
Column PosExplodeOuter(const Column& value);
/// As explode, with the element's position from 0.
Column PosExplode(const Column& value);
/// The values from a start to a stop, both included, by a step.
Column Sequence(const Column& start, const Column& stop, const std::optional<Column>& step = {});
/// The elements of an array in random order.
Column Shuffle(const Column& value, const std::optional<ColumnOrNumber>& seed = {});
/// Number of elements of an array or entries of a map.
Column Size(const Column& value);
/// Part of an array: from a place (from 1, or from the end), so many elements.
Column Slice(const Column& x, const ColumnOrNumber& start, const ColumnOrNumber& length);
/// The array in order; NULLs first, or last when descending.
Column SortArray(const Column& value, bool asc = true);
/// Makes as many rows of the values as the first, a constant, says.
Column Stack(const std::vector<Column>& values);
/// A struct of the columns, with their names.
Column Struct(const std::vector<Column>& values);
/// The map with the keys that the function makes of key and value.
Column TransformKeys(const Column& map, const std::function<Column(const Column&, const Column&)>& function);
/// The array of what the function makes of each element.
Column Transform(const Column& array, const std::function<Column(const Column&)>& function);
/// As above; the function gets the position, from 0, too.
Column Transform(const Column& array, const std::function<Column(const Column&, const Column&)>& function);
/// The map with the values that the function makes of key and value.
Column TransformValues(const Column& map, const std::function<Column(const Column&, const Column&)>& function);
/// As element_at, but NULL where there is no such element.
Column TryElementAt(const Column& value, const Column& extraction);
/// The array of what the function makes of two arrays' elements, the shorter filled with NULL.
Column ZipWith(const Column& left, const Column& right,
               const std::function<Column(const Column&, const Column&)>& function);

}  // namespace millrace::functions
