// The parent: `ollama serve` from its first log line to "vram-based default context", where the
// model ends. Follows GPUDevices of discover/runner.go and Serve of server/routes.go, v0.17.4.
#pragma once

namespace gpustage::ollama {

int Serve();

}  // namespace gpustage::ollama
