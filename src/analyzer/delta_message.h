#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <vector>

/// Messages of Delta's Python package (delta.connect.DeltaRelation and DeltaCommand): few and stable, so they are read
/// by field number.

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

 private:
  struct Field {
    int number = 0;
    bool is_varint = false;
    int64_t varint = 0;
    std::string bytes;
  };
  std::vector<Field> fields_;
};

/// delta.connect.DeltaTable: one of the two is set.
struct DeltaTableName {
  std::string path;
  std::string name;
};
/// The table that the first field of `message` names.
arrow::Result<DeltaTableName> DeltaTableOf(const DeltaMessage& message);

}  // namespace millrace::analyzer
