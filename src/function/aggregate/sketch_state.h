#pragma once

#include <memory>
#include <span>
#include <utility>

#include "function/aggregate/bound_aggregate.h"

/// What the aggregates of all kinds of sketches share: a state that keeps a sketch a group, in one opaque buffer.

namespace millrace::function {

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
