#include "analyzer/python_table_functions.h"

#include <arrow/array.h>

#include "analyzer/named_table.h"
#include "analyzer/python_functions.h"
#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "expression/python/pickled_rows.h"
#include "expression/vector.h"
#include "logical/node/generate.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/sort.h"
#include "python/planner_call.h"
#include "python/wire.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Relation;
using expression::ExpressionKind;
using python::AppendBool;
using python::AppendBytes;
using python::AppendInt;
using python::EvalType;
using Arguments = google::protobuf::RepeatedPtrField<connect::Expression>;

/// A call's TABLE argument on its way into the rows that the function sees.
struct TableArgument {
  PlanPtr plan;
  ExpressionVector partition_by;
  std::vector<expression::SortOrder> order_by;
  bool single_partition = false;
};

const connect::SubqueryExpression* TableOf(const connect::Expression& argument) {
  const connect::Expression& value =
      argument.has_named_argument_expression() ? argument.named_argument_expression().value() : argument;
  if (!value.has_subquery_expression()) return nullptr;
  const auto& subquery = value.subquery_expression();
  bool is_table = subquery.subquery_type() == connect::SubqueryExpression::SUBQUERY_TYPE_TABLE_ARG;
  return is_table ? &subquery : nullptr;
}

arrow::Status ResolveTableOptions(RelationResolver& resolver,
                                  const connect::SubqueryExpression_TableArgOptions& options, TableArgument* table) {
  table->single_partition = options.with_single_partition();
  const AttributeVector columns = table->plan->output();
  ARROW_ASSIGN_OR_RAISE(table->partition_by, resolver.Expressions(columns).ResolveAll(options.partition_spec()));
  for (const auto& order : options.order_spec()) {
    connect::Expression expression;
    *expression.mutable_sort_order() = order;
    ARROW_ASSIGN_OR_RAISE(expression::SortOrder resolved, resolver.Expressions(columns).ResolveSortOrder(expression));
    table->order_by.push_back(std::move(resolved));
  }
  return arrow::Status::OK();
}

arrow::Result<TableArgument> ResolveTableArgument(RelationResolver& resolver,
                                                  const connect::SubqueryExpression& message) {
  TableArgument table;
  const AttributeVector none;
  // The options name columns as those of the table's frames, too.
  auto options = [&](const PlanPtr& plan) {
    table.plan = plan;
    return message.has_table_arg_options() ? ResolveTableOptions(resolver, message.table_arg_options(), &table)
                                           : arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(resolver.ResolveSubqueryPlan(message.plan_id(), none, options).status());
  return table;
}

arrow::Status Incompatible(const std::string& function, std::string requested, std::string call) {
  return UserError("TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL",
                   {{"functionName", QuoteIdentifier(function)},
                    {"requestedMetadata", std::move(requested)},
                    {"invalidFunctionCallProperty", std::move(call)}});
}

arrow::Status Invalid(const std::string& function, std::string reason) {
  return UserError("TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INVALID",
                   {{"functionName", QuoteIdentifier(function)}, {"reason", std::move(reason)}});
}

arrow::Result<ExpressionPtr> ResolveSqlText(RelationResolver& resolver, const AttributeVector& columns,
                                            const std::string& sql) {
  connect::Expression text;
  text.mutable_expression_string()->set_expression(sql);
  return resolver.Expressions(columns).Resolve(text);
}

// What analyze() asks for takes the place of PARTITION BY and ORDER BY in the call.
// Source: Spark, UnresolvedPolymorphicPythonUDTF's resolution, FunctionTableSubqueryArgumentExpression.
arrow::Status ApplyAnalysis(RelationResolver& resolver, const std::string& function, const TableAnalysis& analysis,
                            TableArgument* table) {
  bool partitions_call = table->single_partition || !table->partition_by.empty();
  if (analysis.single_partition && !analysis.partition_by.empty()) {
    return Invalid(function,
                   "the 'with_single_partition' field was set to 'true', but the 'partition_by' list was non-empty");
  }
  if (!analysis.order_by.empty() && !analysis.single_partition && analysis.partition_by.empty()) {
    return Invalid(function, "the 'partition_by' list was empty, but the 'order_by' list was non-empty");
  }
  if (partitions_call && analysis.single_partition) {
    return Incompatible(function, "specified its own required partitioning of the input table",
                        "specified the WITH SINGLE PARTITION or PARTITION BY clause; please remove these clauses and "
                        "retry the query again");
  }
  if (partitions_call && !analysis.partition_by.empty()) {
    return Incompatible(function, "specified its own required partitioning of the input table",
                        "specified the WITH SINGLE PARTITION or PARTITION BY clause; please remove these clauses and "
                        "retry the query again");
  }
  const AttributeVector columns = table->plan->output();
  table->single_partition = table->single_partition || analysis.single_partition;
  for (const std::string& sql : analysis.partition_by) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr key, ResolveSqlText(resolver, columns, sql));
    table->partition_by.push_back(std::move(key));
  }
  for (const TableAnalysis::Order& order : analysis.order_by) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr key, ResolveSqlText(resolver, columns, order.sql));
    table->order_by.push_back({std::move(key), order.ascending, order.nulls_first.value_or(order.ascending)});
  }
  return arrow::Status::OK();
}

ExpressionPtr Unnamed(const ExpressionPtr& value) {
  return value->kind() == ExpressionKind::kAlias ? value->children()[0] : value;
}

// The table's rows side by side as asked, each as one struct; `partition_columns` receives where in it the keys stand.
arrow::Result<PlanPtr> Arrange(RelationResolver& resolver, const TableAnalysis* analysis, TableArgument table,
                               std::vector<int32_t>* partition_columns, ExpressionPtr* row) {
  PlanPtr plan = std::move(table.plan);
  AttributeVector shown = plan->output();
  if (analysis != nullptr && !analysis->select.empty()) {
    // Keys and orders are still read, whether selected or not.
    ExpressionVector items(shown.begin(), shown.end());
    AttributeVector selected;
    for (const TableAnalysis::Selected& one : analysis->select) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ResolveSqlText(resolver, shown, one.sql));
      ExpressionPtr item = one.alias.empty() ? ExpressionResolver::Name(value)
                                             : std::make_shared<expression::Alias>(Unnamed(value), one.alias);
      if (item->kind() != ExpressionKind::kAttribute) items.push_back(item);
      selected.push_back(expression::ToAttribute(item));
    }
    if (items.size() > shown.size()) plan = std::make_shared<logical::Project>(std::move(items), std::move(plan));
    shown = std::move(selected);
  }
  ExpressionVector keys;
  ExpressionVector items(plan->output().begin(), plan->output().end());
  size_t num_below = items.size();
  for (size_t i = 0; i < table.partition_by.size(); ++i) {
    // A column of its own even for a key that is a column: the worker takes these out of the rows that eval() sees.
    ExpressionPtr item =
        std::make_shared<expression::Alias>(Unnamed(table.partition_by[i]), "partition_by_" + std::to_string(i));
    items.push_back(item);
    ExpressionPtr key = expression::ToAttribute(item);
    partition_columns->push_back(static_cast<int32_t>(shown.size()));
    shown.push_back(expression::ToAttribute(item));
    keys.push_back(std::move(key));
  }
  if (items.size() > num_below) plan = std::make_shared<logical::Project>(std::move(items), std::move(plan));
  if (table.single_partition) plan = std::make_shared<logical::Repartition>(1, true, ExpressionVector(), plan);
  if (!keys.empty()) plan = std::make_shared<logical::Repartition>(0, true, keys, plan);
  if (!keys.empty() || !table.order_by.empty()) {
    std::vector<expression::SortOrder> orders;
    for (const ExpressionPtr& key : keys) orders.push_back({key, true, true});
    for (expression::SortOrder& order : table.order_by) orders.push_back(std::move(order));
    plan = std::make_shared<logical::Sort>(std::move(orders), false, std::move(plan));
  }
  // Only the columns that are shown, under their names.
  ExpressionVector columns(shown.begin(), shown.end());
  plan = std::make_shared<logical::Project>(std::move(columns), std::move(plan));
  connect::Expression call;
  call.mutable_unresolved_function()->set_function_name("struct");
  call.mutable_unresolved_function()->add_arguments()->mutable_unresolved_star();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, resolver.Expressions(plan->output()).Resolve(call));
  *row = Unnamed(made);
  return plan;
}

}  // namespace

bool IsTableFunction(EvalType type) {
  return type == EvalType::kTable || type == EvalType::kArrowTable || type == EvalType::kArrowUdtf;
}

arrow::Result<TableAnalysis> AnalyzeTableFunction(const python::UserFunction& function,
                                                  const python::EnvironmentPtr& environment,
                                                  const ExpressionVector& arguments,
                                                  const std::vector<std::string>& names, const ExpressionPtr& table,
                                                  const expression::EvalContext& eval) {
  std::string body;
  AppendBytes(function.name, &body);
  AppendBytes(function.command, &body);
  AppendInt(static_cast<int32_t>(arguments.size()), &body);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ExpressionPtr& argument = arguments[i];
    AppendBytes(argument->type()->ToJson(), &body);
    bool is_table = argument == table;
    bool constant = !is_table && argument->foldable();
    AppendBool(constant, &body);
    if (constant) {
      ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*argument, eval));
      ARROW_ASSIGN_OR_RAISE(auto array, arrow::MakeArrayFromScalar(*scalar, 1));
      std::string pickle;
      ARROW_RETURN_NOT_OK(expression::AppendPickledInternal(*array, 0, *argument->type(), &pickle));
      AppendBytes(pickle, &body);
    }
    AppendBool(is_table, &body);
    AppendBool(!names[i].empty(), &body);
    if (!names[i].empty()) AppendBytes(names[i], &body);
  }
  auto failure = [](std::string traceback) {
    return UserError("TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON", {{"msg", std::move(traceback)}});
  };
  ARROW_ASSIGN_OR_RAISE(auto call, python::PlannerCall::Start(environment, "pyspark.sql.worker.analyze_udtf",
                                                              function.python_version, body, failure));
  TableAnalysis analysis;
  ARROW_ASSIGN_OR_RAISE(std::string schema, call->ReadBytes());
  ARROW_ASSIGN_OR_RAISE(analysis.pickled, call->ReadBytes());
  ARROW_ASSIGN_OR_RAISE(int32_t single_partition, call->ReadInt());
  analysis.single_partition = single_partition == 1;
  ARROW_ASSIGN_OR_RAISE(int32_t num_keys, call->ReadInt());
  for (int32_t i = 0; i < num_keys; ++i) {
    ARROW_ASSIGN_OR_RAISE(std::string key, call->ReadBytes());
    analysis.partition_by.push_back(std::move(key));
  }
  ARROW_ASSIGN_OR_RAISE(int32_t num_orders, call->ReadInt());
  for (int32_t i = 0; i < num_orders; ++i) {
    TableAnalysis::Order order;
    ARROW_ASSIGN_OR_RAISE(order.sql, call->ReadBytes());
    ARROW_ASSIGN_OR_RAISE(int32_t ascending, call->ReadInt());
    ARROW_ASSIGN_OR_RAISE(int32_t nulls, call->ReadInt());
    order.ascending = ascending == 1;
    if (nulls != 0) order.nulls_first = nulls == 1;
    analysis.order_by.push_back(std::move(order));
  }
  ARROW_ASSIGN_OR_RAISE(int32_t num_selected, call->ReadInt());
  for (int32_t i = 0; i < num_selected; ++i) {
    TableAnalysis::Selected selected;
    ARROW_ASSIGN_OR_RAISE(selected.sql, call->ReadBytes());
    ARROW_ASSIGN_OR_RAISE(selected.alias, call->ReadBytes());
    analysis.select.push_back(std::move(selected));
  }
  ARROW_RETURN_NOT_OK(call->Finish());
  ARROW_ASSIGN_OR_RAISE(analysis.schema, types::ParseTypeJson(schema));
  return analysis;
}

arrow::Result<ExpressionPtr> MakePythonTableCall(expression::PythonTableKernel table, const types::DataType& type,
                                                 ExpressionVector arguments) {
  for (const ExpressionPtr& argument : arguments) {
    if (expression::Contains(*argument, ExpressionKind::kPythonUdf)) {
      return NotSupported("a Python function as an argument of the table function " + table.function->name);
    }
  }
  std::string name = table.function->name;
  return std::make_shared<expression::GeneratorCall>(std::move(name), type.fields(), std::move(table),
                                                     std::move(arguments));
}

arrow::Result<PlanPtr> ResolvePythonTable(RelationResolver& resolver, const RegisteredFunction& function,
                                          const Arguments& arguments) {
  const AttributeVector none;
  const std::string& name = function.function->name;
  expression::PythonTableKernel kernel;
  kernel.function = function.function;
  ARROW_ASSIGN_OR_RAISE(kernel.environment, PythonOf(resolver.context()));
  ExpressionVector values;
  std::optional<TableArgument> table;
  int num_tables = 0;
  for (const connect::Expression& argument : arguments) {
    bool named = argument.has_named_argument_expression();
    std::string key = named ? argument.named_argument_expression().key() : "";
    for (const std::string& other : kernel.argument_names) {
      if (named && other == key) {
        return UserError("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
                         {{"routineName", QuoteIdentifier(name)}, {"parameterName", QuoteIdentifier(key)}});
      }
    }
    if (!named && !kernel.argument_names.empty() && !kernel.argument_names.back().empty()) {
      return UserError(
          "UNEXPECTED_POSITIONAL_ARGUMENT",
          {{"routineName", QuoteIdentifier(name)}, {"parameterName", QuoteIdentifier(kernel.argument_names.back())}});
    }
    kernel.argument_names.push_back(std::move(key));
    if (const connect::SubqueryExpression* message = TableOf(argument)) {
      ++num_tables;
      kernel.table_argument = static_cast<int>(values.size());
      ARROW_ASSIGN_OR_RAISE(table, ResolveTableArgument(resolver, *message));
      values.push_back(nullptr);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, resolver.Expressions(none).Resolve(
                                                   named ? argument.named_argument_expression().value() : argument));
    values.push_back(Unnamed(value));
  }
  if (num_tables > 1) {
    if (resolver.context().ConfIs("spark.sql.tvf.allowMultipleTableArguments.enabled", "true")) {
      return NotSupported("a table function of several tables");
    }
    return UserError("TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS", {{"num", std::to_string(num_tables)}});
  }
  types::DataTypePtr type = function.return_type;
  std::optional<TableAnalysis> analysis;
  if (type == nullptr) {
    if (table) {
      // What analyze() sees of the table: a struct of its columns.
      connect::Expression call;
      call.mutable_unresolved_function()->set_function_name("struct");
      call.mutable_unresolved_function()->add_arguments()->mutable_unresolved_star();
      const AttributeVector columns = table->plan->output();
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr row, resolver.Expressions(columns).Resolve(call));
      values[static_cast<size_t>(kernel.table_argument)] = Unnamed(row);
    }
    ARROW_ASSIGN_OR_RAISE(analysis,
                          AnalyzeTableFunction(*kernel.function, kernel.environment, values, kernel.argument_names,
                                               table ? values[static_cast<size_t>(kernel.table_argument)] : nullptr,
                                               resolver.context().eval));
    if (table) ARROW_RETURN_NOT_OK(ApplyAnalysis(resolver, name, *analysis, &*table));
    type = analysis->schema;
    kernel.analyze_result = analysis->pickled;
  }
  PlanPtr child;
  if (table) {
    ARROW_ASSIGN_OR_RAISE(
        child, Arrange(resolver, analysis ? &*analysis : nullptr, std::move(*table), &kernel.partition_columns,
                       &values[static_cast<size_t>(kernel.table_argument)]));
  } else {
    child = logical::LocalRelation::OneRow();
  }
  AttributeVector generated = NewColumns(*type);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr call, MakePythonTableCall(std::move(kernel), *type, std::move(values)));
  child = std::make_shared<logical::Generate>(std::move(call), false, generated, std::move(child));
  return std::make_shared<logical::Project>(ExpressionVector(generated.begin(), generated.end()), std::move(child));
}

arrow::Result<PlanPtr> ResolvePythonTableFunction(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.common_inline_user_defined_table_function();
  ARROW_ASSIGN_OR_RAISE(RegisteredFunction function, ToTableFunction(message));
  return ResolvePythonTable(resolver, function, message.arguments());
}

}  // namespace millrace::analyzer
