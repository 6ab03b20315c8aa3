// The child: `ollama runner --ollama-engine --port N`. It loads the backends of OLLAMA_LIBRARY_PATH
// and tells which devices they have (runner/ollamarunner/runner.go and ml/backend/ggml of v0.17.4).
#pragma once

#include <string>
#include <vector>

namespace gpustage::ollama {

// The real runner answers GET /info on 127.0.0.1:N. The model needs no network: it writes the body
// of that answer to this descriptor, where its parent reads, and then waits to be killed, as the
// real one serves on. Started by hand, without a pipe there, it prints the body on stdout and ends.
inline constexpr int kAnswerDescriptor = 3;

// What precedes the text of an answer that is not status 200.
inline constexpr const char* kFailedAnswer = "status 500: ";

int RunRunner(const std::vector<std::string>& args);

}  // namespace gpustage::ollama
