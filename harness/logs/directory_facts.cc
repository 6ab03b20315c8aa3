#include "harness/logs/directory_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/path/device_id.h"
#include "harness/evidence/records/log_lines.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

// The lines of Ollama's discovery with their fields.
struct FieldLines {
  std::vector<LogLine> log;
  bool traced = false;
  bool has_runners = true;  // until 0.30 a child was a runner, and said how it ended
};

std::string Field(const LogLine& line, const std::string& name) {
  const auto field = line.fields.find(name);
  return field == line.fields.end() ? "" : field->second;
}

// All lines with this message.
std::vector<const LogLine*> LinesOf(const FieldLines& log, std::string_view message) {
  std::vector<const LogLine*> lines;
  for (const LogLine& line : log.log)
    if (line.message.find(message) != std::string::npos) lines.push_back(&line);
  return lines;
}

// The directory that a child was started for: the last of "[/usr/local/lib/ollama
// /usr/local/lib/ollama/cuda_v12]".
std::string StartedFor(const LogLine& line) {
  const std::string list = Field(line, "OLLAMA_LIBRARY_PATH");
  const size_t begin = list.find_last_of(" [") + 1;
  return list.substr(begin, list.find(']') - begin);
}

bool IsSecondPass(const LogLine& line) {
  return Field(line, "extra_envs").find("GGML_CUDA_INIT") != std::string::npos;
}

std::string WhatTheChildDid(const FieldLines& log, const LogLine& took) {
  const auto of = [&](std::string_view message) {
    for (const LogLine* line : LinesOf(log, message))
      if (StartedFor(*line) == StartedFor(took) && !IsSecondPass(*line)) return line;
    return static_cast<const LogLine*>(nullptr);
  };
  if (const LogLine* failed = of("failure during GPU discovery"))
    return "the child failed: " + Field(*failed, "error");
  if (const LogLine* exited = of("runner exited"))
    return fmt::format("the child died, with exit code {}", Field(*exited, "code"));
  if (const LogLine* answered = of("runner enumerated devices"))
    return Field(*answered, "devices") == "[]" ? "the child lived and answered [], no device"
                                               : "the child answered with devices";
  if (!log.has_runners) return "how it ended is another line's to say";
  return "whether the child answered [] or died is in no log below OLLAMA_DEBUG=2";
}

void WasTried(const FieldLines& log, std::vector<LogFact>& facts) {
  for (const LogLine* line : LinesOf(log, "bootstrap discovery took")) {
    const std::string directory = StartedFor(*line);
    if (directory.empty() || IsSecondPass(*line)) continue;
    facts.push_back({fmt::format("{} was tried: a child was started for it; {}",
                                 BaseNameOf(directory), WhatTheChildDid(log, *line)),
                     line->text});
  }
}

void Skipped(const FieldLines& log, std::vector<LogFact>& facts) {
  const std::vector<const LogLine*> lines = LinesOf(log, "skipping available library at user");
  std::set<std::string> names;
  for (const LogLine* line : lines) names.insert(BaseNameOf(Field(*line, "libDir")));
  if (lines.empty()) return;
  facts.push_back({fmt::format("{} {} passed over because OLLAMA_LLM_LIBRARY is {}, which has no "
                               "such line because it is the one that is wanted",
                               fmt::join(names, ", "), names.size() == 1 ? "was" : "were",
                               Field(*lines.front(), "requested")),
                   lines.front()->text});
}

void Counted(const FieldLines& log, std::vector<LogFact>& facts) {
  const std::vector<const LogLine*> lines = LinesOf(log, "evaluating which, if any");
  if (lines.empty()) return;
  const std::string count = Field(*lines.front(), "initial_count");
  std::set<std::string> ids, directories;
  for (const LogLine* line : LinesOf(log, "verifying if device is supported")) {
    ids.insert(Field(*line, "id"));
    directories.insert(BaseNameOf(Field(*line, "library")));
  }
  std::string says = count == "0" ? "the first pass counted 0 devices, so there was nothing to "
                                    "verify: that no line \"verifying if device is supported\" "
                                    "is there says this and no more"
                                  : fmt::format("the first pass counted {}", count);
  if (ids.size() == 1 && count != "1" && directories.size() > 1)
    says += fmt::format(", one GPU once by each directory: {}", fmt::join(directories, " and "));
  else if (ids.size() == 1 && count != "1")
    says +=
        ", all of one id: the same backend was loaded more than once, as a link or a copy of it in "
        "the top directory makes it; the GPU is one";
  facts.push_back({says, lines.front()->text});
}

// Fields of a struct of another layout, where an id and an address should be.
void Misread(const FieldLines& log, std::vector<LogFact>& facts) {
  std::set<std::string> seen;
  for (const LogLine* line : LinesOf(log, "verifying if device is supported")) {
    const std::string id = Field(*line, "id"), address = Field(*line, "pci_id");
    const auto in_id = FieldsInUuid(id), in_address = FieldsInPciId(address);
    if ((!in_id && !in_address) || !seen.insert(id).second) continue;
    std::string says =
        "the backend was asked, and read cudaDeviceProp in another layout than it was filled in:";
    if (in_id) says += fmt::format(" the id {} is {};", id, SentenceOf(*in_id));
    if (in_address) says += fmt::format(" the pci_id {} is {};", address, SentenceOf(*in_address));
    says +=
        " in CUDA 12 and 13 uuid is at offset 256, totalGlobalMem at 288 and major at 360 (0x168)";
    // What was read as uuid was written at 256: the memory's 8 bytes, then what follows them in the
    // writer's struct.
    if (in_id && in_id->kind == Reason::Kind::kMemoryAndCompute)
      says += "; this one was written with the memory at 256 and major at 264";
    if (in_id && in_id->kind == Reason::Kind::kMemoryAndShared)
      says +=
          "; this one was written without uuid, luid and their mask, all behind them 32 bytes too "
          "early: major at 328";
    facts.push_back({says, line->text});
  }
}

void Dropped(const FieldLines& log, std::vector<LogFact>& facts) {
  const std::vector<const LogLine*> lines =
      LinesOf(log, "filtering device which didn't fully initialize");
  if (lines.empty()) return;
  std::string says =
      "the second pass dropped it: a child for this device alone, with GGML_CUDA_INIT=1, which "
      "makes the backend abort on a compute capability that it was not built for, gave no device; ";
  std::string died;
  for (const LogLine* exited : LinesOf(log, "runner exited"))
    if (IsSecondPass(*exited))
      died = fmt::format("it died, with exit code {}", Field(*exited, "code"));
  says += !died.empty() ? died
          : log.traced  ? "it lived and answered []"
                        : "whether it died is in no log below OLLAMA_DEBUG=2";
  facts.push_back({says, lines.front()->text});
}

void Variables(const FieldLines& log, std::vector<LogFact>& facts) {
  std::vector<const LogLine*> lines = LinesOf(log, "subprocess");
  std::erase_if(lines, [](const LogLine* line) { return line->message != "subprocess"; });
  if (lines.empty()) return;
  const LogLine& line = *lines.front();
  std::string says =
      "this line shows PATH, LD_LIBRARY_PATH and names such as OLLAMA_, CUDA_ and GGML_ alone: "
      "that LD_PRELOAD is not in it says nothing; "
      "OLLAMA_LIBRARY_PATH is the server's own, whatever the unit sets";
  if (const std::string number = Field(line, "OLLAMA_NUM_GPU"); !number.empty())
    says += fmt::format("; OLLAMA_NUM_GPU={} is read by no part of Ollama", number);
  facts.push_back({says, line.text});
}

void Ended(const FieldLines& log, std::vector<LogFact>& facts) {
  for (const LogLine* line : LinesOf(log, "inference compute"))
    if (Field(*line, "library") == "cpu")
      facts.push_back(
          {"the line of the CPU is the same on every machine: its empty pci_id is no address that "
           "could not be read",
           line->text});
}

}  // namespace

std::vector<LogFact> FactsOfLog(const LogReading& reading) {
  const bool older = reading.version.empty() ? reading.dated.below == "0.12.4"
                                             : Holds({"", "0.12.4"}, reading.version);
  if (reading.program != "ollama" || older) return {};
  FieldLines log;
  log.traced = reading.level == "TRACE";
  log.has_runners = reading.version.empty() || Holds({"", "0.30"}, reading.version);
  int last = 0;
  for (const LineFact& fact : reading.facts) {
    if (fact.line.number == last) continue;
    last = fact.line.number;
    log.log.push_back(
        ParseLogLine({0, Stream::kStderr, "time=- " + fact.line.text}, LogFormat::kSlog));
  }
  std::vector<LogFact> facts;
  WasTried(log, facts);
  Skipped(log, facts);
  Counted(log, facts);
  Misread(log, facts);
  Dropped(log, facts);
  Variables(log, facts);
  Ended(log, facts);
  return facts;
}

}  // namespace gpustage
