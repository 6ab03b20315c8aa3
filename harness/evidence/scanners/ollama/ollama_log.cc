#include "harness/evidence/scanners/ollama/ollama_log.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "harness/evidence/records/log_lines.h"

namespace gpustage {
namespace {

struct Mask {
  const char* pattern;
  const char* replacement;
};

constexpr Mask kMasks[] = {
    {R"(--port \d+)", "--port PORT"},
    {R"((Server listening on 127\.0\.0\.1):\d+)", R"(\1:PORT)"},
    {R"(duration=\S+)", "duration=TIME"},
    {R"(/\d+\.bin)", "/FILE.bin"},
    {R"(0x[0-9a-f]+)", "ADDRESS"},
    {R"(pid=\d+)", "pid=PID"},
    // The CPU line tells this machine's memory, and the line of features its processor.
    {R"((library=cpu .*)total="[^"]*" available="[^"]*")", R"(\1total=HOST available=HOST)"},
    {R"( CPU\.\d+\.\w+=\S+)", ""},
    // So does what is left to a GPU without memory of its own, where NVML does not know it.
    {R"((Integrated:true [^{}]*FreeMemory):\d+)", R"(\1:HOST)"},
    // llama-server's own lines: their time and level, which are written by themselves, and this
    // machine's processors.
    {R"(^(\d+\.\d\d\.\d{3}\.\d{3} )?[DIWE] )", ""},
    {R"(^\d+\.\d\d\.\d{3}\.\d{3} )", ""},
    {R"(n_threads = \d+ \(n_threads_batch = \d+\) / \d+)", "n_threads = HOST"},
    {R"(CPU : (\w+ = \d+ \| )+)", "CPU : HOST | "},
    // Long, and the same for everybody.
    {R"(OLLAMA_ORIGINS:\[[^\]]*\])", "OLLAMA_ORIGINS:[...]"},
    // Places in a list of devices that is in random order.
    {R"(delete_index=\d+)", "delete_index=N"},
    {R"((GPU-[0-9a-f-]+):\d+)", R"(\1:N)"},
};

std::string Masked(std::string line) {
  for (const Mask& mask : kMasks) RE2::GlobalReplace(&line, mask.pattern, mask.replacement);
  return line;
}

bool Has(const std::string& line, std::string_view text) {
  return line.find(text) != std::string::npos;
}

// Not about discovery: the server's key and models, and the small model that a child reads to get
// started.
bool IsNoise(const LogLine& line) {
  constexpr std::string_view kSources[] = {
      "source=images.go",           "source=sched.go",           "source=gguf.go",
      "key with type not found",    "Ollama cloud disabled",     "source=model_recommendations.go",
      "source=model_show_cache.go", "source=model_list_cache.go"};
  constexpr std::string_view kStarts[] = {"Couldn't find '", "Your new public key is",
                                          "ssh-ed25519 "};
  // A frame of ggml's backtrace; how deep it is depends on who was compiled how.
  static const RE2 frame(R"(^\S+?(\(.*\+0x[0-9a-f]+\))?\[0x[0-9a-f]+\]$)");
  return line.text.empty() || RE2::PartialMatch(line.text, frame) ||
         std::any_of(std::begin(kSources), std::end(kSources),
                     [&](auto text) { return Has(line.text, text); }) ||
         std::any_of(std::begin(kStarts), std::end(kStarts),
                     [&](auto text) { return line.text.starts_with(text); });
}

// Both have a runner.go: the server's is some 500 lines long, the child's has these statements at
// its end.
bool IsOfChild(const LogLine& line) {
  static const RE2 source(R"(source=(ggml\.go:|runner\.go:\d{4}))");
  return line.level.empty() || RE2::PartialMatch(line.text, source);
}

// A death of Go's: "SIGABRT: abort", addresses, "signal arrived during cgo execution", stacks of
// all goroutines. The first and the third are told, and what backends say: other children go on
// meanwhile, so where it ends cannot be told.
class Dump {
 public:
  bool Hides(const LogLine& line) {
    static const RE2 start(R"(^(SIG[A-Z]+: |fatal error: |panic: ))");
    static const RE2 backend(R"(^(ggml_|load_backend: |  Device \d|signal arrived during cgo))");
    if (!line.level.empty()) return false;
    const bool starts = RE2::PartialMatch(line.text, start);
    const bool hides = inside_ && !starts && !RE2::PartialMatch(line.text, backend);
    inside_ = inside_ || starts;
    return hides;
  }

 private:
  bool inside_ = false;
};

// A child's extra variables come out of a Go map, so in any order.
std::string WithSortedFields(const LogLine& line) {
  std::string text = line.text.substr(0, line.text.find(" msg=")) + " msg=" + line.message;
  for (const auto& [name, value] : line.fields)
    if (name != "source") text += ' ' + name + '=' + value;
  return text;
}

using Lines = std::vector<std::string>;

struct Told {
  Lines server;
  std::vector<Lines> children;  // in the order of their start
};

// What the server says can come in the middle of a line of a dying child's, which is written in
// pieces.
std::vector<LogLine> Parted(const std::vector<LogLine>& log) {
  static const RE2 inside(R"(^.+?(time=\d{4}-\d\d-\d\dT\S+ level=))");
  std::vector<LogLine> parted;
  for (const LogLine& line : log) {
    re2::StringPiece start;
    if (!line.level.empty() || !RE2::PartialMatch(line.text, inside, &start)) {
      parted.push_back(line);
      continue;
    }
    const size_t at = static_cast<size_t>(start.data() - line.text.data());
    parted.push_back(ParseLogLine({0, line.stream, line.text.substr(0, at)}, LogFormat::kPlain));
    parted.push_back(ParseLogLine({0, line.stream, line.text.substr(at)}, LogFormat::kSlog));
  }
  return parted;
}

Told Separate(const std::vector<LogLine>& log) {
  Told told;
  Dump dump;
  for (const LogLine& line : Parted(log)) {
    if (dump.Hides(line) || IsNoise(line)) continue;
    std::string text = Masked(line.message == "subprocess" ? WithSortedFields(line) : line.text);
    if (!IsOfChild(line)) {
      told.server.push_back(std::move(text));
      continue;
    }
    if (told.children.empty() || Has(text, "starting ollama engine")) told.children.emplace_back();
    told.children.back().push_back("  " + std::move(text));
  }
  return told;
}

bool IsStart(const std::string& line) { return Has(line, "msg=\"starting runner\""); }

void Append(const Lines& lines, Lines& all) { all.insert(all.end(), lines.begin(), lines.end()); }

// First pass, one directory after the other: a block is what is said of one of them.
Lines SortedDirectories(Lines::const_iterator begin, Lines::const_iterator end,
                        std::vector<Lines>::const_iterator child) {
  std::vector<Lines> blocks, passed_over;
  bool open = false;
  for (; begin != end; ++begin) {
    // Below DEBUG no line says where the block before it ends.
    if (Has(*begin, "experimental Vulkan support disabled")) {
      passed_over.push_back({*begin});
      continue;
    }
    if (!open) blocks.emplace_back();
    // At TRACE a line before it says the same.
    if (Has(*begin, "starting runner")) open = true;
    blocks.back().push_back(*begin);
    if (!Has(*begin, "bootstrap discovery took")) continue;
    open = false;
  }
  for (Lines& block : blocks)
    if (std::any_of(block.begin(), block.end(), IsStart)) Append(*child++, block);
  blocks.insert(blocks.end(), passed_over.begin(), passed_over.end());
  std::sort(blocks.begin(), blocks.end());
  Lines sorted;
  for (const Lines& block : blocks) Append(block, sorted);
  return sorted;
}

// Neighbours that say the same of different devices.
void SortNeighbours(Lines& lines) {
  const auto message = [](const std::string& line) {
    return line.substr(0, line.find('"', line.find("msg=\"") + 5));
  };
  for (auto begin = lines.begin(); begin != lines.end();) {
    const auto end = std::find_if(
        begin, lines.end(), [&](const auto& line) { return message(line) != message(*begin); });
    std::sort(begin, end);
    begin = end;
  }
}

// From 0.30 on: what the children say comes through the server, so it stands where it belongs
// unless devices are validated at the same time.
bool IsOfLlamaServer(const std::vector<LogLine>& log) {
  return std::any_of(log.begin(), log.end(),
                     [](const LogLine& line) { return Has(line.text, "source=llama_server.go"); });
}

// A llama-server lists its devices on one stream and logs on the other, by a thread of its own:
// what it says between two lines of the server's is in any order.
Lines InOrder(const std::vector<LogLine>& log) {
  // What is left to a GPU without memory of its own is this machine's.
  const bool shares = std::any_of(
      log.begin(), log.end(), [](const LogLine& line) { return Has(line.text, " type=iGPU "); });
  const auto masked = [&](const LogLine& line) {
    std::string text = Masked(line.text);
    if (shares)
      RE2::GlobalReplace(&text, R"re((type=iGPU total="[^"]*" available=)"[^"]*")re", R"(\1HOST)");
    if (shares) RE2::GlobalReplace(&text, R"re((\(\d+ MiB, )\d+ MiB free\))re", "\\1HOST free)");
    return text;
  };
  Lines lines, said;
  const auto tell = [&] {
    std::sort(said.begin(), said.end());
    Append(std::exchange(said, {}), lines);
  };
  for (const LogLine& line : Parted(log)) {
    if (IsNoise(line)) continue;
    std::string text = masked(line);
    if (text.empty()) continue;
    if (line.level.empty()) {
      said.push_back("  " + std::move(text));
      continue;
    }
    tell();
    // The place in a list of devices that is in random order.
    if (Has(text, "supported GPU library combinations"))
      RE2::GlobalReplace(&text, R"((\d+):\d+([ \]]))", R"(\1:N\2)");
    lines.push_back(std::move(text));
  }
  tell();
  return lines;
}

// The first pass, a block for each directory. Some lines are about one that has just been asked.
Lines SortedBlocks(Lines::const_iterator begin, Lines::const_iterator end) {
  std::vector<Lines> blocks;
  bool open = false;
  for (; begin != end; ++begin) {
    const bool alone = Has(*begin, "skipping available library") ||
                       Has(*begin, "jetpack not detected") ||
                       Has(*begin, "dropping integrated GPU");
    const bool late = Has(*begin, "failure during llama-server") || Has(*begin, "NVIDIA driver");
    if (alone || blocks.empty() || (!open && !late)) blocks.emplace_back();
    blocks.back().push_back(*begin);
    open = !alone && !late && !Has(*begin, "bootstrap discovery took");
  }
  std::sort(blocks.begin(), blocks.end());
  Lines sorted;
  for (const Lines& block : blocks) Append(block, sorted);
  return sorted;
}

// Both llama-servers of a directory say why the backend gives nothing, but the first is stopped as
// soon as it has told of the processor, before or after that: what children say is told once.
void TellOnce(Lines& lines) {
  const auto again = [](const auto& a, const auto& b) { return a == b && a.starts_with("  "); };
  lines.erase(std::unique(lines.begin(), lines.end(), again), lines.end());
}

Lines CanonicalLlamaServerLog(const std::vector<LogLine>& log) {
  const Lines lines = InOrder(log);
  const auto after = [&](auto begin, std::string_view text) {
    return std::find_if(begin, lines.end(), [&](const auto& line) { return Has(line, text); });
  };
  const auto discovering = after(lines.begin(), "discovering available GPUs");
  const auto evaluating = after(discovering, "evaluating which, if any");
  auto first = discovering;
  if (first != evaluating) ++first;
  while (first != evaluating && Has(*first, "level=WARN source=runner.go"))
    ++first;  // of the user's variables
  auto tail = evaluating;
  for (auto line = evaluating; line != lines.end(); ++line)
    if (Has(*line, "filtering device which didn't") ||
        (Has(*line, "bootstrap discovery took") && !Has(*line, "GPU bootstrap")))
      tail = line + 1;
  Lines all(lines.begin(), first), second(evaluating, tail), rest(tail, lines.end());
  Append(SortedBlocks(first, evaluating), all);
  if (std::count_if(second.begin(), second.end(),
                    [](const auto& line) { return Has(line, "verifying if device"); }) > 1)
    std::sort(second.begin(), second.end());
  Append(second, all);
  SortNeighbours(rest);
  Append(rest, all);
  TellOnce(all);
  return all;
}

}  // namespace

std::vector<std::string> CanonicalOllamaLog(const std::vector<LogLine>& log) {
  if (IsOfLlamaServer(log)) return CanonicalLlamaServerLog(log);
  Told told = Separate(log);
  const Lines& server = told.server;
  const auto find = [&](auto begin, std::string_view text) {
    return std::find_if(begin, server.end(), [&](const auto& line) { return Has(line, text); });
  };
  const auto evaluating = find(server.begin(), "evaluating which, if any");
  const auto discovering = find(server.begin(), "discovering available GPUs");
  const auto first = std::find_if(discovering, evaluating, [](const std::string& line) {
    return Has(line, "starting runner") || Has(line, "skipping ") ||
           Has(line, "experimental Vulkan");
  });
  // Where the children's lines are not shown, each has said nothing.
  const auto starts = static_cast<size_t>(std::count_if(server.begin(), server.end(), IsStart));
  const bool shown = !told.children.empty();
  if (!shown) told.children.resize(starts);

  Lines all(server.begin(), first);
  const auto in_first = std::count_if(first, evaluating, IsStart);
  const bool known = told.children.size() == starts;
  Lines unknown;  // a child that died before its first line: whose line is whose cannot be told
  if (!known) {
    for (const Lines& child : told.children) Append(child, unknown);
    std::sort(unknown.begin(), unknown.end());
    told.children.assign(starts, {});
  }
  Append(SortedDirectories(first, evaluating, told.children.begin()), all);

  auto tail = evaluating;
  size_t validated = 0;
  for (auto line = evaluating; line != server.end(); ++line) {
    if (Has(*line, "verifying if device")) ++validated;
    if (Has(*line, "bootstrap discovery took") && !Has(*line, "GPU bootstrap")) tail = line + 1;
    if (Has(*line, "filtering device which didn't")) tail = line + 1;
  }
  Lines second(evaluating, tail);
  for (auto child = told.children.begin() + in_first; child != told.children.end(); ++child)
    Append(*child, second);
  if (validated > 1) std::sort(second.begin(), second.end());
  Append(second, all);
  Lines rest(tail, server.end());
  SortNeighbours(rest);
  Append(rest, all);
  Append(unknown, all);
  return all;
}

}  // namespace gpustage
