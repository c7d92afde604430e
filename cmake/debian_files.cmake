# Run by cpack on the tree that becomes a Debian package: files that Debian wants beside the installed
# ones, and places where it wants some of these.
set(usr ${CPACK_TEMPORARY_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX})
set(documents ${usr}/share/doc/ebt)

file(MAKE_DIRECTORY ${documents})
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian_copyright ${documents}/copyright COPYONLY)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${documents}/changelog
  "ebt (${CPACK_PACKAGE_VERSION}) stable; urgency=low\n\n"
  "  * The history of the sources tells what is new.\n\n"
  " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
execute_process(COMMAND gzip -9n ${documents}/changelog ${usr}/share/man/man1/ebt.1
  COMMAND_ERROR_IS_FATAL ANY)
# Debian's zsh looks here.
file(MAKE_DIRECTORY ${usr}/share/zsh/vendor-completions)
file(RENAME ${usr}/share/zsh/site-functions/_ebt ${usr}/share/zsh/vendor-completions/_ebt)
file(REMOVE_RECURSE ${usr}/share/zsh/site-functions)
