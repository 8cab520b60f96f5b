#pragma once

#include <string>
#include <vector>

namespace millrace::session {

/// How Python processes of a session find their way: back to our Spark Connect server, and to the user's modules.
struct PythonClient {
  /// "sc://localhost:15002/;user_id=me"; empty without a server.
  std::string connect_url;
  /// The client's session, which the worker joins.
  std::string session_id;
  std::string user_id;
  /// Folders and archives of modules, in front of the engine's own.
  std::vector<std::string> module_path;
  /// Where SparkFiles.get looks; empty for nowhere.
  std::string files_folder;
};

}  // namespace millrace::session
