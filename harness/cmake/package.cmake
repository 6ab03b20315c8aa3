# cpack -G DEB: one package, below /usr. harness/dev package runs it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gpustage)
set(CPACK_PACKAGE_CONTACT "The gpustage project <gpustage@localhost>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "fake GPU machines for programs that look for GPUs
Builds a fake GPU machine out of a scenario file, lets a real scanner loose
in it (Ollama's discovery, the ggml loader, any program), and says what the
scanner saw, which step lost the device, and which event shows it. With a
library for C++ tests.")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS uidmap)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, gdb, libgmock-dev, python3-pip")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Debian wants one of a package: what changed is told by the repository.
string(TIMESTAMP today "%a, %d %b %Y 00:00:00 +0000" UTC)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/package/changelog
  "gpustage (${PROJECT_VERSION}) unstable; urgency=low\n\n  * Built from its repository.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${today}\n")
execute_process(COMMAND gzip -9n INPUT_FILE ${CMAKE_CURRENT_BINARY_DIR}/package/changelog
  OUTPUT_FILE ${CMAKE_CURRENT_BINARY_DIR}/package/changelog.gz)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/package/changelog.gz TYPE DOC)
file(CONFIGURE OUTPUT package/triggers CONTENT "activate-noawait ldconfig\n")
file(CONFIGURE OUTPUT package/shlibs CONTENT "libgpustage ${PROJECT_VERSION_MAJOR} gpustage (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/package/triggers ${CMAKE_CURRENT_BINARY_DIR}/package/shlibs)

# What this machine's libraries are asked for. Fakes are not: theirs are fakes, too. gpustage-gtest needs the same and our own.
set(CPACK_GPUSTAGE_LINKED harness/gpustage harness/embed/libgpustage.so recorders/ask
  programs/dlopen_probe programs/ggml_driver programs/ollama-model programs/runner_info)
list(TRANSFORM CPACK_GPUSTAGE_LINKED PREPEND ${PROJECT_BINARY_DIR}/)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/harness/package/deb_depends.cmake)
include(CPack)
