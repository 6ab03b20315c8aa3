// The users of a staged tree. /etc/passwd and /etc/group inside say the same.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpustage {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};  // further ones
  friend bool operator==(const Identity&, const Identity&) = default;
};

// "root", "nobody", "ollama", "user", or a number up to 65534, which is its own group too.
std::optional<Identity> FindUser(std::string_view name);
// Group names are the user names, "nogroup", "video" and "render"; or a number.
std::optional<gid_t> FindGroup(std::string_view name);

std::string PasswdFile();
// The user is a member of these groups, which are names or numbers.
std::string GroupFile(const std::string& user = "", const std::vector<std::string>& groups = {});

}  // namespace gpustage
