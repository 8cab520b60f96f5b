#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "types/data_type.h"

namespace millrace::connector::delta_table {

/// GENERATED … AS IDENTITY: numbers for the rows of one write, from where the table's last write ended, `step` apart.
/// A write that fails leaves a gap.
/// Thread: safe; tasks draw from it.
/// Source: Delta's PROTOCOL.md, "Identity Columns"; delta-spark's IdentityColumn.
class IdentityColumn {
 public:
  /// Null when the field is no identity column.
  static std::shared_ptr<IdentityColumn> Make(const types::StructField& field);

  const std::string& name() const { return name_; }
  /// Rows may bring a value of their own.
  bool allows_values() const { return allows_values_; }
  /// BIGINT. Errors: Invalid "long overflow".
  arrow::Result<std::shared_ptr<arrow::Array>> Next(int64_t num_rows);
  /// The last number given, as the table has to remember it; none when no row came.
  std::optional<int64_t> high_water_mark() const;

 private:
  IdentityColumn(std::string name, int64_t first, int64_t step, int64_t num_given, bool allows_values)
      : name_(std::move(name)),
        first_(first),
        step_(step),
        given_before_(num_given),
        allows_values_(allows_values),
        num_given_(num_given) {}

  std::string name_;
  int64_t first_;
  int64_t step_;
  /// 1 where `first_` is the table's mark, which a write before gave.
  int64_t given_before_;
  bool allows_values_;
  std::atomic<int64_t> num_given_;
};

}  // namespace millrace::connector::delta_table
