#include "connector/missing_source.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::connector {

namespace {

bool IsUnbuiltSource(std::string_view name) {
  // Source: Spark, the registered data sources and the classes that stand for them.
  constexpr std::array<std::string_view, 8> kNames = {
      "jdbc",   "org.apache.spark.sql.jdbc",        "org.apache.spark.sql.execution.datasources.jdbc",
      "xml",    "com.databricks.spark.xml",         "image",
      "libsvm", "org.apache.spark.ml.source.libsvm"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view unbuilt) { return EqualsIgnoreCase(unbuilt, name); });
}

}  // namespace

arrow::Status MissingSource(const std::string& provider) {
  if (!IsUnbuiltSource(provider)) return UserError("DATA_SOURCE_NOT_FOUND", {{"provider", provider}});
  return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                   {{"methodName", "the data source " + provider}, {"className", "Millrace"}});
}

}  // namespace millrace::connector
