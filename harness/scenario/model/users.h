// The users and groups of every staged tree, as /etc/passwd and /etc/group inside name them.
#pragma once

#include <string_view>

namespace gpustage {

struct KnownUser {
  std::string_view name;
  unsigned uid, gid;
  std::string_view home;
};
// Debian's numbers for root and nobody; a service user below 1000 as adduser --system gives it, and
// a person.
inline constexpr KnownUser kUsers[] = {{"root", 0, 0, "/root"},
                                       {"ollama", 998, 998, "/usr/share/ollama"},
                                       {"user", 1000, 1000, "/home/user"},
                                       {"nobody", 65534, 65534, "/nonexistent"}};

struct KnownGroup {
  std::string_view name;
  unsigned gid;
};
// video has Debian's number; that of render is given at install time, downwards from 999.
inline constexpr KnownGroup kGroups[] = {{"root", 0},      {"video", 44},  {"render", 993},
                                         {"ollama", 998},  {"user", 1000}, {"nogroup", 65534},
                                         {"nobody", 65534}};

inline constexpr unsigned kLastId = 65534;  // of a number in place of a name

}  // namespace gpustage
