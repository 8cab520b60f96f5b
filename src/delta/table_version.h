#pragma once

#include "base/ids.h"

namespace millrace::delta {

/// Number of a commit and of the table's state after it; dense from 0.
using TableVersion = StrongId<struct TableVersionTag>;

}  // namespace millrace::delta
