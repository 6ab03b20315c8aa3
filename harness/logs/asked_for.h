// What to ask for where somebody says that there is no GPU and shows no log.
#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace gpustage {

struct AskedFor {
  std::shared_ptr<const re2::RE2> speaks;  // of this program or vendor
  std::string program;                     // whose deepest log; "" what `say` has
  std::string say;
};

}  // namespace gpustage
