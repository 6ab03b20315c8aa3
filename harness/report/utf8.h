// Reports are text that every reader of JSON, XML and Markdown takes; what scanners print is bytes.
#pragma once

#include <string>

namespace gpustage {

// What is not UTF-8 becomes U+FFFD.
std::string Utf8(const std::string& bytes);

}  // namespace gpustage
