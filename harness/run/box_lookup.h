// What a name in a box leads to, asked as whoever calls: with the scanner's file system ids, the
// scanner's answer.
#pragma once

#include <string>
#include <vector>

namespace gpustage {

struct LookUp {
  bool known = true;  // false: only the process itself can follow it (a link of /proc)
  int error = 0;      // errno; 0: it is there
  std::vector<std::string>
      links;  // "/usr/lib/libcuda.so.1 -> libcuda.so.535", in the order in which they were followed
  std::string real;  // where it ends when links were followed; "" otherwise
};

struct Wanted {
  bool follow = true;      // a link at its end
  bool directory = false;  // nothing else will do
  bool link = false;       // nothing else will do: it is to be read as a link
  int access = 0;          // R_OK | W_OK | X_OK; 0: it must be there
};

// `path` is absolute; `root` is a descriptor of the box's "/".
// A slash at its end asks for a
// directory, and follows a link to it.
LookUp LookUpInBox(int root, const std::string& path, const Wanted& asked);

}  // namespace gpustage
