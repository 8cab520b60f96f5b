#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json_value.h"

namespace millrace::state {

/// Checkpoint format 2: what the files of one version of a query's state are called beside the version's number, by
/// operator, partition and store (of a join the order is left counts, left rows, right counts, right rows).
/// Format: docs/formats/commit_log.md, "stateUniqueIds".
using StateIds = std::map<int64_t, std::vector<std::vector<std::string>>>;

JsonValue EncodeStateIds(const StateIds& ids);
/// What is no such object is passed over.
StateIds DecodeStateIds(const JsonValue& operators);

/// The id of one store; empty when it has none.
std::string StateIdOf(const StateIds& ids, int64_t operator_id, size_t partition, size_t store);

}  // namespace millrace::state
