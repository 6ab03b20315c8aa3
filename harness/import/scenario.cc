// A machine of pasted texts as a scenario, by the writer of gpustage-capture.
#include <fmt/format.h>

#include <algorithm>

#include "harness/import/assemble.h"
#include "harness/import/text.h"
#include "harness/stage/identity.h"

namespace gpustage::pasted {
namespace {

using capture::Quoted;

class Writer : public capture::Sections {
 public:
  explicit Writer(const Machine& machine)
      : Sections(machine.facts, machine.origins), machine_(machine) {}

  std::string Write() {
    Head();
    MachineOf();
    if (!machine_.layouts.empty())
      Line("layout: [" + Joined(machine_.layouts) + "]  # not told: stands for what is not listed");
    const Asked asked = machine_.symptom.asked;
    // The nodes of AMD's and Intel's cards are the layout's.
    Tree(asked == Asked::kHip || asked == Asked::kVulkan ? 0 : machine_.devices.size(),
         machine_.more);
    Environment("");
    User();
    Runs();
    return text_;
  }

 private:
  static std::string Joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  }

  void Head() {
    Comment("Written by gpustage import, of " + Joined(machine_.files) + ": " +
            Joined(machine_.texts) + ".");
    Comment(
        "What is not a word of GPU software is a placeholder (p1, p2, …), the same for the same "
        "text.");
    const Symptom& symptom = machine_.symptom;
    Line("claim: " + Quoted("pasted texts: " + (symptom.reported ? Clean(symptom.says)
                                                                 : "nobody says how many devices "
                                                                   "are seen")));
    Line("tags: [imported]");
    for (const std::string& sentence : machine_.why)
      Comment("LOSES THE DEVICE: " + Clean(sentence));
    for (const Contradiction& two : machine_.contradictions)
      Comment(fmt::format("CONTRADICTION: {} is {} ({}) and {} ({})", Clean(two.what),
                          ValueOf(two, two.one), two.one_from, ValueOf(two, two.other),
                          two.other_from));
    for (const capture::Gap& gap : machine_.facts.gaps) {
      Comment("NOT KNOWN: " + gap.what + ": " + gap.why);
      Comment("  try: " + gap.command);
    }
    for (const std::string& command : machine_.log_asks) {
      Comment("NOT KNOWN: why there is no device: the log does not say it");
      Comment("  try: " + Clean(command));
    }
    if (IsUnexplained())
      Line("xfail: {reason: " +
           Quoted(machine_.not_staged.empty()
                      ? "the texts do not say why; NOT KNOWN above names what would"
                      : machine_.not_staged) +
           "}");
  }

  // A sentence of ours with paths of the texts in it, each as the tree has it.
  std::string Clean(const std::string& sentence) {
    std::string clean, word;
    const auto finish = [&] {
      const size_t begin = word.find('/'), end = word.find_last_not_of(".,;:)'\"");
      if (begin == std::string::npos || begin > end) {
        clean += word;
      } else {
        clean += word.substr(0, begin) + places_.Paths(word.substr(begin, end + 1 - begin)) +
                 word.substr(end + 1);
      }
      word.clear();
    };
    for (const char c : sentence) {
      if (c != ' ') {
        word += c;
        continue;
      }
      finish();
      clean += ' ';
    }
    finish();
    return clean;
  }

  std::string ValueOf(const Contradiction& two, const std::string& value) {
    if (two.variable.empty()) return Clean(value);
    return Quoted(OfVariable(two.variable, value));
  }

  bool IsUnexplained() const {
    const Symptom& symptom = machine_.symptom;
    if (!machine_.not_staged.empty()) return true;
    if (!symptom.reported) return false;
    const bool lost = !machine_.why.empty();
    if (symptom.devices == 0) return !lost;
    return lost;
  }

  void MachineOf() {
    Line("machine:");
    Line(machine_.devices.empty() ? "  devices: []" : "  devices:");
    size_t number = 0;
    for (const StagedDevice& device : machine_.devices) {
      char uuid[64];
      snprintf(uuid, sizeof uuid, "GPU-00000000-0000-0000-0000-%012zx", ++number);
      if (!device.uuid.empty()) places_.KnowDevice(device.uuid, uuid);
      const std::string from = device.from.empty() ? "" : "  # " + device.from;
      Line("    - profile: " + (device.profile.empty() ? "rtx-3090" : device.profile) + from +
           (device.profile.empty() ? "; no profile has its name" : ""));
      Line(std::string("      uuid: ") + uuid);
      // A name of which no word may be written is none.
      if (const std::string name = capture::ProductName(device.name);
          name.find_first_not_of("? ") != std::string::npos)
        Line("      name: " + Quoted(name));
      if (!device.compute.empty()) Line("      cc: " + device.compute);
      if (!device.gfx.empty()) Line("      gfx: " + device.gfx);
      if (device.memory > 0) Line("      memory_total: " + std::to_string(device.memory));
    }
    const auto version = [&](const char* key, const std::string& value) {
      if (const std::string plain = capture::DriverVersion(value); !plain.empty())
        Line(std::string("  ") + key + ": \"" + plain + "\"" + From(key));
    };
    version("driver", machine_.driver);
    if (!SameVersion(machine_.driver, machine_.kernel_driver))
      version("kernel_driver", machine_.kernel_driver);
    version("cuda", machine_.cuda);
    if (machine_.faults.empty()) return;
    Line("  faults:");
    for (const std::string& fault : machine_.faults) Line("    - " + fault);
  }

  void User() {
    const std::string& user = machine_.user;
    if (user.empty()) {
      const bool service = machine_.symptom.asked == Asked::kOllama;
      // Root would make missing nodes, as nvidia-modprobe does.
      Line(service ? "user: ollama  # not told: as its installer has it"
                   : "user: user  # not told: somebody who is not root");
      return;
    }
    unsigned owner = 0;
    for (const capture::FileFacts& file : machine_.facts.files)
      if (file.uid >= 2000) owner = file.uid;
    if (FindUser(user))
      Line("user: " + Quoted(user) + "  # " + Clean(machine_.user_from));
    else
      Line("user: \"" + std::to_string(ids_.Of(owner != 0 ? owner : 1000)) + "\"  # " +
           Clean(machine_.user_from));
  }

  void Runs() {
    std::string run, needs;
    switch (machine_.symptom.asked) {
      case Asked::kOllama: run = "{name: service, scanner: ollama-model}"; break;
      case Asked::kVulkan: run = "{name: service, scanner: vulkaninfo}"; break;
      case Asked::kHip: run = "{name: service, scanner: dlopen, args: [libamdhip64.so.6]}"; break;
      case Asked::kManagement:
        run = "{name: service, scanner: dlopen, args: [libnvidia-ml.so.1]}";
        break;
      case Asked::kRuntime:
        run = "{name: service, scanner: dlopen, args: [/opt/torch/lib/libcudart.so.12]}";
        break;
      case Asked::kBackend: {
        const std::string folder = FolderOf(machine_.backend), root = FolderOf(folder);
        run = fmt::format(
            "{{name: service, scanner: dlopen, args: [{}], env: {{LD_LIBRARY_PATH: \"{}:{}\"}}}}",
            Quoted(PathOf(machine_.backend)), PathOf(root), PathOf(folder));
        break;
      }
      case Asked::kDriver: run = "{name: service, scanner: dlopen, args: [libcuda.so.1]}"; break;
    }
    Line("runs:");
    Line("  - " + run);
    Line("expect:");
    const Symptom& symptom = machine_.symptom;
    Line("  - {run: service, devices: " + std::to_string(symptom.devices) + "}  # " +
         (symptom.from.empty() ? "what the files come to" : symptom.from));
  }

  const Machine& machine_;
};

}  // namespace

std::string ScenarioOf(Machine machine) {
  if (machine.symptom.asked == Asked::kRuntime)
    machine.more.emplace_back(
        "{library: /opt/torch/lib/libcudart.so.12, fake: cudart-12}  # not told: PyTorch brings "
        "one");
  return Writer(machine).Write();
}

}  // namespace gpustage::pasted
