#pragma once

#include <string_view>

/// Python texts that travel inside the program, so that it finds them wherever it is run (python/millrace).

namespace millrace::python {

/// What each worker process runs first.
std::string_view WorkerBootstrap();
/// A zip archive that goes on PYTHONPATH of a submitted job: the package `millrace` and its sitecustomize.
std::string_view PackageArchive();

}  // namespace millrace::python
