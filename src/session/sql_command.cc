#include "session/sql_command.h"

#include "base/ascii.h"
#include "base/error.h"
#include "session/function_commands.h"
#include "session/result_rows.h"
#include "session/row_changes.h"
#include "session/script_run.h"
#include "session/session_variables.h"
#include "session/table_commands.h"
#include "types/char_type.h"

namespace millrace::session {

namespace {

types::StructField Text(std::string name, bool nullable = false) {
  return {std::move(name), types::String(), nullable, ""};
}

/// Hadoop's names for the number of reducers stand for Spark's. Source: Spark, SetCommand.
std::string NewNameOf(const std::string& key) {
  bool replaced = key == "mapred.reduce.tasks" || key == "mapreduce.job.reduces";
  return replaced ? "spark.sql.shuffle.partitions" : key;
}

struct Runner {
  Session& session;

  arrow::Result<QueryResult> Done(const arrow::Status& status) const {
    ARROW_RETURN_NOT_OK(status);
    return EmptyResult();
  }

  arrow::Result<QueryResult> operator()(const sql::ConfStatement& statement) const {
    using Kind = sql::ConfStatement::Kind;
    Conf& conf = session.conf();
    switch (statement.kind) {
      case Kind::kSet: {
        ARROW_RETURN_NOT_OK(CheckNoVariable(session, statement.key));
        const std::string key = NewNameOf(statement.key);
        ARROW_RETURN_NOT_OK(conf.Set(key, statement.value));
        return Settings(key);
      }
      case Kind::kShow:
        return Settings(NewNameOf(statement.key));
      case Kind::kShowAll:
        return Settings(std::nullopt);
      case Kind::kReset:
        ARROW_RETURN_NOT_OK(conf.Reset(statement.key));
        break;
      case Kind::kResetAll:
        conf.ResetAll();
        break;
    }
    return EmptyResult();
  }

  arrow::Result<QueryResult> Settings(const std::optional<std::string>& key) const {
    std::vector<std::vector<Cell>> rows;
    if (key) {
      rows.push_back({*key, session.conf().Get(*key).value_or("<undefined>")});
    } else {
      for (const auto& [name, value] : session.conf().All()) rows.push_back({name, value});
    }
    return ResultOf(types::Struct({Text("key"), Text("value")}), rows);
  }

  TableCommands Tables() const { return TableCommands(session); }
  arrow::Result<QueryResult> operator()(const sql::CreateTable& c) const { return Done(Tables().Create(c)); }
  arrow::Result<QueryResult> operator()(const sql::CreateTableLike& c) const { return Done(Tables().CreateLike(c)); }
  arrow::Result<QueryResult> operator()(const sql::CreateView& c) const { return Done(Tables().CreateView(c)); }
  arrow::Result<QueryResult> operator()(const sql::CreateViewUsing& c) const {
    return Done(Tables().CreateViewUsing(c));
  }
  arrow::Result<QueryResult> operator()(const sql::DropRelation& c) const { return Done(Tables().Drop(c)); }
  arrow::Result<QueryResult> operator()(const sql::CreateDatabase& c) const { return Done(Tables().CreateDatabase(c)); }
  arrow::Result<QueryResult> operator()(const sql::DropDatabase& c) const { return Done(Tables().DropDatabase(c)); }
  arrow::Result<QueryResult> operator()(const sql::Insert& c) const { return Done(Tables().Insert(c)); }
  arrow::Result<QueryResult> operator()(const sql::InsertAll& c) const {
    for (const sql::Insert& insert : c.inserts) ARROW_RETURN_NOT_OK(Tables().Insert(insert));
    return Done(arrow::Status::OK());
  }
  arrow::Result<QueryResult> operator()(const sql::InsertDirectory& c) const {
    return Done(Tables().InsertDirectory(c));
  }
  arrow::Result<QueryResult> operator()(const sql::TruncateTable& c) const { return Done(Tables().Truncate(c)); }
  arrow::Result<QueryResult> operator()(const sql::AlterTable& c) const { return Done(Tables().Alter(c)); }
  arrow::Result<QueryResult> operator()(const sql::DeclareVariable& c) const {
    return Done(DeclareVariables(session, c));
  }
  arrow::Result<QueryResult> operator()(const sql::SetVariable& c) const { return Done(SetVariables(session, c)); }
  arrow::Result<QueryResult> operator()(const sql::DropVariable& c) const { return Done(DropVariable(session, c)); }
  arrow::Result<QueryResult> operator()(const sql::CreateFunction& c) const { return Done(CreateFunction(session, c)); }
  arrow::Result<QueryResult> operator()(const sql::DropFunction& c) const { return Done(DropFunction(session, c)); }
  arrow::Result<QueryResult> operator()(const sql::Show& c) const { return RunShow(session, c); }
  arrow::Result<QueryResult> operator()(const sql::Describe& c) const { return RunDescribe(session, c); }

  arrow::Result<QueryResult> operator()(const sql::AlterDatabase& c) const {
    return Done(session.catalog().metastore().AlterDatabase(c.name.back(), [&](catalog::Database* database) {
      for (const auto& [key, value] : c.properties) database->properties[key] = value;
      if (c.comment) database->comment = *c.comment;
    }));
  }

  arrow::Result<QueryResult> operator()(const sql::CommentOnTable& c) const {
    ARROW_ASSIGN_OR_RAISE(catalog::TablePtr table, Tables().FindTable(c.name, "COMMENT ON TABLE"));
    if (KeepsOwnSchema(table->provider)) {
      sql::AlterTable alter{};
      alter.kind = sql::AlterTable::Kind::kSetProperties;
      alter.name = c.name;
      alter.properties = {{"comment", c.comment}};
      return Done(Tables().Alter(alter));
    }
    return Done(session.catalog().metastore().AlterTable(
        table->database, table->name, [&](catalog::Table* changed) { changed->comment = c.comment; }));
  }

  arrow::Result<QueryResult> operator()(const sql::Use& use) const {
    std::vector<std::string> name = use.name;
    bool catalog_first = !use.is_database && EqualsIgnoreCase(name[0], catalog::kCatalogName);
    if (catalog_first && name.size() == 1) {
      return Done(session.catalog().SetCurrentDatabase(catalog::kDefaultDatabase));
    }
    if (use.is_catalog) {
      return UserError("CATALOG_NOT_FOUND", {{"catalogName", QuoteIdentifier(name[0])},
                                             {"config", QuoteConf("spark.sql.catalog." + name[0])}});
    }
    if (catalog_first) name.erase(name.begin());
    if (name.size() != 1) {
      name.insert(name.begin(), catalog::kCatalogName);
      return UserError("SCHEMA_NOT_FOUND", {{"schemaName", QuoteNameParts(name)}});
    }
    return Done(session.catalog().SetCurrentDatabase(name[0]));
  }

  // Nothing is kept in memory for later queries: tables are only looked at, as Spark would before it keeps them.
  arrow::Result<QueryResult> operator()(const sql::CacheTable& cache) const {
    if (cache.kind == sql::CacheTable::Kind::kClear) {
      session.ClearCache();
      return EmptyResult();
    }
    if (cache.query) {
      sql::CreateView view;
      view.name = cache.name;
      view.temporary = true;
      view.query = *cache.query;
      ARROW_RETURN_NOT_OK(Tables().CreateView(view));
    }
    bool cached = cache.kind == sql::CacheTable::Kind::kCache;
    bool exists = session.catalog().FindView(cache.name) || session.catalog().FindTable(cache.name) != nullptr;
    if (!exists && !cached && cache.if_exists) return EmptyResult();
    if (!exists) ARROW_RETURN_NOT_OK(Tables().Find(cache.name, /*as_relation=*/true));
    ARROW_RETURN_NOT_OK(session.SetCached(cache.name, cached));
    return EmptyResult();
  }

  arrow::Result<QueryResult> operator()(const sql::Refresh& refresh) const {
    if (refresh.table.empty() || session.catalog().FindView(refresh.table)) return EmptyResult();
    ARROW_ASSIGN_OR_RAISE(catalog::TablePtr table, Tables().Find(refresh.table));
    if (!table->location.empty()) session.cache().Invalidate(table->location);
    return EmptyResult();
  }

  arrow::Result<QueryResult> operator()(const sql::Analyze& analyze) const {
    ARROW_ASSIGN_OR_RAISE(catalog::TablePtr table, Tables().FindTable(analyze.table, "ANALYZE TABLE"));
    if (!KeepsOwnSchema(table->provider)) return Done(arrow::Status::OK());
    return UserError("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", {{"cmd", "ANALYZE TABLE"}});
  }

  arrow::Result<QueryResult> operator()(const sql::Explain& explain) const {
    if (explain.mode == sql::Explain::Mode::kCodegen) return analyzer::NotSupported("EXPLAIN CODEGEN");
    arrow::Result<std::string> text = session.Explain(explain.query, explain.mode == sql::Explain::Mode::kExtended);
    // Spark's EXPLAIN shows the error of a query that has one.
    std::string shown = text.ok() ? *text : "Error occurred during query planning: \n" + text.status().message();
    std::vector<std::vector<Cell>> rows;
    for (size_t begin = 0; !text.ok() && begin < shown.size();) {
      size_t end = std::min(shown.find('\n', begin), shown.size());
      rows.push_back({shown.substr(begin, end - begin)});
      begin = end + 1;
    }
    if (text.ok()) rows.push_back({shown});
    return ResultOf(types::Struct({Text("plan", true)}), rows);
  }

  arrow::Result<QueryResult> operator()(const sql::ChangeRows& c) const { return RunChangeRows(session, c); }
  arrow::Result<QueryResult> operator()(const sql::OptimizeTable& c) const { return RunOptimize(session, c); }
  arrow::Result<QueryResult> operator()(const sql::ReorgTable& c) const { return RunReorg(session, c); }
  arrow::Result<QueryResult> operator()(const sql::GenerateManifest& c) const { return RunGenerate(session, c); }
  arrow::Result<QueryResult> operator()(const sql::VacuumTable& c) const { return RunVacuum(session, c); }
  arrow::Result<QueryResult> operator()(const sql::RestoreTable& c) const { return RunRestore(session, c); }
  arrow::Result<QueryResult> operator()(const sql::ConvertToDelta& c) const { return RunConvert(session, c); }
  arrow::Result<QueryResult> operator()(const sql::Script& c) const { return RunScript(session, c); }
  arrow::Result<QueryResult> operator()(const sql::CloneTable& c) const { return TableCommands(session).CloneDelta(c); }
};

}  // namespace

arrow::Result<QueryResult> RunSqlCommand(Session& session, const sql::Command& command) {
  if (session.conf().GetBool("spark.sql.legacy.charVarcharAsString")) {
    auto plain = [&](auto statement) {
      for (sql::ColumnDefinition& column : statement.columns) types::SetCharType(std::nullopt, &column.field);
      return Runner{session}(statement);
    };
    if (const auto* create = std::get_if<sql::CreateTable>(&command)) return plain(*create);
    if (const auto* alter = std::get_if<sql::AlterTable>(&command)) return plain(*alter);
  }
  return std::visit(Runner{session}, command);
}

}  // namespace millrace::session
