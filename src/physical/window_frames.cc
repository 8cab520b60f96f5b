#include "physical/window_frames.h"

#include <arrow/builder.h>

#include <algorithm>
#include <span>

#include "function/python_aggregate.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

using logical::FrameBoundKind;
using logical::WindowFunctionKind;

// Rows an aggregate sees in one call, where frames overlap.
constexpr int64_t kFedRows = 65536;
constexpr int64_t kHeldRows = int64_t{1} << 22;

// The first row of `row`'s partition whose order keys are not before (or, with `after`, are after) boundary `row`.
int32_t FindBoundary(const OrderedRows& rows, const SortKeys& boundaries, int32_t row, bool after) {
  int32_t low = rows.PartitionBegin(row);
  int32_t high = rows.PartitionEnd(row);
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    int order = rows.order_keys.Compare(middle, boundaries, row);
    if (order < 0 || (after && order == 0)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

arrow::Status ComputeSide(const Window::Bound& bound, bool is_rows, bool is_upper, const OrderedRows& rows,
                          const KeyOrder& order, std::vector<int32_t>* out) {
  out->resize(static_cast<size_t>(rows.num_rows));
  SortKeys boundaries;
  bool by_key = bound.kind == FrameBoundKind::kOffset && !is_rows;
  if (by_key) {
    ARROW_RETURN_NOT_OK(boundaries.Encode({rows.inputs[static_cast<size_t>(bound.key)]}, {order}, rows.num_rows));
  }
  for (int32_t i = 0; i < rows.num_rows; ++i) {
    int64_t place = 0;
    switch (bound.kind) {
      case FrameBoundKind::kUnboundedPreceding:
        place = rows.PartitionBegin(i);
        break;
      case FrameBoundKind::kUnboundedFollowing:
        place = rows.PartitionEnd(i);
        break;
      case FrameBoundKind::kCurrentRow:
        if (is_rows) {
          place = is_upper ? i + 1 : i;
        } else {
          place = is_upper ? rows.peers_end[i] : rows.peers_begin[i];
        }
        break;
      case FrameBoundKind::kOffset:
        place = by_key ? FindBoundary(rows, boundaries, i, is_upper) : i + bound.rows + (is_upper ? 1 : 0);
        break;
    }
    (*out)[static_cast<size_t>(i)] =
        static_cast<int32_t>(std::clamp<int64_t>(place, rows.PartitionBegin(i), rows.PartitionEnd(i)));
  }
  return arrow::Status::OK();
}

using Rows = std::vector<int32_t>;

Rows Ranks(const OrderedRows& rows, bool dense) {
  Rows ranks(static_cast<size_t>(rows.num_rows));
  int32_t dense_rank = 0;
  for (int32_t i = 0; i < rows.num_rows; ++i) {
    if (rows.peers_begin[i] == i) dense_rank = i == rows.PartitionBegin(i) ? 1 : dense_rank + 1;
    ranks[static_cast<size_t>(i)] = dense ? dense_rank : rows.peers_begin[i] - rows.PartitionBegin(i) + 1;
  }
  return ranks;
}

arrow::Result<std::shared_ptr<arrow::Array>> Fractions(const OrderedRows& rows, bool cumulative,
                                                       arrow::MemoryPool* pool) {
  arrow::DoubleBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(rows.num_rows));
  for (int32_t i = 0; i < rows.num_rows; ++i) {
    double size = rows.PartitionEnd(i) - rows.PartitionBegin(i);
    if (cumulative) {
      builder.UnsafeAppend((rows.peers_end[i] - rows.PartitionBegin(i)) / size);
    } else {
      builder.UnsafeAppend(size > 1 ? (rows.peers_begin[i] - rows.PartitionBegin(i)) / (size - 1) : 0.0);
    }
  }
  return builder.Finish();
}

// The first `size % buckets` buckets hold one row more.
Rows Buckets(const OrderedRows& rows, int64_t num_buckets) {
  Rows buckets(static_cast<size_t>(rows.num_rows));
  for (int32_t i = 0; i < rows.num_rows; ++i) {
    int64_t size = rows.PartitionEnd(i) - rows.PartitionBegin(i);
    int64_t position = i - rows.PartitionBegin(i);
    int64_t small = size / num_buckets;
    int64_t large_rows = (size % num_buckets) * (small + 1);
    int64_t bucket = position < large_rows ? position / (small + 1)
                                           : size % num_buckets + (position - large_rows) / std::max<int64_t>(small, 1);
    buckets[static_cast<size_t>(i)] = static_cast<int32_t>(bucket + 1);
  }
  return buckets;
}

// The row `offset` rows from `row` within [begin, end), or -1; with `skip_nulls`, counting only rows with a value.
int32_t RowAt(const arrow::Array& values, int32_t row, int64_t offset, bool skip_nulls, int32_t begin, int32_t end) {
  if (!skip_nulls || offset == 0) {
    int64_t target = row + offset;
    return target < begin || target >= end ? -1 : static_cast<int32_t>(target);
  }
  int32_t step = offset > 0 ? 1 : -1;
  int64_t left = offset > 0 ? offset : -offset;
  for (int32_t i = row + step; i >= begin && i < end; i += step) {
    if (values.IsValid(i) && --left == 0) return i;
  }
  return -1;
}

arrow::Result<std::shared_ptr<arrow::Array>> TakeOne(const std::shared_ptr<arrow::Array>& values, Rows indices,
                                                     arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto index_array, NullableIndexArray(std::move(indices), pool));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector taken, TakeRows({values}, index_array, pool));
  return taken[0];
}

arrow::Result<std::shared_ptr<arrow::Array>> OffsetValues(const Window::Function& function, const OrderedRows& rows,
                                                          arrow::MemoryPool* pool) {
  const auto& values = rows.inputs[static_cast<size_t>(function.arguments[0])];
  const auto& defaults = rows.inputs[static_cast<size_t>(function.arguments[1])];
  Rows indices(static_cast<size_t>(rows.num_rows));
  for (int32_t i = 0; i < rows.num_rows; ++i) {
    int32_t target =
        RowAt(*values, i, function.offset, function.ignore_nulls, rows.PartitionBegin(i), rows.PartitionEnd(i));
    indices[static_cast<size_t>(i)] = target >= 0 ? target : rows.num_rows + i;
  }
  ARROW_ASSIGN_OR_RAISE(auto both,
                        ConcatenateArrays({values, Relabel(defaults, values->type())}, values->type(), pool));
  return TakeOne(both, std::move(indices), pool);
}

arrow::Result<std::shared_ptr<arrow::Array>> NthValues(const Window::Function& function, const OrderedRows& rows,
                                                       const Frames& frames, arrow::MemoryPool* pool) {
  const auto& values = rows.inputs[static_cast<size_t>(function.arguments[0])];
  Rows indices(static_cast<size_t>(rows.num_rows));
  for (int32_t i = 0; i < rows.num_rows; ++i) {
    int32_t begin = frames.begin[static_cast<size_t>(i)];
    int32_t end = frames.end[static_cast<size_t>(i)];
    indices[static_cast<size_t>(i)] = function.ignore_nulls
                                          ? RowAt(*values, begin - 1, function.offset, true, begin, end)
                                          : RowAt(*values, begin, function.offset - 1, false, begin, end);
  }
  return TakeOne(values, std::move(indices), pool);
}

arrow::Result<std::shared_ptr<arrow::Array>> MergedSessions(const OrderedRows& rows,
                                                            const std::shared_ptr<arrow::Array>& sessions,
                                                            arrow::MemoryPool* pool) {
  const auto& windows = static_cast<const arrow::StructArray&>(*sessions);
  const auto& from = static_cast<const arrow::TimestampArray&>(*windows.field(0));
  const auto& to = static_cast<const arrow::TimestampArray&>(*windows.field(1));
  arrow::TimestampBuilder starts(from.type(), pool);
  arrow::TimestampBuilder ends(to.type(), pool);
  for (int32_t i = 0; i < rows.num_rows;) {
    int64_t start = from.Value(i);
    int64_t end = to.Value(i);
    int32_t next = i + 1;
    while (next < rows.PartitionEnd(i) && from.Value(next) <= end) end = std::max(end, to.Value(next++));
    for (; i < next; ++i) {
      ARROW_RETURN_NOT_OK(starts.Append(start));
      ARROW_RETURN_NOT_OK(ends.Append(end));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto start_array, starts.Finish());
  ARROW_ASSIGN_OR_RAISE(auto end_array, ends.Finish());
  return arrow::StructArray::Make({std::move(start_array), std::move(end_array)}, windows.type()->fields());
}

// Aggregates over frames. Rows with the same frame share one group.
class FrameAggregation {
 public:
  FrameAggregation(const Window::Function& function, const OrderedRows& rows, const Frames& frames,
                   const expression::EvalContext& context)
      : function_(function), rows_(rows), frames_(frames), context_(context) {}

  arrow::Result<std::shared_ptr<arrow::Array>> Run() {
    arrow::ArrayVector pieces;
    Rows groups(static_cast<size_t>(rows_.num_rows));
    int32_t num_groups = 0;
    for (size_t p = 0; p + 1 < rows_.starts.size(); ++p) {
      int32_t begin = rows_.starts[p];
      int32_t end = rows_.starts[p + 1];
      std::vector<int32_t> firsts;
      for (int32_t i = begin; i < end; ++i) {
        if (i == begin || !SameFrame(i, i - 1)) firsts.push_back(i);
        groups[static_cast<size_t>(i)] = num_groups + static_cast<int32_t>(firsts.size()) - 1;
      }
      num_groups += static_cast<int32_t>(firsts.size());
      bool growing = !function::IsPythonAggregate(*function_.aggregate) && Growing(firsts);
      ARROW_RETURN_NOT_OK(growing ? AddGrowing(firsts, &pieces) : AddSeparate(firsts, &pieces));
    }
    ARROW_ASSIGN_OR_RAISE(auto results, ConcatenateArrays(std::move(pieces), function_.type, context_.memory_pool));
    return TakeOne(results, std::move(groups), context_.memory_pool);
  }

 private:
  int32_t Begin(int32_t row) const { return frames_.begin[static_cast<size_t>(row)]; }
  int32_t End(int32_t row) const { return std::max(Begin(row), frames_.end[static_cast<size_t>(row)]); }
  bool SameFrame(int32_t a, int32_t b) const { return Begin(a) == Begin(b) && End(a) == End(b); }

  // UNBOUNDED PRECEDING: each frame is the one before and some rows more.
  bool Growing(const std::vector<int32_t>& firsts) const {
    for (size_t i = 1; i < firsts.size(); ++i) {
      if (Begin(firsts[i]) != Begin(firsts[0]) || End(firsts[i]) < End(firsts[i - 1])) return false;
    }
    return firsts.size() > 1;
  }

  bool Passes(int32_t row) const {
    const auto& condition =
        static_cast<const arrow::BooleanArray&>(*rows_.inputs[static_cast<size_t>(function_.filter)]);
    return condition.IsValid(row) && condition.Value(row);
  }

  arrow::Status Feed(expression::AggregateState* state, const std::vector<uint32_t>& group_ids, Rows indices) const {
    arrow::ArrayVector arguments;
    for (int argument : function_.arguments) arguments.push_back(rows_.inputs[static_cast<size_t>(argument)]);
    ARROW_ASSIGN_OR_RAISE(arguments, TakeRows(arguments, IndexArray(std::move(indices)), context_.memory_pool));
    return state->Update(context_, group_ids, arguments);
  }

  arrow::Status FeedSlice(expression::AggregateState* state, int32_t begin, int32_t end) const {
    if (begin >= end) return arrow::Status::OK();
    if (function_.filter >= 0) {
      Rows passing;
      for (int32_t row = begin; row < end; ++row) {
        if (Passes(row)) passing.push_back(row);
      }
      if (passing.empty()) return arrow::Status::OK();
      std::vector<uint32_t> group_ids(passing.size(), 0);
      return Feed(state, group_ids, std::move(passing));
    }
    arrow::ArrayVector arguments;
    for (int argument : function_.arguments) {
      arguments.push_back(rows_.inputs[static_cast<size_t>(argument)]->Slice(begin, end - begin));
    }
    return state->Update(context_, std::vector<uint32_t>(static_cast<size_t>(end - begin), 0), arguments);
  }

  arrow::Status AddGrowing(const std::vector<int32_t>& firsts, arrow::ArrayVector* pieces) const {
    arrow::ArrayVector running;
    int32_t fed = Begin(firsts[0]);
    for (int32_t row : firsts) {
      auto state = function_.aggregate->NewState(context_.memory_pool);
      ARROW_RETURN_NOT_OK(state->Resize(1));
      std::vector<uint32_t> only{0};
      if (!running.empty()) ARROW_RETURN_NOT_OK(state->Merge(context_, only, running));
      ARROW_RETURN_NOT_OK(FeedSlice(state.get(), fed, End(row)));
      fed = End(row);
      ARROW_ASSIGN_OR_RAISE(running, state->Buffers());
      auto result = function_.aggregate->NewState(context_.memory_pool);
      ARROW_RETURN_NOT_OK(result->Resize(1));
      ARROW_RETURN_NOT_OK(result->Merge(context_, only, running));
      ARROW_ASSIGN_OR_RAISE(auto finished, result->Finish(context_));
      pieces->push_back(Relabel(finished, function_.type));
    }
    return arrow::Status::OK();
  }

  // No more than kHeldRows and one frame's rows are held in memory.
  arrow::Status AddSeparate(const std::vector<int32_t>& firsts, arrow::ArrayVector* pieces) const {
    for (size_t from = 0; from < firsts.size();) {
      size_t to = from;
      for (int64_t held = 0; to < firsts.size() && (to == from || held < kHeldRows); ++to) {
        held += End(firsts[to]) - Begin(firsts[to]);
      }
      ARROW_RETURN_NOT_OK(AddSeparate(std::span(firsts).subspan(from, to - from), pieces));
      from = to;
    }
    return arrow::Status::OK();
  }

  arrow::Status AddSeparate(std::span<const int32_t> firsts, arrow::ArrayVector* pieces) const {
    auto state = function_.aggregate->NewState(context_.memory_pool);
    ARROW_RETURN_NOT_OK(state->Resize(static_cast<int64_t>(firsts.size())));
    std::vector<uint32_t> group_ids;
    Rows indices;
    for (size_t g = 0; g < firsts.size(); ++g) {
      for (int32_t row = Begin(firsts[g]); row < End(firsts[g]); ++row) {
        if (function_.filter >= 0 && !Passes(row)) continue;
        group_ids.push_back(static_cast<uint32_t>(g));
        indices.push_back(row);
      }
      if (static_cast<int64_t>(indices.size()) < kFedRows && g + 1 < firsts.size()) continue;
      if (!indices.empty()) ARROW_RETURN_NOT_OK(Feed(state.get(), group_ids, std::move(indices)));
      group_ids.clear();
      indices = {};
    }
    ARROW_ASSIGN_OR_RAISE(auto finished, state->Finish(context_));
    pieces->push_back(Relabel(finished, function_.type));
    return arrow::Status::OK();
  }

  const Window::Function& function_;
  const OrderedRows& rows_;
  const Frames& frames_;
  const expression::EvalContext& context_;
};

}  // namespace

arrow::Result<Frames> ComputeFrames(const Window::Function& function, const OrderedRows& rows, const KeyOrder& order) {
  Frames frames;
  ARROW_RETURN_NOT_OK(ComputeSide(function.lower, function.is_rows, false, rows, order, &frames.begin));
  ARROW_RETURN_NOT_OK(ComputeSide(function.upper, function.is_rows, true, rows, order, &frames.end));
  return frames;
}

arrow::Result<std::shared_ptr<arrow::Array>> EvaluateWindowFunction(const Window::Function& function,
                                                                    const OrderedRows& rows,
                                                                    const std::vector<KeyOrder>& order,
                                                                    const expression::EvalContext& context) {
  KeyOrder first = order.empty() ? KeyOrder{} : order[0];
  switch (function.kind) {
    case WindowFunctionKind::kRowNumber: {
      Rows numbers(static_cast<size_t>(rows.num_rows));
      for (int32_t i = 0; i < rows.num_rows; ++i) numbers[static_cast<size_t>(i)] = i - rows.PartitionBegin(i) + 1;
      return IndexArray(std::move(numbers));
    }
    case WindowFunctionKind::kRank:
      return IndexArray(Ranks(rows, false));
    case WindowFunctionKind::kDenseRank:
      return IndexArray(Ranks(rows, true));
    case WindowFunctionKind::kPercentRank:
      return Fractions(rows, false, context.memory_pool);
    case WindowFunctionKind::kCumeDist:
      return Fractions(rows, true, context.memory_pool);
    case WindowFunctionKind::kNtile:
      return IndexArray(Buckets(rows, function.offset));
    case WindowFunctionKind::kOffset:
      return OffsetValues(function, rows, context.memory_pool);
    case WindowFunctionKind::kMergeSessions:
      return MergedSessions(rows, rows.inputs[static_cast<size_t>(function.arguments[0])], context.memory_pool);
    case WindowFunctionKind::kNthValue: {
      ARROW_ASSIGN_OR_RAISE(Frames frames, ComputeFrames(function, rows, first));
      return NthValues(function, rows, frames, context.memory_pool);
    }
    case WindowFunctionKind::kAggregate: {
      ARROW_ASSIGN_OR_RAISE(Frames frames, ComputeFrames(function, rows, first));
      return FrameAggregation(function, rows, frames, context).Run();
    }
  }
  return arrow::Status::NotImplemented("a window function of an unknown kind");
}

}  // namespace millrace::physical
