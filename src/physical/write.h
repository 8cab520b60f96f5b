#pragma once

#include "connector/sink.h"
#include "physical/operator.h"

namespace millrace::physical {

/// Runs `root` into `write`: a writer a partition (or one for all, in partition order, when the write asks for that),
/// then the write's commit. On a failure the writers and the write are aborted and nothing is committed.
/// `before_commit` (may be empty) runs when all rows are written and before they become visible: what must be durable
/// first. `after_prepare` (may be empty) runs before the first row is written, when operators with state are done with
/// it.
arrow::Status RunWrite(const Operator& root, ExecutionContext& context, connector::Write* write,
                       const std::function<arrow::Status()>& before_commit = {},
                       const std::function<void()>& after_prepare = {});

}  // namespace millrace::physical
