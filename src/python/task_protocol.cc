#include "python/task_protocol.h"

#include "base/json_value.h"
#include "python/wire.h"

namespace millrace::python {

namespace {

std::string TaskContextJson(int32_t partition, const std::map<std::string, std::string>& properties) {
  JsonValue local = JsonValue::Object();
  for (const auto& [key, value] : properties) local.Set(key, JsonValue::String(value));
  JsonValue context = JsonValue::Object();
  context.Set("isBarrier", JsonValue::Bool(false));
  context.Set("connInfo", JsonValue::Number(int64_t{-1}));
  context.Set("secret", JsonValue());
  context.Set("stageId", JsonValue::Number(int64_t{0}));
  context.Set("partitionId", JsonValue::Number(int64_t{partition}));
  context.Set("attemptNumber", JsonValue::Number(int64_t{0}));
  context.Set("taskAttemptId", JsonValue::Number(int64_t{partition}));
  context.Set("cpus", JsonValue::Number(int64_t{1}));
  context.Set("resources", JsonValue::Object());
  context.Set("localProperties", std::move(local));
  return context.ToString();
}

void AppendConf(const std::map<std::string, std::string>& conf, std::string* out) {
  AppendInt(static_cast<int32_t>(conf.size()), out);
  for (const auto& [key, value] : conf) {
    AppendBytes(key, out);
    AppendBytes(value, out);
  }
}

void AppendTaskContext(const TaskSpec& spec, const WorkerVersion& version, std::string* out) {
  int32_t partition = spec.partition;
  if (version.AtLeast(4, 2)) return AppendBytes(TaskContextJson(partition, spec.local_properties), out);
  AppendBool(false, out);  // not a barrier task
  if (!version.AtLeast(4, 1)) {
    AppendInt(-1, out);
    AppendBytes("", out);
  }
  AppendInt(0, out);          // stage
  AppendInt(partition, out);  // partition
  AppendInt(0, out);          // attempt
  AppendLong(partition, out);
  AppendInt(1, out);  // cpus
  AppendInt(0, out);  // resources
  AppendConf(spec.local_properties, out);
}

bool IsArrow(EvalType type) { return type != EvalType::kBatched && type != EvalType::kTable; }

// Before 4.2 only these are told whether an argument has a name.
bool TakesNames(EvalType type, const WorkerVersion& version) {
  if (version.AtLeast(4, 2)) return true;
  return IsScalar(type) || IsGroupedAggregate(type) || type == EvalType::kWindowAggPandas ||
         type == EvalType::kWindowAggArrow;
}

void AppendSettings(const TaskSpec& spec, const WorkerVersion& version, std::string* out) {
  if (version.AtLeast(4, 2)) {
    AppendConf(spec.conf, out);
    AppendConf(spec.eval_conf, out);
    return;
  }
  if (IsArrow(spec.eval_type)) AppendConf(spec.conf, out);
  auto input_type = spec.eval_conf.find("input_type");
  if (version.AtLeast(4, 1) && spec.eval_type == EvalType::kArrowBatched && input_type != spec.eval_conf.end()) {
    AppendBytes(input_type->second, out);
  }
  auto state_schema = spec.eval_conf.find("state_value_schema");
  if (state_schema != spec.eval_conf.end()) AppendBytes(state_schema->second, out);
  auto state_server = spec.eval_conf.find("state_server_socket_port");
  if (state_server != spec.eval_conf.end()) {
    AppendInt(-1, out);  // a path follows
    AppendBytes(state_server->second, out);
    AppendBytes(spec.eval_conf.at("grouping_key_schema"), out);
  }
  AppendBool(false, out);  // no profiler
}

std::string Beginning(const TaskSpec& spec, const WorkerVersion& version) {
  std::string out;
  AppendBytes("pyspark.worker", &out);
  AppendInt(spec.partition, &out);
  AppendBytes(spec.calls[0].functions[0]->python_version, &out);
  AppendTaskContext(spec, version, &out);
  AppendBytes(spec.files_folder, &out);
  AppendInt(0, &out);  // archives in it
  AppendBool(false, &out);
  AppendInt(0, &out);  // broadcasts
  return out;
}

}  // namespace

std::string PlainTaskHeader(const TaskSpec& spec, const WorkerVersion& version) {
  std::string out = Beginning(spec, version);
  AppendInt(0, &out);  // NON_UDF
  if (version.AtLeast(4, 2)) {
    AppendConf(spec.conf, &out);
    AppendConf(spec.eval_conf, &out);
  }
  AppendBytes(spec.calls[0].functions[0]->command, &out);
  return out;
}

std::string TableTaskHeader(const TaskSpec& spec, const WorkerVersion& version) {
  std::string out = Beginning(spec, version);
  AppendInt(static_cast<int32_t>(spec.eval_type), &out);
  if (version.AtLeast(4, 2)) {
    AppendConf(spec.conf, &out);
    AppendConf(spec.eval_conf, &out);
  } else {
    if (IsArrow(spec.eval_type)) AppendConf(spec.conf, &out);
    auto input_type = spec.eval_conf.find("input_type");
    if (version.AtLeast(4, 1) && spec.eval_type == EvalType::kArrowTable) AppendBytes(input_type->second, &out);
    if (spec.eval_type == EvalType::kArrowUdtf) {
      auto tables = spec.eval_conf.find("table_arg_offsets");
      bool any = tables != spec.eval_conf.end() && !tables->second.empty();
      AppendInt(any ? 1 : 0, &out);
      if (any) AppendInt(static_cast<int32_t>(std::stoi(tables->second)), &out);
    }
  }
  const TaskCall& call = spec.calls[0];
  AppendInt(static_cast<int32_t>(call.arguments.size()), &out);
  for (const TaskArgument& argument : call.arguments) {
    AppendInt(argument.column, &out);
    AppendBool(!argument.name.empty(), &out);
    if (!argument.name.empty()) AppendBytes(argument.name, &out);
  }
  AppendInt(static_cast<int32_t>(spec.partition_columns.size()), &out);
  for (int32_t column : spec.partition_columns) AppendInt(column, &out);
  AppendBool(!spec.analyze_result.empty(), &out);
  if (!spec.analyze_result.empty()) AppendBytes(spec.analyze_result, &out);
  AppendBytes(call.functions[0]->command, &out);
  AppendBytes(spec.result_schema, &out);
  AppendBytes(call.functions[0]->name, &out);
  return out;
}

std::string TaskHeader(const TaskSpec& spec, const WorkerVersion& version) {
  std::string out = Beginning(spec, version);
  AppendInt(static_cast<int32_t>(spec.eval_type), &out);
  AppendSettings(spec, version, &out);
  AppendInt(static_cast<int32_t>(spec.calls.size()), &out);
  bool names = TakesNames(spec.eval_type, version);
  for (const TaskCall& call : spec.calls) {
    AppendInt(static_cast<int32_t>(call.arguments.size()), &out);
    for (const TaskArgument& argument : call.arguments) {
      AppendInt(argument.column, &out);
      if (!names) continue;
      AppendBool(!argument.name.empty(), &out);
      if (!argument.name.empty()) AppendBytes(argument.name, &out);
    }
    AppendInt(static_cast<int32_t>(call.functions.size()), &out);
    for (const UserFunctionPtr& function : call.functions) AppendBytes(function->command, &out);
    if (version.AtLeast(4, 2)) AppendLong(call.profile_number, &out);
  }
  return out;
}

bool GroupsAreStreams(EvalType type, const WorkerVersion& version) {
  return version.AtLeast(4, 1) || type == EvalType::kCogroupedMapPandas || type == EvalType::kCogroupedMapArrow;
}

}  // namespace millrace::python
