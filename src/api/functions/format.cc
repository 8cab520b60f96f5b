#include "millrace/functions/format.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::CallWithOptions;

Column FromCsv(const Column& text, std::string_view schema, const std::map<std::string, std::string>& options) {
  return CallWithOptions("from_csv", {text, Lit(schema)}, options);
}
Column FromJson(const Column& text, std::string_view schema, const std::map<std::string, std::string>& options) {
  return CallWithOptions("from_json", {text, Lit(schema)}, options);
}
Column GetJsonObject(const Column& value, std::string_view path) { return Call("get_json_object", {value, Lit(path)}); }
Column IsValidVariant(const Column& value) { return Call("is_valid_variant", {value}); }
Column IsVariantNull(const Column& value) { return Call("is_variant_null", {value}); }
Column JsonArrayLength(const Column& value) { return Call("json_array_length", {value}); }
Column JsonObjectKeys(const Column& value) { return Call("json_object_keys", {value}); }
Column JsonTuple(const Column& text, const std::vector<std::string>& fields) {
  std::vector<Column> arguments = {text};
  for (const std::string& field : fields) arguments.push_back(Lit(std::string_view(field)));
  return Call("json_tuple", arguments);
}
Column ParseJson(const Column& value) { return Call("parse_json", {value}); }
Column SchemaOfCsv(const ColumnOrLiteral& text, const std::map<std::string, std::string>& options) {
  return CallWithOptions("schema_of_csv", {text.column()}, options);
}
Column SchemaOfJson(const ColumnOrLiteral& text, const std::map<std::string, std::string>& options) {
  return CallWithOptions("schema_of_json", {text.column()}, options);
}
Column SchemaOfVariant(const Column& value) { return Call("schema_of_variant", {value}); }
Column ToCsv(const Column& value, const std::map<std::string, std::string>& options) {
  return CallWithOptions("to_csv", {value}, options);
}
Column ToJson(const Column& value, const std::map<std::string, std::string>& options) {
  return CallWithOptions("to_json", {value}, options);
}
Column ToVariantObject(const Column& value) { return Call("to_variant_object", {value}); }
Column TryParseJson(const Column& value) { return Call("try_parse_json", {value}); }
Column TryVariantGet(const Column& value, const ColumnOrLiteral& path, std::string_view target_type) {
  return Call("try_variant_get", {value, path.column(), Lit(target_type)});
}
Column VariantGet(const Column& value, const ColumnOrLiteral& path, std::string_view target_type) {
  return Call("variant_get", {value, path.column(), Lit(target_type)});
}

}  // namespace millrace::functions
