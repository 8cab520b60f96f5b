#pragma once
// core.h and GoogleTest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "precompiled/core.h"
