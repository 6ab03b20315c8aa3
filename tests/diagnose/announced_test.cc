#include "harness/diagnose/announced.h"

#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr char kNoCublas[] = "tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublas.so.12}]\n";

class AnnouncedTest : public DiagnoseTest {
 protected:
  static Held HeldOf(const FlatCase& flat, const std::string& text) {
    const Result<Announcement> announced =
        text.starts_with('{') ? ReadChange(text, FindCatalog({})) : ReadAnnouncement(text);
    EXPECT_THAT(announced, IsOk());
    WhyOptions options = WithoutWeighing();
    options.most_answers = 1;
    return Hold(*announced, flat, WhyOf(flat, options), TheRunner(), options);
  }
};

TEST_F(AnnouncedTest, WhatIsSoAlreadyIsRefuted) {
  const Held held =
      HeldOf(FlatOf(CaseOf("env: {OLLAMA_NUM_GPU: \"999\"}\n" + std::string(kNoCublas))),
             "OLLAMA_NUM_GPU=999 must be set");
  EXPECT_TRUE(held.is_so_already);
  EXPECT_FALSE(held.brings_back);
  EXPECT_FALSE(held.is_needed);
  EXPECT_THAT(HeldText(held), HasSubstr("refuted    it is so already, and there are 0 devices, 3 "
                                        "of 3 starts\n"));
  EXPECT_THAT(HeldText(held),
              HasSubstr("then, without what was announced: 1 device, 3 of 3 starts\n"));
}

TEST_F(AnnouncedTest, WhatBringsTheDeviceBackIsConfirmed) {
  const Held held = HeldOf(FlatOf(CaseOf("env: {CUDA_VISIBLE_DEVICES: \"\"}\n")),
                           "CUDA_VISIBLE_DEVICES must not be set");
  EXPECT_TRUE(held.brings_back);
  EXPECT_THAT(HeldText(held), HasSubstr("confirmed  with it 1 device, 3 of 3 starts\n"));
}

// Of a scenario's fix every key.
TEST_F(AnnouncedTest, AnyKeyOfAFixMayBeAnnounced) {
  const FlatCase faulty = FlatOf(WholeCaseOf(
      "machine: {devices: [h100-80gb], faults: [{function: cuInit, return: 999}]}\n"
      "layout: [nvidia-driver-debian]\nruns: [{scanner: dlopen, args: [libcuda.so.1]}]\n"));
  EXPECT_TRUE(HeldOf(faulty, "{machine: {faults: []}}").brings_back);
  EXPECT_FALSE(
      HeldOf(faulty, "{machine: {faults: [{function: cuInit, return: 100}]}}").brings_back);
  const FlatCase no_driver =
      FlatOf(WholeCaseOf("machine: {devices: [h100-80gb]}\nlayout: []\n"
                         "runs: [{scanner: dlopen, args: [libcuda.so.1]}]\n"));
  EXPECT_TRUE(HeldOf(no_driver, "{layout: [nvidia-driver-debian]}").brings_back);
  EXPECT_FALSE(HeldOf(no_driver, "{user: root, env: {A: a}}").brings_back);
}

TEST_F(AnnouncedTest, AGroupAndTheLoadersCacheMayBeAnnounced) {
  if (!TheRunner().CanSetOwners()) GTEST_SKIP() << "this machine has one user here";
  const std::string secret =
      "{file: /opt/a, content: a, mode: \"0640\"}, {chown: /opt/a, group: video}";
  const FlatCase shut = FlatOf(ScriptCaseOf("tree: [" + secret + "]\n", "[ -r /opt/a ]"));
  EXPECT_TRUE(HeldOf(shut, "{groups: [video]}").brings_back);
  EXPECT_TRUE(HeldOf(shut, "its user must be in the group video").brings_back);
  EXPECT_FALSE(HeldOf(shut, "{groups: [render]}").brings_back);
  const FlatCase older =
      FlatOf(WholeCaseOf("machine: {devices: [h100-80gb]}\nlayout: []\ntree:\n"
                         "  - {file: /etc/ld.so.conf.d/driver.conf, content: \"/opt/driver\\n\"}\n"
                         "  - {ldconfig: /etc/ld.so.cache}\n"
                         "  - {library: /opt/driver/libcuda.so.1, fake: cuda}\n"
                         "runs: [{scanner: dlopen, args: [libcuda.so.1]}]\n"));
  EXPECT_TRUE(HeldOf(older, "{tree: [{ldconfig: /etc/ld.so.cache}]}").brings_back);
}

TEST(Announcement, AKeyThatStandsElsewhereIsToldItsPlace) {
  const Catalog catalog = FindCatalog({});
  EXPECT_THAT(ReadChange("{driver: \"570.1\"}", catalog),
              FailsAt(1, 2, "unknown key \"driver\"; say machine: {driver: …}"));
  EXPECT_THAT(ReadChange("{env: {A: a}, ld.so.cache: new}", catalog),
              FailsAt(1, 15, "say tree: [{ldconfig: /etc/ld.so.cache}]"));
  EXPECT_THAT(ReadChange("{grups: [video]}", catalog), FailsAt(1, 2, "did you mean \"groups\"?"));
  EXPECT_THAT(ReadChange("{}", catalog), FailsAt(1, 1, "a change has layout, tree, machine"));
  EXPECT_THAT(ReadChange("{expect: []}", catalog), FailsAt(1, 2, "unknown key \"expect\""));
}

TEST(Announcement, WordsThatNameNothingAreRefused) {
  const Result<Announcement> announced = ReadAnnouncement("it is the weather");
  ASSERT_FALSE(announced.ok());
  EXPECT_THAT(announced.error().message,
              HasSubstr("\"it is the weather\" names nothing that can be changed; say \"NAME=VALUE "
                        "must be set\""));
}

}  // namespace
}  // namespace gpustage
