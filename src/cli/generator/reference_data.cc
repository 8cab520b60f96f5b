// Devices, ads and rides: the smaller data sets beside the visits.

#include <fmt/format.h>

#include <array>

#include "cli/generator/device_catalog.h"
#include "cli/generator/random.h"
#include "cli/generator/record_maker.h"
#include "cli/generator/timestamp_text.h"

namespace millrace::cli {

namespace {

class DeviceMaker final : public RecordMaker {
 public:
  explicit DeviceMaker(const MakerOptions& options) : random_(options.seed) {}

  void Make(int64_t count, RecordTexts* batch) override {
    batch->Clear();
    for (int64_t i = 0; i < count; ++i) {
      const DeviceFamily& device = random_.Pick(kDeviceFamilies);
      batch->BeginRecord();
      batch->BeginValue(/*has_key=*/false);
      std::string_view full_name = random_.Pick(device.full_names);
      fmt::format_to(std::back_inserter(batch->bytes()), R"({{"type": "{}", "full_name": "{}", "version": "{}"}})",
                     device.type, full_name, random_.Pick(device.versions));
      batch->EndRecord();
    }
  }

 private:
  SeededRandom random_;
};

class AdMaker final : public RecordMaker {
 public:
  explicit AdMaker(const MakerOptions& options) : random_(options.seed), time_ms_(options.start_ms) {}

  void Make(int64_t count, RecordTexts* batch) override {
    static constexpr std::array<std::string_view, 8> kPages = {"index",  "home",       "main",       "about",
                                                               "page_1", "category_1", "category_2", "categories"};
    static constexpr std::array<std::string_view, 5> kCampaigns = {"supermarket", "internet provider", "bookshop",
                                                                   "railway", "bank"};
    batch->Clear();
    for (int64_t i = 0; i < count; ++i) {
      time_ms_ += random_.Between(1, 60) * 1000;
      batch->BeginRecord();
      batch->BeginValue(/*has_key=*/false);
      std::string& out = batch->bytes();
      fmt::format_to(std::back_inserter(out), R"({{"page": "{}", "display_time": ")", random_.Pick(kPages));
      AppendDateTime(time_ms_, 'T', &out);
      fmt::format_to(std::back_inserter(out), R"(.000+00:00", "campaign_name": "{}"}})", random_.Pick(kCampaigns));
      batch->EndRecord();
    }
  }

 private:
  SeededRandom random_;
  int64_t time_ms_;
};

/// vendor, pick-up, drop-off, passengers, distance in miles, payment type, amount.
class RideMaker final : public RecordMaker {
 public:
  explicit RideMaker(const MakerOptions& options) : random_(options.seed), time_ms_(options.start_ms) {}

  void Make(int64_t count, RecordTexts* batch) override {
    batch->Clear();
    for (int64_t i = 0; i < count; ++i) {
      time_ms_ += random_.Between(0, 20) * 1000;
      const int vendor = random_.Between(1, 2);
      const int minutes = random_.Between(3, 45);
      const int hundredths = minutes * random_.Between(15, 45);
      const int cents = 250 + hundredths * random_.Between(2, 3);
      batch->BeginRecord();
      std::string& out = batch->bytes();
      out += static_cast<char>('0' + vendor);
      batch->BeginValue(/*has_key=*/true);
      fmt::format_to(std::back_inserter(out), "{}, ", vendor);
      AppendDateTime(time_ms_, ' ', &out);
      out += ", ";
      AppendDateTime(time_ms_ + (minutes * 60 + random_.Between(0, 59)) * 1000, ' ', &out);
      fmt::format_to(std::back_inserter(out), ", {}, {}.{:02}, {}, {}.{}", random_.Between(1, 5), hundredths / 100,
                     hundredths % 100, random_.Between(1, 2), cents / 100, cents / 10 % 10);
      batch->EndRecord();
    }
  }

 private:
  SeededRandom random_;
  int64_t time_ms_;
};

}  // namespace

std::unique_ptr<RecordMaker> MakeDevices(const MakerOptions& options) { return std::make_unique<DeviceMaker>(options); }
std::unique_ptr<RecordMaker> MakeAds(const MakerOptions& options) { return std::make_unique<AdMaker>(options); }
std::unique_ptr<RecordMaker> MakeRides(const MakerOptions& options) { return std::make_unique<RideMaker>(options); }

}  // namespace millrace::cli
