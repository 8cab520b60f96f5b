#include "logical/node/range.h"

namespace millrace::logical {

std::string Range::Describe() const {
  std::string splits = num_partitions_ == 0 ? "None" : fmt::format("Some({})", num_partitions_);
  return fmt::format("Range ({}, {}, step={}, splits={})", start_, end_, step_, splits);
}

}  // namespace millrace::logical
