#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/column.h"

/// Spark's functions by their usual names. Every function the engine knows can be called with Call(name, …) and inside
/// Expr("…"); the list is `millrace functions`.
namespace millrace::functions {

Column Col(std::string_view name);
/// A SQL expression: Expr("CAST(value AS STRING) AS text").
Column Expr(std::string_view sql);
/// Any function by name.
Column Call(std::string_view name, const std::vector<Column>& arguments);

Column FromJson(const Column& text, std::string_view schema, const std::map<std::string, std::string>& options = {});
Column ToJson(const Column& value, const std::map<std::string, std::string>& options = {});
Column GetJsonObject(const Column& text, std::string_view path);
Column Struct(const std::vector<Column>& fields);
Column Array(const std::vector<Column>& elements);
Column When(const Column& condition, const Column& value);
Column Coalesce(const std::vector<Column>& values);
Column Concat(const std::vector<Column>& values);
Column ConcatWs(std::string_view separator, const std::vector<Column>& values);
Column Split(const Column& text, std::string_view pattern);
Column Explode(const Column& collection);
Column Upper(const Column& text);
Column Lower(const Column& text);
Column Length(const Column& text);
Column Year(const Column& time);
Column Month(const Column& time);
Column DayOfMonth(const Column& time);
Column Hour(const Column& time);
Column CurrentTimestamp();
/// Tumbling or (with `slide`) sliding windows over an event time: "10 minutes".
Column Window(const Column& time, std::string_view duration, std::string_view slide = "");

Column Count(const Column& value);
Column CountDistinct(const Column& value);
Column Sum(const Column& value);
Column Avg(const Column& value);
Column Min(const Column& value);
Column Max(const Column& value);
Column First(const Column& value, bool ignore_nulls = false);
Column Last(const Column& value, bool ignore_nulls = false);
Column CollectList(const Column& value);
Column CollectSet(const Column& value);

}  // namespace millrace::functions
