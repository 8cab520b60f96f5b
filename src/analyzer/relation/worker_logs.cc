#include "analyzer/relation/worker_logs.h"

#include <arrow/builder.h>

#include "base/ascii.h"
#include "base/error.h"
#include "function/bind.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"

namespace millrace::analyzer {

namespace {

constexpr const char* kName = "python_worker_logs";
// Source: Spark, LogUtils.SPARK_LOG_SCHEMA.
constexpr const char* kColumns =
    "ts TIMESTAMP, level STRING, msg STRING, context MAP<STRING, STRING>, exception STRUCT<class: STRING, msg: STRING, "
    "stacktrace: ARRAY<STRUCT<class: STRING, method: STRING, file: STRING, line: STRING>>>, logger STRING";
constexpr const char* kTimestampFormat = "yyyy-MM-dd HH:mm:ss.SSSSSSZ";

}  // namespace

bool IsWorkerLogs(std::string_view function_name) { return EqualsIgnoreCase(function_name, kName); }

arrow::Result<PlanPtr> ResolveWorkerLogs(RelationResolver& resolver, const spark::connect::Relation& relation) {
  int num_arguments = relation.unresolved_table_valued_function().arguments_size();
  if (num_arguments > 0) return function::WrongNumArgs(kName, "0", static_cast<size_t>(num_arguments));
  if (!resolver.context().worker_logs) {
    return UserError("FEATURE_NOT_ENABLED", {{"featureName", "Python Worker Logging"},
                                             {"configKey", "spark.sql.pyspark.worker.logging.enabled"},
                                             {"configValue", "true"}});
  }
  arrow::StringBuilder lines;
  ARROW_RETURN_NOT_OK(lines.AppendValues(resolver.context().worker_logs()));
  ARROW_ASSIGN_OR_RAISE(auto array, lines.Finish());
  types::DataTypePtr schema = types::Struct({{"line", types::String(), false, ""}});
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  int64_t num_rows = array->length();
  (*partitions)[0].push_back(
      arrow::RecordBatch::Make(types::ToArrowSchema(*schema), num_rows, arrow::ArrayVector{std::move(array)}));
  auto line =
      std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "line", types::String(), false);
  PlanPtr rows = std::make_shared<logical::LocalRelation>(AttributeVector{line}, std::move(partitions));
  auto project = [&resolver](PlanPtr child, const std::string& sql) -> arrow::Result<PlanPtr> {
    spark::connect::Expression text;
    text.mutable_expression_string()->set_expression(sql);
    google::protobuf::RepeatedPtrField<spark::connect::Expression> one;
    *one.Add() = text;
    ARROW_ASSIGN_OR_RAISE(ExpressionVector items, resolver.Expressions(child->output()).ResolveAll(one));
    return std::make_shared<logical::Project>(std::move(items), std::move(child));
  };
  ARROW_ASSIGN_OR_RAISE(
      rows, project(std::move(rows), std::string("from_json(line, '") + kColumns + "', map('timestampFormat', '" +
                                         kTimestampFormat + "')) AS entry"));
  return project(std::move(rows), "entry.*");
}

}  // namespace millrace::analyzer
