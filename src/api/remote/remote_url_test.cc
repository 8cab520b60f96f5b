#include "api/remote/remote_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::api {
namespace {

using testing::HasSubstr;

TEST(RemoteUrlTest, AddressesAndParameters) {
  RemoteUrl plain = RemoteUrl::Parse("sc://spark").ValueOrDie();
  EXPECT_EQ(plain.target, "spark:15002");
  EXPECT_FALSE(plain.use_ssl);
  RemoteUrl full =
      RemoteUrl::Parse("sc://spark:7/;token=a%3Bb;user_id=me;session_id=0;user_agent=job;X-Team=data;").ValueOrDie();
  EXPECT_EQ(full.target, "spark:7");
  EXPECT_EQ(full.token, "a;b");
  EXPECT_TRUE(full.use_ssl);
  EXPECT_EQ(full.user_id, "me");
  EXPECT_EQ(full.session_id, "0");
  EXPECT_EQ(full.user_agent, "job");
  EXPECT_EQ(full.headers.at("x-team"), "data");
  EXPECT_EQ(RemoteUrl::Parse("sc://[::1]:15").ValueOrDie().target, "[::1]:15");
  EXPECT_FALSE(RemoteUrl::Parse("sc://localhost/;token=t").ValueOrDie().use_ssl);
}

TEST(RemoteUrlTest, WhatIsNoneIsRefused) {
  auto error = [](const std::string& url) { return RemoteUrl::Parse(url).status().message(); };
  EXPECT_THAT(error("spark://x:1"), HasSubstr("sc://"));
  EXPECT_THAT(error("sc://"), HasSubstr("no host"));
  EXPECT_THAT(error("sc://x:port"), HasSubstr("port"));
  EXPECT_THAT(error("sc://x:70000"), HasSubstr("port"));
  EXPECT_THAT(error("sc://x/path"), HasSubstr("name=value"));
  EXPECT_THAT(error("sc://x/;token"), HasSubstr("no name=value"));
  EXPECT_THAT(error("sc://x/;token=a%2"), HasSubstr("% escape"));
  EXPECT_THAT(error("sc://x/;use_ssl=false;token=a"), HasSubstr("use_ssl=true"));
}

}  // namespace
}  // namespace millrace::api
