#include "session/unbuilt_settings.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"

namespace millrace::session {

namespace {

// Of spark.sql.legacy.: those that are honoured; those that would allow what raises an error here; and those that say
// nothing of what is built (Scala programs, JDBC sources, XML, plans that are shown or kept).
constexpr std::string_view kLegacyAccepted[] = {
    "addSingleFileInAddFile",
    "allowEmptySchemaWrite",
    "allowHashOnMapType",
    "allowNegativeScaleOfDecimal",
    "allowNonEmptyLocationInCTAS",
    "allowParameterlessCount",
    "allowSessionVariableInPersistedView",
    "allowStarWithSingleTableIdentifierInCount",
    "allowTempViewCreationWithMultipleNameparts",
    "allowUntypedScalaUDF",
    "allowZeroIndexInFormatString",
    "avro.allowIncompatibleSchema",
    "bucketedTableScan.outputOrdering",
    "charVarcharAsString",
    "cteDuplicateAttributeNames",
    "dataset.nameNonStructGroupingKeyAsValue",
    "db2.booleanMapping.enabled",
    "db2.numericMapping.enabled",
    "doLooseUpcast",
    "emptyCurrentDBInCli",
    "execution.pandas.groupedMap.assignColumnsByName",
    "execution.pythonUDF.pandas.conversion.enabled",
    "execution.pythonUDTF.pandas.conversion.enabled",
    "inlineCTEInCommands",
    "mssqlserver.datetimeoffsetMapping.enabled",
    "mssqlserver.numericMapping.enabled",
    "mysql.bitArrayMapping.enabled",
    "mysql.timestampNTZMapping.enabled",
    "negativeIndexInArrayInsert",
    "oracle.timestampMapping.enabled",
    "pathOptionBehavior.enabled",
    "postgres.datetimeMapping.enabled",
    "raiseErrorWithoutErrorClass",
    "readFileSourceTableCacheIgnoreOptions",
    "replaceDatabricksSparkAvro.enabled",
    "scalarSubqueryAllowGroupByNonEqualityCorrelatedPredicate",
    "sessionInitWithConfigDefaults",
    "setCommandRejectsSparkCoreConfs",
    "skipTypeValidationOnAlterPartition",
    "storeAnalyzedPlanForView",
    "useLegacyXMLParser",
    "useV1Command",
    "viewSchemaBindingMode",
    "viewSchemaCompensation",
};

// Beside them, what changes answers and is not built.
constexpr std::string_view kUnbuilt[] = {
    "spark.sql.analyzer.lowerEmptyGroupingSetToGlobalAggregate.enabled",
    "spark.sql.ansi.enforceReservedKeywords",
    "spark.sql.ansi.relationPrecedence",
    "spark.sql.binaryOutputStyle",
    "spark.sql.csv.parser.columnPruning.enabled",
    "spark.sql.function.concatBinaryAsString",
    "spark.sql.function.eltOutputAsString",
    "spark.sql.groupByAliases",
    "spark.sql.groupByOrdinal",
    "spark.sql.optimizer.decorrelateExistsSubqueryLegacyIncorrectCountHandling.enabled",
    "spark.sql.optimizer.decorrelateSubqueryLegacyIncorrectCountHandling.enabled",
    "spark.sql.orderByOrdinal",
    "spark.sql.parquet.binaryAsString",
    "spark.sql.parquet.int96TimestampConversion",
    "spark.sql.parquet.outputTimestampType",
    "spark.sql.parquet.writeLegacyFormat",
    "spark.sql.parser.escapedStringLiterals",
    "spark.sql.parser.quotedRegexColumnNames",
    "spark.sql.preserveCharVarcharTypeInfo",
    "spark.sql.readSideCharPadding",
    "spark.sql.storeAssignmentPolicy",
};

bool IsIn(const auto& list, std::string_view key) {
  return std::find(std::begin(list), std::end(list), key) != std::end(list);
}

}  // namespace

bool AsksForUnbuilt(std::string_view key, std::string_view value, std::string_view default_value) {
  constexpr std::string_view kLegacy = "spark.sql.legacy.";
  bool unbuilt = key.starts_with(kLegacy) ? !IsIn(kLegacyAccepted, key.substr(kLegacy.size())) : IsIn(kUnbuilt, key);
  if (!unbuilt || EqualsIgnoreCase(value, default_value)) return false;
  if (key == "spark.sql.legacy.timeParserPolicy" && EqualsIgnoreCase(value, "LEGACY")) return false;
  if (key == "spark.sql.parquet.outputTimestampType" && EqualsIgnoreCase(value, "TIMESTAMP_MICROS")) return false;
  // No default: what Spark does without a value.
  return !(default_value.empty() && EqualsIgnoreCase(value, "false"));
}

}  // namespace millrace::session
