#pragma once

#include <millrace/millrace.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "types/data_type.h"

namespace millrace::delta_runner {

/// A read of a table and what it answers.
struct Read {
  std::string path;
  std::map<std::string, std::string> options;
  std::string where;
  std::optional<std::vector<std::string>> select;
  bool stream = false;
  /// Streams: a checkpoint to go on from; it is copied. Empty: a new one.
  std::string checkpoint;

  std::string ToString() const;
};

struct Answer {
  /// The condition of the failure; its whole text in `message`.
  std::string error;
  std::string message;
  types::DataTypePtr schema;
  /// Each row as to_json writes it, sorted.
  std::vector<std::string> rows;
  /// Streams: the source's offset of each micro-batch.
  std::vector<std::string> offsets;
};

/// Asks through the public API. `format`: "delta", or another for files of expected rows.
Answer Ask(const Session& session, const std::string& format, const Read& read);

}  // namespace millrace::delta_runner
