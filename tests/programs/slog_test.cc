// Expected texts are what Go 1.26 printed for the same values: slog.NewTextHandler, time.Duration
// and fmt's %v.
#include "fakes/scanner/slog.h"

#include <gtest/gtest.h>

#include "fakes/scanner/device.h"

namespace gpustage::ollama {
namespace {

TEST(Slog, QuotesAsTheTextHandlerDoes) {
  const std::pair<const char*, const char*> values[] = {{"", "\"\""},
                                                        {"plain", "plain"},
                                                        {"a b", "\"a b\""},
                                                        {"a=b", "\"a=b\""},
                                                        {"a\"b", "\"a\\\"b\""},
                                                        {"a\\b", "a\\b"},
                                                        {"[/a", "[/a"},
                                                        {"tab\t", "\"tab\\t\""},
                                                        {"nl\n", "\"nl\\n\""},
                                                        {"é", "é"},
                                                        {"\xff", "\"\\xff\""},
                                                        {"\x7f", "\x7f"},
                                                        {"\u00a0", "\"\\u00a0\""},
                                                        {"\u0085", "\"\\u0085\""},
                                                        {"\ufffd", "\"\ufffd\""},
                                                        {"\x01", "\"\\x01\""},
                                                        {"日本", "日本"},
                                                        {"cuda_v12\u200b", "\"cuda_v12\\u200b\""},
                                                        {"\ufeffa", "\"\\ufeffa\""},
                                                        {"a\u2028b", "\"a\\u2028b\""},
                                                        {"\U000e0020", "\"\\U000e0020\""},
                                                        {"\U0001f600", "\U0001f600"},
                                                        {"a'b", "a'b"}};
  for (const auto& [value, quoted] : values) EXPECT_EQ(Quoted(value), quoted);
}

TEST(Slog, PrintsDurationsAsGo) {
  const std::pair<long long, const char*> durations[] = {{0, "0s"},
                                                         {999, "999ns"},
                                                         {1500, "1.5µs"},
                                                         {11749703, "11.749703ms"},
                                                         {107806162, "107.806162ms"},
                                                         {999999999, "999.999999ms"},
                                                         {1000000000, "1s"},
                                                         {61000000000, "1m1s"},
                                                         {90000000001, "1m30.000000001s"}};
  for (const auto& [ns, text] : durations) EXPECT_EQ(GoText(std::chrono::nanoseconds(ns)), text);
}

TEST(Slog, PrintsSlicesAndMapsAsGo) {
  EXPECT_EQ(GoText(std::vector<std::string>{"/a", "/b"}), "[/a /b]");
  EXPECT_EQ(GoText(EnvMap{{"b", "2"}, {"a", "1"}}), "map[a:1 b:2]");
  EXPECT_EQ(GoText(EnvMap{}), "map[]");
}

// The line of a real Ollama 0.15.4 in ollama/ollama#14052.
TEST(Slog, PrintsDevicesAsARealLogDoes) {
  DeviceInfo device;
  device.id = "GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c";
  device.library = "CUDA";
  device.name = "CUDA0";
  device.description = "NVIDIA GeForce RTX 4070";
  device.pci_id = "0000:01:00.0";
  device.total_memory = 12878610432;
  device.free_memory = 11210129408;
  device.compute_major = 8;
  device.compute_minor = 9;
  device.driver_major = 13;
  device.library_path = {"/usr/local/lib/ollama", "/usr/local/lib/ollama/cuda_v13"};
  EXPECT_EQ(GoText(std::vector{device}),
            "[{DeviceID:{ID:GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c Library:CUDA} Name:CUDA0 "
            "Description:NVIDIA GeForce RTX "
            "4070 FilterID: Integrated:false PCIID:0000:01:00.0 TotalMemory:12878610432 "
            "FreeMemory:11210129408 "
            "ComputeMajor:8 ComputeMinor:9 DriverMajor:13 DriverMinor:0 "
            "LibraryPath:[/usr/local/lib/ollama "
            "/usr/local/lib/ollama/cuda_v13]}]");
}

TEST(Slog, RoundsBytesAsOllamaFormats) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(12878610432), "12.0 GiB");
  EXPECT_EQ(HumanBytes(512ULL << 20), "512.0 MiB");
}

TEST(DeviceInfo, SurvivesTheTripThroughJson) {
  DeviceInfo device;
  device.id = "GPU-1";
  device.library = "CUDA";
  device.description = "say \"GPU\"";
  device.total_memory = UINT64_MAX;
  device.library_path = {"/a", "/b"};
  const auto back = FromJson(ToJson({device}));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(GoText(*back), GoText(std::vector{device}));
  EXPECT_EQ(ToJson({}), "[]\n");
  EXPECT_FALSE(FromJson("status 500: no\n").has_value());
}

}  // namespace
}  // namespace gpustage::ollama
