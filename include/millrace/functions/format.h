#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/column.h"

/// Values as JSON, CSV and variants. Options are those of Spark's data sources of that name.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// A value of its CSV text; `schema` in DDL.
Column FromCsv(const Column& text, std::string_view schema, const std::map<std::string, std::string>& options = {});
/// A value of its JSON text; `schema` in DDL.
Column FromJson(const Column& text, std::string_view schema, const std::map<std::string, std::string>& options = {});
/// What a path ($.a[0].b) finds in a JSON text: strings bare, other values as JSON.
Column GetJsonObject(const Column& value, std::string_view path);
/// Whether the bytes of a variant are well-formed.
Column IsValidVariant(const Column& value);
/// Whether a variant is JSON's null; false for NULL.
Column IsVariantNull(const Column& value);
/// Number of elements of the JSON array at the root; NULL for anything else.
Column JsonArrayLength(const Column& value);
/// Names of the members of the JSON object at the root; NULL for anything else.
Column JsonObjectKeys(const Column& value);
/// The texts of several fields of a JSON text, as columns c0, c1 and on.
Column JsonTuple(const Column& text, const std::vector<std::string>& fields);
/// Reads a JSON text as a variant; fails where it is none.
Column ParseJson(const Column& value);
/// The schema, in DDL, of a constant CSV text.
Column SchemaOfCsv(const ColumnOrLiteral& text, const std::map<std::string, std::string>& options = {});
/// The schema, in DDL, of a constant JSON text.
Column SchemaOfJson(const ColumnOrLiteral& text, const std::map<std::string, std::string>& options = {});
/// The type of a variant, as SQL.
Column SchemaOfVariant(const Column& value);
/// The CSV text of a value.
Column ToCsv(const Column& value, const std::map<std::string, std::string>& options = {});
/// The JSON text of a value.
Column ToJson(const Column& value, const std::map<std::string, std::string>& options = {});
/// A struct, array or map as a variant; structs become objects.
Column ToVariantObject(const Column& value);
/// Reads a JSON text as a variant; NULL where it is none.
Column TryParseJson(const Column& value);
/// As variant_get, but NULL when the value is not of the type.
Column TryVariantGet(const Column& value, const ColumnOrLiteral& path, std::string_view target_type);
/// The value at a path of a variant, cast to a type; NULL when there is none, an error when it is not of the type.
Column VariantGet(const Column& value, const ColumnOrLiteral& path, std::string_view target_type);

}  // namespace millrace::functions
