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
    if (Unit(line) || Container(line) || Dockerfile(line)) return;
    Plain(line);
  }

 private:
  void Set(const char* kind, const std::string& name, std::string value, int line) {
    if (!IsKnown(name)) return;
    if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    reader_.facts.variables.push_back({{name, value}, reader_.At(kind, line)});
  }

  bool Unit(const PastedLine& line) {
    static const RE2 setting(R"(^Environment=(.*)$)"), user(R"(^User=(\S+)$)");
    static const RE2 pair(R"re("?(\w+)=((?:[^" ]|\\ )*)"? *)re");
    std::string rest, name, value;
    if (RE2::FullMatch(line.text, user, &value)) {
      reader_.facts.user.push_back({value, reader_.At("systemd", line.number)});
      return true;
    }
    if (!RE2::FullMatch(line.text, setting, &rest)) return false;
    re2::StringPiece left(rest);
    while (!left.empty() && RE2::Consume(&left, pair, &name, &value))
      Set("systemd", name, value, line.number);
    return true;
  }

  bool Container(const PastedLine& line) {
    static const RE2 variable(R"re(^"(\w+)=([^"]*)",?$)re"), user(R"re(^"User": "([^"]+)",?$)re");
    static const RE2 requests(R"("DeviceRequests": (null|\[\]))");
    static const RE2 compose(R"re(^- "?([A-Z_]+)=([^"]*?)"?$)re");
    std::string name, value;
    if (RE2::FullMatch(line.text, variable, &name, &value)) {
      Set("docker inspect", name, value, line.number);
    } else if (RE2::FullMatch(line.text, compose, &name, &value)) {
      Set("compose file", name, value, line.number);
    } else if (RE2::FullMatch(line.text, user, &value)) {
      reader_.facts.user.push_back({value, reader_.At("docker inspect", line.number)});
    } else if (RE2::PartialMatch(line.text, requests)) {
      reader_.facts.container.push_back({"it was started without a request for a GPU",
                                         reader_.At("docker inspect", line.number)});
    } else {
      return false;
    }
    return true;
  }

  bool Dockerfile(const PastedLine& line) {
    static const RE2 env(R"(^ENV ([A-Z_]+)(?:=| +)(.*?)\\?$)"), user(R"(^USER (\S+)$)");
    std::string name, value;
    if (RE2::FullMatch(line.text, env, &name, &value)) {
      Set("Dockerfile", name, value, line.number);
    } else if (RE2::FullMatch(line.text, user, &value)) {
      reader_.facts.user.push_back({value, reader_.At("Dockerfile", line.number)});
    } else {
      return false;
    }
    return true;
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
};

}  // namespace

void ReadSettings(Reader reader) {
  SettingsReader settings(reader);
  for (const PastedLine& line : reader.text.lines) settings.Read(line);
}

}  // namespace gpustage::pasted
