// Runs batch writes that pytest asks for, one a line of standard input, on one session:
//
//   {"sql": "SELECT …", "format": "delta", "path": "…", "mode": "append", "partitionBy": ["p"], "options": {"k": "v"}}
//   {"sql": "SELECT …", "collect": true}      rows as JSON texts
//   {"load": "path", "format": "delta", "options": {…}, "view": "t"}
//   {"set": "key", "value": "…"}
//
// Answers a line each: {"ok": true}, {"rows": […]} or {"error": "CONDITION", "message": "…"}.

#include <millrace/millrace.h>

#include <iostream>
#include <string>

#include "base/error.h"
#include "base/json_value.h"

namespace {

using millrace::JsonValue;

std::string Text(const JsonValue& request, std::string_view key, const std::string& fallback = "") {
  const JsonValue* value = request.Find(key);
  return value == nullptr ? fallback : value->AsString();
}

template <typename Target>
void SetOptions(const JsonValue& request, Target* target) {
  const JsonValue* options = request.Find("options");
  if (options == nullptr) return;
  for (const auto& [key, value] : options->members()) target->Option(key, value.AsString());
}

arrow::Result<JsonValue> Collect(const millrace::DataFrame& frame) {
  ARROW_ASSIGN_OR_RAISE(auto rows, frame.SelectExpr({"to_json(struct(*)) AS row"}).Collect());
  JsonValue texts = JsonValue::Array();
  for (const millrace::Row& row : rows) {
    ARROW_ASSIGN_OR_RAISE(std::string text, row.GetString("row"));
    texts.elements().push_back(JsonValue::String(std::move(text)));
  }
  return JsonValue::Object({{"rows", std::move(texts)}});
}

arrow::Result<JsonValue> Answer(const millrace::Session& spark, const JsonValue& request) {
  JsonValue done = JsonValue::Object({{"ok", JsonValue::Bool(true)}});
  if (request.Find("set") != nullptr) {
    ARROW_RETURN_NOT_OK(spark.SetConf(Text(request, "set"), Text(request, "value")));
    return done;
  }
  if (request.Find("load") != nullptr) {
    millrace::DataFrameReader reader = spark.Read();
    reader.Format(Text(request, "format", "delta"));
    SetOptions(request, &reader);
    millrace::DataFrame frame = reader.Load(Text(request, "load"));
    if (request.Find("view") == nullptr) return Collect(frame);
    ARROW_RETURN_NOT_OK(frame.CreateTempView(Text(request, "view"), /*replace=*/true));
    return done;
  }
  millrace::DataFrame frame = spark.Sql(Text(request, "sql"));
  if (request.Find("path") == nullptr) return Collect(frame);
  millrace::DataFrameWriter writer = frame.Write();
  writer.Format(Text(request, "format", "delta")).Mode(Text(request, "mode", "append"));
  SetOptions(request, &writer);
  std::vector<std::string> partitions;
  if (const JsonValue* columns = request.Find("partitionBy")) {
    for (const JsonValue& column : columns->elements()) partitions.push_back(column.AsString());
  }
  writer.PartitionBy(partitions);
  ARROW_RETURN_NOT_OK(writer.Save(Text(request, "path")));
  return done;
}

}  // namespace

int main() {
  auto spark = millrace::Session::Builder().AppName("write-runner").GetOrCreate();
  if (!spark.ok()) {
    std::cerr << spark.status().message() << "\n";
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    auto request = millrace::ParseJson(line);
    auto answer = request.ok() ? Answer(*spark, *request) : arrow::Result<JsonValue>(request.status());
    if (!answer.ok()) {
      const millrace::ErrorDetail* detail = millrace::GetErrorDetail(answer.status());
      answer = JsonValue::Object({{"error", JsonValue::String(detail == nullptr ? "" : detail->condition())},
                                  {"message", JsonValue::String(answer.status().message())}});
    }
    std::cout << answer->ToString() << std::endl;
  }
  return 0;
}
