#include "harness/scenario/catalog/device_words.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/base/text.h"

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
  const auto is = [](int (*kind)(int), char c) { return kind(static_cast<unsigned char>(c)) != 0; };
  for (const char c : text) {
    // "RTX3090" is two words, and "3090Ti"; "A100" is one, and a MIG profile: 1g.10gb.
    const bool letters = word.size() > 1 && std::all_of(word.begin(), word.end(), [&](char w) {
                           return is(std::isalpha, w);
                         });
    const bool digits = word.size() > 2 && std::all_of(word.begin(), word.end(),
                                                       [&](char w) { return is(std::isdigit, w); });
    if ((letters && is(std::isdigit, c)) || (digits && is(std::isalpha, c))) end_word();
    if (is(std::isalnum, c) || c == '.')
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else
      end_word();
  }
  end_word();
  return words;
}

// Letters and digits alone, without brands.
std::string Plain(std::string_view text) {
  std::string plain;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (!kBrands.contains(word)) plain += word;
    word.clear();
  }
  return plain;
}

// "3090", of which a maker has one card or a few.
bool IsNumber(const std::string& word) {
  return word.size() >= 3 && word.find_first_not_of("0123456789") == std::string::npos;
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

std::string NearestDevice(std::string_view written, const std::vector<DeviceName>& known) {
  for (const std::string& word : WordsOf(written))
    for (const DeviceName& device : known)
      if (IsNumber(word) && !IsSlice(device.profile) && WordsOf(device.profile).contains(word))
        return device.profile;
  std::vector<std::string> plain;
  std::vector<const DeviceName*> devices;
  for (const DeviceName& device : known)
    for (const std::string* name : {&device.profile, &device.product}) {
      plain.push_back(Plain(*name));
      devices.push_back(&device);
    }
  const auto nearest = NearestWord(Plain(written), plain);
  if (!nearest) return "";
  const auto at = std::find(plain.begin(), plain.end(), *nearest) - plain.begin();
  return devices[static_cast<size_t>(at)]->profile;
}

}  // namespace gpustage
