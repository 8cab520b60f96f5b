#pragma once

#include <arrow/result.h>

#include <map>
#include <memory>
#include <string>

#include "session/session.h"

namespace millrace::connect {

struct ServerOptions {
  std::string host = "127.0.0.1";
  /// 0: any free one.
  int port = 15002;
  /// Clients must show it as a bearer token; empty: none.
  std::string token;
  /// PEM files; both or neither.
  std::string tls_certificate;
  std::string tls_key;
  /// Settings that every session starts with, static ones too.
  std::map<std::string, std::string> conf;
};

/// A Spark Connect server. Thread-safe.
class Server {
 public:
  /// Binds and serves; returns when it does. Errors: an address beyond loopback without token or TLS; an address in
  /// use; files that cannot be read.
  static arrow::Result<std::unique_ptr<Server>> Start(std::shared_ptr<session::Engine> engine, ServerOptions options);
  ~Server();

  int port() const;
  /// Number of sessions now open.
  size_t num_sessions() const;
  /// Ends running queries (streaming ones abandon their micro-batch) and calls, and returns when they have ended.
  void Shutdown();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::connect
