#include "harness/stage/identity.h"

#include <fmt/format.h>

#include <charconv>

namespace gpustage {
namespace {

struct KnownUser {
  std::string_view name;
  Identity id;
  std::string_view home;
};
// Debian's numbers for root and nobody; a service user below 1000 as adduser --system gives it, and
// a person.
constexpr KnownUser kUsers[] = {{"root", {0, 0}, "/root"},
                                {"ollama", {998, 998}, "/usr/share/ollama"},
                                {"user", {1000, 1000}, "/home/user"},
                                {"nobody", {65534, 65534}, "/nonexistent"}};
struct KnownGroup {
  std::string_view name;
  gid_t gid;
};
constexpr KnownGroup kGroups[] = {{"root", 0},    {"video", 44},      {"ollama", 998},
                                  {"user", 1000}, {"nogroup", 65534}, {"nobody", 65534}};

constexpr unsigned kLastId = 65534;

std::optional<unsigned> ParseId(std::string_view text) {
  unsigned id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || id > kLastId)
    return std::nullopt;
  return id;
}

}  // namespace

std::optional<Identity> FindUser(std::string_view name) {
  for (const KnownUser& user : kUsers)
    if (user.name == name) return user.id;
  const std::optional<unsigned> id = ParseId(name);
  if (!id) return std::nullopt;
  return Identity{*id, *id};
}

std::optional<gid_t> FindGroup(std::string_view name) {
  for (const KnownGroup& group : kGroups)
    if (group.name == name) return group.gid;
  return ParseId(name);
}

std::string PasswdFile() {
  std::string text;
  for (const KnownUser& user : kUsers)
    text += fmt::format("{}:x:{}:{}::{}:/bin/sh\n", user.name, user.id.uid, user.id.gid, user.home);
  return text;
}

std::string GroupFile() {
  std::string text;
  for (const KnownGroup& group : kGroups) text += fmt::format("{}:x:{}:\n", group.name, group.gid);
  return text;
}

}  // namespace gpustage
