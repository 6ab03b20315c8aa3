// Neighbours that no rule makes, written down in tests/collection/neighbours.yaml.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/scenario/catalog/catalog.h"
#include "tests/collection/mutants.h"

namespace gpustage {

struct Neighbour {
  std::string scenario, run;
  std::string is;                 // the other fault, in words
  std::string instead;            // as a fix says it, over the scenario with its fault
  std::vector<std::string> args;  // of the run; none: its own
};

Result<std::vector<Neighbour>> ReadNeighbours();

// The scenario of `file` with that in the place of its fix, which then is the neighbour.
Result<Mutant> MutantOf(const Neighbour& neighbour, const std::string& file,
                        const Catalog& catalog);

}  // namespace gpustage
