#include <fmt/format.h>

#include <array>

#include "cli/generator/device_catalog.h"
#include "cli/generator/random.h"
#include "cli/generator/record_maker.h"
#include "cli/generator/timestamp_text.h"

namespace millrace::cli {

namespace {

constexpr std::array<std::string_view, 6> kPages = {"index", "contact", "home", "main", "about", "categories"};
constexpr std::array<std::string_view, 5> kLogins = {"patelariana", "smithjohn", "garciamaria", "leekim", "nowakanna"};
/// Empty: null.
constexpr std::array<std::string_view, 9> kReferrals = {
    "Google Search", "Twitter", "Facebook", "LinkedIn", "YouTube", "Medium", "Google Ads", "StackOverflow", ""};
constexpr std::array<std::string_view, 8> kAds = {"", "", "", "ad 1", "ad 2", "ad 3", "ad 4", "ad 5"};
constexpr std::array<std::string_view, 3> kBrowsers = {"Chrome", "Firefox", "Safari"};
constexpr std::array<std::string_view, 4> kBrowserVersions = {"20.0", "21.0", "23.1", "25.09"};
constexpr std::array<std::string_view, 4> kNetworks = {"5G", "4G", "Wi-Fi", "LAN"};

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr std::string_view kSessionPrefix = "140444734049152_";

std::string JsonText(std::string_view text) { return text.empty() ? "null" : fmt::format("\"{}\"", text); }

/// A visitor goes through all rounds: each time another page, some minutes later.
struct Visit {
  std::string id;
  int64_t event_time_ms = 0;
  /// The record around the event time and the page.
  std::string head;
  std::string middle;
  std::string tail;
};

class VisitMaker final : public RecordMaker {
 public:
  explicit VisitMaker(const MakerOptions& options) : options_(options), random_(options.seed) {
    visits_.reserve(static_cast<size_t>(options.num_active));
  }

  void Make(int64_t count, RecordTexts* batch) override {
    batch->Clear();
    std::string& out = batch->bytes();
    for (int64_t i = 0; i < count; ++i) {
      Visit& visit = NextVisit();
      batch->BeginRecord();
      out += visit.id;
      batch->BeginValue(/*has_key=*/true);
      if (options_.event_ids) fmt::format_to(std::back_inserter(out), R"({{"event_id": "click-{}", )", num_made_);
      ++num_made_;
      out += visit.head;
      AppendDateTime(visit.event_time_ms, 'T', &out);
      out += visit.middle;
      AppendPage(&out);
      out += visit.tail;
      batch->EndRecord();
    }
  }

 private:
  Visit& NextVisit() {
    if (visits_.size() < static_cast<size_t>(options_.num_active)) {
      visits_.push_back(Begin(visits_.size()));
      return visits_.back();
    }
    if (next_ >= visits_.size()) next_ = 0;
    Visit& visit = visits_[next_++];
    visit.event_time_ms += random_.Between(1, 5) * kMinuteMs;
    return visit;
  }

  void AppendPage(std::string* out) {
    // Two of eight kinds of page have a number.
    uint32_t kind = random_.Below(8);
    if (kind < kPages.size()) {
      *out += kPages[kind];
    } else {
      fmt::format_to(std::back_inserter(*out), "{}_{}", kind == 6 ? "category" : "page", random_.Between(1, 20));
    }
  }

  Visit Begin(size_t number) {
    Visit visit;
    visit.id = fmt::format("{}{}", kSessionPrefix, number);
    visit.event_time_ms = options_.start_ms;
    const DeviceFamily& device = random_.Pick(kDeviceFamilies);
    const bool logged_in = random_.Below(10) < 7;
    std::string user = fmt::format(R"("ip": "{}.{}.{}.{}", "login": {})", random_.Between(1, 254),
                                   random_.Between(1, 254), random_.Between(1, 254), random_.Between(1, 254),
                                   logged_in ? JsonText(random_.Pick(kLogins)) : "null");
    if (logged_in) {
      user += R"(, "connected_since": ")";
      AppendDateTime(options_.start_ms - random_.Between(1, 60) * kDayMs, 'T', &user);
      user += "+00:00\"";
    }
    visit.head = options_.event_ids ? fmt::format(R"("visit_id": {}, "event_time": ")", number)
                                    : fmt::format(R"({{"visit_id": "{}", "event_time": ")", visit.id);
    visit.middle = fmt::format(R"(+00:00", "user_id": "{}{:016x}", "keep_private": {}, "page": ")", kSessionPrefix,
                               random_.Next(), random_.OneIn(7));
    visit.tail = fmt::format(
        R"(", "context": {{"referral": {}, "ad_id": {}, "user": {{{}}}, "technical": {{"browser": "{}", )"
        R"("browser_version": "{}", "network_type": "{}", "device_type": "{}", "device_version": "{}"}}}}}})",
        JsonText(random_.Pick(kReferrals)), JsonText(random_.Pick(kAds)), user, random_.Pick(kBrowsers),
        random_.Pick(kBrowserVersions), random_.Pick(kNetworks), device.type, random_.Pick(device.versions));
    return visit;
  }

  MakerOptions options_;
  SeededRandom random_;
  std::vector<Visit> visits_;
  size_t next_ = 0;
  int64_t num_made_ = 0;
};

}  // namespace

std::unique_ptr<RecordMaker> MakeVisits(const MakerOptions& options) { return std::make_unique<VisitMaker>(options); }

}  // namespace millrace::cli
