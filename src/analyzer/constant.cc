#include "analyzer/constant.h"

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

arrow::Result<expression::ExpressionPtr> ResolveConstant(std::string_view sql, const AnalyzerContext& context) {
  spark::connect::Expression message;
  ARROW_RETURN_NOT_OK(sql::ParseExpression(sql, ParserOptionsOf(context), &message));
  AttributeVector none;
  RelationResolver resolver(context);
  return resolver.Expressions(none).Resolve(message);
}

}  // namespace millrace::analyzer
