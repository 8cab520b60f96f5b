#pragma once

#include <arrow/status.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "delta/action/protocol.h"

namespace millrace::delta {

enum class FeatureKind : uint8_t {
  kWriter,        ///< readers need not know it
  kReaderWriter,  ///< readers and writers must know it
};

/// Whether ALTER TABLE … DROP FEATURE takes a feature away.
enum class FeatureRemoval : uint8_t {
  kNone,
  kPlain,
  /// Older versions stay in need of it: readers without it must be kept from going back that far.
  kProtectsHistory,
};

/// A table feature of the protocol and what we do about it. One record each in registry.cc.
struct TableFeature {
  std::string_view name;
  FeatureKind kind = FeatureKind::kWriter;
  /// Protocol versions that imply it without its being listed; 0: it is only ever listed.
  int legacy_reader_version = 0;
  int legacy_writer_version = 0;
  /// We may read, and write, a table that lists it.
  bool readable = true;
  bool writable = false;
  std::string_view description;
  FeatureRemoval removal = FeatureRemoval::kNone;
  /// Features that come with it and cannot be dropped before it.
  std::array<std::string_view, 2> needs = {};
};

std::span<const TableFeature> AllTableFeatures();
/// Null when the name is not known.
const TableFeature* FindTableFeature(std::string_view name);

/// Refuses a table we could read wrongly.
/// Errors: UserError DELTA_INVALID_PROTOCOL_VERSION, DELTA_UNSUPPORTED_FEATURES_FOR_READ.
arrow::Status CheckReadable(const Protocol& protocol, const std::string& table_path);
/// Refuses a table we could damage. Errors: as CheckReadable, and DELTA_UNSUPPORTED_FEATURES_FOR_WRITE.
arrow::Status CheckWritable(const Protocol& protocol, const std::string& table_path);

/// Whether the protocol has the feature, listed or implied by its versions.
bool Supports(const Protocol& protocol, std::string_view feature);

/// What errors call the version of Delta we follow.
inline constexpr std::string_view kDeltaVersion = "4.4.0";

}  // namespace millrace::delta
