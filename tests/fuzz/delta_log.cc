// A line of a Delta commit that is read is written, and what was written reads back as the same line; names of log
// files and paths of actions never make anything else than a refusal.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "delta/action/action.h"
#include "delta/log/log_paths.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace::delta;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ParseLogFileName(text);
  (void)DataFilePath("/table", text);
  ActionParser parser;
  auto actions = parser.ParseLines(text, "fuzz.json");
  if (!actions.ok()) return 0;
  for (const Action& action : *actions) {
    std::string line = ToJsonLine(action);
    auto again = parser.ParseLine(line);
    if (!again.ok() || !*again || ToJsonLine(**again) != line) std::abort();
    if (const auto* metadata = std::get_if<Metadata>(&action)) (void)metadata->ParseSchema();
  }
  return 0;
}
