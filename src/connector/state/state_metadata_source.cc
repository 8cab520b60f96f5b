#include <arrow/array.h>
#include <arrow/builder.h>

#include <charconv>
#include <optional>

#include "base/error.h"
#include "connector/rows_partition.h"
#include "connector/state/checkpoint_reading.h"
#include "state/operator_metadata.h"

/// The source "state-metadata": which stateful operators a checkpoint has, one row a store.
/// Source: Spark, "State Data Source Integration Guide".

namespace millrace::connector {

using arrow::Result;
using arrow::Status;

namespace {

Result<types::DataTypePtr> Schema(const SourceRequest&) {
  return types::Struct({{"operatorId", types::Long(), true, {}},
                        {"operatorName", types::String(), true, {}},
                        {"stateStoreName", types::String(), true, {}},
                        {"numPartitions", types::Integer(), true, {}},
                        {"minBatchId", types::Long(), true, {}},
                        {"maxBatchId", types::Long(), true, {}},
                        {"operatorProperties", types::String(), true, {}}});
}

class MetadataScan final : public BatchScan {
 public:
  MetadataScan(FileSystem* file_system, std::string checkpoint_location, std::optional<int64_t> batch_id)
      : file_system_(file_system), checkpoint_location_(std::move(checkpoint_location)), batch_id_(batch_id) {}

  Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(auto committed, ReadCommittedBatches(*file_system_, checkpoint_location_));
    int64_t batch_id = batch_id_.value_or(committed ? committed->last : 0);
    ARROW_ASSIGN_OR_RAISE(auto operators, state::ReadAllOperatorMetadata(
                                              *file_system_, JoinPath(checkpoint_location_, "state"), batch_id));
    arrow::Int64Builder ids, first, last;
    arrow::StringBuilder names, stores, properties;
    arrow::Int32Builder partitions;
    for (const auto& info : operators) {
      for (const auto& store : info.stores) {
        ARROW_RETURN_NOT_OK(ids.Append(info.operator_id));
        ARROW_RETURN_NOT_OK(names.Append(info.operator_name));
        ARROW_RETURN_NOT_OK(stores.Append(store.name));
        ARROW_RETURN_NOT_OK(partitions.Append(store.num_partitions));
        ARROW_RETURN_NOT_OK(first.Append(committed ? committed->first : -1));
        ARROW_RETURN_NOT_OK(last.Append(committed ? committed->last : -1));
        if (info.properties_json.empty()) {
          ARROW_RETURN_NOT_OK(properties.AppendNull());
        } else {
          ARROW_RETURN_NOT_OK(properties.Append(info.properties_json));
        }
      }
    }
    std::array<arrow::ArrayBuilder*, 7> builders = {&ids, &names, &stores, &partitions, &first, &last, &properties};
    int64_t num_rows = ids.length();
    arrow::ArrayVector all(builders.size()), arrays;
    for (size_t i = 0; i < builders.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(all[i], builders[i]->Finish());
    }
    arrow::FieldVector fields;
    for (int column : columns.indices) {
      arrays.push_back(all[static_cast<size_t>(column)]);
      fields.push_back(arrow::field("c", arrays.back()->type()));
    }
    auto rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), num_rows, std::move(arrays));
    return InputPartitions{std::make_shared<RowsPartition>(std::vector{std::move(rows)})};
  }

  std::string Description() const override { return "state-metadata-source " + checkpoint_location_; }

 private:
  FileSystem* file_system_;
  std::string checkpoint_location_;
  std::optional<int64_t> batch_id_;
};

Result<std::unique_ptr<BatchScan>> OpenBatch(const SourceRequest& request) {
  if (request.paths.empty()) {
    return UserError("STDS_REQUIRED_OPTION_UNSPECIFIED", {{"optionName", "path"}});
  }
  std::optional<int64_t> batch_id;
  if (std::optional<std::string> text = request.options.Get("batchId")) {
    int64_t number;
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size() || text->empty()) {
      return Status::Invalid("For input string: \"", *text, "\"");
    }
    batch_id = number;
  }
  return std::make_unique<MetadataScan>(request.context->file_system, AbsolutePath(LocalPath(request.paths[0])),
                                        batch_id);
}

constexpr OptionDef kOptions[] = {
    {"batchId", "", "the micro-batch whose operators are read; the last committed one by default"},
};

}  // namespace

extern const SourceDef kStateMetadataSource;
const SourceDef kStateMetadataSource = {
    .name = "state-metadata",
    .description = "Stateful operators of a streaming query, from its checkpoint.",
    .options = kOptions,
    .schema = Schema,
    .open_batch = OpenBatch,
};

}  // namespace millrace::connector
