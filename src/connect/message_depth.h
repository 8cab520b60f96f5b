#pragma once

namespace millrace::connect {

/// How many messages may lie in one another in what is parsed from now on, in the whole process; Protocol Buffers' own
/// default is 100. Every step of a DataFrame lies two deep in the next, and so does every operator of an expression.
/// Thread: before others parse.
void SetMaxMessageDepth(int depth);

}  // namespace millrace::connect
