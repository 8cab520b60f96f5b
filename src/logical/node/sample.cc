#include "logical/node/sample.h"

namespace millrace::logical {

std::string Sample::Describe() const {
  return fmt::format("Sample {}, {}, {}, {}", lower_, upper_, with_replacement_, seed_);
}

}  // namespace millrace::logical
