// Pastes of public threads (fixtures/pastes): each gives the symptom that its thread reports, or
// says what is missing.
#include "harness/base/files.h"
#include "harness/scenario/yaml/fields.h"
#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Paste {
  std::string thread, text, missing;
  std::vector<std::string> has;
  int devices = -1;
};

Result<Paste> ReadPaste(const std::string& path) {
  TRY(const YamlNode file, ReadYamlFile(path));
  TRY(CheckKeys(file, "a paste", {"thread", "stated", "devices", "missing", "has", "text"}));
  Paste paste;
  TRY(const YamlNode* thread, Require(file, "a paste", "thread"));
  paste.thread = thread->text;
  TRY(const YamlNode* stated, Require(file, "a paste", "stated"));
  TRY(const std::string said, ReadNonEmpty(*stated, "what the thread says"));
  TRY(const YamlNode* text, Require(file, "a paste", "text"));
  paste.text = text->text;
  if (const YamlNode* missing = file.Find("missing")) paste.missing = missing->text;
  if (const YamlNode* devices = file.Find("devices")) {
    TRY(paste.devices, ReadInt(*devices, "devices", 0, 16));
  }
  if (const YamlNode* has = file.Find("has"))
    for (const YamlNode& one : has->items) paste.has.push_back(one.text);
  return paste;
}

std::vector<std::string> Pastes() {
  std::vector<std::string> names;
  const auto files = FilesBelow(InSources("/fixtures/pastes"), ".yaml");
  if (files)
    for (const std::string& file : *files) names.push_back(BaseNameOf(file));
  return names;
}

class Pasted : public StagedCliTest, public testing::WithParamInterface<std::string> {};

TEST_P(Pasted, GivesTheSymptomOrSaysWhatIsMissing) {
  const auto paste = ReadPaste(InSources("/fixtures/pastes/") + GetParam());
  ASSERT_THAT(paste, IsOk());
  Write("bug.txt", paste->text);
  const Ran imported = Run({"import", Path("bug.txt"), "-o", Path("bug.yaml")});
  ASSERT_EQ(imported.status, 0) << imported.err;
  const std::string scenario = *ReadFile(Path("bug.yaml"));
  for (const std::string& has : paste->has) EXPECT_THAT(scenario, HasSubstr(has));
  EXPECT_EQ(scenario.find("GPU-00000000-0000-0000-0000-") != std::string::npos,
            scenario.find("devices: []") == std::string::npos);
  const Ran ran = Run({"run", Path("bug.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.out << scenario;
  if (paste->missing.empty()) {
    const std::string count = std::to_string(paste->devices) + " device";
    EXPECT_THAT(ran.out, testing::AllOf(HasSubstr("ok    bug"), HasSubstr(count))) << scenario;
  } else {
    EXPECT_THAT(scenario, testing::AllOf(HasSubstr("NOT KNOWN"), HasSubstr("  try: "),
                                         HasSubstr(paste->missing)));
  }
}

INSTANTIATE_TEST_SUITE_P(OfThreads, Pasted, testing::ValuesIn(Pastes()), [](const auto& paste) {
  std::string name = paste.param.substr(0, paste.param.rfind('.'));
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST(Pastes, AreOfAtLeast25Threads) { EXPECT_GE(Pastes().size(), 25u); }

class ImportCli : public StagedCliTest {
 protected:
  std::string Import(const std::string& text) const {
    Write("bug.txt", text);
    const Ran ran = Run({"import", Path("bug.txt")});
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }
};

// Each value stands beside the text and the line that said it.
TEST_F(ImportCli, EachValueSaysWhereItCameFrom) {
  const std::string scenario = Import(
      "$ nvidia-smi -L\n"
      "GPU 0: NVIDIA A40 (UUID: GPU-aaaaaaaa-1111-2222-3333-444444444444)\n"
      "$ env | grep CUDA\n"
      "CUDA_VISIBLE_DEVICES=GPU-aaaaaaaa-1111-2222-3333-444444444444\n");
  EXPECT_THAT(scenario, HasSubstr("profile: a40  # nvidia-smi -L, bug.txt:2"));
  EXPECT_THAT(scenario,
              HasSubstr("CUDA_VISIBLE_DEVICES: "
                        "\"GPU-00000000-0000-0000-0000-000000000001\"  # env, bug.txt:4"));
  EXPECT_THAT(scenario, Not(HasSubstr("aaaaaaaa")));
}

TEST_F(ImportCli, NothingPrivateIsInIt) {
  const std::string scenario = Import(
      "annaschmidt@gpu01:~$ ls -l /home/annaschmidt/geheim/\n"
      "lrwxrwxrwx 1 anna staff 17 Jun 29 12:51 libcuda.so.1 -> "
      "/opt/kunde4711/libcuda.so.550.54.15\n"
      "annaschmidt@gpu01:~$ env\n"
      "HF_TOKEN=hf_AbCdEfGh\n"
      "LD_LIBRARY_PATH=/home/annaschmidt/geheim\n");
  for (const char* secret : {"annaschmidt", "geheim", "gpu01", "kunde4711", "hf_"})
    EXPECT_THAT(scenario, Not(HasSubstr(secret)));
  EXPECT_THAT(scenario, HasSubstr("/libcuda.so.1\", to: \"/opt/p"));
}

TEST_F(ImportCli, StandardInputAndSeveralFilesAreRead) {
  Write("a.txt", "NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4\n");
  Write("b.txt", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.06  Wed Jun 26\n");
  const Ran ran = Run({"import", Path("a.txt"), Path("b.txt")});
  EXPECT_THAT(ran.out, HasSubstr("CONTRADICTION: the driver's kernel module is 550.54.15 "
                                 "(nvidia-smi, a.txt:1) and 535.183.06 "
                                 "(NVRM version, b.txt:1)"));
}

TEST_F(ImportCli, WhatIsNoPasteIsRefusedWithASentence) {
  Write("nothing.txt", "it does not work, please help\n");
  const Ran nothing = Run({"import", Path("nothing.txt")});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("nothing in nothing.txt is known here: expected what ls -l"));
  Write("binary", std::string("\x7f"
                              "ELF\0\1\2",
                              7));
  const Ran binary = Run({"import", Path("binary")});
  EXPECT_EQ(binary.status, 2);
  EXPECT_THAT(binary.err, HasSubstr("binary is no text: it has a byte 0"));
  EXPECT_EQ(Run({"import", Path("absent")}).status, 2);
  EXPECT_EQ(Run({"import"}).status, 2);
}

}  // namespace
}  // namespace gpustage
