#pragma once

#include "python/environment.h"
#include "session/conf.h"
#include "session/python_client.h"

namespace millrace::session {

struct Engine;

/// What Python functions resolved now run with: the engine's workers, this session's settings.
python::EnvironmentPtr MakePythonEnvironment(const Engine& engine, const Conf& conf, const PythonClient& client,
                                             const std::shared_ptr<python::Profiles>& profiles,
                                             const std::string& session_id);

}  // namespace millrace::session
