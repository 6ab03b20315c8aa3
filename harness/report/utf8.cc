#include "harness/report/utf8.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace gpustage {

std::string Utf8(const std::string& bytes) {
  using nlohmann::json;
  if (std::all_of(bytes.begin(), bytes.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return bytes;
  return json::parse(json(bytes).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace gpustage
