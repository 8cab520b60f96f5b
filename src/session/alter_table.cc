#include <algorithm>
#include <filesystem>

#include "base/ascii.h"
#include "base/error.h"
#include "session/table_commands.h"
#include "types/char_type.h"
#include "types/column_metadata.h"

/// ALTER TABLE and the partitions of tables of files.

namespace millrace::session {

using catalog::Table;
using catalog::TableKind;
using catalog::TablePtr;

namespace {

// Hive's escaping of partition directories.
std::string EscapePartition(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool special =
        byte < 0x20 || byte == 0x7F || std::string_view("\"#%'*/:=?\\{[]^").find(c) != std::string_view::npos;
    if (!special) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string PartitionPath(const sql::PartitionSpec& spec) {
  std::string path;
  for (const auto& [name, value] : spec) {
    path += (path.empty() ? "" : "/") + EscapePartition(name) + "=" + EscapePartition(value.value_or(""));
  }
  return path;
}

// Whether "a=1/b=2" is of `spec`, which may leave columns out.
bool Matches(const std::string& partition, const sql::PartitionSpec& spec) {
  std::string padded = "/" + partition + "/";
  return std::all_of(spec.begin(), spec.end(), [&](const auto& one) {
    std::string wanted = "/" + EscapePartition(one.first) + "=";
    if (one.second) wanted += EscapePartition(*one.second) + "/";
    return padded.find(wanted) != std::string::npos;
  });
}

arrow::Status ListPartitions(const FileSystem& files, const std::string& directory, const std::string& prefix,
                             size_t levels, std::vector<std::string>* out) {
  if (levels == 0) {
    out->push_back(prefix);
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto found, files.Stat(directory));
  if (!found) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> children, files.List(directory));
  for (const FileInfo& child : children) {
    if (!child.is_directory || child.name.find('=') == std::string::npos || child.name[0] == '_') continue;
    ARROW_RETURN_NOT_OK(ListPartitions(files, JoinPath(directory, child.name),
                                       prefix + (prefix.empty() ? "" : "/") + child.name, levels - 1, out));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::vector<std::string>> TableCommands::Partitions(const Table& table) const {
  if (table.partition_columns.empty()) {
    return UserError("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY",
                     {{"name", QuoteNameParts(table.FullName())}});
  }
  std::vector<std::string> partitions;
  ARROW_RETURN_NOT_OK(ListPartitions(files_, table.location, "", table.partition_columns.size(), &partitions));
  std::sort(partitions.begin(), partitions.end());
  return partitions;
}

arrow::Status TableCommands::AddColumns(const Table& table, const sql::AlterTable& alter) {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, SchemaOf(table));
  std::vector<types::StructField> data;
  std::vector<types::StructField> partitions;
  for (const auto& field : schema->fields()) {
    bool is_partition = std::find(table.partition_columns.begin(), table.partition_columns.end(), field.name) !=
                        table.partition_columns.end();
    (is_partition ? partitions : data).push_back(field);
  }
  for (const auto& column : alter.columns) {
    ARROW_RETURN_NOT_OK(CheckNoInnerChars(column.field));
    if (schema->FieldIndex(column.field.name, session_.conf().GetBool("spark.sql.caseSensitive")) >= 0) {
      return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(ToLowerAscii(column.field.name))}});
    }
    data.push_back(column.field);
  }
  data.insert(data.end(), partitions.begin(), partitions.end());
  types::DataTypePtr grown = types::Struct(std::move(data));
  return metastore_.AlterTable(table.database, table.name, [&](Table* changed) { changed->schema = grown; });
}

arrow::Status TableCommands::AlterPartitions(const Table& table, const sql::AlterTable& alter) {
  bool drop = alter.kind == sql::AlterTable::Kind::kDropPartitions;
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> existing, Partitions(table));
  for (const sql::PartitionSpec& spec : alter.partitions) {
    std::vector<std::string> matching;
    for (const std::string& partition : existing) {
      if (Matches(partition, spec)) matching.push_back(partition);
    }
    std::string text;
    for (const auto& [name, value] : spec) {
      text += (text.empty() ? "" : ", ") + QuoteIdentifier(name) + " = " + value.value_or("");
    }
    if (drop && matching.empty() && !alter.if_exists) {
      return UserError("PARTITIONS_NOT_FOUND", {{"partitionList", "PARTITION (" + text + ")"},
                                                {"tableName", QuoteNameParts({table.database, table.name})}});
    }
    if (!drop && !matching.empty() && !alter.if_exists) {
      return UserError("PARTITIONS_ALREADY_EXIST", {{"partitionList", "PARTITION (" + text + ")"},
                                                    {"tableName", QuoteNameParts({table.database, table.name})}});
    }
    if (drop) {
      for (const std::string& partition : matching) {
        ARROW_RETURN_NOT_OK(files_.RemoveTree(JoinPath(table.location, partition)));
      }
    } else if (matching.empty()) {
      ARROW_RETURN_NOT_OK(files_.CreateDirectories(JoinPath(table.location, PartitionPath(spec))));
    }
  }
  return arrow::Status::OK();
}

arrow::Status TableCommands::Rename(const Table& table, const sql::AlterTable& alter) {
  std::vector<std::string> name = alter.new_name;
  if (name.size() > 1 && !EqualsIgnoreCase(name[name.size() - 2], table.database)) {
    return UserError("_LEGACY_ERROR_TEMP_1073", {{"db", table.database}, {"newDb", name[name.size() - 2]}});
  }
  std::string location = table.location;
  bool moves = table.kind == TableKind::kManaged;
  if (moves) {
    location = JoinPath(std::filesystem::path(table.location).parent_path().string(), ToLowerAscii(name.back()));
  }
  ARROW_RETURN_NOT_OK(metastore_.RenameTable(table.database, table.name, name.back(), location));
  if (!moves) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
  return found ? files_.Rename(table.location, location) : arrow::Status::OK();
}

arrow::Status TableCommands::CommentOnColumn(const Table& table, const sql::ColumnChange& change) {
  int at = table.schema->FieldIndex(change.column.back(), session_.conf().GetBool("spark.sql.caseSensitive"));
  if (at < 0) {
    return UserError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", {{"objectName", QuoteIdentifier(change.column.back())}});
  }
  std::vector<types::StructField> fields = table.schema->fields();
  types::StructField& field = fields[static_cast<size_t>(at)];
  std::optional<types::CharType> declared = types::CharTypeOf(field);
  field.metadata_json = types::ColumnMetadata(change.comment, types::DefaultOf(field));
  if (declared) types::SetCharType(declared, &field);
  types::DataTypePtr schema = types::Struct(std::move(fields));
  return metastore_.AlterTable(table.database, table.name, [&](Table* changed) { changed->schema = schema; });
}

// What tables of files cannot do: columns are added to them, and get comments.
arrow::Status TableCommands::AlterColumns(const Table& table, const sql::AlterTable& alter) {
  bool changes = alter.kind == sql::AlterTable::Kind::kChangeColumns;
  const sql::ColumnChange* change = changes ? &alter.changes[0] : nullptr;
  if (change != nullptr && change->comment && change->type == nullptr) return CommentOnColumn(table, *change);
  int at = -1;
  if (change != nullptr && change->type != nullptr) {
    at = table.schema->FieldIndex(change->column.back(), session_.conf().GetBool("spark.sql.caseSensitive"));
  }
  if (at >= 0) {
    const types::StructField& field = table.schema->fields()[static_cast<size_t>(at)];
    const std::string was = DeclaredSql(*field.type, types::CharTypeOf(field));
    const std::string wanted = DeclaredSql(*change->type, change->char_type);
    if (change->type->Equals(*field.type) && was == wanted) {
      return change->comment ? CommentOnColumn(table, *change) : arrow::Status::OK();
    }
    return UserError("NOT_SUPPORTED_CHANGE_COLUMN", {{"table", QuoteNameParts(table.FullName())},
                                                     {"originName", QuoteIdentifier(field.name)},
                                                     {"originType", QuoteSqlType(was)},
                                                     {"newName", QuoteIdentifier(field.name)},
                                                     {"newType", QuoteSqlType(wanted)}});
  }
  return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                   {{"tableName", QuoteNameParts(table.FullName())}, {"operation", alter.operation}});
}

arrow::Status TableCommands::Alter(const sql::AlterTable& alter) {
  using Kind = sql::AlterTable::Kind;
  TablePtr table;
  if (alter.view) {
    ARROW_ASSIGN_OR_RAISE(table, Find(alter.name));
  } else {
    ARROW_ASSIGN_OR_RAISE(table, FindTable(alter.name, "ALTER TABLE", /*no_alternative=*/false));
  }
  bool is_view = table->kind == TableKind::kView;
  if (!is_view && KeepsOwnSchema(table->provider) && alter.kind != Kind::kRename) return AlterDelta(*table, alter);
  switch (alter.kind) {
    case Kind::kRename:
      return Rename(*table, alter);
    case Kind::kSetProperties:
      return metastore_.AlterTable(table->database, table->name, [&](Table* changed) {
        // The comment is set like a property, and is none.
        for (const auto& [key, value] : alter.properties) {
          if (key == "comment") {
            changed->comment = value;
          } else {
            changed->properties[key] = value;
          }
        }
      });
    case Kind::kUnsetProperties:
      return metastore_.AlterTable(table->database, table->name, [&](Table* changed) {
        for (const std::string& key : alter.keys) {
          changed->properties.erase(key);
          if (key == "comment") changed->comment.reset();
        }
      });
    case Kind::kViewQuery: {
      sql::CreateView view;
      view.name = table->FullName();
      view.replace = true;
      view.query = *alter.query;
      view.query_text = alter.query_text;
      view.properties = table->properties;
      view.comment = table->comment;
      view.schema_mode = table->view_schema_mode;
      return CreateView(view);
    }
    case Kind::kViewSchema:
      return metastore_.AlterTable(table->database, table->name, [&](Table* changed) {
        bool renamed = false;
        const auto& fields = changed->schema->fields();
        for (size_t i = 0; i < changed->view_columns.size() && i < fields.size(); ++i) {
          renamed = renamed || fields[i].name != changed->view_columns[i];
        }
        // Names of its own hold the columns of a view fast.
        changed->view_schema_mode = renamed && alter.text == "EVOLUTION" ? "TYPE EVOLUTION" : alter.text;
      });
    case Kind::kRecoverPartitions:
      return Partitions(*table).status();
    case Kind::kAddColumns:
      return AddColumns(*table, alter);
    case Kind::kAddPartitions:
    case Kind::kDropPartitions:
      return AlterPartitions(*table, alter);
    case Kind::kSetLocation:
      return analyzer::NotSupported("ALTER TABLE SET LOCATION");
    default:
      return AlterColumns(*table, alter);
  }
}

}  // namespace millrace::session
