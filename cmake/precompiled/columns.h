#pragma once
// core.h and what files that compute columns include.

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>

#include "precompiled/core.h"
