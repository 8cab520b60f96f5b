#include "cli/functions_page.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace millrace::cli {
namespace {

TEST(FunctionsPageTest, DocumentIsUpToDate) {
  std::ifstream file("docs/functions.md", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, FunctionsPage()) << "run: millrace functions --markdown > docs/functions.md";
}

}  // namespace
}  // namespace millrace::cli
