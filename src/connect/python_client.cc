#include "connect/python_client.h"

#include <filesystem>

namespace millrace::connect {

void TellPython(ClientSession& client) {
  session::PythonClient python;
  python.session_id = client.key().session_id;
  python.user_id = client.key().user_id;
  std::string folder = client.artifacts().root() + "/pyfiles";
  std::error_code ignored;
  // Sessions without files of their own share their workers.
  if (std::filesystem::exists(folder, ignored)) python.module_path.push_back(folder);
  std::string files = client.artifacts().root() + "/files";
  if (std::filesystem::exists(files, ignored)) python.files_folder = std::move(files);
  for (std::string& archive : client.artifacts().python_archives()) python.module_path.push_back(std::move(archive));
  client.engine().set_python_client(std::move(python));
}

}  // namespace millrace::connect
