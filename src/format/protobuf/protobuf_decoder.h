#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/column_writer.h"
#include "format/protobuf/protobuf_message.h"

namespace millrace::format {

/// Decodes messages in Protocol Buffers' wire format into a struct column, as Spark's from_protobuf does: the fields of
/// a message are found first, in whatever order and however often they come, then each column gets its value.
///
/// Thread: confined.
/// Source: protobuf.dev, "Encoding"; Spark, ProtobufDeserializer.
class ProtobufDecoder {
 public:
  ProtobufDecoder(ProtobufSchema schema, const ProtobufOptions& options, types::DataTypePtr type,
                  arrow::MemoryPool* pool);
  ~ProtobufDecoder();

  /// Appends one message. False where the bytes are none: nothing is appended then.
  bool Append(std::string_view bytes);
  void AppendNull() { column_.AppendNull(); }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish() { return column_.Finish(); }

 private:
  /// A wire value, and the next one of the same field of the same message (−1: none).
  struct Occurrence {
    uint64_t bits = 0;
    std::string_view bytes;
    int next = -1;
    bool packed = false;
  };
  struct Slot {
    int first = -1;
    int last = -1;
  };
  class JsonPrinter;

  bool Scan(const ProtobufMessage& message, std::string_view bytes, bool is_root, int depth);
  bool ReadMessage(const ProtobufMessage& message, std::string_view bytes, bool is_root, int depth, ColumnWriter* out);
  bool AppendField(const ProtobufField& field, Slot slot, bool always, int depth, ColumnWriter* out);
  bool AppendList(const ProtobufField& field, Slot slot, int depth, ColumnWriter* out);
  bool AppendMap(const ProtobufField& field, Slot slot, int depth, ColumnWriter* out);
  bool AppendValue(const ProtobufField& field, uint64_t bits, std::string_view bytes, int depth, ColumnWriter* out);
  bool AppendInner(const ProtobufField& field, std::string_view bytes, int depth, ColumnWriter* out);
  /// The bytes of a message of which parts came apart.
  std::string_view Merged(Slot slot);
  bool Set(const ProtobufMessage& message, const ProtobufField& field, size_t slots, Occurrence occurrence);

  ProtobufSchema schema_;
  bool emit_default_values_;
  bool enums_as_ints_;
  ColumnWriter column_;
  /// Of the messages that are open, one after the other.
  std::vector<Occurrence> occurrences_;
  std::vector<Slot> slots_;
  std::deque<std::string> merged_;
  std::unique_ptr<JsonPrinter> json_;
};

}  // namespace millrace::format
