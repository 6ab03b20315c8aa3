// The lines by which Ollama tells a user what it found (discover/types.go, overrideWarnings and the
// end of Serve).
#pragma once

#include <string>
#include <vector>

#include "fakes/scanner/device.h"
#include "fakes/scanner/filters.h"
#include "fakes/scanner/slog.h"

namespace gpustage::ollama {

// One warning for each variable that hides devices. One that is set but empty hides them too,
// without a warning.
void WarnOfOverrides(const Log& log);

// "inference compute" for each device, the one with most free memory first, or one for the CPU;
// then "vram-based default context".
void ReportDevices(std::vector<DeviceInfo> devices, const Log& log);

std::string GoText(const Supported& supported);

}  // namespace gpustage::ollama
