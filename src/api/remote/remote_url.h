#pragma once

#include <arrow/result.h>

#include <map>
#include <string>

namespace millrace::api {

/// Where a Spark Connect server is, and as whom to talk to it.
/// Format: sc://host[:port][/;name=value;…], as PySpark and Spark's Scala client read it.
struct RemoteUrl {
  /// "host:port" as gRPC wants it; the port is 15002 when none is given.
  std::string target;
  bool use_ssl = false;
  std::string token;
  std::string user_id;
  std::string session_id;
  std::string user_agent;
  /// Parameters of no meaning here: sent along as headers of every call.
  std::map<std::string, std::string> headers;

  /// Errors: Invalid, saying what is wrong with `url`.
  static arrow::Result<RemoteUrl> Parse(const std::string& url);
};

}  // namespace millrace::api
