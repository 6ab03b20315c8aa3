#include "harness/stage/library_image.h"

#include <elf.h>

#include <cstring>

#include "fakes/world/format.h"
#include "harness/stage/world_file.h"

namespace gpustage {

bool StampImage(std::string& image, uint32_t instance) {
  // The text in the read-only data of a program that merely mentions the magic is no slot: a slot is followed by zeros.
  const std::string_view magic(world::kStampMagic, sizeof world::kStampMagic);
  bool stamped = false;
  for (size_t at = image.find(magic); at != std::string::npos; at = image.find(magic, at + magic.size())) {
    if (at + sizeof(world::Stamp) > image.size()) break;
    world::Stamp stamp;
    std::memcpy(&stamp, image.data() + at, sizeof stamp);
    if (stamp.instance != 0 || stamp.world[0] != '\0' || stamp.journal[0] != '\0') continue;
    stamp.instance = instance;
    static_assert(sizeof kWorldPath <= sizeof stamp.world && sizeof kJournalPath <= sizeof stamp.journal);
    std::memcpy(stamp.world, kWorldPath, sizeof kWorldPath);
    std::memcpy(stamp.journal, kJournalPath, sizeof kJournalPath);
    std::memcpy(image.data() + at, &stamp, sizeof stamp);
    stamped = true;
  }
  return stamped;
}

std::string BreakImage(std::string image, const Breakage& how) {
  switch (how.kind) {
    case Breakage::Kind::kNone:
      break;
    case Breakage::Kind::kEmpty:
      image.clear();
      break;
    case Breakage::Kind::kTruncated:
      if (how.bytes < static_cast<int64_t>(image.size())) image.resize(static_cast<size_t>(how.bytes));
      break;
    case Breakage::Kind::kText:
      image = how.text;
      break;
    case Breakage::Kind::kWrongClass:
      if (image.size() > EI_CLASS) image[EI_CLASS] = ELFCLASS32;
      break;
    case Breakage::Kind::kWrongMachine: {
      constexpr uint16_t kMachine = EM_AARCH64;
      if (image.size() >= sizeof(Elf64_Ehdr))
        std::memcpy(image.data() + offsetof(Elf64_Ehdr, e_machine), &kMachine, sizeof kMachine);
      break;
    }
  }
  return image;
}

}  // namespace gpustage
