// The files beside this one, as the program has them: CMake puts them in.
#pragma once

#include <array>

namespace gpustage {

extern const char* const kPageStyle;
extern const std::array<const char*, 4> kPageScripts;  // in the order in which they are started

}  // namespace gpustage
