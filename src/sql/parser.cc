#include "sql/parser.h"

#include "sql/grammar/grammar.h"

namespace millrace::sql {

arrow::Status ParseExpression(std::string_view text, const ParserOptions& options, spark::connect::Expression* out,
                              std::vector<spark::connect::Relation>* subqueries) {
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::Make(text, options));
  ARROW_RETURN_NOT_OK(grammar.SingleExpression(out, subqueries));
  // Expressions say where in the text they stand; the text itself goes along once.
  out->mutable_common()->mutable_origin()->mutable_jvm_origin()->set_sql_text(std::string(grammar.text()));
  return arrow::Status::OK();
}

arrow::Status ParseSortOrder(std::string_view text, const ParserOptions& options, spark::connect::Expression* out) {
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::Make(text, options));
  return grammar.SingleSortOrder(out);
}

arrow::Status ParseQuery(std::string_view text, const ParserOptions& options, spark::connect::Relation* out) {
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::Make(text, options));
  return grammar.SingleQuery(out);
}

arrow::Status ParseStatement(std::string_view text, const ParserOptions& options, Statement* out) {
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::Make(text, options));
  return grammar.SingleStatement(out);
}

arrow::Status ParseScriptPart(const Script& script, const TextRange& range, ScriptPart part,
                              const ParserOptions& options, Statement* out) {
  Keyword word = part == ScriptPart::kExpression    ? Keyword::kSelect
                 : part == ScriptPart::kSetVariable ? Keyword::kVariable
                                                    : Keyword::kNotKeyword;
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::MakePart(script.text, range, word, options));
  return grammar.SingleStatement(out);
}

arrow::Status ParseDataType(std::string_view text, spark::connect::DataType* out) {
  const ParserOptions options;
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::Make(text, options));
  return grammar.SingleDataType(out);
}

arrow::Result<std::vector<std::string>> ParseMultipartIdentifier(std::string_view text) {
  const ParserOptions options;
  ARROW_ASSIGN_OR_RAISE(Grammar grammar, Grammar::Make(text, options));
  return grammar.SingleMultipartIdentifier();
}

}  // namespace millrace::sql
