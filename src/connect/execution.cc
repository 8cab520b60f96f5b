#include "connect/execution.h"

#include <arrow/builder.h>
#include <arrow/table.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "connect/encode/literal.h"
#include "connect/encode/rows.h"
#include "python/profiles.h"
#include "python/worker_pool.h"
#include "spark/connect/base.pb.h"
#include "sql/data_type_proto.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

// Spark's 70 % of spark.connect.grpc.arrow.maxBatchSize.
constexpr int64_t kMaxBatchBytes = int64_t{4} << 20;
// Batches of fewer rows are put together: each answer costs the client more than its rows.
constexpr int64_t kSmallBatchRows = 2048;

class BatchSender {
 public:
  BatchSender(const CommandContext& context, const types::DataType& schema)
      : context_(context),
        encoder_(schema, context.session().MakeEvalContext().time_zone->id()),
        max_rows_(context.session().conf().GetInt64("spark.sql.execution.arrow.maxRecordsPerBatch")) {
    if (max_rows_ <= 0) max_rows_ = INT64_MAX;
  }

  arrow::Status Send(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
    for (auto& batch : batches) {
      if (batch->num_rows() >= kSmallBatchRows || pending_rows_ + batch->num_rows() > max_rows_) {
        ARROW_RETURN_NOT_OK(Flush());
      }
      if (batch->num_rows() >= kSmallBatchRows) {
        ARROW_RETURN_NOT_OK(SendPieces(*batch));
      } else {
        pending_rows_ += batch->num_rows();
        pending_.push_back(std::move(batch));
      }
      batch.reset();
    }
    ARROW_RETURN_NOT_OK(Flush());
    if (num_sent_ > 0) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::string data, encoder_.EncodeEmpty());
    return SendData(std::move(data), 0);
  }

 private:
  arrow::Status Flush() {
    if (pending_.empty()) return arrow::Status::OK();
    std::shared_ptr<arrow::RecordBatch> whole = pending_[0];
    if (pending_.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(whole, arrow::ConcatenateRecordBatches(pending_));
    }
    pending_.clear();
    pending_rows_ = 0;
    return SendPieces(*whole);
  }

  arrow::Status SendPieces(const arrow::RecordBatch& batch) {
    ARROW_ASSIGN_OR_RAISE(int64_t bytes, BytesOf(batch));
    int64_t rows_by_size = bytes <= kMaxBatchBytes ? batch.num_rows() : batch.num_rows() * kMaxBatchBytes / bytes;
    int64_t step = std::max<int64_t>(1, std::min(max_rows_, rows_by_size));
    for (int64_t offset = 0; offset < batch.num_rows(); offset += step) {
      std::shared_ptr<arrow::RecordBatch> piece = batch.Slice(offset, std::min(step, batch.num_rows() - offset));
      ARROW_ASSIGN_OR_RAISE(std::string data, encoder_.Encode(*piece));
      ARROW_RETURN_NOT_OK(SendData(std::move(data), piece->num_rows()));
    }
    return arrow::Status::OK();
  }

  static arrow::Result<int64_t> BytesOf(const arrow::RecordBatch& batch) {
    int64_t bytes = 0;
    for (const auto& column : batch.column_data()) {
      for (const auto& buffer : column->buffers) bytes += buffer == nullptr ? 0 : buffer->size();
      for (const auto& child : column->child_data) {
        for (const auto& buffer : child->buffers) bytes += buffer == nullptr ? 0 : buffer->size();
      }
    }
    return bytes;
  }

  arrow::Status SendData(std::string data, int64_t num_rows) {
    int64_t chunk_bytes = context_.operation->options().chunk_bytes;
    auto size = static_cast<int64_t>(data.size());
    int64_t num_chunks = chunk_bytes == 0 ? 1 : (size + chunk_bytes - 1) / chunk_bytes;
    for (int64_t i = 0; i < num_chunks; ++i) {
      proto::ExecutePlanResponse response;
      auto* batch = response.mutable_arrow_batch();
      batch->set_row_count(num_rows);
      batch->set_start_offset(row_offset_);
      if (chunk_bytes > 0) {
        batch->set_chunk_index(i);
        batch->set_num_chunks_in_batch(num_chunks);
      }
      if (num_chunks == 1) {
        batch->set_data(std::move(data));
      } else {
        batch->set_data(data.substr(static_cast<size_t>(i * chunk_bytes), static_cast<size_t>(chunk_bytes)));
      }
      ARROW_RETURN_NOT_OK(context_.operation->Emit(std::move(response)));
    }
    row_offset_ += num_rows;
    ++num_sent_;
    return arrow::Status::OK();
  }

  const CommandContext& context_;
  RowEncoder encoder_;
  int64_t max_rows_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending_;
  int64_t pending_rows_ = 0;
  int64_t row_offset_ = 0;
  int64_t num_sent_ = 0;
};

}  // namespace

arrow::Status EmitRows(const CommandContext& context, session::QueryResult result) {
  proto::ExecutePlanResponse schema;
  sql::DataTypeToProto(*result.schema, schema.mutable_schema());
  ARROW_RETURN_NOT_OK(context.operation->Emit(std::move(schema)));
  BatchSender sender(context, *result.schema);
  return sender.Send(std::move(result.batches));
}

namespace {

std::string NameOf(const physical::Operator& op) {
  std::string text = op.Describe();
  return text.substr(0, text.find_first_of(" ([,"));
}

// The operators that ran, parents first, as the client's execution info shows them.
void AddOperators(const physical::Operator& op, int64_t parent, proto::ExecutePlanResponse::Metrics* out) {
  auto* metric = out->add_metrics();
  int64_t plan_id = out->metrics_size();
  metric->set_name(NameOf(op));
  metric->set_plan_id(plan_id);
  metric->set_parent(parent);
  for (const auto& child : op.children()) AddOperators(*child, plan_id, out);
}

arrow::Status EmitMetrics(const CommandContext& context, const physical::OperatorPtr& root, int64_t num_rows) {
  if (root == nullptr) return arrow::Status::OK();
  proto::ExecutePlanResponse response;
  AddOperators(*root, 0, response.mutable_metrics());
  auto& value = (*response.mutable_metrics()->mutable_metrics(0)->mutable_execution_metrics())["numOutputRows"];
  value.set_name("number of output rows");
  value.set_value(num_rows);
  value.set_metric_type("sum");
  return context.operation->Emit(std::move(response));
}

// Under this name clients look for what their profilers measured. Source: Spark, SparkConnectPlanExecution.
constexpr const char* kPythonAccumulator = "__python_accumulator__";

arrow::Status EmitObserved(const CommandContext& context) {
  proto::ExecutePlanResponse response;
  std::vector<std::string> profiles = context.session().profiles().Take();
  if (!profiles.empty()) {
    auto* out = response.add_observed_metrics();
    out->set_name(kPythonAccumulator);
    out->set_plan_id(-1);
    for (std::string& pickle : profiles) out->add_values()->set_binary(std::move(pickle));
  }
  if (context.observed->empty() && profiles.empty()) return arrow::Status::OK();
  for (const physical::ObservedMetrics& metrics : *context.observed) {
    auto* out = response.add_observed_metrics();
    out->set_name(metrics.name);
    if (metrics.plan_id >= 0) out->set_plan_id(metrics.plan_id);
    for (int i = 0; i < metrics.row->num_columns(); ++i) {
      const types::StructField& field = metrics.schema->fields()[static_cast<size_t>(i)];
      ARROW_ASSIGN_OR_RAISE(auto value, metrics.row->column(i)->GetScalar(0));
      ARROW_RETURN_NOT_OK(EncodeLiteral(*value, *field.type, out->add_values()));
      out->add_keys(field.name);
    }
  }
  return context.operation->Emit(std::move(response));
}

// `millrace submit` asks with this relation for what tasks added to accumulators: the word, then their ids.
constexpr std::string_view kAccumulators = "millrace.accumulators";

std::optional<std::vector<int64_t>> AccumulatorsAskedFor(const proto::Relation& relation) {
  google::protobuf::StringValue text;
  if (!relation.has_extension() || !relation.extension().UnpackTo(&text)) return std::nullopt;
  std::istringstream words(text.value());
  std::string word;
  if (!(words >> word) || word != kAccumulators) return std::nullopt;
  std::vector<int64_t> ids;
  for (int64_t id = 0; words >> id;) ids.push_back(id);
  return ids;
}

arrow::Status EmitAccumulators(const CommandContext& context, const std::vector<int64_t>& ids) {
  arrow::Int64Builder id_column;
  arrow::BinaryBuilder update_column;
  for (const auto& [id, update] : context.session().engine().python_workers->accumulators().Take(ids)) {
    ARROW_RETURN_NOT_OK(id_column.Append(id));
    ARROW_RETURN_NOT_OK(update_column.Append(update));
  }
  int64_t num_rows = id_column.length();
  ARROW_ASSIGN_OR_RAISE(auto id_array, id_column.Finish());
  ARROW_ASSIGN_OR_RAISE(auto update_array, update_column.Finish());
  session::QueryResult result;
  result.schema = types::Struct({{"id", types::Long(), false, {}}, {"update", types::Binary(), false, {}}});
  auto schema =
      arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("update", arrow::binary(), false)});
  result.batches = {arrow::RecordBatch::Make(schema, num_rows, {id_array, update_array})};
  return EmitRows(context, std::move(result));
}

}  // namespace

arrow::Status ExecuteOperation(const std::shared_ptr<ClientSession>& client,
                               const std::shared_ptr<Operation>& operation, const proto::Plan& plan) {
  CommandContext context{client, operation};
  switch (plan.op_type_case()) {
    case proto::Plan::kRoot: {
      if (auto ids = AccumulatorsAskedFor(plan.root())) return EmitAccumulators(context, *ids);
      session::RunControl control = context.control();
      physical::OperatorPtr root;
      control.root = &root;
      ARROW_ASSIGN_OR_RAISE(session::QueryResult result, client->engine().Execute(plan.root(), control));
      int64_t num_rows = result.num_rows();
      ARROW_RETURN_NOT_OK(EmitRows(context, std::move(result)));
      ARROW_RETURN_NOT_OK(EmitMetrics(context, root, num_rows));
      return EmitObserved(context);
    }
    case proto::Plan::kCommand:
      ARROW_RETURN_NOT_OK(RunCommand(context, plan.command()));
      return EmitObserved(context);
    default:
      return UserError("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET",
                       {{"fullName", "spark.connect.Plan.op_type"}});
  }
}

}  // namespace millrace::connect
