// compile_vulkan_profiles OUT.c vulkan_core.h RECORDINGS PROFILE.json...: the profiles of one
// driver as tables in C, which a compiler lays out.
//
// A profile names what vulkaninfo --json wrote (`answers`, a file in RECORDINGS) and says what that
// form has no room for: memory, and which device of fixtures/devices it is. `like` takes another
// profile, and `changes` is merged into its answers (RFC 7396).
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace {

using nlohmann::ordered_json;
using std::string;
namespace fs = std::filesystem;

string ReadAll(const fs::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// VkPhysicalDevicePCIBusInfoPropertiesEXT ->
// VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT: the header has both, and without
// case and underscores they are one.
class StructureTypes {
 public:
  explicit StructureTypes(const string& header) {
    const string prefix = "VK_STRUCTURE_TYPE_";
    for (size_t at = 0; (at = header.find(prefix, at)) != string::npos;) {
      size_t end = at;
      while (std::isalnum(static_cast<unsigned char>(header[end])) != 0 || header[end] == '_')
        ++end;
      const string name = header.substr(at, end - at);
      names_.emplace(Plain(name.substr(prefix.size())), name);
      at = end;
    }
  }
  // "" where this header has no such struct.
  string Of(const string& type) const {
    const auto found = names_.find(Plain(type.substr(2)));
    return found == names_.end() ? "" : found->second;
  }

 private:
  static string Plain(const string& name) {
    string plain;
    for (const char c : name)
      if (c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return plain;
  }
  std::map<string, string> names_;
};

bool IsFlags(const ordered_json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(),
                                         [](const ordered_json& item) { return item.is_string(); });
}

string Flags(const ordered_json& value) {
  string flags;
  for (const ordered_json& item : value) flags += (flags.empty() ? "" : " | ") + item.get<string>();
  return flags.empty() ? "0" : flags;
}

// vulkaninfo 1.3.239 leaves the prefix of an enumerated type away where it is a bit.
string Constant(const string& text) {
  if (text.rfind("VK_", 0) == 0) return text;
  return text.rfind("SAMPLE_COUNT_", 0) == 0 ? "VK_" + text : "";
}

// Arrays whose members are names, and no bits of one number.
bool IsList(const string& field) {
  return field == "priorities" || field == "pCopySrcLayouts" || field == "pCopyDstLayouts";
}

string Initializer(const string& field, const ordered_json& value) {
  if (value.is_object() || (value.is_array() && (!IsFlags(value) || IsList(field)))) {
    string text = "{";
    for (const auto& [key, item] : value.items())
      text += (value.is_object() ? "." + key + " = " : "") + Initializer(key, item) + ", ";
    return text + "}";
  }
  if (IsFlags(value)) return Flags(value);
  if (value.is_boolean()) return value.get<bool>() ? "VK_TRUE" : "VK_FALSE";
  if (value.is_string()) {
    const string constant = Constant(value.get<string>());
    return constant.empty() ? value.dump() : constant;
  }
  if (value.is_number_float()) return value.dump() + "f";
  return value.dump() +
         (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX ? "ull" : "");
}

class Writer {
 public:
  Writer(std::ostream& out, const StructureTypes& types) : out_(out), types_(types) {}

  // The structs of `structs` as rows of the array `name`.
  size_t Rows(const string& name, const ordered_json& structs, bool features, const string& plain) {
    string rows;
    size_t count = 0;
    for (const auto& [type, fields] : structs.items()) {
      const string value = types_.Of(type);
      if (type == plain || value.empty()) continue;
      const string id = name + "_" + type;
      string last = "sType";
      out_ << "static const " << type << " " << id << " = {.sType = " << value << ",\n";
      for (const auto& [field, item] : fields.items()) {
        out_ << "  ." << field << " = " << Initializer(field, item) << ",\n";
        last = field;
      }
      out_ << "};\n";
      // A driver writes fields, and not what pads the struct behind them.
      rows += "  {&" + id + ", offsetof(" + type + ", " + last + ") + sizeof " + id + "." + last +
              ", " + (features ? "1" : "0") + ", 0},\n";
      ++count;
    }
    rows_ += rows;
    return count;
  }
  // The structs that tests/subjects/vulkan_conformance recorded by number, "features 1000050000:
  // 1", of headers newer than ours, too. They come first: what they say was read off a real driver
  // whole.
  size_t RowsOfWords(const string& name, const string& recording, const ordered_json& without) {
    std::istringstream in(recording);
    size_t count = 0;
    for (string line; std::getline(in, line);) {
      const size_t space = line.find(' '), colon = line.find(": ");
      const string kind = line.substr(0, space);
      if ((kind != "properties" && kind != "features") || colon == string::npos) continue;
      const string number = line.substr(space + 1, colon - space - 1);
      if (std::find(without.begin(), without.end(), number) != without.end()) continue;
      const string id = name + "_" + kind + number;
      out_ << "static const uint32_t _Alignas(8) " << id << "[] = {" << number << ", 0, 0, 0";
      std::istringstream words(line.substr(colon + 2));
      for (string word; words >> word;) out_ << ", 0x" << word;
      out_ << "};\n";
      rows_ += "  {" + id + ", sizeof " + id + ", " + (kind == "features" ? "1" : "0") + ", 1},\n";
      ++count;
    }
    return count;
  }
  void EndRows(const string& name) {
    out_ << "static const VulkanRow " << name << "[] = {\n" << rows_ << "  {0, 0, 0, 0}};\n";
    rows_.clear();
  }

 private:
  std::ostream& out_;
  const StructureTypes& types_;
  string rows_;
};

ordered_json ReadProfile(const fs::path& file, const fs::path& recordings) {
  const ordered_json written = ordered_json::parse(ReadAll(file));
  ordered_json profile;
  if (written.contains("like")) {
    profile =
        ReadProfile(file.parent_path() / (written["like"].get<string>() + ".json"), recordings);
    profile.erase("answers_for_others");
  } else {
    const string answers = written.at("answers").get<string>();
    profile["read"] = ordered_json::parse(ReadAll(recordings / answers))["capabilities"]["device"];
  }
  for (const auto& [key, value] : written.items()) profile[key] = value;
  if (written.contains("words"))
    profile["recorded_words"] = ReadAll(recordings / written["words"].at("of").get<string>());
  profile["read"].merge_patch(written.value("changes", ordered_json::object()));
  return profile;
}

void WriteFormats(std::ostream& out, const string& id, const ordered_json& formats) {
  out << "static const VulkanFormat " << id << "_formats[] = {\n";
  for (const auto& [format, answers] : formats.items()) {
    out << "  {.format = " << format
        << ",\n   .older = " << Initializer("", answers.at("VkFormatProperties"))
        << ",\n   .answer = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3";
    for (const auto& [field, bits] : answers.at("VkFormatProperties3").items())
      out << ",\n     ." << field << " = " << Flags(bits);
    out << "}},\n";
  }
  out << "};\n";
}

void WriteFamilies(std::ostream& out, const string& id, const ordered_json& families,
                   Writer& writer) {
  string text;
  int number = 0;
  for (const ordered_json& family : families) {
    const string rows = id + "_family" + std::to_string(number++);
    const size_t count = writer.Rows(rows, family, false, "VkQueueFamilyProperties");
    writer.EndRows(rows);
    text += "  {" + Initializer("", family.at("VkQueueFamilyProperties")) + ", " + rows + ", " +
            std::to_string(count) + "},\n";
  }
  out << "static const VulkanQueueFamily " << id << "_families[] = {\n" << text << "};\n";
}

void WriteMemory(std::ostream& out, const string& id, const ordered_json& memory) {
  out << "static const VulkanHeap " << id << "_heaps[] = {\n";
  for (const ordered_json& heap : memory.at("heaps")) {
    const ordered_json part = heap.value("part_of_device", ordered_json::array({0, 1}));
    out << "  {" << heap.value("bytes", uint64_t{0}) << "ull, " << part[0] << ", " << part[1]
        << ", " << Flags(heap.at("flags")) << "},\n";
  }
  out << "};\nstatic const VkMemoryType " << id << "_types[] = {\n";
  for (const ordered_json& type : memory.at("types"))
    out << "  {" << Flags(type.at("flags")) << ", " << type.at("heap") << "},\n";
  out << "};\n";
}

// The entry of the profile in the table of all.
string WriteProfile(std::ostream& out, const string& id, const ordered_json& profile,
                    Writer& writer) {
  const ordered_json& read = profile["read"];
  const string plain = "VkPhysicalDeviceProperties", features = "VkPhysicalDeviceFeatures";
  out << "static const " << plain << " " << id
      << "_properties = " << Initializer("", read["properties"][plain]) << ";\n";
  out << "static const " << features << " " << id
      << "_features = " << Initializer("", read["features"][features]) << ";\n";
  const ordered_json words = profile.value("words", ordered_json::object());
  size_t rows = writer.RowsOfWords(id, profile.value("recorded_words", string()),
                                   words.value("without", ordered_json::array()));
  rows += writer.Rows(id, read["properties"], false, plain);
  rows += writer.Rows(id, read["features"], true, features);
  writer.EndRows(id + "_rows");
  out << "static const VkExtensionProperties " << id << "_extensions[] = {\n";
  for (const auto& [name, version] : read["extensions"].items())
    out << "  {\"" << name << "\", " << version << "},\n";
  out << "};\n";
  WriteFormats(out, id, read["formats"]);
  WriteFamilies(out, id, read["queueFamiliesProperties"], writer);
  WriteMemory(out, id, profile.at("memory"));
  std::ostringstream entry;
  const ordered_json& memory = profile["memory"];
  entry << "  {.device = " << profile.at("device")
        << ", .answers_for_others = " << profile.value("answers_for_others", false)
        << ", .all_is_assumed = " << profile.value("all_assumed", false)
        << ", .memory_is_assumed = " << memory.value("assumed", false)
        << ", .budget_over_free = " << memory.value("budget_over_free", 0)
        << ", .buffer_alignment = " << memory.value("buffer_alignment", 256)
        << ", .exact_sizes = " << memory.value("exact_sizes", false);
  for (const char* one : {"properties", "features"})
    entry << ", ." << one << " = &" << id << "_" << one;
  for (const char* list : {"rows", "extensions", "formats", "families", "heaps", "types"})
    entry << ", ." << list << " = " << id << "_" << list;
  entry << ", .row_count = " << rows << ", .extension_count = " << read["extensions"].size()
        << ", .format_count = " << read["formats"].size()
        << ", .family_count = " << read["queueFamiliesProperties"].size()
        << ", .heap_count = " << memory["heaps"].size()
        << ", .type_count = " << memory["types"].size() << "},\n";
  return entry.str();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw std::runtime_error("usage: OUT.c vulkan_core.h RECORDINGS PROFILE.json...");
  const StructureTypes types(ReadAll(argv[2]));
  std::ostringstream out;
  out << "#include <stddef.h>\n\n#include \"fakes/vulkan/profile.h\"\n\n";
  Writer writer(out, types);
  string entries;
  for (int i = 4; i < argc; ++i)
    entries +=
        WriteProfile(out, "p" + std::to_string(i - 4), ReadProfile(argv[i], argv[3]), writer);
  out << "const VulkanProfile gpustage_vulkan_profiles[] = {\n"
      << entries << "};\n"
      << "const uint32_t gpustage_vulkan_profile_count = " << argc - 4 << ";\n";
  std::ofstream(argv[1]) << out.str();
} catch (const std::exception& e) {
  std::cerr << "compile_vulkan_profiles: " << e.what() << '\n';
  return 1;
}
