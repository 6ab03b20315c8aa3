# cmake --install: what goes where below the prefix. Programs find the rest from where they lie (harness/suite/installation.cc), so the
# tree may be moved.
#
#   bin                    gpustage, gpustage-gtest, gpustage-real
#   include/gpustage       public headers
#   LIBDIR                 libgpustage.so, cmake/gpustage, pkgconfig/gpustage.pc
#   lib/gpustage           fakes, recorders, programs: what is put into staged trees
#   share/gpustage         fixtures, scenarios, schemas
#   share/doc/gpustage     README.md, docs, copyright, examples
#   share                  the manual page, completions of bash and zsh
include(CMakePackageConfigHelpers)
set(built lib/gpustage)  # never LIBDIR: none of it is a library of this machine
set(data ${CMAKE_INSTALL_DATADIR}/gpustage)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/gpustage)

install(TARGETS gpustage gpustage_gtest)
install(PROGRAMS harness/package/gpustage-real TYPE BIN)
install(FILES harness/dev.d/real.sh DESTINATION ${built})

get_property(fakes GLOBAL PROPERTY GPUSTAGE_FAKES)
install(TARGETS ${fakes} LIBRARY DESTINATION ${built}/fakes)
install(TARGETS gpustage_capture RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS audit ask capture_probe LIBRARY DESTINATION ${built}/recorders RUNTIME DESTINATION ${built}/recorders)
install(TARGETS ollama_model ggml_driver dlopen_probe runner_info DESTINATION ${built}/programs)

install(DIRECTORY scenarios fixtures DESTINATION ${data} FILES_MATCHING PATTERN *.yaml PATTERN *.json PATTERN recordings/*.md
  PATTERN programs EXCLUDE PATTERN logs/given EXCLUDE PATTERN logs/threads EXCLUDE)
install(DIRECTORY fixtures/programs/go_nvml DESTINATION ${data}/fixtures/programs)  # gpustage-real builds it
file(GLOB schemas CONFIGURE_DEPENDS harness/*/*.schema.json)
install(FILES ${schemas} DESTINATION ${data}/schemas)

install(FILES README.md harness/package/copyright TYPE DOC)
install(DIRECTORY harness/docs TYPE DOC FILES_MATCHING PATTERN *.md)
set(pages ${PROJECT_BINARY_DIR}/harness/cli)
install(FILES ${pages}/gpustage.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages}/gpustage.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME gpustage)
install(FILES ${pages}/_gpustage DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
foreach(used libcli11-dev nlohmann-json3-dev libgtest-dev)
  install(FILES /usr/share/doc/${used}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}/notices RENAME ${used} OPTIONAL)
endforeach()
install(DIRECTORY tests/install/example/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# pkg-config: by where the file lies, so that the tree may be moved.
file(RELATIVE_PATH from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
file(CONFIGURE OUTPUT gpustage.pc @ONLY CONTENT "prefix=\${pcfiledir}/@from_pc@
libdir=\${prefix}/@CMAKE_INSTALL_LIBDIR@

Name: gpustage
Description: fake GPU machines for C++ tests
Version: @PROJECT_VERSION@
Cflags: -I\${prefix}/include
Libs: -L\${libdir} -lgpustage
")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gpustage.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(gpustage)
install(TARGETS embed EXPORT gpustage FILE_SET HEADERS)
install(EXPORT gpustage FILE gpustageTargets.cmake NAMESPACE gpustage:: DESTINATION ${package})
configure_package_config_file(harness/package/gpustageConfig.cmake.in gpustageConfig.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_BINDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(gpustageConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gpustageConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/gpustageConfigVersion.cmake
  harness/cmake/gpustage_add_scenarios.cmake DESTINATION ${package})
