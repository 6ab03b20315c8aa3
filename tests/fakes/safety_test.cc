// A fake lives in somebody else's process: it loads and answers with nothing of an environment and
// no descriptor, to many threads, in a child that was forked at any moment, keeps its names to
// itself and prints nothing.
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

struct Subject {
  const char* fake;
  std::vector<const char*> siblings;  // what it needs, loaded before it
  const char*
      question;         // a function that may be called with room for its answer; "" where none may
  bool chatty = false;  // its question prints what the real one prints
};
void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.fake; }

const std::vector<Subject> kAllSubjects = {
    {"cuda", {}, "cuDriverGetVersion"},
    {"cuda-stub", {}, "cuDriverGetVersion"},
    {"nvml", {}, "nvmlInit_v2"},
    {"cudart-11", {"cuda"}, "cudaGetDeviceCount"},
    {"cudart-12", {"cuda"}, "cudaGetDeviceCount"},
    {"cudart-13", {"cuda"}, "cudaGetDeviceCount"},
    {"cublaslt-11", {}, "cublasLtCreate"},
    {"cublaslt-12", {}, "cublasLtCreate"},
    {"cublaslt-13", {}, "cublasLtCreate"},
    {"cublas-11", {"cublaslt-11"}, "cublasCreate_v2"},
    {"cublas-12", {"cublaslt-12"}, "cublasCreate_v2"},
    {"cublas-13", {"cublaslt-13"}, "cublasCreate_v2"},
    {"libstdcxx-7", {}, ""},
    {"ggml-base-upstream", {}, ""},
    {"ggml-base-ollama", {}, ""},
    {"ggml-cuda-upstream-12",
     {"ggml-base-upstream", "cuda", "cudart-12", "cublaslt-12", "cublas-12"},
     "ggml_backend_init",
     true},
    {"ggml-cuda-upstream-13",
     {"ggml-base-upstream", "cuda", "cudart-13", "cublaslt-13", "cublas-13"},
     "ggml_backend_init",
     true},
    {"ggml-cuda-ollama-12",
     {"ggml-base-ollama", "cuda", "cudart-12", "cublaslt-12", "cublas-12"},
     "ggml_backend_init",
     true},
    {"ggml-cuda-ollama-13",
     {"ggml-base-ollama", "cuda", "cudart-13", "cublaslt-13", "cublas-13"},
     "ggml_backend_init",
     true},
    {"hsa-5", {}, "hsa_init"},
    {"hsa-6", {}, "hsa_init"},
    {"rocm-smi", {}, "rsmi_num_monitor_devices"},
    {"amd-smi", {}, "amdsmi_get_socket_handles"},
    {"hip-5", {"hsa-5"}, "hipGetDeviceCount"},
    {"rocblas-5", {"hsa-5", "hip-5"}, "rocblas_get_version_string_size"},
    {"hipblas-5", {"hsa-5", "hip-5", "rocblas-5"}, "hipblasCreate"},
    {"ggml-hip-upstream-5",
     {"ggml-base-upstream", "hsa-5", "hip-5", "rocblas-5", "hipblas-5"},
     "ggml_backend_init",
     true},
    {"hip-6", {"hsa-6"}, "hipGetDeviceCount"},
    {"rocblas-6", {"hsa-6", "hip-6"}, "rocblas_get_version_string_size"},
    {"hipblas-6", {"hsa-6", "hip-6", "rocblas-6"}, "hipblasCreate"},
    {"ggml-hip-upstream-6",
     {"ggml-base-upstream", "hsa-6", "hip-6", "rocblas-6", "hipblas-6"},
     "ggml_backend_init",
     true},
    {"ggml-hip-ollama-6",
     {"ggml-base-ollama", "hsa-6", "hip-6", "rocblas-6", "hipblas-6"},
     "ggml_backend_init",
     true},
    {"hip-7", {"hsa-6"}, "hipGetDeviceCount"},
    {"rocblas-7", {"hsa-6", "hip-7"}, "rocblas_get_version_string_size"},
    {"hipblas-7", {"hsa-6", "hip-7", "rocblas-7"}, "hipblasCreate"},
    {"ggml-hip-upstream-7",
     {"ggml-base-upstream", "hsa-6", "hip-7", "rocblas-7", "hipblas-7"},
     "ggml_backend_init",
     true},
    {"ggml-hip-ollama-7",
     {"ggml-base-ollama", "hsa-6", "hip-7", "rocblas-7", "hipblas-7"},
     "ggml_backend_init",
     true},
    {"x11", {}, ""},
    {"xext", {}, ""},
    {"egl", {}, ""},
    {"nvidia-glsi", {}, ""},
    {"nvidia-tls", {}, ""},
    {"nvidia-gpucomp", {}, ""},
    {"nvidia-glcore", {"nvidia-gpucomp"}, ""},
    {"vulkan-nvidia",
     {"x11", "xext", "egl", "nvidia-glsi", "nvidia-tls", "nvidia-gpucomp", "nvidia-glcore"},
     "vk_icdNegotiateLoaderICDInterfaceVersion"},
    {"vulkan-radv", {}, "vk_icdNegotiateLoaderICDInterfaceVersion"},
    {"vulkan-amdvlk", {}, "vk_icdNegotiateLoaderICDInterfaceVersion"},
    {"vulkan-anv", {}, "vk_icdNegotiateLoaderICDInterfaceVersion"},
    {"vulkan-nvk", {}, "vk_icdNegotiateLoaderICDInterfaceVersion"},
    {"vulkan-venus", {}, "vk_icdNegotiateLoaderICDInterfaceVersion"},
    {"vulkan-lavapipe", {}, "vk_icdNegotiateLoaderICDInterfaceVersion"},
};

// Without those that could not be built here and say so.
const std::vector<Subject> kSubjects = [] {
  std::vector<Subject> built = kAllSubjects;
  std::erase_if(built, [](const Subject& subject) {
    return std::filesystem::exists(std::string(GPUSTAGE_FAKES_DIR) + "/" + subject.fake +
                                   ".missing");
  });
  return built;
}();

class InTheScanner : public testing::TestWithParam<Subject> {
 protected:
  InTheScanner() {
    AddDevice(stage_.machine(), PlainDevice(0));
    for (const char* sibling : GetParam().siblings) Place(sibling);
    Place(GetParam().fake);
  }
  void Place(const std::string& fake) { paths_.push_back(stage_.Place(fake, fake + ".so")); }

  // The fake itself is the last. Its own dependencies are found by their SONAMEs.
  void Load() {
    for (const std::string& path : paths_) handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  void Ask() {
    if (GetParam().question[0] == '\0') return;
    void* const function = dlsym(handle_, GetParam().question);
    if (function == nullptr) throw std::runtime_error(dlerror());
    alignas(16) char room[4096] = {};
    reinterpret_cast<void* (*)(void*)>(function)(room);
  }

  FakeStage stage_;
  std::vector<std::string> paths_;
  void* handle_ = nullptr;
};

TEST_P(InTheScanner, AnswersWithoutEnvironmentAndDescriptors) {
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const int report = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 500);
    clearenv();
    for (int fd = 0; fd < 3; ++fd) close(fd);
    Load();
    if (!GetParam().chatty) Ask();
    const int next = open("/dev/null", O_RDONLY);
    dup2(report, STDOUT_FILENO);
    out << "next descriptor " << next;
  });
  EXPECT_EQ(outcome.said, "next descriptor 0");  // nothing was left open
}

TEST_P(InTheScanner, PrintsNothing) {
  const std::string file = stage_.Path("printed");
  const Outcome outcome = stage_.Run([&](std::ostream& out) {
    const int printed = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(printed, STDOUT_FILENO);
    dup2(printed, STDERR_FILENO);
    Load();
    if (!GetParam().chatty) Ask();
    out << "done";
  });
  EXPECT_EQ(outcome.said, "done");
  EXPECT_EQ(stage_.Read("printed"), "");
}

TEST_P(InTheScanner, KeepsItsNamesToItself) {
  if (GetParam().question[0] == '\0') GTEST_SKIP() << "it has no function to ask";
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    Load();
    out << (dlsym(RTLD_DEFAULT, GetParam().question) == nullptr ? "hidden" : "seen by all");
  });
  EXPECT_EQ(outcome.said, "hidden");
}

TEST_P(InTheScanner, AnswersManyThreadsAtOnce) {
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    Load();
    std::vector<std::thread> threads;
    std::atomic<int> answered = 0;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int call = 0; call < (GetParam().chatty ? 1 : 50); ++call) Ask();
        ++answered;
      });
    for (std::thread& thread : threads) thread.join();
    out << answered;
  });
  EXPECT_EQ(outcome.said, "8");
}

// Other threads are inside while each child is forked, so that it may inherit any lock.
TEST_P(InTheScanner, AnswersInAChildThatWasForkedAtAnyMoment) {
  if (GetParam().chatty) GTEST_SKIP() << "it prints through stdio, whose lock a child may inherit";
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    Load();
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
      threads.emplace_back([&] {
        while (!stop) Ask();
      });
    int answered = 0;
    for (int i = 0; i < 20; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(10);
        Ask();
        _exit(0);
      }
      int status = -1;
      waitpid(child, &status, 0);
      if (status == 0) ++answered;
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    out << answered;
  });
  EXPECT_EQ(outcome.said, "20");
}

INSTANTIATE_TEST_SUITE_P(, InTheScanner, testing::ValuesIn(kSubjects), [](const auto& subject) {
  std::string name = subject.param.fake;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Fakes, AreAllAsked) {
  std::set<std::string> asked, built;
  for (const Subject& subject : kSubjects) asked.insert(subject.fake);
  for (const auto& entry : std::filesystem::directory_iterator(GPUSTAGE_FAKES_DIR))
    if (entry.path().extension() == ".so" && !entry.path().stem().string().starts_with("preload-"))
      built.insert(entry.path().stem().string());
  EXPECT_EQ(asked, built);
}

}  // namespace
}  // namespace gpustage::fakes_test
