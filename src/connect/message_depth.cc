#include "connect/message_depth.h"

#include <google/protobuf/io/coded_stream.h>

namespace millrace::connect {

namespace {

// gRPC parses with the library's default, a private variable that has a getter and no setter. The explicit
// instantiation may name it.
template <int* kVariable>
struct DefaultLimit {
  friend int* DefaultLimitVariable() { return kVariable; }
};
int* DefaultLimitVariable();
template struct DefaultLimit<&google::protobuf::io::CodedInputStream::default_recursion_limit_>;

}  // namespace

void SetMaxMessageDepth(int depth) { *DefaultLimitVariable() = depth; }

}  // namespace millrace::connect
