// Pasted texts, of any kinds and in any order, as facts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/import/facts.h"

namespace gpustage::pasted {

struct GivenText {
  std::string file, text;
};

// An error where nothing is known of a text: it names the kinds that are.
Result<Facts> Recognise(const Knowledge& knowledge, const std::vector<GivenText>& texts);

}  // namespace gpustage::pasted
