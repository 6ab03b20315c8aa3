// How a Go program with C code in it dies.
#pragma once

namespace gpustage::ollama {

// From here on SIGABRT, SIGSEGV, SIGBUS and their like, which in C code mean a crash, end in a
// message and exit status 2: Go's runtime handles them. So a crashed runner has an exit code, and
// the server says nothing of it below TRACE.
void DieLikeGo();

}  // namespace gpustage::ollama
