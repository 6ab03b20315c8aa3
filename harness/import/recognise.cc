#include "harness/import/recognise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/import/text.h"
#include "harness/logs/placeholders.h"

namespace gpustage::pasted {
namespace {

constexpr size_t kMostAsked = 3;

std::string Program(const std::string& name) {
  return name == "ollama" ? "Ollama's log" : name.empty() ? "a log" : "a log of " + name;
}

// What is known of logs reads the whole text: the lines of other texts are no lines of a log.
void ReadLogs(const Knowledge& knowledge, Reader reader) {
  const LogReading log = ReadLog(knowledge, reader.text.whole);
  const Explanation explanation = Weigh(knowledge, log);
  if (explanation.outcome == LogOutcome::kNothing && explanation.named.empty()) return;
  const auto first = explanation.says.empty() ? nullptr : explanation.says.front();
  const int line = first != nullptr     ? first->line.number
                   : !log.facts.empty() ? log.facts.front().line.number
                                        : 1;
  Log told;
  told.text = reader.text.whole;
  told.program = log.program;
  told.version = log.version;
  told.outcome = explanation.outcome;
  const auto places = PlacesOf(log);
  for (const WeighedCause& named : explanation.named) told.causes.push_back(named.cause->id);
  for (const auto* causes : {&explanation.named, &explanation.left})
    for (const WeighedCause& weighed : *causes)
      if (const std::string command = LookFor(knowledge, *weighed.cause, places);
          !command.empty() && told.asks.size() < kMostAsked &&
          std::find(told.asks.begin(), told.asks.end(), command) == told.asks.end())
        told.asks.push_back(command);
  const std::string kind = Program(log.program);
  const Origin from = reader.At(kind.c_str(), line);
  for (const LineFact& fact : log.facts)
    for (const char* name : {"library", "path"})
      if (const auto field = fact.fields.find(name);
          field != fact.fields.end() && field->second.starts_with("/") &&
          field->second.find(".so") != std::string::npos) {
        Told<File> file{{}, reader.At(kind.c_str(), fact.line.number)};
        file.value.facts.path = field->second.substr(0, field->second.find_last_not_of(":,\"") + 1);
        reader.facts.files.push_back(std::move(file));
      } else if (field != fact.fields.end() && field->second.starts_with("lib") &&
                 fact.line.text.find("cannot open shared object file") != std::string::npos) {
        reader.facts.needs.push_back(
            {{"", field->second, ""}, reader.At(kind.c_str(), fact.line.number)});
      }
  if (explanation.outcome == LogOutcome::kNone || explanation.outcome == LogOutcome::kFailed)
    reader.facts.counts.push_back({{log.program, 0}, from});
  if (explanation.outcome == LogOutcome::kHealthy)
    reader.facts.counts.push_back(
        {{log.program, static_cast<int>(explanation.devices.size())}, from});
  reader.facts.logs.push_back({std::move(told), from});
}

// What a mail or a form made of marks and blanks.
std::string Unescaped(std::string text) {
  static const std::pair<const char*, const char*> kMarks[] = {{"&nbsp;", " "}, {"&lt;", "<"},
                                                               {"&gt;", ">"},   {"&quot;", "\""},
                                                               {"&#39;", "'"},  {"&amp;", "&"}};
  for (const auto& [mark, plain] : kMarks)
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1))
      text.replace(at, strlen(mark), plain);
  return text;
}

}  // namespace

Result<Facts> Recognise(const Knowledge& knowledge, const std::vector<GivenText>& texts) {
  Facts facts;
  for (const GivenText& given : texts) {
    if (given.text.find('\0') != std::string::npos)
      return Error{fmt::format("{} is no text: it has a byte 0", given.file)};
    const size_t before = facts.texts.size();
    const size_t already = facts.files.size() + facts.variables.size() + facts.devices.size() +
                           facts.absent.size() + facts.counts.size() + facts.needs.size();
    const std::string plain = Unescaped(given.text);
    const Text text{given.file, plain, PlainLines(plain)};
    for (void (*read)(Reader) :
         {ReadListings, ReadCalls, ReadLibraries, ReadSmi, ReadVulkan, ReadOthers, ReadSettings})
      read({facts, text});
    ReadLogs(knowledge, {facts, text});
    const size_t now = facts.files.size() + facts.variables.size() + facts.devices.size() +
                       facts.absent.size() + facts.counts.size() + facts.needs.size();
    if (now == already && facts.texts.size() == before)
      return Error{fmt::format(
          "nothing in {} is known here: expected what ls -l, find -ls, ldconfig -p, ldd, "
          "readelf -d, objdump -p, lspci, nvidia-smi, env, systemctl, docker inspect, strace, "
          "LD_DEBUG, vulkaninfo, "
          "rocminfo or rocm-smi print, a Dockerfile, or a log of Ollama, llama.cpp or PyTorch",
          given.file)};
  }
  return facts;
}

}  // namespace gpustage::pasted
