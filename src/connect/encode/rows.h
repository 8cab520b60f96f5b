#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <string>

#include "types/data_type.h"

namespace millrace::connect {

/// Rows in the Arrow form that clients expect of Spark: timestamps carry the session's zone.
///
/// Confined to one result. Source: Spark, ArrowUtils.toArrowSchema.
class RowEncoder {
 public:
  RowEncoder(const types::DataType& schema, const std::string& zone);

  /// A whole Arrow stream of one batch.
  arrow::Result<std::string> Encode(const arrow::RecordBatch& batch) const;
  /// The same without rows.
  arrow::Result<std::string> EncodeEmpty() const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
  bool same_as_memory_;
};

}  // namespace millrace::connect
