#include "session/function_commands.h"

#include <algorithm>
#include <set>

#include "analyzer/sql_functions.h"
#include "base/ascii.h"
#include "base/error.h"
#include "function/function_def.h"

namespace millrace::session {

namespace {

using catalog::SqlFunction;

// Names that come twice, each once, quoted.
std::string Duplicates(const std::vector<std::string>& names) {
  std::set<std::string> seen, reported;
  std::string text;
  for (const std::string& name : names) {
    std::string key = ToLowerAscii(name);
    if (seen.insert(key).second || !reported.insert(key).second) continue;
    text += (text.empty() ? "" : ", ") + QuoteIdentifier(key);
  }
  return text;
}

arrow::Status CheckParameters(const sql::CreateFunction& create) {
  const std::string& name = create.name.back();
  std::vector<std::string> names;
  for (const auto& parameter : create.parameters) names.push_back(parameter.field.name);
  if (std::string twice = Duplicates(names); !twice.empty()) {
    return UserError("DUPLICATE_ROUTINE_PARAMETER_NAMES", {{"routineName", name}, {"names", twice}});
  }
  for (size_t i = 0; i < create.parameters.size(); ++i) {
    if (!create.parameters[i].field.nullable) {
      return UserError("USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", {{"input", create.parameters_text}});
    }
    bool optional_before = i > 0 && create.parameters[i - 1].default_text;
    if (optional_before && !create.parameters[i].default_text) {
      return UserError("USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION",
                       {{"functionName", name},
                        {"parameterName", create.parameters[i - 1].field.name},
                        {"nextParameterName", create.parameters[i].field.name}});
    }
  }
  return arrow::Status::OK();
}

arrow::Status CheckColumns(const sql::CreateFunction& create) {
  if (!create.is_table) return arrow::Status::OK();
  if (!create.body_is_query) {
    return UserError("USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY", {{"name", create.name.back()}});
  }
  if (create.returns == nullptr) return arrow::Status::OK();
  std::vector<std::string> names;
  for (const auto& field : create.returns->fields()) {
    names.push_back(field.name);
    if (!field.nullable) {
      return UserError("USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", {{"input", create.returns_text}});
    }
  }
  std::string twice = Duplicates(names);
  if (twice.empty()) return arrow::Status::OK();
  return UserError("DUPLICATE_ROUTINE_RETURNS_COLUMNS", {{"routineName", create.name.back()}, {"columns", twice}});
}

arrow::Status AlreadyExists(const SqlFunction& function, const char* kind) {
  std::vector<std::string> name = {function.name};
  if (!function.database.empty()) name.insert(name.begin(), function.database);
  return UserError(
      "ROUTINE_ALREADY_EXISTS",
      {{"routineName", QuoteNameParts(name)}, {"newRoutineType", "routine"}, {"existingRoutineType", kind}});
}

}  // namespace

arrow::Status CreateFunction(Session& session, const sql::CreateFunction& create) {
  if (create.temporary && create.name.size() > 1) {
    return UserError("INVALID_TEMP_FUNCTION_NAME.MULTIPART", {{"functionName", QuoteNameParts(create.name)}});
  }
  catalog::Catalog& catalog = session.catalog();
  SqlFunction function;
  function.name = ToLowerAscii(create.name.back());
  if (!create.temporary) {
    auto qualified = catalog.QualifyTable(create.name);
    if (!qualified || !catalog.metastore().HasDatabase(qualified->database)) {
      sql::NameParts database(create.name.begin(), create.name.end() - 1);
      if (database.size() == 1) database.insert(database.begin(), catalog::kCatalogName);
      return UserError("SCHEMA_NOT_FOUND", {{"schemaName", QuoteNameParts(database)}});
    }
    function.database = ToLowerAscii(qualified->database);
  }
  ARROW_RETURN_NOT_OK(CheckParameters(create));
  ARROW_RETURN_NOT_OK(CheckColumns(create));
  for (const auto& parameter : create.parameters) {
    function.parameters.push_back(
        {parameter.field.name, parameter.field.type, parameter.default_text, parameter.comment});
  }
  function.is_table = create.is_table;
  function.returns = create.returns;
  function.body = create.body;
  function.body_is_query = create.body_is_query;
  function.comment = create.comment;
  function.deterministic = create.deterministic;
  function.reads_data = create.reads_data;
  analyzer::AnalyzerContext context = session.MakeAnalyzerContext();
  function.ansi = context.eval.ansi;
  function.lookup_database = catalog.current_database();
  if (create.temporary && context.registered_function(function.name) != nullptr) {
    if (!create.replace) return AlreadyExists(function, "routine");
    return UserError("USER_DEFINED_FUNCTIONS.CANNOT_REPLACE_NON_SQL_UDF_WITH_SQL_UDF", {{"name", function.name}});
  }
  catalog::SqlFunctions& place = create.temporary ? catalog.temporary_functions() : catalog.metastore().functions();
  if (create.if_not_exists && place.Find(function.database, function.name) != nullptr) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr returns, analyzer::CheckSqlFunction(function, context));
  if (function.returns == nullptr) function.returns = std::move(returns);
  auto made = std::make_shared<const SqlFunction>(std::move(function));
  if (!place.Create(made, create.replace)) return AlreadyExists(*made, "routine");
  return create.temporary ? arrow::Status::OK() : catalog.metastore().KeepFunctions(made->database);
}

arrow::Status DropFunction(Session& session, const sql::DropFunction& drop) {
  catalog::Catalog& catalog = session.catalog();
  if (drop.temporary) {
    if (drop.name.size() > 1) {
      return UserError("INVALID_SQL_SYNTAX.MULTI_PART_NAME",
                       {{"statement", "DROP TEMPORARY FUNCTION"}, {"name", QuoteNameParts(drop.name)}});
    }
    bool dropped = catalog.temporary_functions().Drop("", drop.name[0]);
    // Those in Python are temporary functions, too.
    dropped = session.UnregisterFunction(drop.name[0]) || dropped;
    if (dropped || drop.if_exists) return arrow::Status::OK();
    if (function::FindFunction(drop.name[0]) != nullptr) {
      return UserError("FORBIDDEN_OPERATION",
                       {{"statement", "DROP"}, {"objectType", "FUNCTION"}, {"objectName", QuoteNameParts(drop.name)}});
    }
    return UserError("ROUTINE_NOT_FOUND", {{"routineName", QuoteNameParts(drop.name)}});
  }
  bool is_builtin = drop.name.size() == 1 && function::FindFunction(drop.name[0]) != nullptr;
  if (is_builtin) {
    return UserError("FORBIDDEN_OPERATION",
                     {{"statement", "DROP"}, {"objectType", "FUNCTION"}, {"objectName", QuoteNameParts(drop.name)}});
  }
  auto qualified = catalog.QualifyTable(drop.name);
  bool dropped = qualified && catalog.metastore().functions().Drop(qualified->database, qualified->name);
  if (dropped) return catalog.metastore().KeepFunctions(qualified->database);
  if (drop.if_exists) return arrow::Status::OK();
  sql::NameParts shown = drop.name;
  if (qualified) shown = {qualified->database, qualified->name};
  return UserError("ROUTINE_NOT_FOUND", {{"routineName", QuoteNameParts(shown)}});
}

namespace {

ShownFunction ShownOf(const SqlFunction& function) {
  return {function.name, function.ShownName(), function.database, function.comment, "sqlFunction."};
}

ShownFunction ShownOfPython(const std::string& name) {
  return {name, name, "", "N/A.", "org.apache.spark.sql.classic.UDFRegistration"};
}

}  // namespace

std::vector<ShownFunction> UserFunctions(Session& session, const std::string& database) {
  std::vector<ShownFunction> all;
  for (const std::string& name : session.RegisteredFunctions()) all.push_back(ShownOfPython(name));
  catalog::Catalog& catalog = session.catalog();
  for (const auto& own : catalog.temporary_functions().InDatabase("")) all.push_back(ShownOf(*own));
  for (const auto& own : catalog.metastore().functions().InDatabase(database)) all.push_back(ShownOf(*own));
  std::sort(all.begin(), all.end(), [](const ShownFunction& a, const ShownFunction& b) { return a.shown < b.shown; });
  return all;
}

std::optional<ShownFunction> FindUserFunction(Session& session, const sql::NameParts& name) {
  analyzer::AnalyzerContext context = session.MakeAnalyzerContext();
  if (name.size() == 1 && context.registered_function(ToLowerAscii(name[0])) != nullptr) {
    return ShownOfPython(ToLowerAscii(name[0]));
  }
  auto own = analyzer::FindSqlFunction(context, name);
  return own == nullptr ? std::nullopt : std::make_optional(ShownOf(*own));
}

std::vector<std::string> DescribeSqlFunction(const SqlFunction& function, bool extended) {
  constexpr size_t kIndent = 15;
  auto line = [&](std::string label, const std::string& value) {
    label.resize(std::max(kIndent, label.size()), ' ');
    return label + value;
  };
  // The first line of a list has the label, the others its indent.
  auto list = [&](const char* label, const std::vector<std::string>& values, std::vector<std::string>* out) {
    for (size_t i = 0; i < values.size(); ++i) out->push_back(line(i == 0 ? label : "", values[i]));
  };
  std::vector<std::string> lines = {line("Function:", function.ShownName()),
                                    line("Type:", function.is_table ? "TABLE" : "SCALAR")};
  std::vector<std::string> input;
  for (const auto& parameter : function.parameters) {
    std::string text = parameter.name + " " + parameter.type->Sql();
    if (extended && parameter.default_text) text += " DEFAULT " + *parameter.default_text;
    if (!parameter.comment.empty()) text += " '" + parameter.comment + "'";
    input.push_back(std::move(text));
  }
  if (input.empty()) input.push_back("()");
  list("Input:", input, &lines);
  std::vector<std::string> returns;
  if (function.is_table) {
    for (const auto& field : function.returns->fields()) returns.push_back(field.name + " " + field.type->Sql());
  } else {
    returns.push_back(function.returns->Sql());
  }
  list("Returns:", returns, &lines);
  if (!extended) return lines;
  if (function.comment) lines.push_back(line("Comment:", *function.comment));
  lines.push_back(line("Deterministic:", function.deterministic.value_or(true) ? "true" : "false"));
  lines.push_back(line("Data Access:", function.reads_data.value_or(false) ? "READS SQL DATA" : "CONTAINS SQL"));
  lines.push_back(line("Body:", function.body));
  return lines;
}

}  // namespace millrace::session
