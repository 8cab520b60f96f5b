#include "types/zone_name.h"

#include <absl/time/time.h>

#include "base/ascii.h"
#include "types/datetime_text.h"

namespace millrace::types {

namespace {

constexpr struct {
  std::string_view abbreviation;
  std::string_view region_prefix;
  std::string_view name;
  /// A zone that has this name: what the name means when it is read.
  std::string_view zone;
} kNames[] = {
    {"PST", "America/", "Pacific Standard Time", "America/Los_Angeles"},
    {"PDT", "America/", "Pacific Daylight Time", "America/Los_Angeles"},
    {"MST", "America/", "Mountain Standard Time", "America/Denver"},
    {"MDT", "America/", "Mountain Daylight Time", "America/Denver"},
    {"CST", "America/", "Central Standard Time", "America/Chicago"},
    {"CDT", "America/", "Central Daylight Time", "America/Chicago"},
    {"EST", "America/", "Eastern Standard Time", "America/New_York"},
    {"EDT", "America/", "Eastern Daylight Time", "America/New_York"},
    {"CET", "Europe/", "Central European Standard Time", "Europe/Paris"},
    {"CEST", "Europe/", "Central European Summer Time", "Europe/Paris"},
    {"EET", "Europe/", "Eastern European Standard Time", "Europe/Athens"},
    {"EEST", "Europe/", "Eastern European Summer Time", "Europe/Athens"},
    {"WET", "Europe/", "Western European Standard Time", "Europe/Lisbon"},
    {"WEST", "Europe/", "Western European Summer Time", "Europe/Lisbon"},
    {"GMT", "Europe/", "Greenwich Mean Time", "Europe/London"},
    {"BST", "Europe/", "British Summer Time", "Europe/London"},
    {"JST", "Asia/", "Japan Standard Time", "Asia/Tokyo"},
    {"IST", "Asia/Kolkata", "India Standard Time", "Asia/Kolkata"},
    {"UTC", "", "Coordinated Universal Time", "UTC"},
    {"GMT", "", "Greenwich Mean Time", "GMT"},
};

bool IsIdChar(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
         c == '-' || c == '+' || c == ':' || c == '~' || c == '.';
}

}  // namespace

std::optional<std::string> ZoneName(const TimeZone& zone, int64_t utc_us, bool full) {
  std::string abbreviation = zone.id();
  std::string_view region = zone.id();
  if (!zone.is_fixed()) {
    absl::TimeZone loaded;
    if (!absl::LoadTimeZone(absl::string_view(region.data(), region.size()), &loaded)) return std::nullopt;
    absl::TimeZone::CivilInfo at = loaded.At(absl::FromUnixSeconds(FloorDiv(utc_us, kMicrosPerSecond)));
    // Java has no name for the time of the sun before there were zones: it is called standard time.
    if (std::string_view(at.zone_abbr) == "LMT") {
      constexpr int64_t kWinter2000 = 948000000, kSummer2000 = 963000000;
      at = loaded.At(absl::FromUnixSeconds(kWinter2000));
      if (at.is_dst) at = loaded.At(absl::FromUnixSeconds(kSummer2000));
    }
    abbreviation = at.zone_abbr;
  } else if (abbreviation != "UTC" && abbreviation != "GMT") {
    if (abbreviation == "Z") return abbreviation;
    return std::nullopt;
  }
  for (const auto& entry : kNames) {
    if (entry.abbreviation == abbreviation && region.starts_with(entry.region_prefix)) {
      return full ? std::string(entry.name) : abbreviation;
    }
  }
  return std::nullopt;
}

const TimeZone* MatchZoneName(std::string_view text, bool names_too, size_t* length) {
  if (names_too) {
    const TimeZone* best = nullptr;
    *length = 0;
    for (const auto& entry : kNames) {
      for (std::string_view name : {entry.name, entry.abbreviation}) {
        if (name.size() <= *length || text.size() < name.size()) continue;
        if (!EqualsIgnoreCase(text.substr(0, name.size()), name)) continue;
        auto loaded = TimeZone::Load(entry.zone);
        if (!loaded.ok()) continue;
        best = *loaded;
        *length = name.size();
      }
    }
    // A longer id ("Europe/Paris" after "E…") wins below.
    size_t end = 0;
    while (end < text.size() && IsIdChar(text[end])) ++end;
    if (best != nullptr && end <= *length) return best;
  }
  size_t end = 0;
  while (end < text.size() && IsIdChar(text[end])) ++end;
  for (; end > 0; --end) {
    auto loaded = TimeZone::Load(text.substr(0, end));
    if (loaded.ok()) {
      *length = end;
      return *loaded;
    }
  }
  return nullptr;
}

}  // namespace millrace::types
