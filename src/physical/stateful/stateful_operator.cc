#include "physical/stateful/stateful_operator.h"

#include <algorithm>

namespace millrace::physical {

void StateMetrics::Add(const StateMetrics& other) {
  rows_updated += other.rows_updated;
  rows_removed += other.rows_removed;
  rows_dropped_by_watermark += other.rows_dropped_by_watermark;
  update_us += other.update_us;
  removal_us += other.removal_us;
  earliest_waiting_us = std::min(earliest_waiting_us, other.earliest_waiting_us);
  next_timeout_ms = std::min(next_timeout_ms, other.next_timeout_ms);
  saw_all_rows = saw_all_rows || other.saw_all_rows;
  for (const auto& [name, value] : other.custom) custom[name] += value;
}

void EventTimeStats::Add(int64_t event_time_ms) {
  max_ms = std::max(max_ms, event_time_ms);
  min_ms = std::min(min_ms, event_time_ms);
  ++count;
  average_ms += (static_cast<double>(event_time_ms) - average_ms) / static_cast<double>(count);
}

void EventTimeStats::Merge(const EventTimeStats& other) {
  if (other.count == 0) return;
  max_ms = std::max(max_ms, other.max_ms);
  min_ms = std::min(min_ms, other.min_ms);
  count += other.count;
  average_ms += (other.average_ms - average_ms) * (static_cast<double>(other.count) / static_cast<double>(count));
}

StatefulBatch& StatefulOperator::BatchOf(const ExecutionContext& context) const {
  return context.streaming->stateful.at(this);
}

namespace {

void Collect(const Operator& node, std::vector<const StatefulOperator*>* found) {
  if (const auto* stateful = dynamic_cast<const StatefulOperator*>(&node)) found->push_back(stateful);
  for (const OperatorPtr& child : node.children()) Collect(*child, found);
}

}  // namespace

std::vector<const StatefulOperator*> StatefulOperators(const Operator& root) {
  std::vector<const StatefulOperator*> found;
  Collect(root, &found);
  return found;
}

}  // namespace millrace::physical
