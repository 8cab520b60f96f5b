#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <any>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connector/source.h"

namespace millrace::connector {

class MicroBatchRows;

/// What a task's writer hands to the commit of the whole write (file names and sizes; counts).
using WriterCommitMessage = std::any;

/// Writes the rows of one partition. Confined to one task.
class DataWriter {
 public:
  virtual ~DataWriter() = default;
  virtual arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) = 0;
  /// All rows are in the sink's hands: sent and acknowledged, or written and durable. Visible only after Write::Commit
  /// where the sink can do that.
  virtual arrow::Result<WriterCommitMessage> Commit() = 0;
  /// Removes what can be removed after a failure.
  virtual void Abort() = 0;
};

/// One write of one result: a batch job's save(), or one micro-batch.
class Write {
 public:
  virtual ~Write() = default;
  /// Thread-safe: called from tasks. `task_index` is unique within this write.
  virtual arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) = 0;
  /// All tasks have ended well: does what can be done before the rows may become visible (one file for the rows of many
  /// tasks). The engine calls it while the query's intent may still be on its way to the disk.
  virtual arrow::Status Flush(std::vector<WriterCommitMessage>* messages) {
    (void)messages;
    return arrow::Status::OK();
  }
  /// Makes everything visible, once. `messages` by task index. Durable when it returns.
  virtual arrow::Status Commit(std::vector<WriterCommitMessage> messages) = 0;
  virtual void Abort() = 0;
  /// True where the rows are handed to somebody who asks for them, or not (foreachBatch): no writer is opened then, and
  /// TakeRows is called in place of Commit.
  virtual bool takes_rows() const { return false; }
  /// OK: the write is done, also where rows could not be computed.
  virtual arrow::Status TakeRows(std::shared_ptr<MicroBatchRows> rows) {
    (void)rows;
    return arrow::Status::NotImplemented("this write opens writers");
  }
  /// True when all rows must come to one writer, in order (console, memory, foreachBatch want whole results).
  virtual bool single_writer() const { return false; }
};

enum class OutputMode : uint8_t { kAppend, kUpdate, kComplete };
enum class SaveMode : uint8_t { kErrorIfExists, kAppend, kOverwrite, kIgnore };

/// Where a streaming query's micro-batches go.
///
/// Idempotent by batch id where the sink can be: Begin of a batch that was committed before gives null and the engine
/// skips it. Confined to the query's thread.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) = 0;
  /// Shown in the progress ("ConsoleTable$@…", "org.apache.spark.sql.kafka010.KafkaSourceProvider$KafkaTable…").
  virtual std::string Description() const = 0;
  /// As SinkDef::reports_num_output_rows, of a sink that no SinkDef made.
  virtual bool reports_num_output_rows() const { return false; }
  /// As MicroBatchStream::Interrupt.
  virtual void Interrupt() {}
  virtual void Stop() {}
};

/// CREATE TABLE, REPLACE TABLE and saveAsTable, for sinks whose log tells of them.
struct TableStatement {
  bool replace = false;
  bool or_create = false;
  bool as_select = false;
  bool is_managed = false;
  /// saveAsTable over a table that is there: its definition stays unless the options say otherwise.
  bool is_save_as_table = false;
  std::optional<std::string> comment;
  std::map<std::string, std::string> properties;
  /// CREATE TABLE LIKE: the properties are another table's and may name any feature.
  bool is_like = false;
  /// CLUSTER BY: columns, and fields below them.
  std::vector<std::vector<std::string>> cluster_columns;
};

struct SinkRequest {
  Options options;
  /// start(path) / save(path) or the option "path"; empty for none.
  std::string path;
  /// Columns of the rows.
  types::DataTypePtr schema;
  std::vector<std::string> partition_columns;
  /// Of files: the column with the number of a row's bucket, which is in the name of its file and not in it. Rows of a
  /// task come bucket by bucket. Empty for none.
  std::string bucket_column;
  OutputMode output_mode = OutputMode::kAppend;
  SaveMode save_mode = SaveMode::kErrorIfExists;
  /// CREATE TABLE: the schema is the table's own, with nullability and metadata of its columns, and there are no rows.
  bool defines_table = false;
  std::optional<TableStatement> statement;
  /// Streams only.
  std::string query_id;
  std::string query_name;
  std::string checkpoint_location;
  const ConnectorContext* context = nullptr;
  /// Of a registered sink; null for those of the engine.
  std::shared_ptr<const Extension> extension;
};

/// One line of the registry of sinks.
struct SinkDef {
  std::string_view name;
  std::string_view description;
  std::span<const OptionDef> options;
  /// Output modes the sink takes, as a bit set of 1 << OutputMode.
  unsigned output_modes = 1;
  /// The progress tells how many rows were written (Spark's sinks of the newer interface), instead of -1.
  bool reports_num_output_rows = false;
  /// Checkpoint may be a temporary directory (console, memory, noop).
  bool temporary_checkpoint = false;
  LowLatency low_latency;
  arrow::Result<std::unique_ptr<StreamSink>> (*open_stream)(const SinkRequest&) = nullptr;
  /// Null result: nothing to do (SaveMode::kIgnore and the target exists).
  arrow::Result<std::unique_ptr<Write>> (*open_batch)(const SinkRequest&) = nullptr;
};

const SinkDef* FindSink(std::string_view name);
std::span<const SinkDef* const> AllSinks();

}  // namespace millrace::connector
