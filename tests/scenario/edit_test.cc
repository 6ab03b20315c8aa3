// A change of a file changes what was asked for, and no other byte. In full it is a hundred
// thousand changes (tests/full/edits.sh); here some of them.
#include "harness/scenario/yaml/edit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "harness/base/files.h"
#include "tests/scenario/random_file.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

int Times(int few) {
  const char* const many = std::getenv("GPUSTAGE_EDITS");
  return many == nullptr ? few : std::atoi(many);
}

struct Chosen {
  YamlPlace place;
  const Written* node;
  const Written* above;  // nullptr: the root
};

void All(const Written& node, const Written* above, YamlPlace place, std::vector<Chosen>& all) {
  all.push_back({place, &node, above});
  for (size_t i = 0; i < node.parts.size(); ++i) {
    YamlPlace below = place;
    below.push_back(i);
    All(node.parts[i], &node, std::move(below), all);
  }
}

// The tree after the change, by itself.
YamlNode After(YamlNode root, const YamlEdit& edit) {
  YamlNode* node = &root;
  YamlNode* above = nullptr;
  for (const size_t number : edit.place) {
    above = node;
    node = node->IsMap() ? &node->entries[number].value : &node->items[number];
  }
  if (edit.kind == YamlEdit::Kind::kSet) {
    *node = edit.value;
  } else if (edit.kind == YamlEdit::Kind::kAdd) {
    if (node->IsMap())
      node->entries.push_back({edit.key, {}, edit.value});
    else
      node->items.push_back(edit.value);
  } else if (above->IsMap()) {
    above->entries.erase(above->entries.begin() + static_cast<std::ptrdiff_t>(edit.place.back()));
  } else {
    above->items.erase(above->items.begin() + static_cast<std::ptrdiff_t>(edit.place.back()));
  }
  return root;
}

// Without what a removal may take along: blanks, ends of lines, commas, dashes.
std::string Bare(std::string text) {
  std::erase_if(
      text, [](char c) { return std::string_view(" \r\n,-").find(c) != std::string_view::npos; });
  return text;
}

bool Keeps(const std::string& before, const std::string& after, size_t begin, size_t end) {
  return after.size() >= begin + before.size() - end &&
         after.starts_with(before.substr(0, begin)) && after.ends_with(before.substr(end));
}

// Whether all that is not of the node is there, byte for byte.
testing::AssertionResult LeavesTheRest(const std::string& before, const std::string& after,
                                       const Chosen& chosen, YamlEdit::Kind kind) {
  const Written& node = *chosen.node;
  const auto no = [&](const char* why) {
    return testing::AssertionFailure() << why << "\n--- before\n"
                                       << before << "\n--- after\n"
                                       << after;
  };
  if (kind == YamlEdit::Kind::kSet) {
    if (!Keeps(before, after, node.begin, node.end)) return no("more than the value was changed");
  } else if (kind == YamlEdit::Kind::kAdd) {
    if (node.compact) {  // its braces come, too
      if (!Keeps(before, after, node.begin, node.end)) return no("something else was changed");
      const std::string inside = before.substr(node.begin, node.end - node.begin);
      if (after.find(inside, node.begin) != node.begin + 1) return no("what was there is gone");
      return testing::AssertionSuccess();
    }
    const size_t more = after.size() - before.size();
    size_t same = 0;
    while (same < before.size() && before[same] == after[same]) ++same;
    if (after.size() < before.size() || before.substr(same) != after.substr(same + more))
      return no("something was not only put in");
  } else if (chosen.above->parts.size() == 1) {
    const Written& all = *chosen.above;
    if (!Keeps(before, after, all.begin, all.end))
      return no("more than the list or map was changed");
  } else {
    const size_t number = chosen.place.back();
    const auto& parts = chosen.above->parts;
    const size_t ahead = before.find_last_not_of(' ', node.first == 0 ? 0 : node.first - 1) + 1;
    const size_t from = number == 0 ? std::min(ahead, node.first) : parts[number - 1].end;
    const size_t behind = std::min(before.find_first_not_of(' ', node.end), before.size());
    const size_t to = number + 1 == parts.size() ? behind : parts[number + 1].first;
    if (!after.starts_with(before.substr(0, from))) return no("what stands before was changed");
    // Empty lines would come to a text before it that keeps them.
    const bool keeps = before.substr(0, node.first).find("+\n") != std::string::npos ||
                       before.substr(0, node.first).find("+\r\n") != std::string::npos;
    const size_t least =
        keeps ? std::min(before.find_first_not_of(" \r\n", to), before.size()) : to;
    if (!after.ends_with(before.substr(least))) return no("what stands behind was changed");
    const std::string rest = before.substr(0, node.first) + before.substr(node.end);
    if (Bare(after) != Bare(rest)) return no("something else is gone, or a comment");
  }
  return testing::AssertionSuccess();
}

YamlEdit EditAtRandom(Random& random, const Chosen& chosen) {
  YamlEdit edit;
  edit.place = chosen.place;
  const bool text = chosen.node->kind == YamlNode::Kind::kText;
  const size_t kind = chosen.above == nullptr ? 1 : Below(random, text ? 2 : 3);
  if (kind == 1 && !text) {
    edit.kind = YamlEdit::Kind::kAdd;
    edit.key = "added";
  } else if (kind == 1 || kind == 2) {
    edit.kind = YamlEdit::Kind::kRemove;
    return edit;
  }
  edit.value = ValueAtRandom(random);
  return edit;
}

TEST(RandomFiles, AreReadAsTheyWereMeant) {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const RandomFile file = WriteAtRandom(random);
    const Result<YamlNode> read = ParseYaml(file.text, "random");
    ASSERT_THAT(read, IsOk()) << file.text;
    ASSERT_TRUE(SameText(*read, NodeOf(file.root))) << file.text;
  }
}

TEST(Edited, ChangesWhatIsAskedForAndNoOtherByte) {
  const int times = Times(4000);
  Random random(20261130);
  int of_kind[3] = {};
  for (int done = 0; done < times;) {
    const RandomFile file = WriteAtRandom(random);
    std::vector<Chosen> all;
    All(file.root, nullptr, {}, all);
    for (int i = 0; i < 10 && done < times; ++i, ++done) {
      const Chosen& chosen = all[Below(random, all.size())];
      const YamlEdit edit = EditAtRandom(random, chosen);
      ++of_kind[static_cast<int>(edit.kind)];
      const Result<std::string> after = Edited(file.text, "random", edit);
      ASSERT_THAT(after, IsOk()) << "change " << done << "\n" << file.text;
      const Result<YamlNode> now = ParseYaml(*after, "random");
      ASSERT_THAT(now, IsOk()) << *after;
      ASSERT_TRUE(SameText(*now, After(NodeOf(file.root), edit))) << "change " << done << "\n"
                                                                  << file.text << "\n--- after\n"
                                                                  << *after;
      ASSERT_TRUE(LeavesTheRest(file.text, *after, chosen, edit.kind)) << "change " << done;
    }
  }
  for (const int count : of_kind) EXPECT_GT(count, times / 10);
  std::printf("%d changes: %d values, %d additions, %d removals; none damaged\n", times, of_kind[0],
              of_kind[1], of_kind[2]);
}

// Lines of the file that the node is not on are as they were, and so are all comments.
TEST(Edited, LeavesFilesOfTheCollectionAsTheyAre) {
  const auto files = FilesBelow(InSources("/scenarios"), ".yaml");
  ASSERT_THAT(files, IsOk());
  Random random(20261130);
  const int times = Times(1500);
  for (int done = 0; done < times; ++done) {
    const std::string& file = (*files)[Below(random, files->size())];
    const std::string text = *ReadFile(file);
    const Result<YamlNode> root = ParseYaml(text, file);
    ASSERT_THAT(root, IsOk());
    YamlPlace place;
    const YamlNode* node = &*root;
    const YamlNode* above = nullptr;
    while (!node->IsText() && node->items.size() + node->entries.size() > 0 &&
           (above == nullptr || Below(random, 4) != 0)) {
      place.push_back(Below(random, node->items.size() + node->entries.size()));
      above = node;
      node = node->IsMap() ? &node->entries[place.back()].value : &node->items[place.back()];
    }
    YamlEdit edit;
    edit.place = place;
    const size_t kind = Below(random, node->IsText() ? 2 : 3);
    edit.kind = kind == 0 ? YamlEdit::Kind::kSet
                          : (kind == 1 ? YamlEdit::Kind::kRemove : YamlEdit::Kind::kAdd);
    edit.key = "added";
    if (edit.kind != YamlEdit::Kind::kRemove) edit.value = ValueAtRandom(random);
    const Result<std::string> after = Edited(text, file, edit);
    ASSERT_THAT(after, IsOk()) << file << " change " << done;
    const Result<YamlNode> now = ParseYaml(*after, file);
    ASSERT_THAT(now, IsOk()) << *after;
    ASSERT_TRUE(SameText(*now, After(*root, edit))) << file << " change " << done;
    // Up to the line of the entry, nothing is another.
    const int line =
        above != nullptr && above->IsMap() ? above->entries[place.back()].pos.line : node->pos.line;
    size_t begin = 0;
    for (int i = 1; i < line - 1; ++i) begin = text.find('\n', begin) + 1;
    ASSERT_EQ(after->substr(0, begin), text.substr(0, begin)) << file << " change " << done;
  }
}

TEST(Edited, KeepsTheQuotesAndTheCommentOfAValue) {
  const YamlEdit edit = {YamlEdit::Kind::kSet, {0, 0, 0}, "", TextNode("2")};
  EXPECT_EQ(*Edited("expect:\n- devices: \"1\"   # two?\n", "f", edit),
            "expect:\n- devices: \"2\"   # two?\n");
  EXPECT_EQ(*Edited("expect: [{devices: '1'}] # x\n", "f", edit), "expect: [{devices: '2'}] # x\n");
}

TEST(PlaceOf, IsTheValueOfTheKeyAndNotTheMapThatBeginsThere) {
  const YamlNode root =
      *ParseYaml("expect:\n  - devices: 1\n    calls:\n      - function: a\n", "f");
  EXPECT_EQ(PlaceOf(root, "devices", {"f", 2, 5}), (YamlPlace{0, 0, 0}));
  EXPECT_EQ(PlaceOf(root, "calls", {"f", 4, 9}), (YamlPlace{0, 0, 1, 0}));
  EXPECT_EQ(PlaceOf(root, "devices", {"f", 1, 1}), std::nullopt);
}

}  // namespace
}  // namespace gpustage
