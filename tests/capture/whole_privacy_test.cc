// Whatever stands in whichever field of a machine, it is not in what gpustage-capture writes of it.
#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "harness/capture/privacy.h"
#include "harness/capture/scenario_text.h"
#include "tests/capture/secrets.h"

namespace gpustage::capture {
namespace {

using testing::HasSubstr;
using testing::Not;

FileFacts FileAt(const std::string& path, FileKind kind = FileKind::kFile) {
  FileFacts file;
  file.path = path;
  file.kind = kind;
  file.mode = 0755;
  file.size = 9;
  if (kind == FileKind::kFile) file.elf.emplace().is_elf = true;
  return file;
}

// A machine whose driver answers, as a frame for what is planted.
MachineFacts Plain() {
  MachineFacts facts;
  facts.distribution = "debian";
  facts.files = {FileAt("/usr/lib/libcuda.so.1")};
  facts.files.back().elf->soname = "libcuda.so.1";
  Answer answer;
  answer.family = "cuda";
  answer.library = "libcuda.so.1";
  answer.values = {{"cuInit", "0"}, {"count", "1"}};
  answer.devices = {{{"name", "NVIDIA A40"},
                     {"memory_total", "1"},
                     {"attribute.75", "8"},
                     {"attribute.76", "6"}}};
  facts.answers = {answer};
  return facts;
}

struct Field {
  const char* name;
  std::function<void(MachineFacts&, const std::string&)> plant;
};
using Text = const std::string&;

ElfFacts& Library(MachineFacts& facts, const std::string& name) {
  facts.files.push_back(FileAt("/opt/x/" + name));
  return *facts.files.back().elf;
}

// Every text of MachineFacts, and of what is in it. Words of ours (Gap::what, why, command;
// markers, names of modules, of namespaces and of limits) are none.
std::vector<Field> Fields() {
  return {
      {"distribution", [](auto& m, Text s) { m.distribution = s; }},
      {"its version", [](auto& m, Text s) { m.distribution_version = s; }},
      {"kernel", [](auto& m, Text s) { m.kernel = s; }},
      {"kernel_driver", [](auto& m, Text s) { m.kernel_driver = s; }},
      {"directory",
       [](auto& m, Text s) { m.files.push_back(FileAt("/srv/" + s, FileKind::kDirectory)); }},
      {"home", [](auto& m, Text s) { m.files.push_back(FileAt("/home/" + s + "/libcuda.so.1")); }},
      {"file name",
       [](auto& m, Text s) { m.files.push_back(FileAt("/usr/lib/lib" + s + ".so.1")); }},
      {"version in a file name",
       [](auto& m, Text s) { m.files.push_back(FileAt("/usr/lib/libcuda.so." + s)); }},
      {"link text",
       [](auto& m, Text s) {
         m.files.push_back(FileAt("/usr/lib/libcuda.so", FileKind::kLink));
         m.files.back().link = "/srv/" + s + "/libcuda.so.1";
       }},
      {"text of a file",
       [](auto& m, Text s) {
         m.files.push_back(FileAt("/opt/libcuda.so.1"));
         m.files.back().elf.reset();
         m.files.back().text = s;
       }},
      {"why a file is not read",
       [](auto& m, Text s) {
         m.files.push_back(FileAt("/opt/libcuda.so.1"));
         m.files.back().error = s;
       }},
      {"SONAME", [](auto& m, Text s) { Library(m, "libcuda.so.1").soname = "lib" + s + ".so"; }},
      {"SONAME of a known stem",
       [](auto& m, Text s) { Library(m, "libcudart.so.12").soname = "libcudart.so.12." + s; }},
      {"NEEDED",
       [](auto& m, Text s) { Library(m, "libggml-cuda.so").needed = {"lib" + s + ".so"}; }},
      {"RUNPATH",
       [](auto& m, Text s) {
         ElfFacts& elf = Library(m, "libcuda.so.1");
         elf.soname = "libcuda.so.1";
         elf.runpath = "$ORIGIN:/srv/" + s;
       }},
      {"RPATH",
       [](auto& m, Text s) {
         ElfFacts& elf = Library(m, "libcuda.so.1");
         elf.soname = "libcuda.so.1";
         elf.rpath = s + ":/usr/lib";
       }},
      {"version that it defines",
       [](auto& m, Text s) { Library(m, "libcuda.so.1").versions = {s}; }},
      {"version that it wants",
       [](auto& m, Text s) {
         Library(m, "libcuda.so.1").wanted_versions = {{s, s}};
       }},
      {"build id", [](auto& m, Text s) { Library(m, "libcuda.so.1").build_id = s; }},
      {"unmet need",
       [](auto& m, Text s) { Library(m, "libggml-cuda.so").unmet = {"lib" + s + ".so"}; }},
      {"node", [](auto& m, Text s) { m.nodes.push_back(FileAt("/dev/" + s, FileKind::kDevice)); }},
      {"node of NVIDIA's",
       [](auto& m, Text s) { m.nodes.push_back(FileAt("/dev/nvidia" + s, FileKind::kDevice)); }},
      {"text of a node",
       [](auto& m, Text s) {
         m.nodes.push_back(FileAt("/dev/nvidiactl"));
         m.nodes.back().text = s;
       }},
      {"version of a module",
       [](auto& m, Text s) {
         m.modules = {{"nvidia", s}};
       }},
      {"kernel's driver of a card",
       [](auto& m, Text s) {
         m.cards = {{0x10de, 0x2335, 0, s}};
       }},
      {"manifest",
       [](auto& m, Text s) {
         m.files.push_back(FileAt("/usr/share/vulkan/icd.d/" + s + ".json"));
         m.files.back().elf.reset();
         m.files.back().text = "{\"ICD\": {\"library_path\": \"/srv/" + s +
                               "/libvulkan_radeon.so\", " + "\"api_version\": \"" + s + "\"}}";
       }},
      {"vendor of OpenCL",
       [](auto& m, Text s) {
         m.files.push_back(FileAt("/etc/OpenCL/vendors/" + s + ".icd"));
         m.files.back().elf.reset();
         m.files.back().text = s;
       }},
      {"kernels of rocBLAS",
       [](auto& m, Text s) {
         m.files.push_back(FileAt("/opt/rocm/lib/rocblas/library/TensileLibrary_lazy_" + s));
         m.files.back().elf.reset();
       }},
      {"version of glibc that it wants",
       [](auto& m, Text s) { Library(m, "libcuda.so.1").newer_libc = s; }},
      {"what it was asked of Vulkan and HIP",
       [](auto& m, Text s) {
         for (const char* family : {"hip", "vulkan"})
           m.answers.push_back({family,
                                "/srv/" + s + "/lib" + s + ".so",
                                s,
                                {{"count", s}},
                                {{{"name", s}, {"memory_total", s}}},
                                s});
         m.kfd = {{0x1002, 0x744c, 110000, s}};
       }},
      {"ld.so.conf", [](auto& m, Text s) { m.loader_directories = {"/srv/" + s}; }},
      {"ld.so.cache",
       [](auto& m, Text s) {
         m.loader_cache = {{s, "/srv/" + s}};
       }},
      {"name of a variable",
       [](auto& m, Text s) {
         m.process.environment = {{s, "1"}};
       }},
      {"variables",
       [](auto& m, Text s) {
         for (const auto& [name, kind] : KnownVariables())
           m.process.environment.emplace_back(name, s);
       }},
      {"search paths",
       [](auto& m, Text s) {
         for (const auto& [name, kind] : KnownVariables())
           m.process.environment.emplace_back(name, "/usr/lib:/home/" + s + ":,GPU-" + s);
       }},
      {"command line",
       [](auto& m, Text s) {
         m.process.argv = {s, "--" + s};
       }},
      {"program", [](auto& m, Text s) { m.process.executable = "/opt/" + s; }},
      {"working directory", [](auto& m, Text s) { m.process.working_directory = "/srv/" + s; }},
      {"root", [](auto& m, Text s) { m.process.root = "/srv/" + s; }},
      {"what was asked",
       [](auto& m, Text s) { m.answers[0].library = "/srv/" + s + "/libcuda.so.1"; }},
      {"what was mapped",
       [](auto& m, Text s) { m.answers[0].path = "/srv/" + s + "/libcuda.so.1"; }},
      {"runtime that was asked",
       [](auto& m, Text s) {
         m.answers.push_back(
             {"cudart", "/srv/" + s + "/libcudart.so.12", s, {{"count", s}}, {}, s});
       }},
      {"value of an answer",
       [](auto& m, Text s) {
         for (const char* key : {"cuInit", "driver", "runtime", "count", "nvmlInit_v2"})
           m.answers[0].values[key] = s;
       }},
      {"key of an answer", [](auto& m, Text s) { m.answers[0].values[s] = "1"; }},
      {"name of a device",
       [](auto& m, Text s) { m.answers[0].devices[0]["name"] = "NVIDIA " + s; }},
      {"UUID of a device", [](auto& m, Text s) { m.answers[0].devices[0]["uuid"] = s; }},
      {"attributes of a device",
       [](auto& m, Text s) {
         for (auto& [key, value] : m.answers[0].devices[0]) value = s;
         m.answers[0].devices[0]["attribute.33"] = s;
         m.answers[0].devices[0]["attribute.3"] = s;
       }},
      {"why nothing answered",
       [](auto& m, Text s) { m.answers[0].error = s + ": cannot open " + s; }},
      {"path of a gap",
       [](auto& m, Text s) {
         m.gaps.push_back({"a file", "/srv/" + s, "why", "cat"});
       }},
      {"program behind --",
       [](auto& m, Text s) {
         m.scanner = {"/opt/" + s, s};
       }},
      {"what it printed",
       [](auto& m, Text s) {
         m.scanner = {"/bin/true"};
         m.scanner_output =
             "error: " + s + " not found\n" + s + "\nlevel=INFO path=/srv/" + s + "\n";
       }},
  };
}

// Letters are among it: a number alone may be an ordinal or a version, which are kept.
std::string RandomText(std::mt19937& random) {
  static const std::string letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+@% .=\"'\\";
  std::string text = "z";
  const size_t length = 7 + random() % 20;
  for (size_t i = 0; i < length; ++i) text += letters[random() % letters.size()];
  return text + letters[random() % 52];
}

// Blanks part words, and a word may be one of everybody's.
std::string Longest(const std::string& text) {
  std::string longest;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of(" \"'\\=%", begin), text.size());
    if (end - begin > longest.size()) longest = text.substr(begin, end - begin);
    begin = end + 1;
  }
  return longest;
}

TEST(WholeCapturePrivacy, NoRandomTextOfAnyFieldIsInTheScenario) {
  std::mt19937 random(20261130);
  const std::vector<Field> fields = Fields();
  for (int i = 0; i < 1500; ++i) {
    const std::string text = RandomText(random), secret = Longest(text);
    if (secret.size() < 7) continue;
    const Field& field = fields[static_cast<size_t>(i) % fields.size()];
    MachineFacts facts = Plain();
    field.plant(facts, text);
    ASSERT_THAT(ScenarioText(facts), Not(HasSubstr(secret))) << field.name << ": " << text;
  }
}

TEST(WholeCapturePrivacy, NoPlantedSecretOfAnyFieldIsInTheScenario) {
  std::set<std::string> kinds;
  for (const auto& [kind, secret] : kSecrets) {
    kinds.insert(kind);
    for (const Field& field : Fields()) {
      MachineFacts facts = Plain();
      field.plant(facts, secret);
      EXPECT_THAT(ScenarioText(facts), Not(HasSubstr(secret))) << kind << ", " << field.name;
    }
  }
  EXPECT_GE(std::size(kSecrets), 60u);
  EXPECT_GE(kinds.size(), 40u);
}

// Ids of users are numbers of a machine, too.
TEST(WholeCapturePrivacy, NoIdOfAUserIsInIt) {
  MachineFacts facts = Plain();
  facts.process.uid = facts.process.gid = 483921;
  facts.process.groups = {483922};
  facts.files.back().uid = facts.files.back().gid = 483921;
  EXPECT_THAT(ScenarioText(facts), Not(HasSubstr("48392")));
}

// Where CUDA does not start NVML alone names the device: a file of fixtures/devices has that name,
// "Orin" several have, and of what none has nothing is known.
TEST(ScenarioText, HasTheProfileOfTheNameThatNvmlGives) {
  const auto named = [](const std::string& name) {
    MachineFacts facts = Plain();
    facts.answers[0].values = {{"cuInit", "999"}};
    facts.answers[0].devices.clear();
    Answer management;
    management.family = "nvml";
    management.library = "libnvidia-ml.so.1";
    management.values = {{"nvmlInit_v2", "0"}, {"count", "1"}};
    management.devices = {{{"name", name}}};
    facts.answers.push_back(management);
    return ScenarioText(facts);
  };
  EXPECT_THAT(named("NVIDIA H200"),
              HasSubstr("profile: h200-141gb  # NVML calls it NVIDIA H200\n"));
  EXPECT_THAT(named("NVIDIA RTX A6000"), HasSubstr("profile: rtx-a6000  #"));
  for (const char* name : {"Orin", "NVIDIA T1000"})
    EXPECT_THAT(named(name), HasSubstr("NOT KNOWN which")) << name;
}

}  // namespace
}  // namespace gpustage::capture
