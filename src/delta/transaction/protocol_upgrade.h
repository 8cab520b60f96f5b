#pragma once

#include <arrow/result.h>

#include <optional>
#include <set>
#include <string>

#include "delta/action/metadata.h"
#include "delta/action/protocol.h"

/// Which protocol a table's definition asks for. Source: delta-spark's Protocol and TableFeatureProtocolUtils.

namespace millrace::delta {

/// Features of the protocol, listed or implied by its versions.
std::set<std::string> SupportedFeatures(const Protocol& protocol);

/// A protocol that lists its features must list those that the table's definition uses and those that listed ones
/// need. Errors: UserError DELTA_FEATURES_PROTOCOL_METADATA_MISMATCH.
arrow::Status CheckFeaturesListed(const Protocol& protocol, const Metadata& metadata, const types::DataType& schema);

/// The weakest form of a protocol with exactly these features, of those we know.
Protocol ProtocolOf(const std::set<std::string>& features);

/// The same protocol without, or with, one feature, in its weakest form.
Protocol WithoutFeature(const Protocol& protocol, const std::string& feature);
Protocol WithFeature(const Protocol& protocol, const std::string& feature);

/// The protocol of a new table. Takes what belongs to the protocol (delta.minReaderVersion, delta.feature.…) out of the
/// metadata's properties. Errors: UserError DELTA_UNSUPPORTED_FEATURE_STATUS.
arrow::Result<Protocol> ProtocolForNewTable(const types::DataType& schema, Metadata* metadata);

/// The same for a table that is there; nullopt when its protocol does. Features are added, never taken away.
/// Errors: as above; UserError DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT for what a table must be given explicitly.
arrow::Result<std::optional<Protocol>> UpgradeProtocol(const Protocol& current, const types::DataType& schema,
                                                       Metadata* metadata);

}  // namespace millrace::delta
