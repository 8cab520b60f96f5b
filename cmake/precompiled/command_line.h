#pragma once
// core.h and the parser of command lines.

#include <CLI/CLI.hpp>

#include "precompiled/core.h"
