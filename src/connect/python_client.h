#pragma once

#include "connect/client_session.h"

namespace millrace::connect {

/// Tells the engine's session which client it has, so that Python workers can join it, and which modules the client has
/// sent: functions that start from now on see them.
void TellPython(ClientSession& client);

}  // namespace millrace::connect
