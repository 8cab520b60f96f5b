#include "analyzer/python_functions.h"

#include "analyzer/grouped_columns.h"
#include "analyzer/name_resolution.h"
#include "analyzer/native_functions.h"
#include "analyzer/python_table_functions.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/python/python_table.h"
#include "expression/python/python_udf.h"
#include "function/python_aggregate.h"
#include "logical/node/generate.h"
#include "logical/node/groups_in_python.h"
#include "logical/node/groups_with_state.h"
#include "logical/node/map_in_python.h"
#include "logical/node/transform_with_state.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "spark/connect/types.pb.h"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Relation;
using expression::AttributePtr;
using expression::AttributeReference;
using expression::ExpressionKind;
using python::EvalType;

arrow::Status EvalTypeNotSupported(EvalType type) {
  return NotSupported("a function of the kind " + std::string(python::EvalTypeName(type)) + " in this place");
}

ExpressionPtr Unnamed(const ExpressionPtr& value) {
  return value->kind() == ExpressionKind::kAlias ? value->children()[0] : value;
}

// The rows that a function gives: its output type is a struct.
arrow::Result<AttributeVector> OutputOf(const connect::CommonInlineUserDefinedFunction& message) {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, ResolveDataType(message.python_udf().output_type()));
  if (type->id() != types::TypeId::kStruct) {
    return UserError("INVALID_SCHEMA.NON_STRUCT_TYPE",
                     {{"inputSchema", "\"" + type->Sql() + "\""}, {"dataType", "\"" + type->Sql() + "\""}});
  }
  return ToOutput(*type);
}

}  // namespace

arrow::Result<python::UserFunctionPtr> ToUserFunction(const connect::CommonInlineUserDefinedFunction& message) {
  // There is no class path to find the class on.
  if (message.has_java_udf()) {
    return UserError("_LEGACY_ERROR_TEMP_1329", {{"className", message.java_udf().class_name()}});
  }
  if (!message.has_python_udf()) {
    return NotSupported("the user-defined function " + message.function_name() + ", which is not of Python,");
  }
  auto function = std::make_shared<python::UserFunction>();
  function->name = message.function_name();
  function->eval_type = static_cast<EvalType>(message.python_udf().eval_type());
  function->command = message.python_udf().command();
  function->python_version = message.python_udf().python_ver();
  function->deterministic = message.deterministic();
  return function;
}

arrow::Result<RegisteredFunction> ToTableFunction(const connect::CommonInlineUserDefinedTableFunction& message) {
  const auto& udtf = message.python_udtf();
  auto function = std::make_shared<python::UserFunction>();
  function->name = message.function_name();
  function->eval_type = static_cast<EvalType>(udtf.eval_type());
  function->command = udtf.command();
  function->python_version = udtf.python_ver();
  function->deterministic = message.deterministic();
  // analyze() says at each call what the rows are.
  if (!udtf.has_return_type()) return RegisteredFunction{std::move(function), nullptr};
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, ResolveDataType(udtf.return_type()));
  if (type->id() != types::TypeId::kStruct) {
    return UserError("UDTF_RETURN_TYPE_MISMATCH", {{"name", function->name}, {"return_type", type->Sql()}});
  }
  return RegisteredFunction{std::move(function), std::move(type)};
}

arrow::Result<python::EnvironmentPtr> PythonOf(const AnalyzerContext& context) {
  if (context.python == nullptr) return NotSupported("a Python function");
  return context.python;
}

arrow::Result<ExpressionPtr> MakePythonCall(const AnalyzerContext& context, python::UserFunctionPtr function,
                                            types::DataTypePtr type, ExpressionVector arguments,
                                            std::vector<std::string> argument_names) {
  ARROW_ASSIGN_OR_RAISE(python::EnvironmentPtr environment, PythonOf(context));
  for (ExpressionPtr& argument : arguments) argument = Unnamed(argument);
  EvalType eval_type = function->eval_type;
  if (python::IsGroupedAggregate(eval_type)) {
    return function::MakePythonAggregate(std::move(function), std::move(environment), std::move(type),
                                         std::move(arguments), std::move(argument_names));
  }
  if (IsTableFunction(eval_type)) {
    expression::PythonTableKernel table;
    table.function = std::move(function);
    table.environment = std::move(environment);
    table.argument_names = std::move(argument_names);
    if (type == nullptr) {
      ARROW_ASSIGN_OR_RAISE(TableAnalysis analysis, AnalyzeTableFunction(*table.function, table.environment, arguments,
                                                                         table.argument_names, nullptr, context.eval));
      type = std::move(analysis.schema);
      table.analyze_result = std::move(analysis.pickled);
    }
    return MakePythonTableCall(std::move(table), *type, std::move(arguments));
  }
  if (!python::IsScalar(eval_type)) return EvalTypeNotSupported(eval_type);
  return std::make_shared<expression::PythonUdf>(std::move(function), std::move(environment), std::move(type),
                                                 std::move(arguments), std::move(argument_names));
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolvePythonCall(
    const python::UserFunctionPtr& function, const types::DataTypePtr& type,
    const google::protobuf::RepeatedPtrField<connect::Expression>& arguments) {
  ExpressionVector values;
  std::vector<std::string> names;
  for (const connect::Expression& argument : arguments) {
    if (argument.has_named_argument_expression()) {
      const auto& named = argument.named_argument_expression();
      for (const std::string& name : names) {
        if (name == named.key()) {
          return UserError(
              "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
              {{"routineName", QuoteIdentifier(function->name)}, {"parameterName", QuoteIdentifier(named.key())}});
        }
      }
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Resolve(named.value()));
      values.push_back(std::move(value));
      names.push_back(named.key());
      continue;
    }
    google::protobuf::RepeatedPtrField<connect::Expression> one;
    *one.Add() = argument;
    ARROW_ASSIGN_OR_RAISE(ExpressionVector several, ResolveAll(one));
    for (ExpressionPtr& value : several) {
      if (!names.empty() && !names.back().empty()) {
        return UserError("UNEXPECTED_POSITIONAL_ARGUMENT", {{"routineName", QuoteIdentifier(function->name)},
                                                            {"parameterName", QuoteIdentifier(names.back())}});
      }
      values.push_back(std::move(value));
      names.emplace_back();
    }
  }
  return MakePythonCall(context_, function, type, std::move(values), std::move(names));
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolvePythonFunction(const connect::Expression& message) {
  const auto& call = message.common_inline_user_defined_function();
  ARROW_ASSIGN_OR_RAISE(python::UserFunctionPtr function, ToUserFunction(call));
  if (call.is_distinct()) return NotSupported("DISTINCT of the Python function " + call.function_name());
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, ResolveDataType(call.python_udf().output_type()));
  return ResolvePythonCall(function, type, call.arguments());
}

arrow::Result<PlanPtr> ResolveMapPartitions(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.map_partitions();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(python::UserFunctionPtr function, ToUserFunction(message.func()));
  // Tasks never wait for each other here; a function that asks for the barrier's context is told that there is none.
  if (message.has_profile_id()) return NotSupported("a resource profile");
  if (function->eval_type != EvalType::kMapPandasIter && function->eval_type != EvalType::kMapArrowIter) {
    return EvalTypeNotSupported(function->eval_type);
  }
  ARROW_ASSIGN_OR_RAISE(AttributeVector output, OutputOf(message.func()));
  ARROW_ASSIGN_OR_RAISE(python::EnvironmentPtr environment, PythonOf(resolver.context()));
  AttributeVector input = child->output();
  return std::make_shared<logical::MapInPython>(std::move(function), std::move(environment), std::move(input),
                                                std::move(output), std::move(child));
}

namespace {

arrow::Result<PlanPtr> ResolveTransformWithState(RelationResolver& resolver, const connect::GroupMap& message,
                                                 python::UserFunctionPtr function, PlanPtr child) {
  const auto& info = message.transform_with_state_info();
  logical::TransformWithState::Processor processor;
  processor.function = std::move(function);
  ARROW_ASSIGN_OR_RAISE(processor.environment, PythonOf(resolver.context()));
  ARROW_ASSIGN_OR_RAISE(processor.output_mode, ParseOutputMode(message.output_mode()));
  processor.time_mode = ToLowerAscii(info.time_mode());
  if (processor.time_mode != "none" && processor.time_mode != "processingtime" && processor.time_mode != "eventtime") {
    return arrow::Status::Invalid("Unknown time mode: ", info.time_mode());
  }
  types::DataTypePtr type;
  if (info.output_schema().has_unparsed()) {
    ARROW_ASSIGN_OR_RAISE(type, ParseSchemaText(info.output_schema().unparsed().data_type_string()));
  } else {
    ARROW_ASSIGN_OR_RAISE(type, ResolveDataType(info.output_schema()));
  }
  std::vector<logical::GroupedColumns> inputs;
  ARROW_ASSIGN_OR_RAISE(logical::GroupedColumns columns,
                        ResolveGrouping(resolver, message.grouping_expressions(), &child));
  inputs.push_back(std::move(columns));
  std::vector<PlanPtr> children{std::move(child)};
  if (message.has_initial_input()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr initial, resolver.Resolve(message.initial_input()));
    ARROW_ASSIGN_OR_RAISE(logical::GroupedColumns initial_columns,
                          ResolveGrouping(resolver, message.initial_grouping_expressions(), &initial));
    inputs.push_back(std::move(initial_columns));
    children.push_back(std::move(initial));
  }
  AttributeVector output = ToOutput(*type);
  if (!info.event_time_column_name().empty()) {
    ARROW_RETURN_NOT_OK(MarkEventTime(info.event_time_column_name(), *children[0], &output));
  }
  return std::make_shared<logical::TransformWithState>(std::move(processor), std::move(inputs), std::move(output),
                                                       std::move(children));
}

}  // namespace

arrow::Result<PlanPtr> ResolveGroupMap(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.group_map();
  if (auto native = NativeFunctionOf(message.func())) {
    return ResolveNativeGroupMap(resolver, message, std::move(native));
  }
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(python::UserFunctionPtr function, ToUserFunction(message.func()));
  switch (function->eval_type) {
    case EvalType::kGroupedMapPandas:
    case EvalType::kGroupedMapPandasIter:
    case EvalType::kGroupedMapArrow:
    case EvalType::kGroupedMapArrowIter:
      break;
    case EvalType::kTransformWithStatePandas:
    case EvalType::kTransformWithStatePandasInitState:
    case EvalType::kTransformWithStateRow:
    case EvalType::kTransformWithStateRowInitState:
      return ResolveTransformWithState(resolver, message, std::move(function), std::move(child));
    default:
      return EvalTypeNotSupported(function->eval_type);
  }
  ARROW_ASSIGN_OR_RAISE(logical::GroupedColumns columns,
                        ResolveGrouping(resolver, message.grouping_expressions(), &child));
  ARROW_ASSIGN_OR_RAISE(AttributeVector output, OutputOf(message.func()));
  ARROW_ASSIGN_OR_RAISE(python::EnvironmentPtr environment, PythonOf(resolver.context()));
  return std::make_shared<logical::GroupsInPython>(std::move(function), std::move(environment),
                                                   std::vector<logical::GroupedColumns>{std::move(columns)},
                                                   std::move(output), std::vector<PlanPtr>{std::move(child)});
}

arrow::Result<PlanPtr> ResolveApplyInPandasWithState(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.apply_in_pandas_with_state();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  logical::GroupsWithState::Function function;
  ARROW_ASSIGN_OR_RAISE(function.function, ToUserFunction(message.func()));
  if (function.function->eval_type != EvalType::kGroupedMapPandasWithState) {
    return EvalTypeNotSupported(function.function->eval_type);
  }
  ARROW_ASSIGN_OR_RAISE(function.environment, PythonOf(resolver.context()));
  ARROW_ASSIGN_OR_RAISE(function.state_type, ParseSchemaText(message.state_schema()));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr output_type, ParseSchemaText(message.output_schema()));
  ARROW_ASSIGN_OR_RAISE(function.timeout, ParseTimeout(message.timeout_conf()));
  ARROW_ASSIGN_OR_RAISE(function.updates, ParseUpdates(message.output_mode()));
  ARROW_ASSIGN_OR_RAISE(logical::GroupedColumns columns,
                        ResolveGrouping(resolver, message.grouping_expressions(), &child));
  return std::make_shared<logical::GroupsWithState>(std::move(function),
                                                    std::vector<logical::GroupedColumns>{std::move(columns)},
                                                    ToOutput(*output_type), std::vector<PlanPtr>{std::move(child)});
}

arrow::Result<PlanPtr> ResolveCoGroupMap(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.co_group_map();
  ARROW_ASSIGN_OR_RAISE(RelationResolver::Pair pair, resolver.ResolvePair(message.input(), message.other()));
  ARROW_ASSIGN_OR_RAISE(python::UserFunctionPtr function, ToUserFunction(message.func()));
  if (function->eval_type != EvalType::kCogroupedMapPandas && function->eval_type != EvalType::kCogroupedMapArrow) {
    return EvalTypeNotSupported(function->eval_type);
  }
  int num_left = message.input_grouping_expressions_size();
  int num_right = message.other_grouping_expressions_size();
  if (num_left != num_right) {
    return arrow::Status::Invalid("requirement failed: Cogroup keys must have same size: ", num_left,
                                  " != ", num_right);
  }
  std::vector<logical::GroupedColumns> inputs;
  ARROW_ASSIGN_OR_RAISE(logical::GroupedColumns left,
                        ResolveGrouping(resolver, message.input_grouping_expressions(), &pair.left));
  ARROW_ASSIGN_OR_RAISE(logical::GroupedColumns right,
                        ResolveGrouping(resolver, message.other_grouping_expressions(), &pair.right));
  inputs.push_back(std::move(left));
  inputs.push_back(std::move(right));
  ARROW_ASSIGN_OR_RAISE(AttributeVector output, OutputOf(message.func()));
  ARROW_ASSIGN_OR_RAISE(python::EnvironmentPtr environment, PythonOf(resolver.context()));
  return std::make_shared<logical::GroupsInPython>(std::move(function), std::move(environment), std::move(inputs),
                                                   std::move(output),
                                                   std::vector<PlanPtr>{std::move(pair.left), std::move(pair.right)});
}

}  // namespace millrace::analyzer
