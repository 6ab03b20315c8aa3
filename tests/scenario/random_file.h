// YAML files written at random, in all ways that people write them, of which it is known by their
// making where each node stands.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "harness/scenario/yaml/edit.h"

namespace gpustage {

// A node of the file as it was meant: nothing of it was read.
struct Written {
  YamlNode::Kind kind = YamlNode::Kind::kText;
  std::string key, text;
  std::vector<Written> parts;
  size_t first = 0;           // with its key or dash
  size_t begin = 0, end = 0;  // its value
  bool compact = false;       // [a: b], a map without braces
};

using Random = std::minstd_rand;
size_t Below(Random& random, size_t n);

struct RandomFile {
  Written root;
  std::string text;
};
RandomFile WriteAtRandom(Random& random);

// What may be put into it.
YamlNode ValueAtRandom(Random& random, int depth = 0);
YamlNode NodeOf(const Written& written);

}  // namespace gpustage
