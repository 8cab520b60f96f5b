#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "delta/action/add.h"
#include "delta/action/cdc.h"
#include "delta/action/checkpoint_metadata.h"
#include "delta/action/commit_info.h"
#include "delta/action/domain_metadata.h"
#include "delta/action/metadata.h"
#include "delta/action/protocol.h"
#include "delta/action/remove.h"
#include "delta/action/sidecar.h"
#include "delta/action/txn.h"

namespace millrace::delta {

/// One line of a commit: docs/formats/delta_log.md.
using Action =
    std::variant<Add, Remove, Metadata, Protocol, Txn, CommitInfo, DomainMetadata, Cdc, Sidecar, CheckpointMetadata>;

/// `{"add":{…}}`, members in delta-spark's order, without a line end. Absent members are left out.
std::string ToJsonLine(const Action& action);

/// Sets of kinds of actions: bits by their place in Action.
using ActionKinds = unsigned;
inline constexpr ActionKinds kAllActions = ~0u;
template <typename T, typename... Ts>
constexpr ActionKinds KindBit(const std::variant<Ts...>*) {
  unsigned index = 0, found = 0;
  ((found = std::is_same_v<T, Ts> ? index : found, ++index), ...);
  return 1u << found;
}
template <typename... Ts>
constexpr ActionKinds kKinds = (KindBit<Ts>(static_cast<const Action*>(nullptr)) | ...);

/// Reads actions. Holds the memory of the JSON parser between lines. Thread: confined.
class ActionParser {
 public:
  /// Lines of other kinds are passed over, mostly without being parsed.
  explicit ActionParser(ActionKinds kinds = kAllActions);
  ~ActionParser();
  ActionParser(const ActionParser&) = delete;
  ActionParser& operator=(const ActionParser&) = delete;

  /// The action of one line; none for an empty line or for a kind of action that is not known, which the protocol
  /// lets readers pass over, as are members that are not known.
  /// Errors: Invalid that says what is wrong with the line.
  arrow::Result<std::optional<Action>> ParseLine(std::string_view line);

  /// The actions of all lines of a commit, in order. Errors: Invalid naming `path` and the line.
  arrow::Result<std::vector<Action>> ParseLines(std::string_view text, const std::string& path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::delta
