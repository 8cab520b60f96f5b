#pragma once

#include <vector>

#include "physical/operator/window.h"

namespace millrace::physical {

/// The rows of one task, sorted by window partition and order keys, with what window functions ask about their places.
struct OrderedRows {
  int32_t num_rows = 0;
  /// Spec::inputs of the sorted rows.
  arrow::ArrayVector inputs;
  /// The order keys of the sorted rows.
  SortKeys order_keys;
  /// First row of each window partition, then num_rows.
  std::vector<int32_t> starts;
  /// By row: its window partition; first and one past the last of its peers (rows with equal order keys).
  std::vector<int32_t> partition;
  std::vector<int32_t> peers_begin;
  std::vector<int32_t> peers_end;

  int32_t PartitionBegin(int32_t row) const { return starts[static_cast<size_t>(partition[row])]; }
  int32_t PartitionEnd(int32_t row) const { return starts[static_cast<size_t>(partition[row]) + 1]; }
};

/// The rows [begin[i], end[i]) that the frame of row i holds; empty when begin[i] >= end[i].
struct Frames {
  std::vector<int32_t> begin;
  std::vector<int32_t> end;
};

arrow::Result<Frames> ComputeFrames(const Window::Function& function, const OrderedRows& rows, const KeyOrder& order);

/// The results of one function, one a sorted row.
arrow::Result<std::shared_ptr<arrow::Array>> EvaluateWindowFunction(const Window::Function& function,
                                                                    const OrderedRows& rows,
                                                                    const std::vector<KeyOrder>& order,
                                                                    const expression::EvalContext& context);

}  // namespace millrace::physical
