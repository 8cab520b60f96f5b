#include "delta/transaction/protocol_upgrade.h"

#include <algorithm>

#include "base/error.h"
#include "delta/feature/table_feature.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::delta {

namespace {

/// Features that a schema may need and that are never switched on silently for a table that is there.
bool NeedsManualEnablement(const std::string& feature) { return feature == "timestampNtz"; }

void AddDependencies(std::set<std::string>* features) {
  std::vector<std::string> open(features->begin(), features->end());
  while (!open.empty()) {
    const TableFeature* feature = FindTableFeature(open.back());
    open.pop_back();
    for (size_t i = 0; feature != nullptr && i < feature->needs.size() && !feature->needs[i].empty(); ++i) {
      std::string needed(feature->needs[i]);
      if (features->insert(needed).second) open.push_back(std::move(needed));
    }
  }
}

std::string Join(const std::set<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

/// What the properties say of the protocol.
struct ProtocolProperties {
  std::optional<int64_t> reader;
  std::optional<int64_t> writer;
  std::set<std::string> features;
};

arrow::Result<ProtocolProperties> TakeProtocolProperties(StringMap* properties) {
  ProtocolProperties taken;
  for (auto it = properties->begin(); it != properties->end();) {
    const auto& [key, value] = *it;
    bool of_protocol = true;
    if (key.starts_with("delta.feature.")) {
      if (value != "supported") {
        return UserError("DELTA_UNSUPPORTED_FEATURE_STATUS", {{"feature", key.substr(14)}, {"status", value}});
      }
      taken.features.insert(key.substr(14));
    } else if (key == "delta.minReaderVersion") {
      taken.reader = std::strtoll(value.c_str(), nullptr, 10);
    } else if (key == "delta.minWriterVersion") {
      taken.writer = std::strtoll(value.c_str(), nullptr, 10);
    } else {
      of_protocol = key == "delta.ignoreProtocolDefaults";
    }
    it = of_protocol ? properties->erase(it) : std::next(it);
  }
  return taken;
}

void AddImplied(int64_t reader, int64_t writer, std::set<std::string>* features) {
  if (writer >= kTableFeaturesWriterVersion) return;
  for (const TableFeature& feature : AllTableFeatures()) {
    bool implied = feature.legacy_writer_version > 0 && feature.legacy_writer_version <= writer &&
                   feature.legacy_reader_version <= std::min<int64_t>(reader, 2);
    if (implied) features->insert(std::string(feature.name));
  }
}

}  // namespace

std::set<std::string> SupportedFeatures(const Protocol& protocol) {
  std::set<std::string> features;
  for (const TableFeature& feature : AllTableFeatures()) {
    if (Supports(protocol, feature.name)) features.insert(std::string(feature.name));
  }
  return features;
}

arrow::Status CheckFeaturesListed(const Protocol& protocol, const Metadata& metadata, const types::DataType& schema) {
  if (protocol.min_writer_version < kTableFeaturesWriterVersion) return arrow::Status::OK();
  std::set<std::string> active, missing;
  for (const TableFeature& feature : AllTableFeatures()) {
    if (protocol.HasWriterFeature(feature.name)) active.insert(std::string(feature.name));
  }
  for (std::string& name : FeaturesUsed(metadata, schema)) active.insert(std::move(name));
  AddDependencies(&active);
  for (const std::string& name : active) {
    // A preview of a feature and the feature itself switch on the same.
    std::string preview = name + "-preview";
    std::string final_name = name.ends_with("-preview") ? name.substr(0, name.size() - 8) : name;
    bool listed =
        protocol.HasWriterFeature(name) || protocol.HasWriterFeature(preview) || protocol.HasWriterFeature(final_name);
    if (!listed) missing.insert(name);
  }
  if (missing.empty()) return arrow::Status::OK();
  return UserError("DELTA_FEATURES_PROTOCOL_METADATA_MISMATCH", {{"features", Join(missing)}});
}

Protocol ProtocolOf(const std::set<std::string>& features) {
  int reader = 1, writer = 1;
  bool listed = false;
  for (const std::string& name : features) {
    const TableFeature* feature = FindTableFeature(name);
    if (feature->legacy_writer_version == 0) {
      listed = true;
      if (feature->kind == FeatureKind::kReaderWriter) reader = kTableFeaturesReaderVersion;
    } else {
      writer = std::max(writer, feature->legacy_writer_version);
      reader = std::max(reader, feature->legacy_reader_version);
    }
  }
  Protocol protocol;
  protocol.min_reader_version = reader;
  protocol.min_writer_version = writer;
  for (const TableFeature& feature : AllTableFeatures()) {
    bool implied = feature.legacy_writer_version > 0 && feature.legacy_writer_version <= writer;
    listed = listed || (implied && features.count(std::string(feature.name)) == 0);
  }
  if (!listed) return protocol;
  protocol.min_writer_version = kTableFeaturesWriterVersion;
  protocol.writer_features.emplace(features.begin(), features.end());
  if (reader < kTableFeaturesReaderVersion) return protocol;
  protocol.reader_features.emplace();
  for (const std::string& name : features) {
    if (FindTableFeature(name)->kind == FeatureKind::kReaderWriter) protocol.reader_features->push_back(name);
  }
  return protocol;
}

Protocol WithoutFeature(const Protocol& protocol, const std::string& feature) {
  std::set<std::string> features = SupportedFeatures(protocol);
  features.erase(feature);
  return ProtocolOf(features);
}

Protocol WithFeature(const Protocol& protocol, const std::string& feature) {
  std::set<std::string> features = SupportedFeatures(protocol);
  features.insert(feature);
  AddDependencies(&features);
  return ProtocolOf(features);
}

arrow::Result<Protocol> ProtocolForNewTable(const types::DataType& schema, Metadata* metadata) {
  std::set<std::string> features;
  for (std::string& name : FeaturesUsed(*metadata, schema)) features.insert(std::move(name));
  ARROW_ASSIGN_OR_RAISE(ProtocolProperties asked, TakeProtocolProperties(&metadata->configuration));
  features.merge(asked.features);
  AddImplied(asked.reader.value_or(1), asked.writer.value_or(2), &features);
  AddDependencies(&features);
  return ProtocolOf(features);
}

arrow::Result<std::optional<Protocol>> UpgradeProtocol(const Protocol& current, const types::DataType& schema,
                                                       Metadata* metadata) {
  const std::set<std::string> before = SupportedFeatures(current);
  std::set<std::string> features = before;
  ARROW_ASSIGN_OR_RAISE(ProtocolProperties asked, TakeProtocolProperties(&metadata->configuration));
  features.merge(asked.features);
  if (asked.reader || asked.writer) {
    AddImplied(asked.reader.value_or(current.min_reader_version), asked.writer.value_or(current.min_writer_version),
               &features);
  }
  AddDependencies(&features);
  std::set<std::string> supported = features;
  std::set<std::string> by_hand;
  for (const std::string& used : FeaturesUsed(*metadata, schema)) {
    if (features.count(used) > 0) continue;
    (NeedsManualEnablement(used) ? by_hand : supported).insert(used);
  }
  if (!by_hand.empty()) {
    return UserError("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT",
                     {{"unsupportedFeatures", Join(by_hand)}, {"supportedFeatures", Join(supported)}});
  }
  AddDependencies(&supported);
  if (supported == before) return std::nullopt;
  return ProtocolOf(supported);
}

}  // namespace millrace::delta
