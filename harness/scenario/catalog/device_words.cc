#include "harness/scenario/catalog/device_words.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace gpustage {
namespace {

using Words = std::set<std::string>;

// What tells no device from another.
const Words kBrands = {"nvidia", "geforce", "tesla", "quadro", "graphics", "gpu"};

Words WordsOf(std::string_view text) {
  Words words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty() && !kBrands.contains(word)) words.insert(word);
    word.clear();
  };
  for (const char c : text) {
    // A MIG profile is one word: 1g.10gb.
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.')
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else
      end_word();
  }
  end_word();
  return words;
}

bool IsSlice(const std::string& profile) { return profile.find("g.") != std::string::npos; }

}  // namespace

std::vector<std::string> MeantDevices(std::string_view written,
                                      const std::vector<DeviceName>& known) {
  const Words wanted = WordsOf(written);
  std::vector<std::string> whole, part;
  for (const DeviceName& device : known) {
    const Words profile = WordsOf(device.profile), product = WordsOf(device.product);
    if (wanted.empty()) break;
    if (wanted == profile || wanted == product) whole.push_back(device.profile);
    Words all = profile;
    all.insert(product.begin(), product.end());
    // Nobody means a slice who does not name its profile.
    if (!IsSlice(device.profile) &&
        std::includes(all.begin(), all.end(), wanted.begin(), wanted.end()))
      part.push_back(device.profile);
  }
  return whole.empty() ? part : whole;
}

}  // namespace gpustage
