// What ls and find print of files, and what they could not.
#include <re2/re2.h>

#include <charconv>

#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

using capture::FileKind;

template <typename T>
T Number(const std::string& text) {
  T number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "drwxr-x---" without its first letter.
mode_t ModeOf(const std::string& letters) {
  mode_t mode = 0;
  for (int i = 0; i < 9; ++i) {
    const char c = letters[static_cast<size_t>(i)];
    mode = mode << 1 | (c != '-' && c != 'S' && c != 'T');
  }
  const auto special = [&](size_t at, mode_t bit) {
    const char c = letters[at];
    return c == 's' || c == 'S' || c == 't' || c == 'T' ? bit : 0;
  };
  return mode | special(2, 04000) | special(5, 02000) | special(8, 01000);
}

FileKind KindOf(char letter) {
  switch (letter) {
    case 'd': return FileKind::kDirectory;
    case 'l': return FileKind::kLink;
    case '-': return FileKind::kFile;
    case 'b':
    case 'c': return FileKind::kDevice;
    default: return FileKind::kOther;
  }
}

std::string Unquoted(const std::string& text) {
  if (text.size() > 1 && (text.front() == '\'' || text.front() == '"') &&
      text.back() == text.front())
    return text.substr(1, text.size() - 2);
  return text;
}

struct Entry {
  std::string letter, mode, owner, group, size, minor, name;
};

// ls in any of its date formats ("Jun 29 12:51", "Mai  4  2021", "2024-05-01 12:00", "29 Jun
// 12:51"), or find -ls, which puts inode and blocks before.
bool Parse(const std::string& line, Entry& entry) {
  static const RE2 format(
      R"(^(?:\d+ +\d+ +)?([-dlcbps])([-rwxsStT]{9})[.+@]? +\d+ +(\S+) +(\S+) +(\d+)(?:, *(\d+))? +)"
      R"((?:\S+ +\d{1,2} +[\d:]+|\d{1,2} +\S+ +[\d:]+|)"
      R"(\d{4}-\d\d-\d\d +\d\d:\d\d(?::[\d.]+)?(?: +[+-]\d{4})?|\d\d-\d\d +\d\d:\d\d) +(.+)$)");
  return RE2::FullMatch(line, format, &entry.letter, &entry.mode, &entry.owner, &entry.group,
                        &entry.size, &entry.minor, &entry.name);
}

// Listings of one text: what a bare name is in.
class Listing {
 public:
  explicit Listing(Reader reader) : reader_(reader) {}

  void Read(const PastedLine& line) {
    static const RE2 header(R"(^([`'"]*)(/[^:*?]*):$)");
    static const RE2 bare(R"(^(/\S+\.so(?:\.[\d.]+)?)$)");
    std::string quotes, path;
    Entry entry;
    if (const std::string command = CommandOf(line.text); !command.empty()) {
      static const RE2 finds(R"(\b(?:find|locate|whereis)\b)");
      of_find_ = RE2::PartialMatch(command, finds);
      folder_ = PathOfCommand(command);
      while (folder_.size() > 1 && folder_.ends_with('/')) folder_.pop_back();
      if (folder_.find('*') != std::string::npos) All(folder_, line.number);
    } else if (RE2::FullMatch(line.text, header, &quotes, &path)) {
      folder_ = path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
    } else if (of_find_ && RE2::FullMatch(line.text, bare, &path)) {
      Told<File> told{{}, reader_.At("find", line.number)};
      told.value.facts.path = path;
      reader_.facts.files.push_back(std::move(told));
    } else if (Parse(line.text, entry)) {
      Add(entry, line.number);
    } else {
      Refusal(line);
    }
  }

 private:
  void Add(const Entry& entry, int line) {
    Told<File> told;
    capture::FileFacts& facts = told.value.facts;
    facts.kind = KindOf(entry.letter[0]);
    facts.mode = ModeOf(entry.mode);
    if (entry.minor.empty())
      facts.size = Number<uint64_t>(entry.size);
    else
      facts.major = Number<unsigned>(entry.size), facts.minor = Number<unsigned>(entry.minor);
    std::string name = entry.name;
    if (const size_t arrow = name.find(" -> "); arrow != std::string::npos) {
      facts.link = Unquoted(name.substr(arrow + 4));
      name.resize(arrow);
    }
    name = Unquoted(name);
    if (name == ".." || (name == "." && folder_.empty())) return;
    facts.path = name == "."             ? folder_
                 : name.starts_with('/') ? name
                 : folder_.empty()       ? name
                                         : (folder_ == "/" ? "" : folder_) + "/" + name;
    // ls -l of one file names it as it was asked for; a directory's entries have bare names.
    if (facts.path == folder_ + "/" + BaseOf(folder_) && facts.kind != FileKind::kDirectory &&
        folder_.find(".so") != std::string::npos)
      facts.path = folder_;
    if (const size_t dots = facts.path.find("/./"); dots != std::string::npos)
      facts.path.erase(dots, 2);
    if (facts.path.ends_with('/') && facts.path.size() > 1) facts.path.pop_back();
    told.value.listed = true;
    told.value.owner = entry.owner;
    told.value.group = entry.group;
    told.from = reader_.At("ls -l", line);
    reader_.facts.files.push_back(std::move(told));
  }

  // "ls -l /dev/nvidia*": what has such a name and is not listed is not there.
  void All(const std::string& pattern, int line) {
    if (pattern.starts_with("/dev/"))
      reader_.facts.absent.push_back({{pattern, false, true}, reader_.At("ls -l", line)});
  }

  void Refusal(const PastedLine& line) {
    static const RE2 refusal(
        R"((?:ls|find|cat|stat): (?:cannot (?:access|open directory|open|stat)|can't open)? ?)"
        R"(['"‘`]?(/[^'"’:]+)['"’]?: (No such file or directory|Permission denied))");
    std::string path, why;
    if (!RE2::PartialMatch(line.text, refusal, &path, &why)) return;
    reader_.facts.absent.push_back(
        {{path, why == "Permission denied", true}, reader_.At("ls", line.number)});
  }

  Reader reader_;
  std::string folder_;
  bool of_find_ = false;
};

}  // namespace

void ReadListings(Reader reader) {
  Listing listing(reader);
  for (const PastedLine& line : reader.text.lines) listing.Read(line);
}

void ReadCalls(Reader reader) {
  static const RE2 call(
      R"re(\b(?:open|openat|stat|lstat|access|newfstatat|faccessat2?)\((?:AT_FDCWD, )?)re"
      R"re("(/[^"]+)"[^=]*\) *= (-?\d+)(?: (\w+))?)re");
  static const RE2 found(R"(^\d+:\s*calling init: (/\S+))");
  static const RE2 selected(R"(\bnvc_info\.c:\d+\] selecting (/\S+)$)");
  static const RE2 tried(R"(^\d+:\s*trying file=(\S+))");
  static const RE2 path(R"(^\d+:\s*search path=(\S*)\s+\(LD_LIBRARY_PATH\))");
  static const RE2 missing(
      R"(^\d+:\s*(\S+): error: .*?(lib\S+): cannot open shared object file: No such file)");
  std::string name, number, error;
  for (const PastedLine& line : reader.text.lines) {
    if (RE2::PartialMatch(line.text, call, &name, &number, &error)) {
      const bool matters = name.find(".so") != std::string::npos ||
                           name.starts_with("/dev/nvidia") || name.starts_with("/dev/kfd") ||
                           name.starts_with("/dev/dri");
      if (!matters) continue;
      if (number != "-1") {
        Told<File> told{{}, reader.At("strace", line.number)};
        told.value.facts.path = name;
        if (name.starts_with("/dev/")) told.value.facts.kind = FileKind::kDevice;
        reader.facts.files.push_back(std::move(told));
      } else if (error == "ENOENT" || error == "EACCES" || error == "EPERM") {
        reader.facts.absent.push_back(
            {{name, error != "ENOENT", true}, reader.At("strace", line.number)});
      }
    } else if (RE2::PartialMatch(line.text, found, &name)) {
      Told<File> told{{}, reader.At("LD_DEBUG=libs", line.number)};
      told.value.facts.path = name;
      reader.facts.files.push_back(std::move(told));
    } else if (RE2::PartialMatch(line.text, selected, &name)) {
      Told<File> told{{}, reader.At("nvidia-container-cli", line.number)};
      told.value.facts.path = name;
      reader.facts.files.push_back(std::move(told));
    } else if (RE2::PartialMatch(line.text, tried, &name)) {
      reader.At("LD_DEBUG=libs", line.number);
    } else if (RE2::PartialMatch(line.text, path, &name)) {
      // glibc's own subdirectories of each directory are listed beside it.
      std::string kept;
      for (size_t begin = 0; begin <= name.size();) {
        const size_t end = std::min(name.find(':', begin), name.size());
        const std::string part = name.substr(begin, end - begin);
        begin = end + 1;
        if (part.find("glibc-hwcaps") != std::string::npos ||
            part.find("/tls") != std::string::npos || part.ends_with("/x86_64") ||
            part.ends_with("/haswell") || !part.starts_with('/'))
          continue;
        kept += (kept.empty() ? "" : ":") + part;
      }
      if (!kept.empty())
        reader.facts.variables.push_back(
            {{"LD_LIBRARY_PATH", kept}, reader.At("LD_DEBUG=libs", line.number)});
    } else if (RE2::PartialMatch(line.text, missing, &name, &error)) {
      reader.facts.needs.push_back({{name, error, ""}, reader.At("LD_DEBUG=libs", line.number)});
    }
  }
}

}  // namespace gpustage::pasted
