#include "function/scalar/datetime/local_time.h"

#include "base/error.h"
#include "expression/type_coercion.h"

namespace millrace::function {

arrow::Result<ExpressionPtr> CoerceToAnyTimestamp(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  if (argument->type()->id() == types::TypeId::kTimestampNtz) return argument;
  if (!expression::CanImplicitCast(argument->type(), types::Timestamp())) {
    return UnexpectedInputType(input, index, QuoteSqlType("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)"));
  }
  return expression::ImplicitCast(argument, types::Timestamp());
}

arrow::Status DaysToMicros(int32_t days, const types::TimeZone& zone, int64_t* utc_us) {
  int64_t local_us = 0;
  if (__builtin_mul_overflow(int64_t{days}, types::kMicrosPerDay, &local_us) ||
      !types::LocalToUtcMicros(local_us, zone, utc_us)) {
    return arrow::Status::Invalid("long overflow");
  }
  return arrow::Status::OK();
}

}  // namespace millrace::function
