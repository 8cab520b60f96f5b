#include "state/state_ids.h"

#include <cstdlib>

namespace millrace::state {

JsonValue EncodeStateIds(const StateIds& ids) {
  JsonValue operators = JsonValue::Object();
  for (const auto& [operator_id, partitions] : ids) {
    std::vector<JsonValue> of_partitions;
    for (const auto& stores : partitions) {
      std::vector<JsonValue> of_stores;
      for (const std::string& id : stores) of_stores.push_back(JsonValue::String(id));
      of_partitions.push_back(JsonValue::Array(std::move(of_stores)));
    }
    operators.Set(std::to_string(operator_id), JsonValue::Array(std::move(of_partitions)));
  }
  return operators;
}

StateIds DecodeStateIds(const JsonValue& operators) {
  StateIds ids;
  if (!operators.is_object()) return ids;
  for (const auto& [operator_id, partitions] : operators.members()) {
    auto& of_operator = ids[std::strtoll(operator_id.c_str(), nullptr, 10)];
    if (!partitions.is_array()) continue;
    for (const JsonValue& stores : partitions.elements()) {
      auto& of_partition = of_operator.emplace_back();
      if (!stores.is_array()) continue;
      for (const JsonValue& id : stores.elements()) of_partition.push_back(id.AsString());
    }
  }
  return ids;
}

std::string StateIdOf(const StateIds& ids, int64_t operator_id, size_t partition, size_t store) {
  auto of_operator = ids.find(operator_id);
  if (of_operator == ids.end() || partition >= of_operator->second.size()) return {};
  const auto& of_partition = of_operator->second[partition];
  return store < of_partition.size() ? of_partition[store] : std::string();
}

}  // namespace millrace::state
