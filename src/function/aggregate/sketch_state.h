#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "function/aggregate/bound_aggregate.h"

/// What the aggregates of all kinds of sketches share: a state that keeps a sketch a group, in one opaque buffer.

namespace millrace::function {

/// A sketch a group, once there is one. `Sketch` has Serialize.
template <typename Sketch>
class SketchPerGroup : public AggregateState {
 public:
  explicit SketchPerGroup(arrow::MemoryPool* pool) : pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups));
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Combine(group_ids, buffers[0]);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::BinaryBuilder builder(pool_);
    for (const auto& group : groups_) {
      ARROW_RETURN_NOT_OK(group ? builder.Append(group->Serialize()) : builder.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return arrow::ArrayVector{std::move(array)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    arrow::BinaryBuilder builder(pool_);
    for (const auto& group : groups_) ARROW_RETURN_NOT_OK(builder.Append((group ? *group : Empty()).Serialize()));
    return builder.Finish();
  }

 protected:
  /// The sketch of a group that has seen nothing.
  virtual Sketch Empty() const = 0;
  /// Takes an array of sketches in, a group each.
  virtual arrow::Status Combine(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& sketches) = 0;

  arrow::MemoryPool* pool_;
  std::vector<std::optional<Sketch>> groups_;
};

/// Of sketches instead of keys. `State` has Combine, which takes an array of sketches in.
template <typename State>
class CombiningState final : public State {
 public:
  using State::State;

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    if (arguments[0]->type_id() == arrow::Type::NA) return arrow::Status::OK();
    return this->Combine(group_ids, arguments[0]);
  }
};

/// `nullable_buffer`: a group may have no sketch yet.
template <typename State, typename SketchCall>
ExpressionPtr MakeSketchAggregate(const BindInput& input, SketchCall call, ExpressionVector arguments,
                                  bool nullable_buffer) {
  AggregateSpec spec{.type = types::Binary(), .nullable = false};
  spec.buffer = {{"sketch", types::Binary(), nullable_buffer, {}}};
  spec.opaque = true;
  spec.new_state = [call = std::move(call)](arrow::MemoryPool* pool) { return std::make_unique<State>(call, pool); };
  return MakeAggregate(input, std::move(spec), std::move(arguments));
}

}  // namespace millrace::function
