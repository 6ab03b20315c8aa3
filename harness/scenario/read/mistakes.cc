// What is wrong with a scenario file, all of it.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "harness/base/text.h"
#include "harness/scenario/matrix/case_range.h"
#include "harness/scenario/read/scenario.h"

namespace gpustage {
namespace {

constexpr size_t kMostMistakes = 20, kMostReadings = 120;

// What names labels of axes by what their values are called.
bool NamesLabels(const std::string& key) {
  return key == "default" || key == "broken" || key == "constraints" || key == "include" ||
         key == "exclude";
}

// How far a key of a scenario is read from others: what is said of a machine may be wrong because
// the matrix is, what is expected because of anything before it.
int DepthOf(const std::vector<std::string>& keys, const std::string& list) {
  const std::string& section = keys.front();
  if (section == "matrix") return std::any_of(keys.begin(), keys.end(), &NamesLabels) ? 1 : 0;
  if (section == "tree" || list == "faults" || list == "change") return 2;
  if (section == "expect") return 3;
  return section == "fix" || section == "suspects" || section == "xfail" ? 4 : 1;
}
constexpr int kDeeperThanAll = 5;

bool IsAt(const SourcePos& here, const SourcePos& there) {
  return here.line == there.line && here.column == there.column;
}

// What a position of an error means: a key, which has its length, or else what begins there (a map
// begins with its first key, and has the length 1), or else a part of a text: "drivr" of
// "machine.drivr".
enum class Meant { kKey, kValue, kPart };

bool IsMeant(Meant meant, const YamlEntry* entry, const YamlNode& value, const SourcePos& pos) {
  switch (meant) {
    case Meant::kKey:
      return entry != nullptr && IsAt(entry->pos, pos) &&
             (pos.length > 1 || entry->key.size() == 1);
    case Meant::kValue: return IsAt(value.pos, pos);
    case Meant::kPart:
      return value.IsText() && value.pos.line == pos.line && value.pos.column <= pos.column &&
             pos.column < value.pos.column + std::max(value.pos.length, 1);
  }
  return false;
}

// What a value that must be there is put instead of, so that its neighbours are read.
const std::map<std::string, std::string>& Instead() {
  static const std::map<std::string, std::string> values = {
      {"claim", "-"}, {"reason", "-"},  {"is", "-"},      {"see", "-"},
      {"say", "-"},   {"at", "loaded"}, {"mode", "0755"}, {"function", "cuInit"}};
  return values;
}

// The content of a file while its mistakes are mended, or left out where nobody can say how.
class Draft {
 public:
  explicit Draft(YamlNode& root) : root_(root) {}

  struct Place {
    YamlNode* parent = nullptr;
    size_t number = 0;              // of its entry or item
    bool key = false;               // the key of that entry is meant
    std::vector<std::string> keys;  // the outermost first: "matrix", "driver", "to"
    std::string list;               // the key of the list that the parent is an item of
    std::vector<SourcePos> above;   // the parent, and what it is in
    YamlNode* grandparent = nullptr;
    size_t parent_number = 0;
  };

  std::optional<Place> Find(const SourcePos& pos) {
    for (const Meant meant : {Meant::kKey, Meant::kValue, Meant::kPart}) {
      Place place;
      place.key = meant == Meant::kKey;
      if (FindBelow(root_, meant, pos, place)) return place;
    }
    return std::nullopt;
  }

  // Whether it could be: as the message proposes, or by a value that is right in its place.
  bool Mend(const Place& place, const SourcePos& pos, const std::optional<std::string>& meant) {
    YamlEntry* const entry = EntryOf(place);
    YamlNode& value = entry != nullptr ? entry->value : place.parent->items[place.number];
    if (place.key) {
      if (!meant || place.parent->Find(*meant) != nullptr) return false;
      entry->key = *meant;
      return true;
    }
    if (meant && value.IsText()) {
      ReplaceAt(value, pos, *meant);
      return true;
    }
    const auto instead = entry == nullptr ? Instead().end() : Instead().find(entry->key);
    if (meant || instead == Instead().end()) return false;
    const SourcePos begin = value.pos;
    value = {};
    value.text = instead->second;
    value.plain = false;
    value.pos = begin;
    return true;
  }

  // Of an operation on a tree its first key says which: without it, the rest is none.
  void Remove(const Place& place) {
    incomplete_.insert(incomplete_.end(), place.above.begin(), place.above.end());
    const bool operation = place.list == "tree" || place.list == "change";
    if (operation && place.number == 0 && place.grandparent != nullptr)
      return EraseAt(*place.grandparent, place.parent_number);
    EraseAt(*place.parent, place.number);
    // "runs: x": without any, the layouts alone say what is run.
    if (place.parent == &root_)
      if (const YamlNode* const layout = root_.Find("layout")) incomplete_.push_back(layout->pos);
  }

  // A claim where there is none.
  bool AddClaim() {
    if (!root_.IsMap() || root_.Find("claim") != nullptr) return false;
    YamlEntry claim;
    claim.key = "claim";
    claim.value.text = "-";
    root_.entries.push_back(std::move(claim));
    return true;
  }

  // Whether something was taken out of the value there.
  bool IsIncomplete(const SourcePos& pos) const {
    return std::any_of(incomplete_.begin(), incomplete_.end(),
                       [&](const SourcePos& own) { return IsAt(own, pos); });
  }

 private:
  static YamlEntry* EntryOf(const Place& place) {
    return place.parent->IsMap() ? &place.parent->entries[place.number] : nullptr;
  }
  // A part of the text, where only that is meant: "drivr" of "machine.drivr".
  static void ReplaceAt(YamlNode& text, const SourcePos& pos, const std::string& meant) {
    const int offset = pos.column - text.pos.column - (text.plain ? 0 : 1);
    const bool part =
        offset > 0 || (offset == 0 && pos.length < static_cast<int>(text.text.size()));
    if (part && static_cast<size_t>(offset + pos.length) <= text.text.size())
      text.text.replace(static_cast<size_t>(offset), static_cast<size_t>(pos.length), meant);
    else
      text.text = meant;
  }
  static void EraseAt(YamlNode& node, size_t number) {
    const auto place = static_cast<std::ptrdiff_t>(number);
    if (node.IsMap())
      node.entries.erase(node.entries.begin() + place);
    else
      node.items.erase(node.items.begin() + place);
  }

  bool FindBelow(YamlNode& node, Meant meant, const SourcePos& pos, Place& place) {
    const size_t children = node.IsMap() ? node.entries.size() : node.items.size();
    place.above.push_back(node.pos);
    for (size_t i = 0; i < children; ++i) {
      YamlEntry* const entry = node.IsMap() ? &node.entries[i] : nullptr;
      YamlNode& value = entry != nullptr ? entry->value : node.items[i];
      if (entry != nullptr || &node == &root_) place.keys.push_back(entry ? entry->key : "");
      if (IsMeant(meant, entry, value, pos)) {
        place.parent = &node;
        place.number = i;
        return true;
      }
      if (!FindBelow(value, meant, pos, place)) {
        if (entry != nullptr || &node == &root_) place.keys.pop_back();
        continue;
      }
      if (place.grandparent == nullptr && place.parent == &value) {
        place.grandparent = &node;
        place.parent_number = i;
      }
      if (place.list.empty() && entry != nullptr && value.IsList()) place.list = entry->key;
      return true;
    }
    place.above.pop_back();
    return false;
  }

  YamlNode& root_;
  std::vector<SourcePos> incomplete_;
};

Status ReadWhole(const YamlNode& root, const std::string& file, Fixtures& fixtures) {
  TRY(const Scenario scenario, ReadScenario(root, file, fixtures.catalog()));
  TRY(CaseRange range, CaseRange::Of(scenario, fixtures));
  TRY(range.CheckValues());
  return range.CheckExpected();
}

class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  MistakesOfFile In(YamlNode root, Fixtures& fixtures) && {
    Draft draft(root);
    for (size_t i = 0; i < kMostReadings && mistakes_.size() <= kMostMistakes; ++i) {
      const Status read = ReadWhole(root, file_, fixtures);
      if (read || !Take(read.error(), draft)) break;
    }
    const bool more = mistakes_.size() > kMostMistakes;
    if (more) mistakes_.pop_back();
    std::stable_sort(mistakes_.begin(), mistakes_.end(), [](const Error& a, const Error& b) {
      if (!a.pos || !b.pos) return a.pos.has_value() && !b.pos.has_value();
      return std::pair(a.pos->line, a.pos->column) < std::pair(b.pos->line, b.pos->column);
    });
    return {std::move(mistakes_), more};
  }

 private:
  // False: nothing more can be read.
  bool Take(Error error, Draft& draft) {
    const bool here = error.pos && error.pos->file == file_;
    const auto place = here ? draft.Find(*error.pos) : std::nullopt;
    const bool again = here && WasMended(*error.pos);
    if (!place) {
      if (!again && !(here && draft.IsIncomplete(*error.pos))) mistakes_.push_back(error);
      if (here) mended_.push_back(*error.pos);
      return here && draft.AddClaim();
    }
    // Each key of a map that is unknown is met by itself.
    const bool of_key = place->key && (error.message.starts_with("unknown key ") ||
                                       error.message.starts_with("unknown operation "));
    if (of_key) error.message = error.message.substr(0, error.message.find("; line "));
    const int depth = DepthOf(place->keys, place->list);
    const bool follows =
        again || (!of_key && (depth > shallowest_ || draft.IsIncomplete(*error.pos)));
    if (!follows) mistakes_.push_back(error);
    const std::optional<std::string> meant = MeantWord(error.message);
    if (!again && !follows && draft.Mend(*place, *error.pos, meant)) {
      mended_.push_back(*error.pos);
      if (meant) return true;
    } else {
      draft.Remove(*place);
    }
    shallowest_ = std::min(shallowest_, depth);
    return true;
  }

  bool WasMended(const SourcePos& pos) const {
    return std::any_of(mended_.begin(), mended_.end(),
                       [&](const SourcePos& own) { return IsAt(own, pos); });
  }

  std::string file_;
  std::vector<Error> mistakes_;
  std::vector<SourcePos> mended_;
  int shallowest_ = kDeeperThanAll;  // where something was wrong that could not be mended
};

}  // namespace

MistakesOfFile MistakesIn(const std::string& file, Fixtures& fixtures) {
  Result<YamlNode> root = ReadYamlFile(file);
  if (!root) return {{root.error()}, false};
  return Mistakes(file).In(*std::move(root), fixtures);
}

}  // namespace gpustage
