#include "millrace/functions.h"

#include "api/message.h"

namespace millrace::functions {

using spark::connect::Expression;

namespace {

Column CallWithOptions(std::string_view name, std::vector<Column> arguments,
                       const std::map<std::string, std::string>& options) {
  if (!options.empty()) {
    std::vector<Column> entries;
    for (const auto& [key, value] : options) {
      entries.push_back(Lit(std::string_view(key)));
      entries.push_back(Lit(std::string_view(value)));
    }
    arguments.push_back(Call("map", entries));
  }
  return Call(name, arguments);
}

}  // namespace

Column Col(std::string_view name) { return Column(name); }

Column Expr(std::string_view sql) {
  auto message = std::make_shared<Expression>();
  message->mutable_expression_string()->set_expression(std::string(sql));
  return Column(std::move(message));
}

Column Call(std::string_view name, const std::vector<Column>& arguments) {
  auto message = std::make_shared<Expression>();
  message->mutable_unresolved_function()->set_function_name(std::string(name));
  api::AddMessages(arguments, message->mutable_unresolved_function()->mutable_arguments());
  return Column(std::move(message));
}

Column FromJson(const Column& text, std::string_view schema, const std::map<std::string, std::string>& options) {
  return CallWithOptions("from_json", {text, Lit(schema)}, options);
}
Column ToJson(const Column& value, const std::map<std::string, std::string>& options) {
  return CallWithOptions("to_json", {value}, options);
}
Column GetJsonObject(const Column& text, std::string_view path) { return Call("get_json_object", {text, Lit(path)}); }
Column Struct(const std::vector<Column>& fields) { return Call("struct", fields); }
Column Array(const std::vector<Column>& elements) { return Call("array", elements); }
Column When(const Column& condition, const Column& value) { return Call("when", {condition, value}); }
Column Coalesce(const std::vector<Column>& values) { return Call("coalesce", values); }
Column Concat(const std::vector<Column>& values) { return Call("concat", values); }
Column ConcatWs(std::string_view separator, const std::vector<Column>& values) {
  std::vector<Column> arguments = {Lit(separator)};
  arguments.insert(arguments.end(), values.begin(), values.end());
  return Call("concat_ws", arguments);
}
Column Split(const Column& text, std::string_view pattern) { return Call("split", {text, Lit(pattern)}); }
Column Explode(const Column& collection) { return Call("explode", {collection}); }
Column Upper(const Column& text) { return Call("upper", {text}); }
Column Lower(const Column& text) { return Call("lower", {text}); }
Column Length(const Column& text) { return Call("length", {text}); }
Column Year(const Column& time) { return Call("year", {time}); }
Column Month(const Column& time) { return Call("month", {time}); }
Column DayOfMonth(const Column& time) { return Call("dayofmonth", {time}); }
Column Hour(const Column& time) { return Call("hour", {time}); }
Column CurrentTimestamp() { return Call("current_timestamp", {}); }
Column Window(const Column& time, std::string_view duration, std::string_view slide) {
  if (slide.empty()) return Call("window", {time, Lit(duration)});
  return Call("window", {time, Lit(duration), Lit(slide)});
}

Column Count(const Column& value) { return Call("count", {value}); }
Column CountDistinct(const Column& value) {
  auto message = std::make_shared<Expression>(Call("count", {value}).message());
  message->mutable_unresolved_function()->set_is_distinct(true);
  return Column(std::move(message));
}
Column Sum(const Column& value) { return Call("sum", {value}); }
Column Avg(const Column& value) { return Call("avg", {value}); }
Column Min(const Column& value) { return Call("min", {value}); }
Column Max(const Column& value) { return Call("max", {value}); }
Column First(const Column& value, bool ignore_nulls) { return Call("first", {value, Lit(ignore_nulls)}); }
Column Last(const Column& value, bool ignore_nulls) { return Call("last", {value, Lit(ignore_nulls)}); }
Column CollectList(const Column& value) { return Call("collect_list", {value}); }
Column CollectSet(const Column& value) { return Call("collect_set", {value}); }

}  // namespace millrace::functions
