#include "analyzer/delta_message.h"
#include "base/error.h"
#include "connect/command/command.h"
#include "session/row_changes.h"
#include "session/table_commands.h"
#include "sql/data_type_proto.h"
#include "sql/parser.h"
#include "types/column_metadata.h"

/// What Delta's DeltaTable class does that is no relation: tables are made, features of tables switched on.

namespace millrace::connect {

namespace {

using analyzer::DeltaMessage;

enum DeltaCommandField : int {
  kCloneTable = 1,
  kVacuumTable = 2,
  kUpgradeTableProtocol = 3,
  kGenerate = 4,
  kCreateDeltaTable = 5,
  kAddFeatureSupport = 6,
  kDropFeatureSupport = 7,
};

enum CreateMode : int64_t { kCreate = 1, kCreateIfNotExists = 2, kReplace = 3, kCreateOrReplace = 4 };

// delta.connect.CreateDeltaTable.Column
arrow::Result<sql::ColumnDefinition> Column(const std::string& bytes) {
  ARROW_ASSIGN_OR_RAISE(DeltaMessage message, DeltaMessage::Parse(bytes));
  sql::ColumnDefinition column;
  column.field.name = message.Bytes(1);
  spark::connect::DataType type;
  if (!type.ParseFromString(message.Bytes(2))) {
    return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE", {{"errorMsg", "the type of a column"}});
  }
  ARROW_ASSIGN_OR_RAISE(column.field.type, sql::DataTypeFromProto(type));
  column.field.nullable = message.Varint(3) != 0;
  if (message.Has(4)) column.generated_as = message.Bytes(4);
  if (message.Has(5)) column.field.metadata_json = types::ColumnCommentJson(message.Bytes(5));
  if (!message.Has(6)) return column;
  ARROW_ASSIGN_OR_RAISE(DeltaMessage identity, DeltaMessage::Parse(message.Bytes(6)));
  column.identity = sql::IdentityDefinition{identity.Varint(1), identity.Varint(2), identity.Varint(3) != 0};
  return column;
}

// Field 7 of CreateDeltaTable and of CloneTable.
arrow::Result<sql::Properties> Properties(const DeltaMessage& message) {
  sql::Properties properties;
  for (const std::string& bytes : message.AllBytes(7)) {
    ARROW_ASSIGN_OR_RAISE(DeltaMessage entry, DeltaMessage::Parse(bytes));
    properties[entry.Bytes(1)] = entry.Bytes(2);
  }
  return properties;
}

arrow::Status CreateDeltaTable(session::TableCommands& tables, const DeltaMessage& message) {
  sql::CreateTable create;
  int64_t mode = message.Varint(1);
  create.create = mode != kReplace;
  create.replace = mode == kReplace || mode == kCreateOrReplace;
  create.if_not_exists = mode == kCreateIfNotExists;
  create.provider = "delta";
  std::string name = message.Bytes(2), location = message.Bytes(3);
  if (name.empty()) {
    create.name = {"delta", location};
  } else {
    ARROW_ASSIGN_OR_RAISE(create.name, sql::ParseMultipartIdentifier(name));
  }
  if (!name.empty() && !location.empty()) create.location = location;
  if (message.Has(4)) create.comment = message.Bytes(4);
  for (const std::string& bytes : message.AllBytes(5)) {
    ARROW_ASSIGN_OR_RAISE(sql::ColumnDefinition column, Column(bytes));
    create.columns.push_back(std::move(column));
  }
  create.partition_columns = message.AllBytes(6);
  ARROW_ASSIGN_OR_RAISE(create.properties, Properties(message));
  for (const std::string& column : message.AllBytes(8)) {
    ARROW_ASSIGN_OR_RAISE(create.cluster_columns.emplace_back(), sql::ParseMultipartIdentifier(column));
  }
  return tables.Create(create);
}

// delta.connect.CloneTable
arrow::Status CloneTable(session::TableCommands& tables, const DeltaMessage& message) {
  if (message.Varint(5) == 0) return UserError("DELTA_UNSUPPORTED_DEEP_CLONE");
  sql::CloneTable clone;
  ARROW_ASSIGN_OR_RAISE(clone.source, analyzer::DeltaTableParts(message));
  std::string target = message.Bytes(2);
  if (target.starts_with('/') || target.find(":/") != std::string::npos) {
    clone.target.name = {"delta", std::move(target)};
  } else {
    ARROW_ASSIGN_OR_RAISE(clone.target.name, sql::ParseMultipartIdentifier(target));
  }
  if (message.Has(3)) clone.version = message.Varint(3);
  if (message.Has(4)) clone.timestamp = message.Bytes(4);
  clone.target.replace = message.Varint(6) != 0;
  ARROW_ASSIGN_OR_RAISE(clone.target.properties, Properties(message));
  return tables.CloneDelta(clone).status();
}

}  // namespace

arrow::Status RunDeltaCommand(const CommandContext& context, const spark::connect::Command& command) {
  ARROW_ASSIGN_OR_RAISE(analyzer::DeltaEnvelope envelope, analyzer::OpenDeltaCommand(command.extension()));
  int kind = envelope.kind;
  const DeltaMessage& message = envelope.message;
  session::TableCommands tables(context.session());
  if (kind == kCreateDeltaTable) return CreateDeltaTable(tables, message);
  if (kind == kCloneTable) return CloneTable(tables, message);
  if (kind == kVacuumTable) {
    sql::VacuumTable vacuum;
    ARROW_ASSIGN_OR_RAISE(vacuum.table, analyzer::DeltaTableParts(message));
    vacuum.retain_hours = message.Double(2);
    return session::RunVacuum(context.session(), vacuum).status();
  }
  if (kind == kGenerate) {
    sql::GenerateManifest generate;
    ARROW_ASSIGN_OR_RAISE(generate.table, analyzer::DeltaTableParts(message));
    generate.mode = message.Bytes(2);
    return session::RunGenerate(context.session(), generate).status();
  }
  if (kind == kDropFeatureSupport) {
    ARROW_ASSIGN_OR_RAISE(sql::NameParts name, analyzer::DeltaTableParts(message));
    return tables.DropDeltaFeature(name, message.Bytes(2), message.Varint(3) != 0);
  }
  if (kind != kUpgradeTableProtocol && kind != kAddFeatureSupport) {
    return analyzer::NotSupported("Delta's command " + std::to_string(kind));
  }
  sql::Properties properties;
  if (kind == kUpgradeTableProtocol) {
    properties = {{"delta.minReaderVersion", std::to_string(message.Varint(2))},
                  {"delta.minWriterVersion", std::to_string(message.Varint(3))}};
  } else {
    properties = {{"delta.feature." + message.Bytes(2), "supported"}};
  }
  ARROW_ASSIGN_OR_RAISE(sql::NameParts name, analyzer::DeltaTableParts(message));
  return tables.SetDeltaFeatures(name, properties);
}

}  // namespace millrace::connect
