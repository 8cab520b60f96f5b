#include "python/interpreter.h"

#include <cstdlib>

namespace millrace::python {

Interpreter DefaultInterpreter() {
  for (const char* name : {"PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return {value, {}};
  }
  return {"python3", {}};
}

}  // namespace millrace::python
