# What is made of the built program: its manual page and its completion for shells, installed with it;
# and by `cpack -G DEB` a package for Debian.
set(documents ${PROJECT_BINARY_DIR}/documents)
add_custom_command(OUTPUT ${documents}/ebt.1 ${documents}/ebt.bash ${documents}/_ebt
  COMMAND ${CMAKE_COMMAND} -DEBT=$<TARGET_FILE:ebt_app> -DFOLDER=${documents}
          -P ${CMAKE_CURRENT_LIST_DIR}/documents.cmake
  DEPENDS ebt_app ${CMAKE_CURRENT_LIST_DIR}/documents.cmake VERBATIM)
add_custom_target(ebt_documents ALL DEPENDS ${documents}/ebt.1 ${documents}/ebt.bash ${documents}/_ebt)
install(FILES ${documents}/ebt.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${documents}/ebt.bash RENAME ebt
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${documents}/_ebt DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)

set(CPACK_PACKAGE_NAME ebt)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "The ebt.cpp authors")
set(CPACK_PACKAGE_CONTACT "The ebt.cpp authors <authors@ebt.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "train Energy-Based Transformers, and let them think")
set(CPACK_PACKAGE_DESCRIPTION "An Energy-Based Transformer scores how well a prediction fits its
context, and thinks by descending that energy: more thinking steps, better
predictions. This package has the program ebt, which trains, evaluates and
serves such models of text and images, and the C++ library it is made of.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian_files.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, libfmt-dev, nlohmann-json3-dev")
include(CPack)
