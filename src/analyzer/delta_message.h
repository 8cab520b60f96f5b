#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Messages of Delta's Python package (delta.connect.DeltaRelation and DeltaCommand): few and stable, so they are read
/// by field number.

namespace google::protobuf {
class Any;
}

namespace millrace::analyzer {

class DeltaMessage {
 public:
  /// Errors: UserError CONNECT_INVALID_PLAN.CANNOT_PARSE.
  static arrow::Result<DeltaMessage> Parse(const std::string& bytes);

  /// Number of the first field; 0 for an empty message.
  int FirstField() const;
  /// The first field of this number, as bytes; empty when it is not there.
  std::string Bytes(int number) const;
  /// All of them.
  std::vector<std::string> AllBytes(int number) const;
  bool Has(int number) const;
  /// 0 when it is not there.
  int64_t Varint(int number) const;
  /// A double; nullopt when it is not there.
  std::optional<double> Double(int number) const;

 private:
  struct Field {
    int number = 0;
    bool is_varint = false;
    int64_t varint = 0;
    std::string bytes;
  };
  std::vector<Field> fields_;
};

/// Fields of delta.connect.DeltaRelation.
enum DeltaRelationField : int {
  kScan = 1,
  kDescribeHistory = 2,
  kDescribeDetail = 3,
  kConvertToDelta = 4,
  kRestoreTable = 5,
  kIsDeltaTable = 6,
  kDeleteFromTable = 7,
  kUpdateTable = 8,
  kMergeIntoTable = 9,
  kOptimizeTable = 10,
};

/// What a message of Delta's wraps: which of its fields is set, and that field's message.
struct DeltaEnvelope {
  int kind = 0;
  DeltaMessage message;
};
/// Opens a delta.connect.DeltaRelation, or a DeltaCommand. Errors: UserError
/// CONNECT_INVALID_PLAN.NO_HANDLER_FOR_EXTENSION, .CANNOT_PARSE.
arrow::Result<DeltaEnvelope> OpenDeltaRelation(const google::protobuf::Any& extension);
arrow::Result<DeltaEnvelope> OpenDeltaCommand(const google::protobuf::Any& extension);

/// delta.connect.DeltaTable: one of the two is set.
struct DeltaTableName {
  std::string path;
  std::string name;
};
/// The table that the first field of `message` names.
arrow::Result<DeltaTableName> DeltaTableOf(const DeltaMessage& message);
/// The same in parts, as statements name it: `delta`.`path` for a path.
arrow::Result<std::vector<std::string>> DeltaTableParts(const DeltaMessage& message);

}  // namespace millrace::analyzer
