// How a change is done on a real machine, and undone: as little as mends it, and back to what was.
// What is no command for a shell begins with #.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/base/files.h"
#include "harness/diagnose/intervention.h"
#include "harness/scenario/model/tree_op.h"
#include "harness/scenario/model/users.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// For a shell.
std::string Word(const std::string& text) {
  const bool plain =
      !text.empty() && text.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"
                           "789_./:=,@%+-") == std::string::npos;
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// A path, or the start of several and '*', which the shell is to see.
std::string Paths(const std::string& subject) {
  if (!subject.ends_with('*')) return Word(subject);
  return Word(subject.substr(0, subject.size() - 1)) + "*";
}

// As systemd reads a value: NAME=VALUE in quotes.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '%') quoted += '%';
    quoted += c;
  }
  return quoted + '"';
}

// A line of a service, in a file of its own: to take that away undoes it.
Commands OfService(const std::string& service, const std::string& name, const std::string& line) {
  const std::string folder = fmt::format("/etc/systemd/system/{}.service.d", service);
  const std::string file = Word(fmt::format("{}/why-{}.conf", folder, name));
  const std::string again =
      fmt::format("sudo systemctl daemon-reload && sudo systemctl restart {}", service);
  return {fmt::format("sudo mkdir -p {} && printf '%s\\n' '[Service]' {} | sudo tee {} && {}",
                      folder, Word(line), file, again),
          fmt::format("sudo rm {} && {}", file, again)};
}

Commands OfVariable(const Intervention& change, const FlatCase& flat, const std::string& service) {
  const std::string& name = change.subject;
  const bool unset = change.kind == Kind::kUnsetVariable;
  if (!service.empty())
    return OfService(
        service, name,
        unset ? "UnsetEnvironment=" + name : "Environment=" + Quoted(name + "=" + change.value));
  const auto set = [&](const std::string& value) { return "export " + Word(name + "=" + value); };
  const std::optional<std::string> was = VariableOf(flat, name);
  return {unset ? "unset " + name : set(change.value), was ? set(*was) : "unset " + name};
}

std::string TakeAway(const FlatTree& entries) {
  std::string command = "sudo rm";
  for (const auto& [path, entry] : entries) command += " " + Word(path);
  return command;
}

// What stands there is kept beside it, and comes back.
std::string Keep(const std::string& path) { return fmt::format("sudo cp -p {0} {0}.was", path); }
std::string Back(const std::string& path) { return fmt::format("sudo mv {0}.was {0}", path); }

// Out of its directory, which may be listed: a library goes by its SONAME for ldconfig, whatever it
// is called there.
std::string Aside(const std::string& path) {
  std::string name = path.substr(1);
  std::replace(name.begin(), name.end(), '/', '_');
  return Word("/root/" + name);
}

// The loader's cache is made anew by each ldconfig: an older one would not come back by another.
Commands OfCache(const FlatCase& flat, const Commands& before) {
  const auto older = flat.tree.find(kLoaderCache);
  const auto join = [](const std::string& a, const std::string& b) {
    return a.empty() ? b : a + " && " + b;
  };
  if (older == flat.tree.end())
    return {join(before.apply, "sudo ldconfig"), join(before.undo, "sudo ldconfig")};
  if (older->second.kind == FlatEntry::Kind::kAbsent)
    return {join(before.apply, "sudo ldconfig"),
            join(before.undo, fmt::format("sudo rm {}", kLoaderCache))};
  return {join(Keep(kLoaderCache), join(before.apply, "sudo ldconfig")),
          join(before.undo, Back(kLoaderCache))};
}

Commands OfMode(const Intervention& change, const FlatCase& flat) {
  std::map<FileMode, std::string> were;
  const std::string start = change.subject.substr(0, change.subject.size() - 1);
  if (change.subject.ends_with('*'))
    for (const auto& [path, entry] : flat.tree)
      if (path.starts_with(start) && entry.kind != FlatEntry::Kind::kAbsent)
        were[entry.mode] += " " + Word(path);
  std::string undo;
  for (const auto& [mode, paths] : were)
    undo += fmt::format("{}sudo chmod {:04o}{}", undo.empty() ? "" : " && ", mode, paths);
  std::string fewer = BitsText(change.mode);
  std::replace(fewer.begin(), fewer.end(), '+', '-');
  if (undo.empty()) undo = fmt::format("sudo chmod {} {}", fewer, Word(change.subject));
  return {fmt::format("sudo chmod {} {}", BitsText(change.mode), Paths(change.subject)), undo};
}

std::string OwnerOf(const std::string& path, const FlatTree& tree) {
  const auto there = tree.find(path);
  const unsigned uid = there == tree.end() ? 0 : there->second.uid;
  for (const KnownUser& user : kUsers)
    if (user.uid == uid) return std::string(user.name);
  return std::to_string(uid);
}

// The lines of a text, each a word.
std::string LinesOf(const std::string& text) {
  std::string words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    words += " " + Word(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

Commands OfInstall(const Intervention& change, const std::string& path, const std::string& keep,
                   const std::string& back) {
  if (change.number == kHollow)
    return {"# install the package that has " + path, "# remove that package again"};
  if (change.number == kPlainStack)
    return {"sudo patchelf --clear-execstack " + path, "sudo patchelf --set-execstack " + path};
  return {fmt::format("{}# install {} again from the release that the machine has ({})",
                      keep.empty() ? "" : keep + "   ", path, change.value),
          back};
}

Commands OfPath(const Intervention& change, const FlatCase& flat) {
  const std::string path = Word(change.subject);
  // The layout of a struct, say, has no path, and nothing is put aside for it.
  const bool there = !change.subject.empty() && HasPath(flat.tree, change.subject);
  const std::string aside = there ? Aside(change.subject) : "";
  const std::string away = fmt::format("sudo mv {} {}", path, aside);
  const std::string returns = fmt::format("sudo mv {} {}", aside, path);
  const std::string keep = there ? away + " && " : "";
  const std::string back =
      there ? fmt::format("sudo rm {} && {}", path, returns) : "sudo rm " + path;
  switch (change.kind) {
    case Kind::kLink:
      return {fmt::format("{}sudo ln -s {} {}", keep, Word(change.value), path), back};
    case Kind::kCopy:
      return {fmt::format("{}sudo cp -p {} {}", keep, Word(change.value), path), back};
    case Kind::kInstall: return OfInstall(change, path, there ? away : "", back);
    case Kind::kInstallAll:
      if (change.number == kNotItsOwn)
        return {fmt::format("# install a build that has in {} what {} has", path, change.value),
                TakeAway(change.entries)};
      return {fmt::format("# install {} again from the release that the machine has ({})", path,
                          change.value),
              TakeAway(change.entries)};
    case Kind::kSearch:
      return OfCache(flat, {fmt::format("echo {} | sudo tee /etc/ld.so.conf.d/00-gpu.conf",
                                        Word(change.value)),
                            "sudo rm /etc/ld.so.conf.d/00-gpu.conf"});
    case Kind::kRefreshCache: return OfCache(flat, {});
    case Kind::kRemove: return {away, returns};
    case Kind::kMakeDirectory: return {"sudo install -d -m 1777 " + path, "sudo rmdir " + path};
    case Kind::kChown:
      return {fmt::format("sudo chown {} {}", change.value, path),
              fmt::format("sudo chown {} {}", OwnerOf(change.subject, flat.tree), path)};
    case Kind::kChmod: return OfMode(change, flat);
    case Kind::kDropEntry:
      return {fmt::format("{} && printf '%s\\n'{} | sudo tee {}", Keep(path), LinesOf(change.value),
                          path),
              Back(path)};
    case Kind::kLoadModule: return {"sudo modprobe " + path, "sudo modprobe -r " + path};
    case Kind::kAddNode:
      return {change.subject.ends_with("uvm")
                  ? "sudo nvidia-modprobe -u -c 0   # a container: give it the node"
                  : "sudo nvidia-modprobe -c 0   # a container: give it the node",
              "sudo rm " + Paths(change.subject)};
    default: return {};
  }
}

}  // namespace

Commands CommandsFor(const Intervention& change, const FlatCase& flat, const std::string& service) {
  switch (change.kind) {
    case Kind::kSetVariable:
    case Kind::kUnsetVariable:
    case Kind::kDropEntry:
      return change.subject.starts_with('/') ? OfPath(change, flat)
                                             : OfVariable(change, flat, service);
    case Kind::kUser:
      if (service.empty()) return {fmt::format("# start it by: sudo -u {} …", change.value), ""};
      return OfService(service, "user", "User=" + change.value);
    case Kind::kGroup:
      return {fmt::format("sudo usermod -aG {} {}   # then start it again", change.value,
                          Word(flat.c.user)),
              fmt::format("sudo gpasswd -d {} {}", Word(flat.c.user), change.value)};
    case Kind::kScanner:
      return {fmt::format("# install {} {}", change.subject, change.value),
              fmt::format("# install {} {}", change.subject, flat.c.runs.front().scanner.version)};
    case Kind::kWholeBoard:
      return {fmt::format("sudo nvidia-smi -i {} -mig 0   # or -mig 1 and mig -cgi, which makes "
                          "instances",
                          change.number),
              fmt::format("sudo nvidia-smi -i {} -mig 1", change.number)};
    case Kind::kDriverVersion: return {"sudo reboot   # after an update of the driver", ""};
    case Kind::kCudaVersion:
      if (change.number == 0) return {"# update the NVIDIA driver, then reboot", ""};
      return {fmt::format("# install an NVIDIA driver of {}, then reboot", CudaText(change.number)),
              fmt::format("# install the one of {} again", CudaText(flat.c.machine.cuda_version))};
    default: return OfPath(change, flat);
  }
}

}  // namespace gpustage
