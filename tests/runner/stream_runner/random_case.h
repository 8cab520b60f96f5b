#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::stream_runner {

/// A streaming query drawn by chance, with rows of which none is late however they are cut into micro-batches, and one
/// such cutting. The property: what has come out once everything was evicted is the batch query's answer.
///
/// How no row is late: row i of a source lies less than the source's delay behind i * step seconds, so that whatever
/// came before, the watermark has not reached it. Keys, values and times are integers, so that no sum depends on order.
struct RandomCase {
  struct Source {
    std::string name;
    int delay_s = 1;
    /// In the order in which they arrive, each as in VALUES, with the round in which it does.
    std::vector<std::string> rows;
    std::vector<int> rounds;
  };
  enum class Mode : uint8_t { kAppend, kUpdate, kComplete };

  uint64_t seed = 0;
  std::vector<Source> sources;
  /// `table` and `view` steps between the sources and the query, in the streaming script's words.
  std::vector<std::string> views;
  std::string query;
  Mode mode = Mode::kAppend;
  /// Update mode: the query's leading columns that name the group.
  int num_group_columns = 0;
  /// What was drawn, one word an operator: "left_join window".
  std::string operators;
  /// Lines that set the run's circumstances.
  std::vector<std::string> settings;
  int num_rounds = 1;
  /// Rounds after which the query is stopped and started again.
  std::vector<bool> restarts;
  /// Rows of these times, later than all others, let the watermark pass everything; they stay in state.
  int num_flush_rounds = 3;

  /// The same case for the same seed, on every machine.
  static RandomCase Draw(uint64_t seed);

  /// The case as a script, with the answer to be checked.
  std::string Script(const std::vector<std::string>& answer) const;
  /// Steps that set up the same views over tables that do not stream.
  std::string BatchScript() const;
};

}  // namespace millrace::stream_runner
