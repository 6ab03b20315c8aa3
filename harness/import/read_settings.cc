// Variables and users: of env, of a unit of systemd, of a container, of a Dockerfile, and of the
// line in which Ollama prints its own.
#include <re2/re2.h>

#include "harness/capture/privacy.h"
#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

bool IsKnown(const std::string& name) { return capture::KnownVariables().count(name) != 0; }

class SettingsReader {
 public:
  explicit SettingsReader(Reader reader) : reader_(reader) {}

  void Read(const PastedLine& line) {
    if (Unit(line) || Container(line) || Dockerfile(line) || Groups(line)) return;
    Plain(line);
  }

  // What several lines say together.
  void Finish() {
    if (!policy_.value.empty() && !allows_)
      reader_.facts.restrictions.push_back({{Kept::kOpening, policy_.value}, policy_.from});
    if (!requests_.value.empty() && !given_)
      reader_.facts.restrictions.push_back({{Kept::kAll, requests_.value}, requests_.from});
    for (auto told = reader_.facts.variables.rbegin(); told != reader_.facts.variables.rend();
         ++told) {
      const auto& [name, value] = told->value;
      if (name != "NVIDIA_DRIVER_CAPABILITIES") continue;
      if (!value.empty() && value.find("compute") == std::string::npos && value != "all")
        reader_.facts.restrictions.push_back(
            {{Kept::kDriver, name + "=" + value + " has no compute: libcuda.so.1 is not put in"},
             told->from});
      return;
    }
  }

 private:
  void Set(const char* kind, const std::string& name, std::string value, int line) {
    if (!IsKnown(name)) return;
    if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    reader_.facts.variables.push_back({{name, value}, reader_.At(kind, line)});
  }

  // NAME=value, "NAME=value with blanks" and NAME="value with blanks", one after another.
  void SetAll(const char* kind, std::string_view text, int line) {
    static const RE2 quoted(R"re( *["'](\w+)=([^"']*)["'])re"), half(R"re( *(\w+)="([^"]*)")re"),
        plain(R"re( *(\w+)=(\S*))re");
    re2::StringPiece left(text.data(), text.size());
    std::string name, value;
    while (RE2::Consume(&left, quoted, &name, &value) || RE2::Consume(&left, half, &name, &value) ||
           RE2::Consume(&left, plain, &name, &value))
      Set(kind, name, WithoutReferences(value), line);
  }
  // "/opt/lib:$LD_LIBRARY_PATH": what was there before is not told.
  static std::string WithoutReferences(const std::string& value) {
    if (value.find('$') == std::string::npos) return value;
    std::string kept;
    for (size_t begin = 0; begin <= value.size();) {
      const size_t end = std::min(value.find(':', begin), value.size());
      const std::string part = value.substr(begin, end - begin);
      begin = end + 1;
      if (part.starts_with('$') && !part.starts_with("$ORIGIN")) continue;
      kept += (kept.empty() ? "" : ":") + part;
    }
    return kept;
  }

  bool Unit(const PastedLine& line) {
    static const RE2 setting(R"(^Environment=(.*)$)"), user(R"(^User=(\S+)$)"),
        more(R"(^EnvironmentFiles?=-?(/\S+)(?: .*)?$)"),
        devices(R"(^PrivateDevices=(?:yes|true|1|on)$)"),
        policy(R"(^DevicePolicy=(?:closed|strict)$)"), allow(R"(^DeviceAllow=.*nvidia)");
    std::string rest;
    if (RE2::FullMatch(line.text, user, &rest)) {
      reader_.facts.user.push_back({rest, reader_.At("systemd", line.number)});
    } else if (RE2::FullMatch(line.text, more, &rest)) {
      reader_.facts.unread.push_back({rest, reader_.At("systemd", line.number)});
    } else if (RE2::FullMatch(line.text, devices)) {
      Restrict("systemd", Kept::kNodes, "PrivateDevices=yes: it sees no node of a GPU",
               line.number);
    } else if (RE2::FullMatch(line.text, policy)) {
      policy_ = {line.text + ": it may open no node of a GPU", reader_.At("systemd", line.number)};
    } else if (RE2::PartialMatch(line.text, allow)) {
      allows_ = true;
    } else if (RE2::FullMatch(line.text, setting, &rest)) {
      SetAll("systemd", rest, line.number);
    } else {
      return false;
    }
    return true;
  }

  bool Container(const PastedLine& line) {
    static const RE2 variable(R"re(^"(\w+)=([^"]*)",?$)re"), user(R"re(^"User": "([^"]+)",?$)re");
    static const RE2 requests(R"("DeviceRequests": (null|\[\]))"),
        runtime(R"re("Runtime": "(\w+)")re"), device(R"("PathOnHost": "/dev/nvidia)");
    static const RE2 compose(R"re(^- "?([A-Z_]+)=([^"]*?)"?$)re");
    std::string name, value;
    if (RE2::FullMatch(line.text, variable, &name, &value)) {
      Set("docker inspect", name, value, line.number);
    } else if (RE2::FullMatch(line.text, compose, &name, &value)) {
      Set("compose file", name, value, line.number);
    } else if (RE2::FullMatch(line.text, user, &value)) {
      reader_.facts.user.push_back({value, reader_.At("docker inspect", line.number)});
    } else if (RE2::PartialMatch(line.text, requests)) {
      requests_ = {"it was started without a request for a GPU",
                   reader_.At("docker inspect", line.number)};
    } else if (RE2::PartialMatch(line.text, runtime, &value)) {
      reader_.At("docker inspect", line.number);
      given_ |= value == "nvidia";
    } else if (RE2::PartialMatch(line.text, device)) {
      given_ = true;
    } else {
      return false;
    }
    return true;
  }

  bool Dockerfile(const PastedLine& line) {
    static const RE2 pairs(R"(^ENV +([A-Za-z_]\w*=.*?)(\\?)$)"),
        one(R"(^ENV +([A-Za-z_]\w*) +(.*)$)"), user(R"(^USER (\S+)$)");
    std::string name, value, goes_on;
    const bool continued = continued_;
    continued_ = false;
    if (RE2::FullMatch(line.text, pairs, &value, &goes_on)) {
      SetAll("Dockerfile", value, line.number);
      continued_ = !goes_on.empty();
    } else if (continued) {
      continued_ = line.text.ends_with('\\');
      SetAll("Dockerfile", line.text.substr(0, line.text.size() - continued_), line.number);
    } else if (RE2::FullMatch(line.text, one, &name, &value)) {
      Set("Dockerfile", name, WithoutReferences(value), line.number);
    } else if (RE2::FullMatch(line.text, user, &value)) {
      reader_.facts.user.push_back({value, reader_.At("Dockerfile", line.number)});
    } else {
      return false;
    }
    return true;
  }

  // "uid=997(ollama) gid=984(ollama) groups=984(ollama),44(video)"
  bool Groups(const PastedLine& line) {
    static const RE2 id(R"(^uid=\d+\(([^)]+)\) gid=\d+\([^)]+\) groups=(.+)$)");
    static const RE2 one(R"(\d+\(([^)]+)\))");
    std::string user, rest, name;
    if (!RE2::FullMatch(line.text, id, &user, &rest)) return false;
    std::vector<std::string> names;
    re2::StringPiece left(rest);
    while (RE2::FindAndConsume(&left, one, &name)) names.push_back(name);
    reader_.facts.groups.push_back({{user, names}, reader_.At("id", line.number)});
    return true;
  }

  void Restrict(const char* kind, Kept kept, const std::string& says, int line) {
    reader_.facts.restrictions.push_back({{kept, says}, reader_.At(kind, line)});
  }

  void Plain(const PastedLine& line) {
    static const RE2 plain(R"(^(?:export |declare -x )?([A-Z][A-Z0-9_]*)=(.*)$)");
    static const RE2 before(R"(^([A-Z][A-Z0-9_]*=\S* +)+\S)"), pair(R"(([A-Z][A-Z0-9_]*)=(\S*) +)");
    static const RE2 settings(R"re((\w+):(\[[^\]]*\]|[^ \]]*))re");
    std::string name, value;
    const std::string command = CommandOf(line.text);
    if (!command.empty()) {
      // CUDA_VISIBLE_DEVICES=1 ollama serve
      re2::StringPiece left(command);
      if (RE2::PartialMatch(command, before)) {
        while (RE2::Consume(&left, pair, &name, &value))
          Set("the command line", name, value, line.number);
      } else if (RE2::FullMatch(command, plain, &name, &value)) {
        Set("env", name, value, line.number);
      }
    } else if (line.text.find("server config") != std::string::npos) {
      const size_t map = line.text.find("map[");
      if (map == std::string::npos) return;
      re2::StringPiece left(line.text.data() + map + 4, line.text.size() - map - 4);
      while (RE2::FindAndConsume(&left, settings, &name, &value))
        if (!value.empty() && value != "[]") Set("Ollama's log", name, value, line.number);
    } else if (RE2::FullMatch(line.text, plain, &name, &value)) {
      Set("env", name, value, line.number);
    }
  }

  Reader reader_;
  Told<std::string> policy_, requests_;
  bool allows_ = false, given_ = false, continued_ = false;
};

}  // namespace

void ReadSettings(Reader reader) {
  SettingsReader settings(reader);
  for (const PastedLine& line : reader.text.lines) settings.Read(line);
  settings.Finish();
}

}  // namespace gpustage::pasted
