// Claims about the loader, of an expectation.
#include <fmt/format.h>

#include "harness/scenario/read/claim_readers.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {
namespace {

constexpr std::string_view kLibrary = "a library";

Status ReadRule(const YamlNode& claim, std::optional<std::string>& by) {
  const YamlNode* rule = claim.Find("by");
  if (rule == nullptr) return Ok();
  TRY(by, ReadChoice<std::string>(*rule, "rule",
                                  {{"LD_LIBRARY_PATH", "LD_LIBRARY_PATH"},
                                   {"RPATH", "RPATH"},
                                   {"RUNPATH", "RUNPATH"},
                                   {"cache", "cache"},
                                   {"default", "default"}}));
  return Ok();
}

Result<std::string> ReadBuildId(const YamlNode& node) {
  TRY(const std::string id, ReadText(node, "a build-id"));
  const bool hex = id.size() >= 2 && id.size() % 2 == 0 &&
                   id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hex)
    return ErrorAt(node, fmt::format("expected a build-id in hex, as readelf -n prints it, got {}",
                                     Describe(node)));
  return id;
}

}  // namespace

Result<LoadsClaim> ReadLoads(const YamlNode& node) {
  LoadsClaim claim;
  if (node.IsText()) {
    TRY(claim.library, ReadNonEmpty(node, kLibrary));
    return claim;
  }
  TRY(CheckKeys(node, kLibrary, {"library", "from", "by", "build_id", "in"}));
  TRY(const YamlNode* library, Require(node, "loads", "library"));
  TRY(claim.library, ReadNonEmpty(*library, kLibrary));
  if (const YamlNode* from = node.Find("from")) {
    TRY(claim.from, ReadTreePath(*from, "where it was loaded from"));
  }
  if (const YamlNode* id = node.Find("build_id")) {
    TRY(claim.build_id, ReadBuildId(*id));
  }
  TRY(ReadRule(node, claim.by));
  TRY(ReadInto(node, "in", kRole, claim.in));
  return claim;
}

Result<LoadsClaim> ReadLoadsNot(const YamlNode& node) {
  LoadsClaim claim;
  claim.present = false;
  TRY(claim.library, ReadNonEmpty(node, kLibrary));
  return claim;
}

Result<SearchesClaim> ReadSearches(const YamlNode& node) {
  TRY(CheckKeys(node, "searches", {"path", "by", "for", "in", "count"}));
  SearchesClaim claim;
  TRY(const YamlNode* path, Require(node, "searches", "path"));
  TRY(claim.path, ReadTreePath(*path, "where the loader looked"));
  TRY(ReadRule(node, claim.by));
  TRY(ReadInto(node, "for", "the library that needs it", claim.requester));
  TRY(ReadInto(node, "in", kRole, claim.in));
  TRY(ReadTimes(node, "times", claim.count));
  return claim;
}

Result<DlsymClaim> ReadDlsym(const YamlNode& node) {
  TRY(CheckKeys(node, "dlsym", {"symbol", "answer", "from", "in", "count"}));
  DlsymClaim claim;
  TRY(const YamlNode* symbol, Require(node, "dlsym", "symbol"));
  TRY(claim.symbol, ReadNonEmpty(*symbol, "the name of a symbol"));
  if (const YamlNode* answer = node.Find("answer")) {
    TRY(claim.answer,
        ReadChoice<std::string>(*answer, "answer", {{"found", "found"}, {"missing", "missing"}}));
  }
  TRY(ReadInto(node, "from", kLibrary, claim.from));
  if (claim.from && claim.answer == "missing")
    return ErrorAt(*node.Find("from"), "a symbol that is missing comes from nobody");
  TRY(ReadInto(node, "in", kRole, claim.in));
  TRY(ReadTimes(node, "times", claim.count));
  return claim;
}

Result<LacksClaim> ReadLacks(const YamlNode& node) {
  TRY(CheckKeys(node, "lacks", {"library", "of", "symbol", "version", "count"}));
  LacksClaim claim;
  TRY(const YamlNode* library, Require(node, "lacks", "library"));
  TRY(claim.library, ReadNonEmpty(*library, kLibrary));
  TRY(ReadInto(node, "of", kLibrary, claim.of));
  TRY(ReadInto(node, "symbol", "a symbol, or symbol@version", claim.symbol));
  TRY(ReadInto(node, "version", "a version", claim.version));
  TRY(ReadTimes(node, "processes", claim.count));
  return claim;
}

Result<TakesClaim> ReadTakes(const YamlNode& node) {
  TRY(CheckKeys(node, "takes", {"function", "from", "in", "count"}));
  TakesClaim claim;
  TRY(const YamlNode* function, Require(node, "takes", "function"));
  TRY(claim.function, ReadNonEmpty(*function, "a function of libc"));
  TRY(ReadInto(node, "from", kLibrary, claim.from));
  TRY(ReadInto(node, "in", kRole, claim.in));
  TRY(ReadTimes(node, "processes", claim.count));
  return claim;
}

}  // namespace gpustage
