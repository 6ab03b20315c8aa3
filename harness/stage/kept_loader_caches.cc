#include "harness/stage/kept_loader_caches.h"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <variant>

namespace gpustage {
namespace {

constexpr size_t kMostKept = 16;
// As in the plan's skeleton; the only file of configuration that may name others.
constexpr std::string_view kUsualInclude = "include /etc/ld.so.conf.d/*.conf\n";

// Of a text, ldconfig reads what is configuration or begins as a library does.
bool IsRead(const WriteFileOp& file) {
  return file.path.ends_with(".conf") || file.content.starts_with(
                                             "\x7f"
                                             "ELF");
}

// With these, names of files alone do not say any more what is configuration.
bool IsPuzzling(const TreeOp& op) {
  if (const auto* file = std::get_if<WriteFileOp>(&op.what))
    return file->path.ends_with(".conf") && file->content != kUsualInclude &&
           file->content.find("include") != std::string::npos;
  const bool makes_a_name = !std::holds_alternative<MakeDirOp>(op.what) &&
                            !std::holds_alternative<ChmodOp>(op.what) &&
                            !std::holds_alternative<ChownOp>(op.what);
  return makes_a_name &&
         std::visit([](const auto& what) { return std::string_view(what.path).ends_with(".conf"); },
                    op.what);
}

PlanStep WithoutWhatIsNotRead(PlanStep step) {
  step.op.pos = {};
  step.instance = 0;  // a fake's stamp and its world are data, of which ldconfig knows nothing
  step.world.clear();
  if (auto* file = std::get_if<WriteFileOp>(&step.op.what); file != nullptr && !IsRead(*file))
    file->content.clear();
  if (auto* library = std::get_if<PlaceLibraryOp>(&step.op.what)) {
    library->machine.reset();
    library->archs.clear();
  }
  return step;
}

std::vector<int64_t> StateOf(const std::string& host_path) {
  struct stat found;
  if (stat(host_path.c_str(), &found) != 0) return {};
  return {static_cast<int64_t>(found.st_dev), static_cast<int64_t>(found.st_ino), found.st_size,
          found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

}  // namespace

std::optional<LoaderCacheKey> LoaderCacheKeyOf(const StagePlan& plan) {
  LoaderCacheKey key;
  key.base = plan.base;
  for (const HostFile& file : plan.base) key.host_files.push_back(StateOf(file.host_path));
  for (const auto* steps : {&plan.skeleton, &plan.nodes, &plan.steps})
    for (const PlanStep& step : *steps) {
      if (IsPuzzling(step.op)) return std::nullopt;
      key.steps.push_back(WithoutWhatIsNotRead(step));
      if (const auto* library = std::get_if<PlaceLibraryOp>(&step.op.what))
        key.host_files.push_back(StateOf(library->source.host_path));
    }
  return key;
}

std::optional<std::string> KeptLoaderCaches::Find(const LoaderCacheKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [&](const auto& kept) { return kept.first == key; });
  if (found == kept_.end()) return std::nullopt;
  return found->second;
}

void KeptLoaderCaches::Keep(LoaderCacheKey key, std::string cache) {
  const std::lock_guard lock(mutex_);
  kept_.emplace_front(std::move(key), std::move(cache));
  if (kept_.size() > kMostKept) kept_.pop_back();
}

size_t KeptLoaderCaches::size() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace gpustage
