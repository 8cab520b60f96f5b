#include "connector/delta/delta_sink.h"

namespace millrace::connector {

namespace {

constexpr OptionDef kOptions[] = {
    {"path", "", "The table's directory."},
    {"mergeSchema", "false", "Columns the table does not have are added to it."},
    {"overwriteSchema", "false", "Overwrite: schema and partitioning become those of the rows."},
    {"replaceWhere", "", "Overwrite: only rows that meet this condition are replaced, and only such rows are written."},
    {"partitionOverwriteMode", "STATIC", "Overwrite: DYNAMIC replaces only the partitions that get rows."},
    {"txnAppId", "", "With txnVersion: this write is done once, however often it is tried."},
    {"txnVersion", "", "Number of this write; those not greater than the newest of txnAppId do nothing."},
    {"userMetadata", "", "Text that stands in the table's history."},
    {"maxRecordsPerFile", "0", "At most so many rows a file; 0: no limit."},
    {"dataChange", "true", "false: the rows were in the table before; streams that read it do not see them."},
    {"compression", "snappy", "Codec of the data files."},
    {"optimizeWrite", "",
     "Rows are gathered by partition before they are written: few files; none: what "
     "spark.databricks.delta.optimizeWrite.enabled says, or delta.autoOptimize.optimizeWrite of the table."},
    {"delta.*", "", "Properties of a table that this write creates."},
};

class TargetIsRead final : public Extension {};

}  // namespace

std::shared_ptr<const Extension> delta_table::ReadsTarget() { return std::make_shared<TargetIsRead>(); }

bool delta_table::IsTargetRead(const SinkRequest& request) {
  return dynamic_cast<const TargetIsRead*>(request.extension.get()) != nullptr;
}

extern const SinkDef kDeltaSink;
const SinkDef kDeltaSink = {
    .name = "delta",
    .description = "Writes Delta Lake tables.",
    .options = kOptions,
    .output_modes = 7,  // update mode is refused in Delta's words
    .reports_num_output_rows = false,
    .temporary_checkpoint = false,
    .low_latency = {.class_name = "org.apache.spark.sql.delta.sources.DeltaSink"},
    .open_stream = &delta_table::OpenDeltaStreamSink,
    .open_batch = &delta_table::OpenDeltaWrite,
};

}  // namespace millrace::connector
