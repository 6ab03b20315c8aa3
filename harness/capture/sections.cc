#include "harness/capture/sections.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

namespace gpustage::capture {
namespace {

// What every staged tree has (harness/stage/identity.cc), or what a box gives: nothing to write.
const std::set<std::string>& Standing() {
  static const std::set<std::string> standing = {"/",
                                                 "/bin",
                                                 "/dev",
                                                 "/etc",
                                                 "/home",
                                                 "/lib",
                                                 "/lib64",
                                                 "/proc",
                                                 "/root",
                                                 "/run",
                                                 "/sbin",
                                                 "/sys",
                                                 "/tmp",
                                                 "/usr",
                                                 "/usr/bin",
                                                 "/usr/lib",
                                                 "/usr/lib64",
                                                 "/usr/local",
                                                 "/usr/sbin",
                                                 "/usr/share",
                                                 "/var",
                                                 "/etc/ld.so.conf.d",
                                                 "/usr/lib/x86_64-linux-gnu"};
  return standing;
}

constexpr uint64_t kMostOfTruncated = 100000;  // our fakes are smaller than real libraries

std::string Octal(mode_t mode) {
  char text[16];
  snprintf(text, sizeof text, "\"%04o\"", static_cast<unsigned>(mode));
  return text;
}

}  // namespace

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  char code[8];
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      snprintf(code, sizeof code, "\\x%02X", byte);
      quoted += code;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string Sections::From(const std::string& key) const {
  const auto found = origins_.find(key);
  return found == origins_.end() ? "" : "  # " + found->second;
}

std::string Sections::Owner(const FileFacts& file) {
  if (file.uid == 0 && file.gid == 0) return "";
  return "  - {chown: " + Quoted(PathOf(file.path)) + ", user: \"" +
         std::to_string(ids_.Of(file.uid)) + "\", group: \"" + std::to_string(ids_.Of(file.gid)) +
         "\"}";
}

// What of the library differs from the fake that stands for it.
std::string Sections::BrokenOf(const FileFacts& file, const Fake& fake) {
  if (!file.error.empty()) return "";
  if (file.size == 0) return "{empty: true}";
  if (!file.elf)
    return file.text.rfind("version https://git-lfs", 0) == 0 ? "{git_lfs: true}"
                                                              : "{text: \"not a library\"}";
  const ElfFacts& elf = *file.elf;
  if (elf.bits == 32) return "{class: 32}";
  if (!elf.little_endian) return "{endian: big}";
  if (elf.machine == 183) return "{machine: arm64}";
  if (elf.ends_early)
    return "{truncated: " + std::to_string(std::min<uint64_t>(file.size, kMostOfTruncated)) + "}";
  std::string ways;
  const auto add = [&ways](const std::string& way) { ways += (ways.empty() ? "" : ", ") + way; };
  if (!elf.unmet.empty()) add("needs: [" + Names(elf.unmet) + "]");
  if (!fake.soname.empty() && elf.soname != fake.soname)
    add("soname: " + (elf.soname.empty() ? "none" : Quoted(places_.Name(elf.soname))));
  if (elf.runpath && !elf.runpath->empty())
    add("runpath: " + Quoted(places_.Paths(*elf.runpath)));
  else if (elf.rpath && !elf.rpath->empty())
    add("rpath: " + Quoted(places_.Paths(*elf.rpath)));
  // What NVIDIA's have: one node, of the name of the SONAME.
  const bool versioned = fake.name.rfind("cudart-", 0) == 0 || fake.name.rfind("cublas", 0) == 0;
  if (versioned && elf.versions_known && elf.versions.empty())
    add("version_table: none");
  else if (versioned && !elf.versions.empty() &&
           std::find(elf.versions.begin(), elf.versions.end(), fake.soname) == elf.versions.end())
    add("version_node: " + Quoted(places_.Name(elf.versions.front())));
  if (!elf.newer_libc.empty()) add("needs_version: " + Quoted(places_.Name(elf.newer_libc)));
  std::string lacks;  // words of ours
  for (const std::string& function : elf.lacks) lacks += (lacks.empty() ? "" : ", ") + function;
  if (!lacks.empty()) add("symbol_absent: [" + lacks + "]");
  return ways.empty() ? "" : "{" + ways + "}";
}

std::string Sections::Names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + places_.Name(name);
  return text;
}

// The value of a key of a manifest's JSON, which is short and flat but for one level.
std::string ManifestValue(const std::string& json, const std::string& key) {
  size_t at = json.find("\"" + key + "\"");
  if (at == std::string::npos) return "";
  at = json.find(':', at);
  const size_t begin = at == std::string::npos ? at : json.find('"', at);
  const size_t end = begin == std::string::npos ? begin : json.find('"', begin + 1);
  return end == std::string::npos ? "" : json.substr(begin + 1, end - begin - 1);
}

// What is a text of GPU software and can be staged: the manifest of a Vulkan driver, and a file of
// rocBLAS's kernels, of which the name is what matters.
std::string Sections::TextFile(const FileFacts& file) {
  const size_t slash = file.path.rfind('/');
  const std::string folder = file.path.substr(0, slash), name = file.path.substr(slash + 1);
  constexpr char kKernels[] = "TensileLibrary_lazy_";
  if (folder.size() > 14 && folder.rfind("/vulkan/icd.d") == folder.size() - 13) {
    const std::string library = ManifestValue(file.text, "library_path"),
                      api = DriverVersion(ManifestValue(file.text, "api_version"));
    return library.empty() ? "not a manifest"
                           : "{\"file_format_version\": \"1.0.0\", \"ICD\": {\"library_path\": \"" +
                                 places_.Path(library) + "\", \"api_version\": \"" +
                                 (api.empty() ? "1.0.0" : api) + "\"}}";
  }
  if (name.rfind(kKernels, 0) == 0)
    if (const std::string target = name.substr(strlen(kKernels), name.find('.') - strlen(kKernels));
        target.rfind("gfx", 0) == 0 && target.size() <= 8 &&
        target.find_first_not_of("0123456789abcdef", 3) == std::string::npos)
      return "kernels of " + target + "\n";
  return "";
}

void Sections::File(const FileFacts& file) {
  const std::string path = PathOf(file.path), from = From(file.path);
  if (file.kind == FileKind::kDirectory) {
    if (Standing().count(file.path) != 0 && file.mode == 0755) return;
    if (file.path == "/tmp" || file.path == "/proc" || file.path == "/sys") return;
    Line("  - {dir: " + Quoted(path) + ", mode: " + Octal(file.mode) + "}" + from);
  } else if (file.kind == FileKind::kLink) {
    if (Standing().count(file.path) != 0) return;
    Line("  - {symlink: " + Quoted(path) + ", to: " + Quoted(places_.Path(file.link)) + "}" + from);
    return;  // who owns a link is no matter
  } else if (file.kind == FileKind::kFile) {
    if (const std::string text = TextFile(file); !text.empty()) {
      // The name of a file of kernels is its target's, which is in the text.
      const bool kernels = text.rfind("kernels of ", 0) == 0;
      const size_t slash = file.path.rfind('/') + 1;
      const std::string named =
          kernels ? PathOf(file.path.substr(0, slash)) +
                        file.path.substr(slash, file.path.find('.', slash) - slash) + ".dat"
                  : path;
      Line("  - {file: " + Quoted(named) + ", content: " + Quoted(text) +
           ", mode: " + Octal(file.mode) + "}" + from);
      if (const std::string owner = Owner(file); !owner.empty()) Line(owner);
      return;
    }
    const Fake fake = FakeOf(file);
    if (fake.name.empty()) {
      ++left_out_;
      if (file.elf && !file.elf->soname.empty()) Comment("  no fake stands for it: " + path);
      return;
    }
    const std::string broken = BrokenOf(file, fake);
    Line("  - {library: " + Quoted(path) + ", fake: " + fake.name +
         (broken.empty() ? "" : ", broken: " + broken) + ", mode: " + Octal(file.mode) + "}" +
         from);
  } else {
    ++left_out_;
    return;
  }
  if (const std::string owner = Owner(file); !owner.empty()) Line(owner);
}

void Sections::Tree(size_t devices, const std::vector<std::string>& more) {
  const size_t begin = text_.size();
  for (const FileFacts& file : facts_.files) File(file);
  for (const std::string& line : more) Line("  - " + line);
  if (left_out_ != 0)
    Comment("  " + std::to_string(left_out_) + " files more that no fake stands for");
  Nodes(devices);
  NodesOfAmd(facts_.kfd.size());
  if (!facts_.loader_directories.empty()) {
    std::string conf;
    for (const std::string& directory : facts_.loader_directories)
      conf += places_.Path(directory) + "\n";
    Line("  - {file: /etc/ld.so.conf, content: " + Quoted(conf) + "}  # its includes, in order");
  }
  const bool any =
      text_.find("\n  - ", begin) != std::string::npos || text_.compare(begin, 4, "  - ") == 0;
  text_.insert(begin, any ? "tree:\n" : "tree: []\n");
}

bool Sections::IsNode(const FileFacts& node) {
  constexpr unsigned kNvidia = 195;  // devices.txt of Linux; that of nvidia-uvm is not fixed
  const std::string name = node.path.substr(strlen("/dev/"));
  if (node.kind == FileKind::kFile) return node.text == "gpustage node " + name + "\n";
  // A pasted text need not say the numbers.
  const bool known = node.major != 0 || node.minor != 0;
  // AMD's: the number of kfd is not fixed, that of dri is.
  constexpr unsigned kDri = 226;
  return node.kind == FileKind::kDevice &&
         (!known || node.major == kNvidia || name.rfind("nvidia-", 0) == 0 || name == "kfd" ||
          (node.major == kDri && name.rfind("dri/", 0) == 0));
}

void Sections::Nodes(size_t devices) {
  if (devices == 0) return;
  std::vector<std::string> usual = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
  for (size_t i = 0; i < devices; ++i) usual.push_back("/dev/nvidia" + std::to_string(i));
  for (const std::string& path : usual) Node(path);
}

void Sections::NodesOfAmd(size_t devices) {
  if (devices == 0) return;
  Node("/dev/kfd");
  for (size_t i = 0; i < devices; ++i) Node("/dev/dri/renderD" + std::to_string(128 + i));
}

void Sections::Node(const std::string& path) {
  const auto node = std::find_if(facts_.nodes.begin(), facts_.nodes.end(),
                                 [&](const FileFacts& one) { return one.path == path; });
  if (node == facts_.nodes.end()) {
    Line("  - {remove: " + path + "}  # it is not there" + From(path));
    return;
  }
  if (!IsNode(*node))
    Line("  - {file: " + path + ", content: \"\", mode: \"0666\"}  # it is no device");
  if (node->mode != 0666)
    Line("  - {chmod: " + path + ", mode: " + Octal(node->mode) + "}" + From(path));
  if (const std::string owner = Owner(*node); !owner.empty()) Line(owner);
}

std::string Sections::OfVariable(const std::string& name, const std::string& value) {
  const auto known = KnownVariables().find(name);
  if (known == KnownVariables().end()) return places_.Name(value);
  switch (known->second) {
    case VariableKind::kPaths: return places_.Paths(value);
    case VariableKind::kPath: return places_.Path(value);
    case VariableKind::kMask: return places_.Mask(value);
    case VariableKind::kSwitch: return places_.Switch(value);
  }
  return "";
}

void Sections::Environment(const std::string& whose) {
  std::string lines;
  for (const auto& [name, value] : facts_.process.environment) {
    if (KnownVariables().count(name) == 0) continue;
    lines += "  " + name + ": " + Quoted(OfVariable(name, value)) + From("env " + name) + "\n";
  }
  if (lines.empty()) return;
  if (!whose.empty()) Comment(whose);
  text_ += "env:\n" + lines;
}

}  // namespace gpustage::capture
