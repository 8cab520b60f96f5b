#include "analyzer/relation/listed_tables.h"

#include <arrow/builder.h>
#include <arrow/table_builder.h>

#include <algorithm>

#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "logical/node/local_relation.h"
#include "spark/connect/relations.pb.h"
#include "sql/keyword_texts.h"
#include "types/arrow_type.h"
#include "types/collation.h"

namespace millrace::analyzer {

namespace {

struct ListedTable {
  std::string_view name;
  types::DataTypePtr (*schema)();
  arrow::Status (*append)(arrow::RecordBatchBuilder* rows);
};

arrow::Status AppendText(std::string_view text, int column, arrow::RecordBatchBuilder* rows) {
  return rows->GetFieldAs<arrow::StringBuilder>(column)->Append(text);
}

// Empty: NULL.
arrow::Status AppendOptional(std::string_view text, int column, arrow::RecordBatchBuilder* rows) {
  auto* builder = rows->GetFieldAs<arrow::StringBuilder>(column);
  return text.empty() ? builder->AppendNull() : builder->Append(text);
}

// Source: Spark, SQLKeywordUtils: the words that its grammar spells in one way only. None is reserved.
arrow::Status AppendKeywords(arrow::RecordBatchBuilder* rows) {
  constexpr std::string_view kOneOfTwo[] = {"REGEXP", "RLIKE", "TEMP", "TEMPORARY"};
  std::vector<std::string_view> words = sql::KeywordTexts();
  std::erase_if(words, [&](std::string_view word) { return std::ranges::count(kOneOfTwo, word) > 0; });
  for (std::string_view word : words) {
    ARROW_RETURN_NOT_OK(AppendText(word, 0, rows));
    ARROW_RETURN_NOT_OK(rows->GetFieldAs<arrow::BooleanBuilder>(1)->Append(false));
  }
  return arrow::Status::OK();
}

arrow::Status AppendCollations(arrow::RecordBatchBuilder* rows) {
  ARROW_ASSIGN_OR_RAISE(std::vector<types::ListedCollation> all, types::ListCollations());
  for (const types::ListedCollation& listed : all) {
    const types::Collation& collation = listed.collation;
    ARROW_RETURN_NOT_OK(AppendText("SYSTEM", 0, rows));
    ARROW_RETURN_NOT_OK(AppendText("BUILTIN", 1, rows));
    ARROW_RETURN_NOT_OK(AppendText(collation.name, 2, rows));
    ARROW_RETURN_NOT_OK(AppendOptional(listed.language, 3, rows));
    ARROW_RETURN_NOT_OK(AppendOptional(listed.country, 4, rows));
    ARROW_RETURN_NOT_OK(AppendText(collation.ignores_accents ? "ACCENT_INSENSITIVE" : "ACCENT_SENSITIVE", 5, rows));
    bool ignores_case = collation.ignores_case || collation.lower_case;
    ARROW_RETURN_NOT_OK(AppendText(ignores_case ? "CASE_INSENSITIVE" : "CASE_SENSITIVE", 6, rows));
    ARROW_RETURN_NOT_OK(AppendText(collation.trims ? "RTRIM" : "NO_PAD", 7, rows));
    ARROW_RETURN_NOT_OK(AppendOptional(listed.icu_version, 8, rows));
  }
  return arrow::Status::OK();
}

constexpr ListedTable kTables[] = {
    {"sql_keywords",
     [] { return types::Struct({{"keyword", types::String(), false, ""}, {"reserved", types::Boolean(), false, ""}}); },
     AppendKeywords},
    {"collations",
     [] {
       return types::Struct({{"CATALOG", types::String(), false, ""},
                             {"SCHEMA", types::String(), false, ""},
                             {"NAME", types::String(), false, ""},
                             {"LANGUAGE", types::String(), true, ""},
                             {"COUNTRY", types::String(), true, ""},
                             {"ACCENT_SENSITIVITY", types::String(), false, ""},
                             {"CASE_SENSITIVITY", types::String(), false, ""},
                             {"PAD_ATTRIBUTE", types::String(), false, ""},
                             {"ICU_VERSION", types::String(), true, ""}});
     },
     AppendCollations},
};

const ListedTable* FindListedTable(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kTables, [&](const auto& table) { return EqualsIgnoreCase(name, table.name); });
  return found == std::end(kTables) ? nullptr : found;
}

}  // namespace

bool IsListedTable(std::string_view function_name) { return FindListedTable(function_name) != nullptr; }

arrow::Result<PlanPtr> ResolveListedTable(RelationResolver&, const spark::connect::Relation& relation) {
  const auto& message = relation.unresolved_table_valued_function();
  const ListedTable& table = *FindListedTable(message.function_name());
  if (message.arguments_size() > 0) {
    return UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", {{"functionName", QuoteIdentifier(table.name)},
                                                           {"expectedNum", "0"},
                                                           {"actualNum", std::to_string(message.arguments_size())},
                                                           {"docroot", ""}});
  }
  types::DataTypePtr schema = table.schema();
  ARROW_ASSIGN_OR_RAISE(auto rows,
                        arrow::RecordBatchBuilder::Make(types::ToArrowSchema(*schema), arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(table.append(rows.get()));
  ARROW_ASSIGN_OR_RAISE(auto batch, rows->Flush());
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  (*partitions)[0].push_back(std::move(batch));
  return std::make_shared<logical::LocalRelation>(NewColumns(*schema), std::move(partitions));
}

}  // namespace millrace::analyzer
