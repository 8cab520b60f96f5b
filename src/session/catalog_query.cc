#include <arrow/array.h>
#include <arrow/builder.h>

#include "base/ascii.h"
#include "base/error.h"
#include "session/session.h"
#include "spark/connect/catalog.pb.h"
#include "types/arrow_type.h"

/// spark.catalog and the SQL statements that are the same: temporary views are all there is to look at.

namespace millrace::session {

namespace {

namespace connect = spark::connect;

constexpr const char* kCatalogName = "spark_catalog";
constexpr const char* kDatabaseName = "default";

arrow::Result<QueryResult> OneValue(types::DataTypePtr type, const std::shared_ptr<arrow::Array>& value) {
  QueryResult result;
  result.schema = types::Struct({{"value", std::move(type), false, ""}});
  result.batches.push_back(arrow::RecordBatch::Make(types::ToArrowSchema(*result.schema), 1, {value}));
  return result;
}

arrow::Result<QueryResult> Flag(bool value) {
  arrow::BooleanBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Append(value));
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  return OneValue(types::Boolean(), array);
}

arrow::Result<QueryResult> Text(const std::string& value) {
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Append(value));
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  return OneValue(types::String(), array);
}

// SHOW TABLES: namespace, tableName, isTemporary.
arrow::Result<QueryResult> ShowTables(const std::vector<std::string>& views) {
  arrow::StringBuilder spaces;
  arrow::StringBuilder names;
  arrow::BooleanBuilder temporary;
  int64_t count = 0;
  for (const std::string& view : views) {
    if (view.starts_with("global_temp.")) continue;
    ARROW_RETURN_NOT_OK(spaces.Append(""));
    ARROW_RETURN_NOT_OK(names.Append(view));
    ARROW_RETURN_NOT_OK(temporary.Append(true));
    ++count;
  }
  QueryResult result;
  result.schema = types::Struct({{"namespace", types::String(), false, ""},
                                 {"tableName", types::String(), false, ""},
                                 {"isTemporary", types::Boolean(), false, ""}});
  arrow::ArrayVector columns(3);
  ARROW_RETURN_NOT_OK(spaces.Finish(&columns[0]));
  ARROW_RETURN_NOT_OK(names.Finish(&columns[1]));
  ARROW_RETURN_NOT_OK(temporary.Finish(&columns[2]));
  if (count > 0) {
    result.batches.push_back(arrow::RecordBatch::Make(types::ToArrowSchema(*result.schema), count, std::move(columns)));
  }
  return result;
}

}  // namespace

arrow::Result<QueryResult> Session::ExecuteCatalog(const connect::Catalog& message) {
  switch (message.cat_type_case()) {
    case connect::Catalog::kCurrentDatabase:
      return Text(kDatabaseName);
    case connect::Catalog::kCurrentCatalog:
      return Text(kCatalogName);
    case connect::Catalog::kSetCurrentDatabase: {
      const std::string& name = message.set_current_database().db_name();
      if (!EqualsIgnoreCase(name, kDatabaseName)) {
        return UserError("SCHEMA_NOT_FOUND",
                         {{"schemaName", QuoteIdentifier(kCatalogName) + "." + QuoteIdentifier(name)}});
      }
      QueryResult empty;
      empty.schema = types::Struct({});
      return empty;
    }
    case connect::Catalog::kDropTempView:
      return Flag(catalog_.DropView(message.drop_temp_view().view_name(), false));
    case connect::Catalog::kDropGlobalTempView:
      return Flag(catalog_.DropView(message.drop_global_temp_view().view_name(), true));
    case connect::Catalog::kTableExists: {
      const std::string& name = message.table_exists().table_name();
      return Flag(catalog_.FindView({name}).has_value());
    }
    case connect::Catalog::kDatabaseExists:
      return Flag(EqualsIgnoreCase(message.database_exists().db_name(), kDatabaseName));
    case connect::Catalog::kListTables:
      return ShowTables(catalog_.ViewNames());
    default: {
      const auto* field = message.GetDescriptor()->FindFieldByNumber(message.cat_type_case());
      return analyzer::NotSupported("catalog." + (field == nullptr ? std::string("?") : field->name()));
    }
  }
}

}  // namespace millrace::session
