#pragma once
// core.h and Spark Connect's messages.

#include <arrow/datum.h>
#include <spark/connect/base.pb.h>

#include "precompiled/core.h"
