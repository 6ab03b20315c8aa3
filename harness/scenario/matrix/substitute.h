// substitute: a cell puts its values into the scenario's nodes before they are read, so that what
// is wrong with a value is reported where the value stands.
#pragma once

#include "harness/scenario/matrix/matrix.h"

namespace gpustage {

// The scenario of one cell.
Result<YamlNode> Substitute(YamlNode scenario, const Matrix& matrix, const Row& row);

}  // namespace gpustage
