#include "types/time_zone.h"

#include <absl/time/time.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"

namespace millrace::types {

namespace {

class FixedZone final : public TimeZone {
 public:
  FixedZone(std::string id, int32_t offset_seconds) : id_(std::move(id)), offset_seconds_(offset_seconds) {}
  const std::string& id() const override { return id_; }
  int32_t OffsetSeconds(int64_t) const override { return offset_seconds_; }
  int64_t ToUtcMicros(int64_t local_us) const override { return local_us - int64_t{offset_seconds_} * 1000000; }
  bool is_fixed() const override { return true; }

 private:
  std::string id_;
  int32_t offset_seconds_;
};

int64_t FloorSeconds(int64_t us) { return us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000); }

class RegionZone final : public TimeZone {
 public:
  RegionZone(std::string id, absl::TimeZone zone) : id_(std::move(id)), zone_(zone) {}
  const std::string& id() const override { return id_; }

  int32_t OffsetSeconds(int64_t utc_us) const override {
    int64_t second = FloorSeconds(utc_us);
    // Neighbouring rows mostly lie between the same two transitions.
    static thread_local Span span;
    if (span.zone == this && second >= span.from && second < span.until) return span.offset;
    Load(second, &span);
    return span.offset;
  }

  int64_t ToUtcMicros(int64_t local_us) const override {
    int64_t second = FloorSeconds(local_us);
    // Both candidate offsets around the reading agree except near a transition.
    int32_t before = OffsetSeconds(local_us - int64_t{86400} * 1000000);
    int32_t after = OffsetSeconds(local_us + int64_t{86400} * 1000000);
    if (before == after && OffsetSeconds((second - before) * 1000000) == before) {
      return local_us - int64_t{before} * 1000000;
    }
    absl::TimeZone::TimeInfo info = zone_.At(absl::ToCivilSecond(absl::FromUnixSeconds(second), absl::UTCTimeZone()));
    // `pre` uses the offset before the transition: the earlier instant of two, and past a gap by its length.
    return absl::ToUnixSeconds(info.pre) * 1000000 + (local_us - second * 1000000);
  }

  bool is_fixed() const override { return false; }

 private:
  struct Span {
    const RegionZone* zone = nullptr;
    int64_t from = 0;
    int64_t until = 0;
    int32_t offset = 0;
  };

  // The reading after the transition tells its instant: where clocks go back, the reading before exists only later.
  int64_t InstantOf(const absl::TimeZone::CivilTransition& transition) const {
    absl::TimeZone::TimeInfo info = zone_.At(transition.to);
    return absl::ToUnixSeconds(info.kind == absl::TimeZone::TimeInfo::REPEATED ? info.trans : info.pre);
  }

  void Load(int64_t second, Span* span) const {
    absl::Time time = absl::FromUnixSeconds(second);
    span->zone = this;
    span->offset = zone_.At(time).offset;
    absl::TimeZone::CivilTransition transition;
    span->from = INT64_MIN;
    span->until = INT64_MAX;
    if (zone_.NextTransition(time, &transition)) span->until = InstantOf(transition);
    // PrevTransition(t) looks strictly before t.
    if (zone_.PrevTransition(time + absl::Seconds(1), &transition)) {
      span->from = std::min(InstantOf(transition), second);
    }
    if (span->until <= second) span->until = second + 1;
  }

  std::string id_;
  absl::TimeZone zone_;
};

// [+-]h[h][:mm[:ss]] or [+-]hhmm[ss]; at most 18 hours, as java.time.ZoneOffset.
std::optional<int32_t> ParseOffset(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int parts[3] = {0, 0, 0};
  bool colons = text.find(':') != std::string_view::npos;
  int num_parts = 0;
  size_t i = 0;
  while (i < text.size()) {
    if (num_parts == 3) return std::nullopt;
    size_t begin = i;
    while (i < text.size() && i - begin < 2 && text[i] >= '0' && text[i] <= '9') {
      parts[num_parts] = parts[num_parts] * 10 + (text[i++] - '0');
    }
    if (i == begin) return std::nullopt;
    if (i - begin < 2 && num_parts > 0 && !colons) return std::nullopt;
    ++num_parts;
    if (i == text.size()) break;
    if (colons) {
      if (text[i] != ':') return std::nullopt;
      if (++i == text.size()) return std::nullopt;
    }
  }
  if (num_parts == 0 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  int32_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  if (seconds > 18 * 3600) return std::nullopt;
  return sign * seconds;
}

// Java's three-letter ids (java.time.ZoneId.SHORT_IDS) that tzdata does not know or maps otherwise.
constexpr struct {
  std::string_view id;
  std::string_view region;
} kShortIds[] = {
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
};

std::unique_ptr<TimeZone> Make(std::string_view id) {
  if (id == "Z" || id == "UTC" || id == "GMT" || id == "UT") return std::make_unique<FixedZone>(std::string(id), 0);
  if (auto offset = ParseOffset(id)) return std::make_unique<FixedZone>(std::string(id), *offset);
  for (std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (!id.starts_with(prefix)) continue;
    if (auto offset = ParseOffset(id.substr(prefix.size()))) {
      return std::make_unique<FixedZone>(std::string(id), *offset);
    }
  }
  if (id == "EST") return std::make_unique<FixedZone>(std::string(id), -5 * 3600);
  if (id == "MST") return std::make_unique<FixedZone>(std::string(id), -7 * 3600);
  if (id == "HST") return std::make_unique<FixedZone>(std::string(id), -10 * 3600);
  std::string_view region = id;
  for (const auto& entry : kShortIds) {
    if (entry.id == id) region = entry.region;
  }
  // Anything else must be a region: no relative paths into the zone database.
  if (region.empty() || region[0] == '/' || region.find("..") != std::string_view::npos) return nullptr;
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(absl::string_view(region.data(), region.size()), &zone)) return nullptr;
  return std::make_unique<RegionZone>(std::string(id), zone);
}

}  // namespace

const TimeZone* TimeZone::Utc() {
  static const auto* utc = new FixedZone("UTC", 0);
  return utc;
}

arrow::Result<const TimeZone*> TimeZone::Load(std::string_view id) {
  static auto* mutex = new std::mutex;
  static auto* cache = new std::map<std::string, std::unique_ptr<TimeZone>, std::less<>>;
  std::lock_guard lock(*mutex);
  auto it = cache->find(id);
  if (it == cache->end()) {
    std::unique_ptr<TimeZone> made = Make(id);
    if (made == nullptr) return UserError("INVALID_TIMEZONE", {{"timeZone", std::string(id)}});
    it = cache->emplace(std::string(id), std::move(made)).first;
  }
  return it->second.get();
}

const TimeZone* TimeZone::System() {
  static const TimeZone* system = [] {
    std::string id;
    if (const char* tz = std::getenv("TZ"); tz != nullptr && *tz != '\0') {
      id = *tz == ':' ? tz + 1 : tz;
    } else {
      std::error_code error;
      std::string link = std::filesystem::read_symlink("/etc/localtime", error).string();
      size_t at = link.find("zoneinfo/");
      if (!error && at != std::string::npos) id = link.substr(at + 9);
    }
    auto loaded = Load(id.empty() ? "UTC" : id);
    return loaded.ok() ? *loaded : Utc();
  }();
  return system;
}

}  // namespace millrace::types
