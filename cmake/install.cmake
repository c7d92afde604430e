# What `cmake --install` puts under a prefix: the library with its headers, the program, and what
# find_package(ebt) reads. Nothing in it names the prefix, so the whole may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

target_compile_features(ebt INTERFACE cxx_std_20)  # of the headers
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ebt)
set_target_properties(ebt PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
install(TARGETS ebt EXPORT ebtTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT ebtTargets NAMESPACE ebt:: DESTINATION ${package_dir})

# Kernels are called through tables of functions; what these are made of is for nobody else.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/ebt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h"
  PATTERN "serve" EXCLUDE  # a part of the program
  PATTERN "cpu" EXCLUDE)

# A static library leaves what it is built on to the programs that link it.
get_target_property(kind ebt TYPE)
if(kind STREQUAL "STATIC_LIBRARY")
  set(EBT_IS_STATIC ON)
else()
  set(EBT_IS_STATIC OFF)
endif()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/ebtConfig.cmake.in
  ${PROJECT_BINARY_DIR}/ebtConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ebtConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ebtConfig.cmake ${PROJECT_BINARY_DIR}/ebtConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH library_from_program
  /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${CMAKE_INSTALL_LIBDIR})
set_target_properties(ebt_app PROPERTIES INSTALL_RPATH "$ORIGIN/${library_from_program}")
install(TARGETS ebt_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
