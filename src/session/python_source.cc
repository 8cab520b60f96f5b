#include "session/python_source.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>

#include "base/error.h"
#include "base/json_value.h"
#include "expression/python/worker_rows.h"
#include "expression/variant_column.h"
#include "format/json/json_text.h"
#include "python/planner_call.h"
#include "python/task_stream.h"
#include "python/wire.h"
#include "types/arrow_type.h"

namespace millrace::session {

namespace {

using python::AppendBool;
using python::AppendBytes;
using python::AppendInt;

const PythonDataSource& DataSourceOf(const connector::SourceRequest& request) {
  return static_cast<const PythonDataSource&>(*request.extension);
}

// What the worker of a partition is sent: one row, the partition as it was pickled.
types::DataTypePtr PartitionType() { return types::Struct({{"value", types::Binary(), true, ""}}); }

/// What all partitions of one read share.
struct ReadSpec {
  python::EnvironmentPtr environment;
  python::UserFunctionPtr read;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<types::DataTypePtr> types;
  std::vector<int> columns;
};

class PythonReader final : public connector::BatchReader {
 public:
  PythonReader(std::shared_ptr<const ReadSpec> spec, const std::string* partition, arrow::MemoryPool* pool)
      : spec_(std::move(spec)), partition_(partition), pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (task_ == nullptr) {
      python::TaskSpec task;
      task.eval_type = python::EvalType::kMapArrowIter;
      task.conf = spec_->environment->conf;
      task.calls = {{{spec_->read}, {{0, ""}}}};
      auto write = [this](std::string* out) { return WritePartition(out); };
      ARROW_ASSIGN_OR_RAISE(task_, python::TaskStream::Start(spec_->environment, task, write, nullptr, pool_));
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, task_->NextBatch());
      if (batch == nullptr) return nullptr;
      if (batch->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(auto rows, expression::RowsOfStruct(batch, spec_->schema, spec_->types,
                                                                python::EvalType::kMapArrowIter, pool_));
      return rows->SelectColumns(spec_->columns);
    }
  }

 private:
  arrow::Result<bool> WritePartition(std::string* out) {
    arrow::BinaryBuilder builder(pool_);
    ARROW_RETURN_NOT_OK(builder.Append(*partition_));
    ARROW_ASSIGN_OR_RAISE(auto column, builder.Finish());
    auto row = arrow::RecordBatch::Make(types::ToArrowSchema(*PartitionType()), 1, arrow::ArrayVector{column});
    ARROW_ASSIGN_OR_RAISE(auto wrapped, expression::AsStruct(row));
    expression::ArrowPieces pieces(wrapped->schema());
    ARROW_RETURN_NOT_OK(pieces.Write(*wrapped, out));
    ARROW_RETURN_NOT_OK(pieces.End(out));
    return false;
  }

  std::shared_ptr<const ReadSpec> spec_;
  const std::string* partition_;
  arrow::MemoryPool* pool_;
  std::unique_ptr<python::TaskStream> task_;
};

class PythonPartition final : public connector::InputPartition {
 public:
  PythonPartition(std::shared_ptr<const ReadSpec> spec, std::string partition)
      : spec_(std::move(spec)), partition_(std::move(partition)) {}
  arrow::Result<std::unique_ptr<connector::BatchReader>> Open(arrow::MemoryPool* pool) const override {
    return std::make_unique<PythonReader>(spec_, &partition_, pool);
  }

 private:
  std::shared_ptr<const ReadSpec> spec_;
  std::string partition_;
};

class PythonScan final : public connector::BatchScan {
 public:
  explicit PythonScan(const connector::SourceRequest& request) : request_(request) {}

  arrow::Result<connector::InputPartitions> PlanPartitions(const connector::ReadColumns& columns) override {
    const PythonDataSource& source = DataSourceOf(request_);
    PythonRead read;
    if (source.planned != nullptr) {
      read = *source.planned;
    } else {
      ARROW_ASSIGN_OR_RAISE(read, PlanPythonRead(source, *request_.schema, /*streaming=*/false));
    }
    connector::InputPartitions partitions;
    for (std::string& pickle : read.partitions) {
      partitions.push_back(
          MakePythonPartition(source.environment, read.function, std::move(pickle), request_.schema, columns.indices));
    }
    return partitions;
  }
  std::string Description() const override { return "(Python) " + DataSourceOf(request_).name; }

 private:
  connector::SourceRequest request_;
};

arrow::Result<types::DataTypePtr> SchemaOf(const connector::SourceRequest& request) {
  Options options = request.options;
  if (request.paths.size() == 1) options.Set("path", request.paths[0]);
  return CreatePythonDataSource(DataSourceOf(request), options, request.user_schema);
}

bool TakesFilters(const PythonDataSource& source) {
  auto setting = source.environment->conf.find("spark.sql.python.filterPushdown.enabled");
  return setting != source.environment->conf.end() && setting->second == "true";
}

bool BinaryAsBytes(const PythonDataSource& source) {
  auto setting = source.environment->conf.find("spark.sql.execution.pyspark.binaryAsBytes");
  return setting == source.environment->conf.end() || setting->second == "true";
}

// What both modules that plan a read answer first.
arrow::Result<PythonRead> ReceiveRead(const PythonDataSource& source, python::PlannerCall& call) {
  auto function = std::make_shared<python::UserFunction>();
  function->name = "read_from_data_source";
  function->eval_type = python::EvalType::kMapArrowIter;
  function->python_version = source.function->python_version;
  ARROW_ASSIGN_OR_RAISE(function->command, call.ReadBytes());
  PythonRead read{std::move(function), {}};
  ARROW_ASSIGN_OR_RAISE(int32_t num_partitions, call.ReadInt());
  for (int32_t i = 0; i < num_partitions; ++i) {
    ARROW_ASSIGN_OR_RAISE(std::string partition, call.ReadBytes());
    read.partitions.push_back(std::move(partition));
  }
  return read;
}

// A condition as pyspark.sql.worker.data_source_pushdown_filters reads it: what it compares with is a variant.
arrow::Result<std::string> FilterJson(const connector::SourceFilter& filter) {
  std::string json = "{\"name\":\"" + std::string(filter.name) + "\",\"columnPath\":[";
  for (size_t i = 0; i < filter.column.size(); ++i) {
    if (i > 0) json += ',';
    AppendJsonString(filter.column[i], &json);
  }
  json += ']';
  if (filter.value != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto value, arrow::MakeArrayFromScalar(*filter.value, 1));
    ARROW_ASSIGN_OR_RAISE(auto variants,
                          expression::ToVariants({}, *value->data(), *filter.value_type, "to_variant_object"));
    const auto column = arrow::MakeArray(variants);
    const auto& parts = static_cast<const arrow::StructArray&>(*column);
    json += ",\"value\":{";
    for (const char* name : {"value", "metadata"}) {
      json += (json.back() == '{' ? "\"" : ",\"") + std::string(name) + "\":\"";
      format::AppendBase64(static_cast<const arrow::BinaryArray&>(*parts.GetFieldByName(name)).GetView(0), &json);
      json += '"';
    }
    json += '}';
  }
  return json + ",\"isNegated\":" + (filter.negated ? "true" : "false") + "}";
}

// Spark offers none of these to Python. Source: UserDefinedPythonDataSourceFilterPushdownRunner.
bool IsOffered(const connector::SourceFilter& filter) {
  return filter.value_type == nullptr || expression::CanBeVariant(*filter.value_type, /*structs_and_maps=*/true);
}

arrow::Result<std::optional<connector::PushedFilters>> PushPythonFilters(
    const connector::SourceRequest& request, const std::vector<connector::SourceFilter>& filters) {
  const PythonDataSource& source = DataSourceOf(request);
  if (!TakesFilters(source)) return std::nullopt;
  std::vector<size_t> offered;
  std::string json;
  for (size_t i = 0; i < filters.size(); ++i) {
    if (!IsOffered(filters[i])) continue;
    ARROW_ASSIGN_OR_RAISE(std::string one, FilterJson(filters[i]));
    json += (offered.empty() ? "" : ",") + one;
    offered.push_back(i);
  }
  if (offered.empty()) return std::nullopt;
  auto with_filters = std::make_shared<PythonDataSource>();
  with_filters->name = source.name;
  with_filters->function = source.function;
  with_filters->environment = source.environment;
  {
    std::lock_guard lock(source.mutex);
    with_filters->instance = source.instance;
  }
  std::string body;
  AppendBytes(with_filters->instance, &body);
  AppendBytes(request.schema->ToJson(), &body);
  AppendBytes("[" + json + "]", &body);
  AppendInt(static_cast<int32_t>(source.environment->max_records_per_batch), &body);
  AppendBool(BinaryAsBytes(source), &body);
  ARROW_ASSIGN_OR_RAISE(
      auto call, python::PlannerCall::Start(source.environment, "pyspark.sql.worker.data_source_pushdown_filters",
                                            source.function->python_version, body,
                                            PythonDataSourceFailure("pushdown filters", "read")));
  ARROW_ASSIGN_OR_RAISE(PythonRead read, ReceiveRead(source, *call));
  connector::PushedFilters pushed;
  ARROW_ASSIGN_OR_RAISE(int32_t num_applied, call->ReadInt());
  for (int32_t i = 0; i < num_applied; ++i) {
    ARROW_ASSIGN_OR_RAISE(int32_t index, call->ReadInt());
    if (index >= 0 && static_cast<size_t>(index) < offered.size()) {
      pushed.applied.push_back(offered[static_cast<size_t>(index)]);
    }
  }
  ARROW_RETURN_NOT_OK(call->Finish());
  with_filters->planned = std::make_shared<PythonRead>(std::move(read));
  auto changed = std::make_shared<connector::SourceRequest>(request);
  changed->extension = std::move(with_filters);
  pushed.request = std::move(changed);
  return pushed;
}

arrow::Result<std::unique_ptr<connector::BatchScan>> OpenBatch(const connector::SourceRequest& request) {
  return std::make_unique<PythonScan>(request);
}

}  // namespace

const connector::SourceDef kPythonSource = {
    .name = "python",
    .description = "a data source that the session registered",
    .options = {},
    .schema = SchemaOf,
    .open_batch = OpenBatch,
    .open_stream = OpenPythonStream,
    .push_filters = PushPythonFilters,
};

std::function<arrow::Status(std::string)> PythonDataSourceFailure(std::string action, std::string type) {
  return [action = std::move(action), type = std::move(type)](std::string traceback) {
    return UserError("PYTHON_DATA_SOURCE_ERROR", {{"action", action}, {"type", type}, {"msg", std::move(traceback)}});
  };
}

arrow::Result<types::DataTypePtr> CreatePythonDataSource(const PythonDataSource& source, const Options& options,
                                                         const types::DataTypePtr& user_schema) {
  std::string body;
  AppendBytes(source.function->command, &body);
  AppendBytes(source.name, &body);
  AppendBool(user_schema != nullptr, &body);
  if (user_schema != nullptr) AppendBytes(user_schema->ToJson(), &body);
  AppendInt(static_cast<int32_t>(options.entries().size()), &body);
  for (const auto& [lower, entry] : options.entries()) {
    AppendBytes(entry.key, &body);
    AppendBytes(entry.value, &body);
  }
  ARROW_ASSIGN_OR_RAISE(
      auto call,
      python::PlannerCall::Start(source.environment, "pyspark.sql.worker.create_data_source",
                                 source.function->python_version, body, PythonDataSourceFailure("create", "instance")));
  ARROW_ASSIGN_OR_RAISE(std::string instance, call->ReadBytes());
  ARROW_ASSIGN_OR_RAISE(int32_t is_ddl, call->ReadInt());
  ARROW_ASSIGN_OR_RAISE(std::string text, call->ReadBytes());
  ARROW_RETURN_NOT_OK(call->Finish());
  {
    std::lock_guard lock(source.mutex);
    source.instance = std::move(instance);
  }
  arrow::Result<types::DataTypePtr> schema = is_ddl != 0 ? types::ParseSchemaDdl(text) : types::ParseTypeJson(text);
  ARROW_RETURN_NOT_OK(schema);
  if ((*schema)->id() != types::TypeId::kStruct) {
    return UserError("INVALID_SCHEMA.NON_STRUCT_TYPE",
                     {{"inputSchema", "\"" + text + "\""}, {"dataType", "\"" + (*schema)->Sql() + "\""}});
  }
  return schema;
}

arrow::Result<PythonRead> PlanPythonRead(const PythonDataSource& source, const types::DataType& schema,
                                         bool streaming) {
  std::string body;
  {
    std::lock_guard lock(source.mutex);
    AppendBytes(source.instance, &body);
  }
  AppendBytes(PartitionType()->ToJson(), &body);
  AppendBytes(schema.ToJson(), &body);
  AppendInt(static_cast<int32_t>(source.environment->max_records_per_batch), &body);
  AppendBool(TakesFilters(source), &body);
  AppendBool(streaming, &body);
  AppendBool(BinaryAsBytes(source), &body);
  ARROW_ASSIGN_OR_RAISE(auto call, python::PlannerCall::Start(
                                       source.environment, "pyspark.sql.worker.plan_data_source_read",
                                       source.function->python_version, body, PythonDataSourceFailure("plan", "read")));
  ARROW_ASSIGN_OR_RAISE(PythonRead read, ReceiveRead(source, *call));
  ARROW_RETURN_NOT_OK(call->Finish());
  return read;
}

std::shared_ptr<const connector::InputPartition> MakePythonPartition(python::EnvironmentPtr environment,
                                                                     python::UserFunctionPtr read,
                                                                     std::string partition, types::DataTypePtr schema,
                                                                     std::vector<int> columns) {
  auto spec = std::make_shared<ReadSpec>();
  spec->environment = std::move(environment);
  spec->read = std::move(read);
  spec->schema = types::ToArrowSchema(*schema);
  for (const types::StructField& field : schema->fields()) spec->types.push_back(field.type);
  spec->columns = std::move(columns);
  return std::make_shared<PythonPartition>(std::move(spec), std::move(partition));
}

}  // namespace millrace::session
