#include "harness/base/files.h"
#include "harness/suite/collection_page.h"
#include "tests/collection/collection.h"

namespace gpustage {
namespace {

TEST(CollectionPage, IsWhatItsScenariosSay) {
  const Result<std::string> page = CollectionPage(FindCatalog({}));
  ASSERT_THAT(page, IsOk());
  const Result<std::string> kept = ReadFile(InSources("/scenarios/README.md"));
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE(*page == *kept) << "scenarios/README.md is of other scenarios: "
                                 "gpustage find --page > scenarios/README.md";
}

}  // namespace
}  // namespace gpustage
