#pragma once

#include <cstdint>
#include <string>

#include "logical/plan.h"

namespace millrace::session {

/// What spark.version answers: the release whose behaviour is followed.
inline constexpr const char* kSparkVersion = "4.2.0";

enum class ExplainMode : uint8_t { kSimple, kExtended, kCodegen, kCost, kFormatted };

/// The tree of printSchema(level); 0 for no limit.
std::string SchemaTreeString(const types::DataType& schema, int level);

/// Whether two plans compute the same, and a number that plans of one meaning share.
bool SameSemantics(const logical::Plan& left, const logical::Plan& right);
int32_t SemanticHash(const logical::Plan& plan);

}  // namespace millrace::session
