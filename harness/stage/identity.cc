#include "harness/stage/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/scenario/model/users.h"

namespace gpustage {
namespace {

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
    if (user.name == name) return Identity{user.uid, user.gid, {}};
  const std::optional<unsigned> id = ParseId(name);
  if (!id) return std::nullopt;
  return Identity{*id, *id, {}};
}

std::optional<gid_t> FindGroup(std::string_view name) {
  for (const KnownGroup& group : kGroups)
    if (group.name == name) return group.gid;
  return ParseId(name);
}

std::string PasswdFile() {
  std::string text;
  for (const KnownUser& user : kUsers)
    text += fmt::format("{}:x:{}:{}::{}:/bin/sh\n", user.name, user.uid, user.gid, user.home);
  return text;
}

std::string GroupFile(const std::string& user, const std::vector<std::string>& groups) {
  std::string text;
  std::vector<gid_t> theirs;
  for (const std::string& group : groups)
    if (const auto gid = FindGroup(group)) theirs.push_back(*gid);
  const auto line = [&](std::string_view name, gid_t gid) {
    const bool member = std::find(theirs.begin(), theirs.end(), gid) != theirs.end();
    text += fmt::format("{}:x:{}:{}\n", name, gid, member ? user : "");
  };
  for (const KnownGroup& group : kGroups) line(group.name, group.gid);
  for (const std::string& group : groups)
    if (const auto gid = ParseId(group);
        gid && std::none_of(std::begin(kGroups), std::end(kGroups),
                            [&](const KnownGroup& known) { return known.gid == *gid; }))
      line(fmt::format("group{}", *gid), *gid);
  return text;
}

}  // namespace gpustage
