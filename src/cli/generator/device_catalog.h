#pragma once

#include <array>
#include <string_view>

namespace millrace::cli {

/// What devices there are: a type, the names it is sold under, the systems it runs.
struct DeviceFamily {
  std::string_view type;
  std::array<std::string_view, 3> full_names;
  std::array<std::string_view, 3> versions;
};

inline constexpr std::array kDeviceFamilies = {
    DeviceFamily{"lenovo",
                 {"ThinkPad X1 Carbon Gen 10 (14\\\" Intel) Laptop", "Yoga 7 (16\\\" AMD) 2-in-1 Laptop",
                  "IdeaPad Slim 5 (14\\\" AMD) Laptop"},
                 {"Windows 10", "Windows 11", "Ubuntu 22"}},
    DeviceFamily{
        "galaxy", {"Galaxy Nexus", "Galaxy S 3 mini", "Galaxy Camera"}, {"Android 11", "Android 13", "Android Pie"}},
    DeviceFamily{"htc", {"Evo 3d", "Amaze 4g", "Sensation Xe"}, {"Android 14", "Android 12L", "Android 10"}},
    DeviceFamily{"lg", {"Nexus 4", "G2x", "Spectrum"}, {"Android 10", "Android 13", "Android 14"}},
    DeviceFamily{
        "iphone",
        {"APPLE iPhone SE (Black, 64 GB)", "APPLE iPhone 12 (Black, 128 GB)", "APPLE iPhone 14 (Blue, 128 GB)"},
        {"iOS 13", "iOS 14", "iOS 17"}},
    DeviceFamily{"mac",
                 {"MacBook Air (M1, 2020)", "MacBook Pro (14-inch, M3, 2023)", "MacBook Pro (16-inch, M3, 2023)"},
                 {"macOS Sonoma", "macOS Ventura", "macOS Monterey"}},
};

}  // namespace millrace::cli
