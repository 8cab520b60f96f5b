#include "cli/generator/record_maker.h"

#include <array>

namespace millrace::cli {

namespace {

constexpr std::array kDataSets = {
    DataSet{"visits", "Page visits of a blog as JSON, keyed by visit_id", "json", &MakeVisits},
    DataSet{"devices", "Devices as JSON, matching the visits' device_type and device_version", "json", &MakeDevices},
    DataSet{"ads", "Advertisements shown on pages as JSON", "json", &MakeAds},
    DataSet{"rides", "Taxi rides as CSV, keyed by vendor", "csv", &MakeRides},
};

}  // namespace

std::span<const DataSet> DataSets() { return kDataSets; }

}  // namespace millrace::cli
