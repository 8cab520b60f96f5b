#include "logical/node/collect_metrics.h"

namespace millrace::logical {

types::DataTypePtr CollectMetrics::MetricsSchema() const {
  std::vector<types::StructField> fields;
  for (const ExpressionPtr& metric : metrics_) fields.push_back(expression::ToAttribute(metric)->ToField());
  return types::Struct(std::move(fields));
}

std::string CollectMetrics::Describe() const {
  return fmt::format("CollectMetrics {}, {}", name_, DescribeExpressions(metrics_));
}

}  // namespace millrace::logical
