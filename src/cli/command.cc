#include "cli/command.h"

#include <cstdio>

namespace millrace::cli {

int ExitCodeOf(const arrow::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  return 1;
}

}  // namespace millrace::cli
