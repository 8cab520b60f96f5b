#include <array>

#include "delta/feature/table_feature.h"

namespace millrace::delta {

namespace {

using enum FeatureKind;
using enum FeatureRemoval;

// `writable` is about tables that list the feature; what a table uses of it is checked where it is used.
constexpr std::array kFeatures = {
    TableFeature{"appendOnly", kWriter, 0, 2, true, true, "Rows are only added where delta.appendOnly is set."},
    TableFeature{"invariants", kWriter, 0, 2, true, true, "Columns that may not be NULL, or have a condition."},
    TableFeature{"checkConstraints", kWriter, 0, 3, true, true, "CHECK constraints in the table's properties.", kPlain},
    TableFeature{"changeDataFeed", kWriter, 0, 4, true, true, "Files of changed rows."},
    TableFeature{"generatedColumns", kWriter, 0, 4, true, true, "Columns computed from others."},
    TableFeature{"columnMapping", kReaderWriter, 2, 5, true, true, "Files name columns by ids or names of their own.",
                 kProtectsHistory},
    TableFeature{"identityColumns", kWriter, 0, 6, true, true, "Columns that number rows."},
    TableFeature{"deletionVectors", kReaderWriter, 0, 0, true, true, "Rows are deleted without rewriting files.",
                 kProtectsHistory},
    TableFeature{"timestampNtz", kReaderWriter, 0, 0, true, true, "The type TIMESTAMP_NTZ."},
    TableFeature{"typeWidening", kReaderWriter, 0, 0, true, true, "Columns whose type became wider.", kProtectsHistory},
    TableFeature{"typeWidening-preview", kReaderWriter, 0, 0, true, true, "As typeWidening, before it was final.",
                 kProtectsHistory},
    TableFeature{"v2Checkpoint", kReaderWriter, 0, 0, true, true, "Checkpoints with sidecar files.", kProtectsHistory},
    TableFeature{"vacuumProtocolCheck", kReaderWriter, 0, 0, true, true, "VACUUM checks the protocol first.",
                 kProtectsHistory},
    TableFeature{"domainMetadata", kWriter, 0, 0, true, true, "Metadata by domain.", kPlain},
    TableFeature{
        "rowTracking", kWriter, 0, 0, true, true, "Rows have ids that survive rewriting.", kPlain, {"domainMetadata"}},
    TableFeature{"inCommitTimestamp", kWriter, 0, 0, true, true, "Commits hold their own time.", kPlain},
    TableFeature{
        "icebergCompatV1", kWriter, 0, 0, true, false, "Files that Iceberg can read.", kNone, {"columnMapping"}},
    TableFeature{
        "icebergCompatV2", kWriter, 0, 0, true, false, "Files that Iceberg can read.", kNone, {"columnMapping"}},
    TableFeature{"icebergCompatV3",
                 kWriter,
                 0,
                 0,
                 true,
                 false,
                 "Files that Iceberg can read.",
                 kNone,
                 {"columnMapping", "rowTracking"}},
    TableFeature{"clustering", kWriter, 0, 0, true, true, "Rows are laid out by columns.", kNone, {"domainMetadata"}},
    TableFeature{"allowColumnDefaults", kWriter, 0, 0, true, true, "Columns with a default value."},
    TableFeature{"materializePartitionColumns", kWriter, 0, 0, true, true, "Files hold partition columns too.", kPlain},
    TableFeature{"checkpointProtection", kWriter, 0, 0, true, true, "History is only truncated by who knows it.",
                 kPlain},
    TableFeature{"coordinatedCommits-preview",
                 kWriter,
                 0,
                 0,
                 false,
                 false,
                 "Somebody else orders the commits.",
                 kPlain,
                 {"inCommitTimestamp", "vacuumProtocolCheck"}},
    TableFeature{"catalogManaged",
                 kReaderWriter,
                 0,
                 0,
                 false,
                 false,
                 "A catalog orders the commits.",
                 kNone,
                 {"inCommitTimestamp", "vacuumProtocolCheck"}},
    TableFeature{"variantType", kReaderWriter, 0, 0, true, true, "The type VARIANT."},
    TableFeature{"variantType-preview", kReaderWriter, 0, 0, true, true, "The type VARIANT, before it was final."},
    TableFeature{"variantShredding",
                 kReaderWriter,
                 0,
                 0,
                 true,
                 true,
                 "Parts of a VARIANT in columns of their own.",
                 kNone,
                 {"variantType"}},
    TableFeature{"variantShredding-preview", kReaderWriter, 0, 0, true, true, "The same, before it was final."},
    TableFeature{"geospatial", kReaderWriter, 0, 0, false, false, "Types GEOMETRY and GEOGRAPHY.", kProtectsHistory},
    TableFeature{"geospatial-dev", kReaderWriter, 0, 0, false, false, "Types GEOMETRY and GEOGRAPHY.",
                 kProtectsHistory},
    TableFeature{"adaptiveMetadata-preview", kReaderWriter, 0, 0, false, false, "Another layout of the log."},
    TableFeature{"redirectReaderWriter-preview", kReaderWriter, 0, 0, false, false, "The table lies elsewhere."},
    TableFeature{"redirectWriterOnly-preview", kWriter, 0, 0, true, false, "Writers find the table elsewhere."},
};

}  // namespace

std::span<const TableFeature> AllTableFeatures() { return kFeatures; }

const TableFeature* FindTableFeature(std::string_view name) {
  for (const TableFeature& feature : kFeatures) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

}  // namespace millrace::delta
