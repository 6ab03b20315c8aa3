// What differs between two texts, as lines that people know: "- old", "+ new".
#pragma once

#include <string>
#include <string_view>

namespace gpustage {

// With a line before and after each change; "" where they are the same.
std::string LineDiff(std::string_view before, std::string_view after);

}  // namespace gpustage
