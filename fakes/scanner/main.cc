// A model of Ollama's GPU discovery: what `ollama serve` of release 0.17.4 does between its start
// and its first request, and what its child `ollama runner` does, with the log lines of both. It is
// no server: it opens no socket, needs no model directory and ends when discovery has ended.
#include <cstdio>
#include <string>
#include <vector>

#include "fakes/scanner/discovery.h"
#include "fakes/scanner/release.h"
#include "fakes/scanner/runner.h"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (!args.empty() && args[0] == "serve") return gpustage::ollama::Serve();
  if (!args.empty() && args[0] == "runner") return gpustage::ollama::RunRunner(args);
  std::fprintf(stderr,
               "usage: ollama serve | ollama runner --ollama-engine --port N\n"
               "a model of the GPU discovery of Ollama %s\n",
               gpustage::ollama::Release());
  return 2;
}
