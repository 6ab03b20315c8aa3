// Which release is modelled: 0.17.4, or 0.13.5 when the variable GPUSTAGE_OLLAMA_RELEASE says so.
// Their discovery is the same code; what differs are line numbers, the server's settings and the
// last line.
#pragma once

#include <string_view>

namespace gpustage::ollama {

bool IsRelease013();
const char* Release();  // "0.17.4"

// Where that release has the statement that 0.17.4 has at `source`.
std::string_view SourceIn(std::string_view source);

}  // namespace gpustage::ollama
