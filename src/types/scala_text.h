#pragma once

#include <string>

#include "types/data_type.h"

namespace millrace::types {

/// A type as Scala prints it in some of Spark's messages: `StructType(StructField(a,IntegerType,true))`.
std::string ScalaText(const DataType& type);

}  // namespace millrace::types
