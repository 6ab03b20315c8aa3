// Trees of tests: built from a list of operations, looked at through the host.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/base/files.h"
#include "harness/stage/build.h"
#include "tests/support/workspace.h"

namespace gpustage {

class StageTest : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped()) return;
    outside_ = NewDirectory();
    shared_.emplace(outside_ + "/shared");
  }

  Status Build(const std::vector<TreeOp>& ops, bool private_copies = false) {
    StagePlan plan;
    plan.private_copies = private_copies;
    plan.skeleton = *PlanChange({{WriteFileOp{"/etc/ld.so.conf", "/usr/lib\n", 0644}, {}}}, 1);
    plan.steps = *PlanChange(ops, 1);
    Result<StagedTree> tree = BuildStage(plan, NewDirectory(), *shared_);
    if (!tree) return std::move(tree).error();
    tree_.emplace(*std::move(tree));
    return Ok();
  }
  Status Change(const std::vector<TreeOp>& ops, bool private_copies = false) {
    return ApplySteps(*PlanChange(ops, tree_->next_instance), private_copies, *shared_, *tree_);
  }

  std::string Host(const std::string& path) const { return tree_->root.host_path() + path; }
  struct stat Stat(const std::string& path) const {
    struct stat found = {};
    EXPECT_EQ(lstat(Host(path).c_str(), &found), 0) << path;
    return found;
  }
  mode_t Mode(const std::string& path) const { return Stat(path).st_mode & 07777; }
  std::string LinkText(const std::string& path) const {
    char text[4096];
    const ssize_t n = readlink(Host(path).c_str(), text, sizeof text);
    return std::string(text, n > 0 ? static_cast<size_t>(n) : 0);
  }
  std::string Content(const std::string& path) const {
    const Result<std::string> text = ReadFile(Host(path));
    return text ? *text : "unreadable";
  }

  // A file of this machine, outside the tree.
  std::string HostFileOf(const std::string& name, const std::string& content) {
    const std::string path = outside_ + "/" + name;
    EXPECT_THAT(WriteFile(path, content), IsOk());
    return path;
  }
  static TreeOp Place(const std::string& path, const std::string& host_path,
                      std::optional<FileMode> mode = std::nullopt) {
    return {PlaceLibraryOp{path, {LibrarySource::Kind::kReal, "part", host_path, ""}, {}, mode},
            {}};
  }

  std::string outside_;
  std::optional<SharedFiles> shared_;
  std::optional<StagedTree> tree_;
};

}  // namespace gpustage
