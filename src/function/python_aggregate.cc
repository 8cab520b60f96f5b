#include "function/python_aggregate.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/python/worker_rows.h"
#include "function/aggregate/collected_rows.h"
#include "python/task_stream.h"
#include "python/wire.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

using expression::AggregateState;
using expression::EvalContext;

constexpr size_t kPieceBytes = 256 << 10;

struct PythonAggregateSpec {
  python::UserFunctionPtr function;
  python::EnvironmentPtr environment;
  types::DataTypePtr type;
  std::vector<types::StructField> arguments;
  std::vector<std::string> argument_names;
  /// A struct of the arguments.
  types::DataTypePtr row_type;
  std::vector<types::StructField> buffer;
};

class PythonAggregateState final : public AggregateState {
 public:
  PythonAggregateState(std::shared_ptr<const PythonAggregateSpec> spec, arrow::MemoryPool* pool)
      : spec_(std::move(spec)), pool_(pool), rows_(spec_->row_type, pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    rows_.Resize(num_groups);
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    auto data =
        arrow::ArrayData::Make(types::ToArrow(*spec_->row_type), static_cast<int64_t>(group_ids.size()), {nullptr}, 0);
    for (size_t i = 0; i < spec_->arguments.size(); ++i) data->child_data.push_back(arguments[i]->data());
    return rows_.Add(group_ids, arrow::MakeArray(std::move(data)));
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return rows_.AddLists(group_ids, *buffers[0]);
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(auto lists, rows_.ToLists(*spec_->buffer[0].type));
    return arrow::ArrayVector{std::move(lists)};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override {
    std::shared_ptr<arrow::DataType> type = types::ToArrow(*spec_->type);
    if (rows_.num_groups() == 0) return arrow::MakeEmptyArray(type, pool_);
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    python::TaskSpec task;
    task.eval_type = spec_->function->eval_type;
    task.conf = spec_->environment->conf;
    task.partition = context.partition_index;
    python::TaskCall call;
    call.functions = {spec_->function};
    for (size_t i = 0; i < spec_->arguments.size(); ++i) {
      call.arguments.push_back({static_cast<int32_t>(i), spec_->argument_names[i]});
    }
    task.calls = {std::move(call)};
    return Run(task, grouped);
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> Run(const python::TaskSpec& task,
                                                   const CollectedRows::Grouped& grouped) {
    ARROW_ASSIGN_OR_RAISE(auto schema, expression::WorkerSchema(spec_->arguments, *spec_->environment));
    const auto& structs = static_cast<const arrow::StructArray&>(*grouped.values);
    arrow::ArrayVector columns;
    for (int c = 0; c < structs.num_fields(); ++c) columns.push_back(structs.field(c));
    auto rows = expression::ForWorker(schema, columns, structs.length());
    int64_t next = 0;
    std::unique_ptr<python::TaskStream> stream;
    std::unique_ptr<expression::ArrowPieces> one_stream;
    auto write = [&](std::string* out) -> arrow::Result<bool> {
      bool streams = python::GroupsAreStreams(task.eval_type, stream->version());
      for (; next < rows_.num_groups(); ++next) {
        if (out->size() >= kPieceBytes) return true;
        auto begin = grouped.offsets[static_cast<size_t>(next)];
        auto end = grouped.offsets[static_cast<size_t>(next) + 1];
        ARROW_RETURN_NOT_OK(WriteGroup(*rows->Slice(begin, end - begin), streams, &one_stream, out));
      }
      if (streams) {
        python::AppendInt(0, out);
      } else {
        ARROW_RETURN_NOT_OK(one_stream->End(out));
      }
      return false;
    };
    ARROW_ASSIGN_OR_RAISE(stream, python::TaskStream::Start(spec_->environment, task, write, nullptr, pool_));
    arrow::ArrayVector results;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, stream->NextBatch());
      if (batch == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(auto column, expression::FromWorker(batch->column(0), *spec_->type, task.eval_type, pool_));
      results.push_back(std::move(column));
    }
    if (results.empty()) return arrow::MakeArrayOfNull(types::ToArrow(*spec_->type), rows_.num_groups(), pool_);
    ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(results, pool_));
    if (all->length() != rows_.num_groups()) {
      return InternalError("a Python worker gave another number of groups than it was sent");
    }
    return all;
  }

  // A group that is sent whole, or cut into batches of the session's size.
  arrow::Status WriteGroup(const arrow::RecordBatch& group, bool streams,
                           std::unique_ptr<expression::ArrowPieces>* one_stream, std::string* out) {
    if (!streams) {
      if (*one_stream == nullptr) *one_stream = std::make_unique<expression::ArrowPieces>(group.schema());
      return (*one_stream)->Write(group, out);
    }
    python::AppendInt(1, out);
    expression::ArrowPieces pieces(group.schema());
    int64_t step = spec_->environment->max_records_per_batch;
    for (int64_t begin = 0; begin == 0 || begin < group.num_rows(); begin += step) {
      ARROW_RETURN_NOT_OK(pieces.Write(*group.Slice(begin, step), out));
    }
    return pieces.End(out);
  }

  std::shared_ptr<const PythonAggregateSpec> spec_;
  arrow::MemoryPool* pool_;
  CollectedRows rows_;
};

class PythonAggregate final : public expression::AggregateFunction {
 public:
  explicit PythonAggregate(std::shared_ptr<const PythonAggregateSpec> spec) : spec_(std::move(spec)) {}
  const std::string& name() const override { return spec_->function->name; }
  const types::DataTypePtr& result_type() const override { return spec_->type; }
  bool result_nullable() const override { return true; }
  const std::vector<types::StructField>& buffer_fields() const override { return spec_->buffer; }
  bool opaque_buffer() const override { return true; }
  std::unique_ptr<AggregateState> NewState(arrow::MemoryPool* pool) const override {
    return std::make_unique<PythonAggregateState>(spec_, pool);
  }

 private:
  std::shared_ptr<const PythonAggregateSpec> spec_;
};

}  // namespace

bool IsPythonAggregate(const expression::AggregateFunction& function) {
  return dynamic_cast<const PythonAggregate*>(&function) != nullptr;
}

expression::ExpressionPtr MakePythonAggregate(python::UserFunctionPtr function, python::EnvironmentPtr environment,
                                              types::DataTypePtr type, expression::ExpressionVector arguments,
                                              std::vector<std::string> argument_names) {
  auto spec = std::make_shared<PythonAggregateSpec>();
  spec->function = std::move(function);
  spec->environment = std::move(environment);
  spec->type = std::move(type);
  for (size_t i = 0; i < arguments.size(); ++i) {
    spec->arguments.push_back({"_" + std::to_string(i), arguments[i]->type(), true, ""});
  }
  spec->argument_names = std::move(argument_names);
  spec->row_type = types::Struct(spec->arguments);
  spec->buffer = {{"rows", types::Array(spec->row_type, false), false, ""}};
  return std::make_shared<expression::AggregateCall>(std::make_shared<const PythonAggregate>(std::move(spec)),
                                                     std::move(arguments), false, nullptr);
}

}  // namespace millrace::function
