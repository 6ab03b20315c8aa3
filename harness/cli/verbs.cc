#include "harness/cli/verbs.h"

#include <algorithm>

namespace gpustage {

Action DeclarePack(CLI::App& app);
Action DeclareUpdate(CLI::App& app);

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> verbs = {
      {"run", "run scenarios and hold them to what they expect", DeclareRun},
      {"trace", "where the device was lost, and what shows it", DeclareTrace, true},
      {"why", "the smallest changes that bring the device back, proven by running", DeclareWhy},
      {"minimize", "the smallest scenario with the same loss, and what mends it", DeclareMinimize},
      {"diff", "what differs between two runs: the first event, then what led to it", DeclareDiff},
      {"explain", "what a pasted log says, which causes it leaves, and what tells more",
       DeclareExplain},
      {"import", "a scenario of what people paste: listings, nvidia-smi, env, logs", DeclareImport},
      {"find", "whose problem looks like mine: scenarios by words, a log or a case", DeclareFind},
      {"list", "list cases, their runs and their claims", DeclareList},
      {"new", "write a first scenario to go on from", DeclareNew},
      {"check", "the mistakes of scenario files, without running any", DeclareCheck},
      {"lint", "what is odd about scenario files, with the reason and what mends it", DeclareLint},
      {"fmt", "lay scenario files out as they usually are; comments stay", DeclareFmt},
      {"update", "put what was seen in place of what is expected, change by change", DeclareUpdate},
      {"watch", "run a scenario whenever it is saved", DeclareWatch},
      {"pack", "a scenario with all of your own that it needs, in one file", DeclarePack},
      {"show", "show a resolved case and its plan", DeclareShow},
      {"shell", "a shell inside a staged case, watched like a run", DeclareShell, true},
      {"exec", "run any program inside a staged case", DeclareExec, true},
      {"compare", "what differs between two scanners or versions", DeclareCompare},
      {"record", "keep what scanners saw and said as data", DeclareRecord},
      {"record-device", "a file of fixtures/devices from what this machine's driver answers",
       DeclareRecordDevice},
      {"merge", "the JSON reports of shards as one run", DeclareMerge},
      {"doctor", "what this machine can do, and what is missing", DeclareDoctor},
      {"help", "what the commands do, or the options of one", DeclareHelp},
      {"version", "version, commit and date of this program, and its parts", DeclareVersion},
      {"explain-log", "explain, by its old name", DeclareExplain, false, true},
      {"complete", "what may stand where the last word stands", DeclareComplete, true, true},
  };
  return verbs;
}

std::vector<std::string> NamesOfVerbs() {
  std::vector<std::string> names;
  for (const Verb& verb : Verbs())
    if (!verb.hidden) names.emplace_back(verb.name);
  return names;
}

const Verb* FindVerb(std::string_view name) {
  const auto found = std::find_if(Verbs().begin(), Verbs().end(),
                                  [&](const Verb& verb) { return verb.name == name; });
  return found == Verbs().end() ? nullptr : &*found;
}

}  // namespace gpustage
